//! Adaptive pooling: as many windows as asked for, whatever the image's size.

use super::geometry::image;
use crate::dense::Dense;
use crate::parallel;
use crate::support::{rows2, slice, slice_mut, sums, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;
use std::ops::Range;

/// The elements of window `i` of `windows` along an axis of length `n`: `⌊i n / windows⌋` to `⌈(i + 1) n / windows⌉`.
///
/// They cover the axis, each has at least one element, and neighbours overlap where the division leaves a rest.
fn window(i: usize, windows: usize, n: usize) -> Range<usize> {
    i * n / windows..((i + 1) * n).div_ceil(windows)
}

fn check_size(what: &'static str, size: [usize; 2]) -> Result<()> {
    if size.contains(&0) { Err(Error::value(what, "at least one window", format!("{size:?}"))) } else { Ok(()) }
}

fn out_shape(op: &'static str, inputs: &[&[usize]], out: [usize; 2]) -> Result<IxDyn> {
    let [x] = arity(op, inputs)?;
    let [samples, channels, height, width] = image(op, x, 2)?;
    if height == 0 || width == 0 {
        return Err(Error::shape(op, "an image with at least one element", x));
    }
    Ok(IxDyn(&[samples, channels, out[0], out[1]]))
}

/// Adaptive average pooling: the means of a grid of windows that cover the image.
///
/// - Input: `[samples, channels, height, width]`. Output: `[samples, channels, out_height, out_width]`, where window `i` of `n` covers
///   the elements from `⌊i h / n⌋` to `⌈(i + 1) h / n⌉` of an axis of length `h`.
/// - For one window, see also [`GlobalAvgPool`](super::GlobalAvgPool).
///
/// ```
/// use gradwise_tensor::{eager::Eager, pool::AdaptiveAvgPool2d};
/// use ndarray::{Array, ArrayD};
///
/// let x: ArrayD<f64> = Array::linspace(0.0, 4.0, 5).into_shape_with_order(vec![1, 1, 1, 5]).unwrap();
/// let (y, _) = Eager::default().forward(&AdaptiveAvgPool2d::new([1, 2])?, &[x.view()])?;
/// assert_eq!(y.as_slice(), Some(&[1.0, 3.0][..])); // the middle element is in both windows
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdaptiveAvgPool2d {
    size: [usize; 2],
}

impl AdaptiveAvgPool2d {
    /// Pooling to this height and width.
    ///
    /// # Errors
    /// If one of them is 0.
    pub fn new(size: [usize; 2]) -> Result<Self> {
        check_size("adaptive_avg_pool2d: size", size)?;
        Ok(AdaptiveAvgPool2d { size })
    }
}

crate::once::compiled_once!(AdaptiveAvgPool2d);

impl<T: Real> crate::once::OpKernel<T> for AdaptiveAvgPool2d {
    fn name(&self) -> &'static str {
        "adaptive_avg_pool2d"
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        out_shape("adaptive_avg_pool2d", inputs, self.size)
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let [height, width] = [inputs[0].shape()[2], inputs[0].shape()[3]];
        let x = Dense::of(&inputs[0], cx.scratch);
        let (len, out_len) = (height * width, self.size[0] * self.size[1]);
        parallel::rows(cx.pool, slice_mut(out), out_len, 1, x.len(), &|planes, out| {
            vectorize!(|| {
                for (i, plane) in planes.enumerate() {
                    let x = &x[plane * len..][..len];
                    for (j, out) in out[i * out_len..][..out_len].iter_mut().enumerate() {
                        let rows = window(j / self.size[1], self.size[0], height);
                        let columns = window(j % self.size[1], self.size[1], width);
                        let count = (rows.len() * columns.len()) as f64;
                        let mut total = 0.0;
                        for row in rows {
                            let x = &x[row * width..][columns.clone()];
                            let [sum] = sums(x, x, x, |x, _, _| [x]);
                            total += sum;
                        }
                        *out = T::of(total / count);
                    }
                }
            },);
        });
        x.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let Some(slot) = &grads[0] else { return Ok(()) };
        let [height, width] = [slot.grad.shape()[2], slot.grad.shape()[3]];
        let (grad, (to_x, first)) = (slice(at.grad), target(&mut grads[0]));
        let (len, out_len, work) = (height * width, self.size[0] * self.size[1], 2 * to_x.len());
        parallel::rows(cx.pool, to_x, len, 1, work, &|planes, to_x| {
            for (to_x, plane) in to_x.chunks_exact_mut(len).zip(planes) {
                if first {
                    to_x.fill(T::zero());
                }
                for (j, &grad) in grad[plane * out_len..][..out_len].iter().enumerate() {
                    let rows = window(j / self.size[1], self.size[0], height);
                    let columns = window(j % self.size[1], self.size[1], width);
                    let value = grad / T::of_usize(rows.len() * columns.len());
                    for row in rows {
                        to_x[row * width..][columns.clone()].iter_mut().for_each(|to_x| *to_x += value);
                    }
                }
            }
        });
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}

/// Adaptive max pooling: the maxima of a grid of windows that cover the image, the windows of [`AdaptiveAvgPool2d`].
///
/// A NaN in a window is its maximum; of equal elements the first one, row by row, gets the gradient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdaptiveMaxPool2d {
    size: [usize; 2],
}

impl AdaptiveMaxPool2d {
    /// Pooling to this height and width.
    ///
    /// # Errors
    /// If one of them is 0.
    pub fn new(size: [usize; 2]) -> Result<Self> {
        check_size("adaptive_max_pool2d: size", size)?;
        Ok(AdaptiveMaxPool2d { size })
    }
}

crate::once::compiled_once!(AdaptiveMaxPool2d);

impl<T: Real> crate::once::OpKernel<T> for AdaptiveMaxPool2d {
    fn name(&self) -> &'static str {
        "adaptive_max_pool2d"
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let shape = out_shape("adaptive_max_pool2d", inputs, self.size)?;
        if inputs[0][2].checked_mul(inputs[0][3]).is_none_or(|len| u32::try_from(len).is_err()) {
            return Err(Error::shape("adaptive_max_pool2d", "an image of at most 2³² - 1 elements", inputs[0]));
        }
        Ok(shape)
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let [height, width] = [inputs[0].shape()[2], inputs[0].shape()[3]];
        let (len, out_len) = (height * width, self.size[0] * self.size[1]);
        let x = Dense::of(&inputs[0], cx.scratch);
        saved.indices = cx.scratch.take_words(out.len());
        let (n_planes, outputs) = (out.len() / out_len, (slice_mut(out), out_len));
        rows2(cx.pool, x.len(), n_planes, outputs, (&mut saved.indices, out_len), &|planes, out, places| {
            for (i, plane) in planes.enumerate() {
                let x = &x[plane * len..][..len];
                for j in 0..out_len {
                    let columns = window(j % self.size[1], self.size[1], width);
                    let rows = window(j / self.size[1], self.size[0], height);
                    let mut best = rows.start * width + columns.start;
                    for row in rows {
                        for place in row * width + columns.start..row * width + columns.end {
                            if x[place] > x[best] || (x[place].is_nan() && !x[best].is_nan()) {
                                best = place;
                            }
                        }
                    }
                    // Places fit into 32 bits: `out_shape` saw to it.
                    (out[i * out_len + j], places[i * out_len + j]) = (x[best], best as u32);
                }
            }
        });
        x.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let Some(slot) = &grads[0] else { return Ok(()) };
        let (len, out_len) = (slot.grad.shape()[2] * slot.grad.shape()[3], self.size[0] * self.size[1]);
        let (grad, (to_x, first)) = (slice(at.grad), target(&mut grads[0]));
        let work = to_x.len() + 2 * grad.len();
        parallel::rows(cx.pool, to_x, len, 1, work, &|planes, to_x| {
            for (to_x, plane) in to_x.chunks_exact_mut(len).zip(planes) {
                if first {
                    to_x.fill(T::zero());
                }
                let at_plane = plane * out_len..(plane + 1) * out_len;
                for (&grad, &place) in grad[at_plane.clone()].iter().zip(&at.saved.indices[at_plane]) {
                    to_x[place as usize] += grad;
                }
            }
        });
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
