//! Broadcasting: arrays of different shapes in one elementwise operation, by the rules of NumPy.
//!
//! Shapes are aligned at their last axes. Two axes fit if they are equal or one of them is 1; a missing axis counts as 1. An axis of
//! length 1 is read again and again. In backward, the gradient of what was read again and again is the sum over all readings:
//! [`sum_to`].

use crate::dense::Dense;
use crate::reduce::{AxisSet, SumInto, fold};
use gradwise_core::{ArrayRefD, Cx, Error, Pool, Real, Result, Slot};
use ndarray::{Dimension, IxDyn};

/// The shape that shapes broadcast to.
///
/// # Errors
/// [`Error::Shape`] with the first shape that does not fit those before it.
///
/// ```
/// use gradwise_tensor::broadcast::out_shape;
/// use ndarray::IxDyn;
///
/// assert_eq!(out_shape("add", &[&[8, 1, 6], &[7, 1]])?, IxDyn(&[8, 7, 6]));
/// assert!(out_shape("add", &[&[2, 3], &[2]]).is_err());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub fn out_shape(op: &'static str, shapes: &[&[usize]]) -> Result<IxDyn> {
    let ndim = shapes.iter().map(|s| s.len()).max().unwrap_or(0);
    if let Some(shape) = shapes.iter().find(|s| s.len() == ndim) {
        AxisSet::check_ndim(op, shape)?;
    }
    let mut out = IxDyn::zeros(ndim);
    out.slice_mut().fill(1);
    for &shape in shapes {
        let fits = out.slice_mut()[ndim - shape.len()..].iter_mut().zip(shape).all(|(o, &len)| {
            let fits = *o == len || *o == 1 || len == 1;
            if *o == 1 {
                *o = len;
            }
            fits
        });
        if !fits {
            return Err(Error::shape(op, format!("a shape that broadcasts with {:?}", shapes[0]), shape));
        }
    }
    Ok(out)
}

/// Whether an array of shape `from` can be read as one of shape `to`.
pub fn fits(from: &[usize], to: &[usize]) -> bool {
    from.len() <= to.len() && from.iter().rev().zip(to.iter().rev()).all(|(&a, &b)| a == b || a == 1)
}

/// The axes of `to` that an array of shape `from` repeats along when it is broadcast to it.
///
/// # Panics
/// If `from` has more axes than `to`, or `to` more than 64.
pub fn repeated_axes(from: &[usize], to: &[usize]) -> AxisSet {
    let missing = to.len() - from.len();
    let repeated = |axis: &usize| *axis < missing || (from[axis - missing] == 1 && to[*axis] != 1);
    AxisSet::of((0..to.len()).filter(repeated))
}

/// The adjoint of broadcasting: adds the gradient of the broadcast array, summed over the axes it was repeated along, into the slot.
///
/// Sums are carried in `f64`.
///
/// # Errors
/// [`Error::Shape`] if the slot's shape does not broadcast to the gradient's.
///
/// ```
/// use gradwise_core::{Cx, Key, Scratch, Serial, Slot};
/// use gradwise_tensor::broadcast::sum_to;
/// use ndarray::{arr1, arr2};
///
/// let mut scratch = Scratch::default();
/// let mut cx = Cx { scratch: &mut scratch, pool: &Serial, training: true, key: Key::new(0), first_sample: 0 };
/// let grad = arr2(&[[1.0, 2.0], [3.0, 4.0]]).into_dyn();
/// let mut bias = arr1(&[0.0, 0.0]).into_dyn();
/// sum_to("add", &grad, &mut Slot { grad: &mut bias, first: true }, &mut cx)?;
/// assert_eq!(bias, arr1(&[4.0, 6.0]).into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub fn sum_to<T: Real>(
    op: &'static str,
    grad: &ArrayRefD<T>,
    slot: &mut Slot<'_, T>,
    cx: &mut Cx<'_, T>,
) -> Result<()> {
    if !fits(slot.grad.shape(), grad.shape()) {
        return Err(Error::shape(op, format!("a shape that broadcasts to {:?}", grad.shape()), slot.grad.shape()));
    }
    AxisSet::check_ndim(op, grad.shape())?;
    let dense = Dense::of(grad, cx.scratch);
    sum_slice_to(cx.pool, T::one(), &dense, grad.shape(), slot);
    dense.release(cx.scratch);
    Ok(())
}

/// The same for a dense gradient, times a factor.
pub(crate) fn sum_slice_to<T: Real>(pool: &dyn Pool, factor: T, grad: &[T], shape: &[usize], slot: &mut Slot<'_, T>) {
    let axes = repeated_axes(slot.grad.shape(), shape);
    let sum = SumInto { factor, add: !slot.first };
    fold(pool, &sum, grad, shape, axes, slot.slice_mut());
}
