//! Average pooling.

use super::geometry::{Columns, Pool2dGeometry, each_strided, image};
use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, slice_mut, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Scratch, Slot, arity};
use ndarray::IxDyn;

/// Average pooling of images: the mean of each window.
///
/// - Input: `[samples, channels, height, width]`. Output: `[samples, channels, out_height, out_width]`, see [`Pool2dGeometry`].
/// - The mean is over the window's elements that exist; with [`AvgPool2d::count_padding`], over the padding too, which counts as zeros.
///   What reaches beyond the padding, in ceiling mode, never counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AvgPool2d {
    geometry: Pool2dGeometry,
    count_padding: bool,
}

impl AvgPool2d {
    /// Average pooling over these windows; padding does not count.
    pub fn new(geometry: Pool2dGeometry) -> Self {
        AvgPool2d { geometry, count_padding: false }
    }

    /// Whether the mean counts the padding as zeros.
    #[must_use]
    pub fn count_padding(self, count_padding: bool) -> Self {
        AvgPool2d { count_padding, ..self }
    }
}

/// Average pooling of sequences: [`AvgPool2d`] over `[samples, channels, length]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AvgPool1d {
    geometry: Pool2dGeometry,
    count_padding: bool,
}

impl AvgPool1d {
    /// Average pooling over windows of this length, at this distance, with this much padding at both ends, which does not count.
    ///
    /// # Errors
    /// If kernel or stride is 0, or the padding more than half of the kernel.
    pub fn new(kernel: usize, stride: usize, padding: usize) -> Result<Self> {
        Ok(AvgPool1d { geometry: Pool2dGeometry::line(kernel, stride, padding)?, count_padding: false })
    }

    /// Whether the mean counts the padding as zeros.
    #[must_use]
    pub fn count_padding(self, count_padding: bool) -> Self {
        AvgPool1d { count_padding, ..self }
    }

    /// Whether the number of windows is rounded up.
    #[must_use]
    pub fn ceil_mode(self, ceil: bool) -> Self {
        AvgPool1d { geometry: self.geometry.ceil_mode(ceil), ..self }
    }
}

/// One call's windows and sizes.
#[derive(Clone, Copy)]
struct Kernel {
    geometry: Pool2dGeometry,
    count_padding: bool,
    size: [usize; 2],
    out: [usize; 2],
}

impl Kernel {
    fn of(
        op: &'static str,
        geometry: Pool2dGeometry,
        count_padding: bool,
        shape: &[usize],
        axes: usize,
    ) -> Result<Self> {
        let [_, _, height, width] = image(op, shape, axes)?;
        let size = [height, width];
        Ok(Kernel { geometry, count_padding, size, out: geometry.out_size(size)? })
    }

    /// How many elements the mean of a window counts along an axis.
    fn count(&self, axis: usize, window: usize) -> usize {
        if self.count_padding {
            self.geometry.padded_taps(axis, window, self.size[axis])
        } else {
            self.geometry.taps(axis, window, self.size[axis]).len()
        }
    }

    /// One over the count of each window of a plane.
    fn weights<T: Real>(&self, scratch: &mut Scratch<T>) -> Vec<T> {
        let mut weights = scratch.take(self.out[0] * self.out[1]);
        for (i, weight) in weights.iter_mut().enumerate() {
            let count = self.count(0, i / self.out[1]) * self.count(1, i % self.out[1]);
            *weight = T::of(1.0 / count as f64);
        }
        weights
    }

    fn forward<T: Real>(&self, input: &ArrayViewD<'_, T>, out: &mut ArrayRefD<T>, cx: &mut Cx<'_, T>) {
        let x = Dense::of(input, cx.scratch);
        let (len, out_len) = (self.size[0] * self.size[1], self.out[0] * self.out[1]);
        let work = out.len() * self.geometry.window_len();
        let halving = self.geometry.is_halving(self.size);
        let weights = self.weights(cx.scratch);
        let columns = Columns::of(&self.geometry, self.size[1], self.out[1], cx.scratch);
        parallel::rows(cx.pool, slice_mut(out), out_len, 1, work, &|planes, out| {
            vectorize!(|| {
                for (i, plane) in planes.enumerate() {
                    let out = &mut out[i * out_len..][..out_len];
                    if halving {
                        self.halve(&x[plane * len..][..len], out);
                        continue;
                    }
                    self.add_up(&x[plane * len..][..len], &columns, out);
                    out.iter_mut().zip(&weights).for_each(|(out, &weight)| *out *= weight);
                }
            },);
        });
        columns.give(cx.scratch);
        cx.scratch.give(weights);
        x.release(cx.scratch);
    }

    /// The sums of a plane's windows, one element of all windows of a row at a time.
    #[inline(always)]
    fn add_up<T: Real>(&self, x: &[T], columns: &Columns, out: &mut [T]) {
        let [stride, kernel_width] = [self.geometry.strides()[1], self.geometry.kernel_size()[1]];
        for (row, out) in out.chunks_exact_mut(self.out[1]).enumerate() {
            out.fill(T::zero());
            for ky in self.geometry.taps(0, row, self.size[0]) {
                let x = &x[self.geometry.position(0, row, ky) * self.size[1]..][..self.size[1]];
                for kx in 0..kernel_width {
                    let (windows, place) = columns.windows_with(kx);
                    each_strided(&x[place..], stride, &mut out[windows], |out, x| *out += x);
                }
            }
        }
    }

    fn backward<T: Real>(&self, at: &At<'_, T>, slot: &mut Option<Slot<'_, T>>, cx: &mut Cx<'_, T>) {
        let grad = slice(at.grad);
        let (to_x, first) = target(slot);
        let (len, out_len) = (self.size[0] * self.size[1], self.out[0] * self.out[1]);
        let work = to_x.len() + grad.len() * self.geometry.window_len();
        let halving = self.geometry.is_halving(self.size);
        let weights = self.weights(cx.scratch);
        let columns = Columns::of(&self.geometry, self.size[1], self.out[1], cx.scratch);
        parallel::rows(cx.pool, to_x, len, 1, work, &|planes, to_x| {
            vectorize!(|| {
                for (i, plane) in planes.enumerate() {
                    let to_x = &mut to_x[i * len..][..len];
                    if halving && first {
                        self.spread_halved(&grad[plane * out_len..][..out_len], to_x);
                        continue;
                    }
                    if first {
                        to_x.fill(T::zero());
                    }
                    self.spread(&grad[plane * out_len..][..out_len], &weights, &columns, to_x);
                }
            },);
        });
        columns.give(cx.scratch);
        cx.scratch.give(weights);
    }

    /// The means of a plane over windows of 2 × 2 side by side.
    #[inline(always)]
    fn halve<T: Real>(&self, x: &[T], out: &mut [T]) {
        let quarter = T::of(0.25);
        for (rows, out) in x.chunks_exact(2 * self.size[1]).zip(out.chunks_exact_mut(self.out[1])) {
            let (upper, lower) = rows.split_at(self.size[1]);
            let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            for (out, (&[a, b], &[c, d])) in out.iter_mut().zip(pairs) {
                *out = ((a + b) + (c + d)) * quarter;
            }
        }
    }

    /// The gradient of [`Kernel::halve`], every element written once.
    #[inline(always)]
    fn spread_halved<T: Real>(&self, grad: &[T], to_x: &mut [T]) {
        let (width, quarter) = (self.size[1], T::of(0.25));
        let (whole, rest) = to_x.split_at_mut(2 * self.out[0] * width);
        rest.fill(T::zero()); // a last odd row
        for (rows, grad) in whole.chunks_exact_mut(2 * width).zip(grad.chunks_exact(self.out[1])) {
            let (upper, lower) = rows.split_at_mut(width);
            let (pairs, rest) = upper.as_chunks_mut::<2>();
            rest.fill(T::zero()); // a last odd column
            for (pair, &grad) in pairs.iter_mut().zip(grad) {
                *pair = [grad * quarter; 2];
            }
            lower.copy_from_slice(upper);
        }
    }

    /// Adds the gradient of each window, times its weight, to its elements.
    #[inline(always)]
    fn spread<T: Real>(&self, grad: &[T], weights: &[T], columns: &Columns, to_x: &mut [T]) {
        let [stride, kernel_width] = [self.geometry.strides()[1], self.geometry.kernel_size()[1]];
        let rows = grad.chunks_exact(self.out[1]).zip(weights.chunks_exact(self.out[1]));
        for (row, (grad, weights)) in rows.enumerate() {
            for ky in self.geometry.taps(0, row, self.size[0]) {
                let to_x = &mut to_x[self.geometry.position(0, row, ky) * self.size[1]..][..self.size[1]];
                for kx in 0..kernel_width {
                    let (windows, place) = columns.windows_with(kx);
                    let values = grad[windows.clone()].iter().zip(&weights[windows]);
                    let to_x = to_x[place..].iter_mut().step_by(stride);
                    to_x.zip(values).for_each(|(to_x, (&grad, &weight))| *to_x += grad * weight);
                }
            }
        }
    }
}

macro_rules! average_pool {
    ($type:ident, $name:literal, $axes:literal) => {
        crate::once::compiled_once!($type);

        impl<T: Real> crate::once::OpKernel<T> for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
                let [x] = arity($name, inputs)?;
                let kernel = Kernel::of($name, self.geometry, self.count_padding, x, $axes)?;
                Ok(IxDyn(&[&x[..2], &kernel.out[2 - $axes..]].concat()))
            }

            fn forward(
                &self,
                inputs: &[ArrayViewD<'_, T>],
                out: &mut ArrayRefD<T>,
                _: &mut Saved<T>,
                cx: &mut Cx<'_, T>,
            ) -> Result<(), Error> {
                let shape = inputs[0].shape();
                Kernel::of($name, self.geometry, self.count_padding, shape, $axes)?.forward(&inputs[0], out, cx);
                Ok(())
            }

            fn backward(
                &self,
                at: At<'_, T>,
                grads: &mut [Option<Slot<'_, T>>],
                cx: &mut Cx<'_, T>,
            ) -> Result<(), Error> {
                if let Some(slot) = &grads[0] {
                    let shape = slot.grad.shape();
                    Kernel::of($name, self.geometry, self.count_padding, shape, $axes)?.backward(
                        &at,
                        &mut grads[0],
                        cx,
                    );
                }
                Ok(())
            }

            fn needs(&self) -> Needs {
                Needs::NOTHING
            }
        }
    };
}
average_pool!(AvgPool2d, "avg_pool2d", 2);
average_pool!(AvgPool1d, "avg_pool1d", 1);
