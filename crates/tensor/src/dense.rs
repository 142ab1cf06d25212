//! Any array as a plain slice in standard order.
//!
//! Inner loops run over slices. Most arrays are in standard layout and are simply borrowed; a transposed or stepped view is packed
//! into memory borrowed from a [`Scratch`], which costs one pass and no allocation once the scratch is warm.

use gradwise_core::{Real, Scratch};
use ndarray::{ArrayRef, ArrayViewMut, Dimension};
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
        view_mut(array.raw_dim(), &mut buffer).assign(array);
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
