//! Max pooling.

use super::geometry::{Pool2dGeometry, image};
use crate::dense::Dense;
use crate::simd::vectorize;
use crate::support::{rows2, slice, slice_mut, target};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Op, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;

/// Max pooling of images: each window's largest element.
///
/// - Input: `[samples, channels, height, width]`. Output: `[samples, channels, out_height, out_width]`, see [`Pool2dGeometry`].
/// - Padding never wins, windows may overlap, and a NaN in a window is its maximum. Of equal elements the first one, row by row, wins.
/// - The whole gradient of a window goes to the element that won. Its place in the window is saved, as a byte where that can hold it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaxPool2d {
    geometry: Pool2dGeometry,
}

impl MaxPool2d {
    /// Max pooling over these windows.
    pub fn new(geometry: Pool2dGeometry) -> Self {
        MaxPool2d { geometry }
    }
}

/// Max pooling of sequences: [`MaxPool2d`] over `[samples, channels, length]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaxPool1d {
    geometry: Pool2dGeometry,
}

impl MaxPool1d {
    /// Max pooling over windows of this length, at this distance, with this much padding at both ends.
    ///
    /// # Errors
    /// If kernel or stride is 0, or the padding more than half of the kernel.
    pub fn new(kernel: usize, stride: usize, padding: usize) -> Result<Self> {
        Ok(MaxPool1d { geometry: Pool2dGeometry::line(kernel, stride, padding)? })
    }

    /// With this distance from an element of a window to the next.
    ///
    /// # Errors
    /// If it is 0.
    pub fn dilation(self, dilation: usize) -> Result<Self> {
        Ok(MaxPool1d { geometry: self.geometry.dilation([1, dilation])? })
    }

    /// Whether the number of windows is rounded up.
    #[must_use]
    pub fn ceil_mode(self, ceil: bool) -> Self {
        MaxPool1d { geometry: self.geometry.ceil_mode(ceil) }
    }
}

/// The place of a maximum in its window: a byte or a word.
trait Place: Copy + Send + Sync {
    /// None yet.
    const NONE: Self;
    fn of(place: usize) -> Self;
    fn get(self) -> usize;
    fn is_none(self) -> bool;
}

macro_rules! place {
    ($($type:ty),*) => {$(
        impl Place for $type {
            const NONE: Self = Self::MAX;
            #[inline(always)]
            fn of(place: usize) -> Self {
                place as Self
            }
            #[inline(always)]
            fn get(self) -> usize {
                self as usize
            }
            #[inline(always)]
            fn is_none(self) -> bool {
                self == Self::MAX
            }
        }
    )*};
}
place!(u8, u32);

/// One call's windows and sizes.
#[derive(Clone, Copy)]
struct Kernel {
    geometry: Pool2dGeometry,
    planes: usize,
    size: [usize; 2],
    out: [usize; 2],
}

impl Kernel {
    fn of(op: &'static str, geometry: Pool2dGeometry, shape: &[usize], axes: usize) -> Result<Self> {
        let [samples, channels, height, width] = image(op, shape, axes)?;
        let (size, planes) = ([height, width], samples * channels);
        Ok(Kernel { geometry, planes, size, out: geometry.out_size(size)? })
    }

    /// Whether a byte holds every place, and the mark for none.
    fn fits_bytes(&self) -> bool {
        self.geometry.window_len() <= usize::from(u8::MAX)
    }

    fn plane_len(&self) -> usize {
        self.size[0] * self.size[1]
    }

    fn out_len(&self) -> usize {
        self.out[0] * self.out[1]
    }

    fn work(&self) -> usize {
        self.planes * self.out_len() * self.geometry.window_len()
    }

    fn forward<T: Real>(
        &self,
        input: &ArrayViewD<'_, T>,
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) {
        let x = Dense::of(input, cx.scratch);
        if self.fits_bytes() {
            saved.bytes = cx.scratch.take_bytes(self.planes * self.out_len());
            self.maxima(&x, slice_mut(out), &mut saved.bytes, cx);
        } else {
            saved.indices = cx.scratch.take_words(self.planes * self.out_len());
            self.maxima(&x, slice_mut(out), &mut saved.indices, cx);
        }
        x.release(cx.scratch);
    }

    fn maxima<T: Real, P: Place>(&self, x: &[T], out: &mut [T], places: &mut [P], cx: &Cx<'_, T>) {
        let (len, out_len) = (self.plane_len(), self.out_len());
        let halving = self.geometry.is_halving(self.size);
        rows2(cx.pool, self.work(), self.planes, (out, out_len), (places, out_len), &|planes, out, places| {
            vectorize(|| {
                for (i, plane) in planes.enumerate() {
                    let x = &x[plane * len..][..len];
                    let (out, places) = (&mut out[i * out_len..][..out_len], &mut places[i * out_len..][..out_len]);
                    if halving { self.halve(x, out, places) } else { self.plane(x, out, places) }
                }
            });
        });
    }

    /// The maxima of a plane, for one element of all windows of a row at a time, which are then independent of each other.
    #[inline(always)]
    fn plane<T: Real, P: Place>(&self, x: &[T], out: &mut [T], places: &mut [P]) {
        let ([height, width], [_, out_width], geometry) = (self.size, self.out, &self.geometry);
        let [kernel_width, stride] = [geometry.kernel_size()[1], geometry.strides()[1]];
        for (row, (out, places)) in out.chunks_exact_mut(out_width).zip(places.chunks_exact_mut(out_width)).enumerate()
        {
            out.fill(T::neg_infinity());
            places.fill(P::NONE);
            for ky in geometry.taps(0, row, height) {
                let x = &x[geometry.position(0, row, ky) * width..][..width];
                for kx in 0..kernel_width {
                    let windows = geometry.windows_with(1, kx, width, out_width);
                    if windows.is_empty() {
                        continue;
                    }
                    let x = &x[geometry.position(1, windows.start, kx)..];
                    let (out, places) = (&mut out[windows.clone()], &mut places[windows]);
                    let place = P::of(ky * kernel_width + kx);
                    match stride {
                        1 => raise(out, places, x.iter(), place),
                        2 => raise(out, places, x.iter().step_by(2), place),
                        _ => raise(out, places, x.iter().step_by(stride), place),
                    }
                }
            }
        }
    }

    /// The maxima of a plane over windows of 2 × 2 side by side.
    #[inline(always)]
    fn halve<T: Real, P: Place>(&self, x: &[T], out: &mut [T], places: &mut [P]) {
        let out_rows = out.chunks_exact_mut(self.out[1]).zip(places.chunks_exact_mut(self.out[1]));
        for (rows, (out, places)) in x.chunks_exact(2 * self.size[1]).zip(out_rows) {
            let (upper, lower) = rows.split_at(self.size[1]);
            let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            for ((out, place), (&[a, b], &[c, d])) in out.iter_mut().zip(places).zip(pairs) {
                let (ab, place_ab) = if wins(b, a) { (b, 1) } else { (a, 0) };
                let (cd, place_cd) = if wins(d, c) { (d, 3) } else { (c, 2) };
                let (best, best_place) = if wins(cd, ab) { (cd, place_cd) } else { (ab, place_ab) };
                (*out, *place) = (best, P::of(best_place));
            }
        }
    }

    fn backward<T: Real>(&self, at: &At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &Cx<'_, T>) {
        let (grad, to_x) = (slice(at.grad), target(&mut grads[0]));
        if to_x.0.is_empty() {
            return;
        }
        if self.fits_bytes() {
            self.scatter(grad, &at.saved.bytes, to_x, cx);
        } else {
            self.scatter(grad, &at.saved.indices, to_x, cx);
        }
    }

    fn scatter<T: Real, P: Place>(&self, grad: &[T], places: &[P], (to_x, first): (&mut [T], bool), cx: &Cx<'_, T>) {
        let (len, out_len) = (self.plane_len(), self.out_len());
        let halving = self.geometry.is_halving(self.size);
        let work = self.planes * (len + 2 * out_len);
        rows2(cx.pool, work, self.planes, (to_x, len), (&mut [0_u8; 0], 0), &|planes, to_x, _| {
            vectorize(|| {
                for (i, plane) in planes.enumerate() {
                    let (grad, places) = (&grad[plane * out_len..][..out_len], &places[plane * out_len..][..out_len]);
                    let to_x = &mut to_x[i * len..][..len];
                    if halving && first {
                        self.scatter_halved(grad, places, to_x);
                        continue;
                    }
                    if first {
                        to_x.fill(T::zero());
                    }
                    self.scatter_plane(grad, places, to_x);
                }
            });
        });
    }

    #[inline(always)]
    fn scatter_plane<T: Real, P: Place>(&self, grad: &[T], places: &[P], to_x: &mut [T]) {
        let (geometry, kernel_width) = (&self.geometry, self.geometry.kernel_size()[1]);
        let [stride_y, stride_x] = geometry.strides();
        let [dilation_y, dilation_x] = geometry.dilations();
        let [padding_y, padding_x] = geometry.paddings();
        for (row, (grad, places)) in grad.chunks_exact(self.out[1]).zip(places.chunks_exact(self.out[1])).enumerate() {
            for (column, (&grad, &place)) in grad.iter().zip(places).enumerate() {
                let (ky, kx) = (place.get() / kernel_width, place.get() % kernel_width);
                let y = row * stride_y + ky * dilation_y - padding_y;
                let x = column * stride_x + kx * dilation_x - padding_x;
                to_x[y * self.size[1] + x] += grad;
            }
        }
    }

    /// The gradient of [`Kernel::halve`], every element written once.
    #[inline(always)]
    fn scatter_halved<T: Real, P: Place>(&self, grad: &[T], places: &[P], to_x: &mut [T]) {
        let [width, out_width] = [self.size[1], self.out[1]];
        let (whole, rest) = to_x.split_at_mut(2 * self.out[0] * width);
        rest.fill(T::zero()); // a last odd row
        let rows = grad.chunks_exact(out_width).zip(places.chunks_exact(out_width));
        for (rows, (grad, places)) in whole.chunks_exact_mut(2 * width).zip(rows) {
            let (upper, lower) = rows.split_at_mut(width);
            let ((upper, upper_rest), (lower, lower_rest)) = (upper.as_chunks_mut::<2>(), lower.as_chunks_mut::<2>());
            upper_rest.fill(T::zero()); // a last odd column
            lower_rest.fill(T::zero());
            for (((upper, lower), &grad), &place) in upper.iter_mut().zip(lower).zip(grad).zip(places) {
                let at = |here: usize| if place.get() == here { grad } else { T::zero() };
                *upper = [at(0), at(1)];
                *lower = [at(2), at(3)];
            }
        }
    }
}

/// Whether `x` takes the place of the maximum so far: NaN beats everything but a NaN before it.
#[inline(always)]
fn wins<T: Real>(x: T, best: T) -> bool {
    // `x != x` and `best == best` are the tests for NaN that compile to plain comparisons.
    #[allow(clippy::eq_op)]
    let nan = (x != x) & (best == best);
    (x > best) | nan
}

/// Raises the maxima of consecutive windows by one element of each.
#[inline(always)]
fn raise<'a, T: Real, P: Place>(out: &mut [T], places: &mut [P], x: impl Iterator<Item = &'a T>, place: P) {
    for ((out, here), &x) in out.iter_mut().zip(places).zip(x) {
        let take = wins(x, *out) | here.is_none();
        *out = if take { x } else { *out };
        *here = if take { place } else { *here };
    }
}

macro_rules! max_pool {
    ($type:ty, $name:literal, $axes:literal) => {
        impl<T: Real> Op<T> for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
                let [x] = arity($name, inputs)?;
                let kernel = Kernel::of($name, self.geometry, x, $axes)?;
                Ok(IxDyn(&[&x[..2], &kernel.out[2 - $axes..]].concat()))
            }

            fn forward(
                &self,
                inputs: &[ArrayViewD<'_, T>],
                out: &mut ArrayRefD<T>,
                saved: &mut Saved<T>,
                cx: &mut Cx<'_, T>,
            ) -> Result<(), Error> {
                Kernel::of($name, self.geometry, inputs[0].shape(), $axes)?.forward(&inputs[0], out, saved, cx);
                Ok(())
            }

            fn backward(
                &self,
                at: At<'_, T>,
                grads: &mut [Option<Slot<'_, T>>],
                cx: &mut Cx<'_, T>,
            ) -> Result<(), Error> {
                if let Some(slot) = &grads[0] {
                    Kernel::of($name, self.geometry, slot.grad.shape(), $axes)?.backward(&at, grads, cx);
                }
                Ok(())
            }

            fn needs(&self) -> Needs {
                Needs::NOTHING
            }
        }
    };
}
max_pool!(MaxPool2d, "max_pool2d", 2);
max_pool!(MaxPool1d, "max_pool1d", 1);
