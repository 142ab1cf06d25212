//! Any array as a plain slice in standard order.
//!
//! Inner loops run over slices. Most arrays are in standard layout and are simply borrowed; a transposed or stepped view is packed
//! into memory borrowed from a [`Scratch`], which costs one pass and no allocation once the scratch is warm.

use gradwise_core::{Real, Scratch};
use ndarray::{ArrayRef, ArrayViewD, ArrayViewMut, ArrayViewMutD, Axis, Dimension, Ix2, Zip};
use std::ops::Deref;

/// The elements of an array in standard (row-major) order.
///
/// ```
/// use gradwise_core::Scratch;
/// use gradwise_tensor::dense::Dense;
/// use ndarray::arr2;
///
/// let mut scratch = Scratch::default();
/// let x = arr2(&[[1.0, 2.0], [3.0, 4.0]]);
/// let transposed = x.t();
/// let dense = Dense::of(&transposed, &mut scratch);
/// assert_eq!(*dense, [1.0, 3.0, 2.0, 4.0]);
/// dense.release(&mut scratch);
/// ```
#[derive(Debug)]
pub enum Dense<'a, T> {
    /// The array's own memory.
    Borrowed(&'a [T]),
    /// A copy in a buffer of the scratch.
    Packed(Vec<T>),
}

impl<'a, T: Real> Dense<'a, T> {
    /// The elements of an array, copied only if it is not in standard layout.
    pub fn of<D: Dimension>(array: &'a ArrayRef<T, D>, scratch: &mut Scratch<T>) -> Self {
        if let Some(slice) = array.as_slice() {
            return Dense::Borrowed(slice);
        }
        let mut buffer = scratch.take(array.len());
        copy(array.view().into_dyn(), view_mut(array.raw_dim(), &mut buffer).into_dyn());
        Dense::Packed(buffer)
    }

    /// Gives a copy's memory back.
    pub fn release(self, scratch: &mut Scratch<T>) {
        if let Dense::Packed(buffer) = self {
            scratch.give(buffer);
        }
    }
}

impl<T> Deref for Dense<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        match self {
            Dense::Borrowed(slice) => slice,
            Dense::Packed(buffer) => buffer,
        }
    }
}

/// Side of the square tiles of a transposition: 16 rows of 16 `f32` are 16 cache lines on either side.
const TILE: usize = 16;

/// `out ← x`, for an `out` in standard layout.
///
/// Where another axis than the last is the contiguous one of `x`, one of both is walked through memory with large strides, whatever
/// the order of the loops. Square tiles keep the cache lines of both until they are used up.
pub(crate) fn copy<T: Real>(x: ArrayViewD<'_, T>, mut out: ArrayViewMutD<'_, T>) {
    let last = Axis(x.ndim().saturating_sub(1));
    let contiguous =
        (0..x.ndim()).filter(|&a| x.shape()[a] > 1).min_by_key(|&a| x.strides()[a].unsigned_abs()).map(Axis);
    let Some(axis) = contiguous.filter(|&axis| axis != last && x.len_of(axis) >= TILE && x.len_of(last) >= TILE) else {
        return assign(x, out);
    };
    if let Some(other) = (0..x.ndim()).map(Axis).find(|&a| a != axis && a != last) {
        // Plane by plane.
        out.axis_iter_mut(other).zip(x.axis_iter(other)).for_each(|(out, x)| copy(x, out));
        return;
    }
    // With a fixed dimension the loops over a tile are plain ones.
    if let (Ok(mut out), Ok(x)) = (out.into_dimensionality::<Ix2>(), x.into_dimensionality::<Ix2>()) {
        for (mut out, x) in out.axis_chunks_iter_mut(Axis(0), TILE).zip(x.axis_chunks_iter(Axis(0), TILE)) {
            for (out, x) in out.axis_chunks_iter_mut(Axis(1), TILE).zip(x.axis_chunks_iter(Axis(1), TILE)) {
                Zip::from(out).and(x).for_each(|o, &x| *o = x);
            }
        }
    }
}

/// What `out.assign(&x)` does, which for arrays of dynamic dimension is slower: it makes a view of every row.
fn assign<T: Real>(x: ArrayViewD<'_, T>, out: ArrayViewMutD<'_, T>) {
    Zip::from(out).and(x).for_each(|o, &x| *o = x);
}

/// Runs `f` on the elements of `out` in standard order, which it must overwrite without reading.
pub fn overwrite<T: Real, D: Dimension, R>(
    out: &mut ArrayRef<T, D>,
    scratch: &mut Scratch<T>,
    f: impl FnOnce(&mut [T], &mut Scratch<T>) -> R,
) -> R {
    if let Some(slice) = out.as_slice_mut() {
        return f(slice, scratch);
    }
    let mut buffer = scratch.take(out.len());
    let result = f(&mut buffer, scratch);
    out.assign(&view_mut(out.raw_dim(), &mut buffer));
    scratch.give(buffer);
    result
}

/// A slice as an array of a shape, whose size is the slice's length.
pub(crate) fn view_mut<T, D: Dimension>(shape: D, slice: &mut [T]) -> ArrayViewMut<'_, T, D> {
    ArrayViewMut::from_shape(shape, slice).unwrap_or_else(|_| unreachable!("the slice has the shape's size"))
}
