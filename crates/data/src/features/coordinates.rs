//! Where each pixel is.

use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{ArrayD, Axis, IxDyn, Slice};

/// Images `[N, channels, height, width]` with two channels more: each pixel's `x` and `y`, from −1 at the first to 1 at the last.
///
/// A convolution does not know where it is; with coordinates among its inputs it can learn to. Any number of axes after the channels gets
/// one channel each, in the order of the last axis first (`x`, `y`, `z`). An axis of one place has the coordinate 0. Source: Liu et al.,
/// *An intriguing failing of convolutional neural networks and the CoordConv solution*, NeurIPS 2018.
///
/// ```
/// let images = ndarray::ArrayD::<f32>::zeros(vec![1, 1, 2, 3]);
/// let with = gradwise_data::with_coordinates(&images)?;
/// assert_eq!(with.shape(), [1, 3, 2, 3]);
/// let x = with.index_axis(ndarray::Axis(1), 1);
/// assert_eq!(x.iter().copied().collect::<Vec<f32>>(), [-1.0, 0.0, 1.0, -1.0, 0.0, 1.0]);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If there is no axis of places after those of samples and channels.
pub fn with_coordinates<T: Real>(images: &ArrayRefD<T>) -> Result<ArrayD<T>> {
    let [n, channels, places @ ..] = images.shape() else {
        return Err(DataError::shape("coordinates", "[N, channels, places…]", images.shape()));
    };
    if places.is_empty() {
        return Err(DataError::shape("coordinates", "[N, channels, places…]", images.shape()));
    }
    let shape = [&[*n, channels + places.len()], places].concat();
    let mut out = ArrayD::zeros(IxDyn(&shape));
    out.slice_axis_mut(Axis(1), Slice::from(0..*channels)).assign(images);
    for (c, (axis, &size)) in places.iter().enumerate().rev().enumerate() {
        let mut channel = out.index_axis_mut(Axis(1), channels + c);
        for (i, mut place) in channel.axis_iter_mut(Axis(axis + 1)).enumerate() {
            let at = if size > 1 { 2.0 * i as f64 / (size - 1) as f64 - 1.0 } else { 0.0 };
            place.fill(T::of(at));
        }
    }
    Ok(out)
}
