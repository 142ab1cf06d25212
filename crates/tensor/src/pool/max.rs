//! Max pooling.

use super::geometry::{Columns, Pool2dGeometry, each_strided, image};
use crate::dense::Dense;
use crate::gemm::eight::{LANES, Lanes};
use crate::gemm::kernel::{self as gemm, Job, dispatch};
use crate::simd;
use crate::support::{rows2, slice, slice_mut, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, arity};
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
trait Place: Copy + PartialEq + Send + Sync {
    fn of(place: u32) -> Self;
    fn get(self) -> usize;
}

macro_rules! place {
    ($($type:ty),*) => {$(
        impl Place for $type {
            #[inline(always)]
            fn of(place: u32) -> Self {
                place as Self
            }
            #[inline(always)]
            fn get(self) -> usize {
                self as usize
            }
        }
    )*};
}
place!(u8, u32);

/// Windows of a row that are worked on side by side.
const BLOCK: usize = 32;

/// Windows in a step that the compiler turns into vector instructions.
const VECTOR: usize = 16;

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

    /// Whether a byte holds every place.
    fn fits_bytes(&self) -> bool {
        self.geometry.window_len() <= 1 << 8
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

    fn maxima<T: Real, P: Place>(&self, x: &[T], out: &mut [T], places: &mut [P], cx: &mut Cx<'_, T>) {
        let columns = Columns::of(&self.geometry, self.size[1], self.out[1], cx.scratch);
        let (len, out_len) = (self.plane_len(), self.out_len());
        let halving = self.geometry.is_halving(self.size);
        if !halving && Neighbours::<T, P>::takes(&self.geometry) {
            let (level, columns_of) = (simd::level(), &columns);
            rows2(cx.pool, self.work(), self.planes, (out, out_len), (places, out_len), &|planes, out, places| {
                let x = &x[planes.start * len..planes.end * len];
                dispatch(level, Neighbours { pool: self, columns: columns_of, x, out, places });
            });
            return columns.give(cx.scratch);
        }
        rows2(cx.pool, self.work(), self.planes, (out, out_len), (places, out_len), &|planes, out, places| {
            vectorize!(|| {
                for (i, plane) in planes.enumerate() {
                    let x = &x[plane * len..][..len];
                    let (out, places) = (&mut out[i * out_len..][..out_len], &mut places[i * out_len..][..out_len]);
                    if halving { self.halve(x, out, places) } else { self.plane(x, &columns, out, places) }
                }
            },);
        });
        columns.give(cx.scratch);
    }

    /// The maxima of a plane, for one element of many windows of a row at a time, which are then independent of each other.
    #[inline(always)]
    fn plane<T: Real, P: Place>(&self, x: &[T], columns: &Columns, out: &mut [T], places: &mut [P]) {
        for (row, (out, places)) in
            out.chunks_exact_mut(self.out[1]).zip(places.chunks_exact_mut(self.out[1])).enumerate()
        {
            for (block, (out, places)) in out.chunks_mut(BLOCK).zip(places.chunks_mut(BLOCK)).enumerate() {
                self.block(x, columns, row, block * BLOCK, out, places);
            }
        }
    }

    /// The maxima of a block of windows, the first of which is given.
    #[inline(always)]
    fn block<T: Real, P: Place>(
        &self,
        x: &[T],
        columns: &Columns,
        row: usize,
        first: usize,
        out: &mut [T],
        places: &mut [P],
    ) {
        let (width, geometry) = (self.size[1], &self.geometry);
        let [kernel_width, stride] = [geometry.kernel_size()[1], geometry.strides()[1]];
        let (rows, end) = (geometry.taps(0, row, self.size[0]), first + out.len());
        // Whole vectors, so that no element is left to be compared by itself.
        let padded = out.len().next_multiple_of(VECTOR);
        let (mut best, mut best_places) = ([T::neg_infinity(); BLOCK], [0; BLOCK]);
        for (place, tap) in best_places.iter_mut().zip(&columns.first_taps()[first..end]) {
            // If all elements are -∞, the first one is the maximum.
            *place = (rows.start * kernel_width) as u32 + tap;
        }
        for ky in rows {
            let x = &x[geometry.position(0, row, ky) * width..][..width];
            for kx in 0..kernel_width {
                let (windows, position) = columns.windows_with(kx);
                let here = windows.start.max(first)..windows.end.min(end);
                if here.is_empty() {
                    continue;
                }
                // Windows without this element see -∞, which beats nothing.
                let mut values = [T::neg_infinity(); BLOCK];
                let x = &x[position + (here.start - windows.start) * stride..];
                each_strided(x, stride, &mut values[here.start - first..here.end - first], |value, x| *value = x);
                let place = (ky * kernel_width + kx) as u32;
                raise(&mut best, &mut best_places, &values, padded, place);
            }
        }
        out.copy_from_slice(&best[..out.len()]);
        places.iter_mut().zip(best_places).for_each(|(place, best)| *place = P::of(best));
    }

    /// The maxima of a plane over windows of 2 × 2 side by side.
    #[inline(always)]
    fn halve<T: Real, P: Place>(&self, x: &[T], out: &mut [T], places: &mut [P]) {
        let out_rows = out.chunks_exact_mut(self.out[1]).zip(places.chunks_exact_mut(self.out[1]));
        for (rows, (out, places)) in x.chunks_exact(2 * self.size[1]).zip(out_rows) {
            let (upper, lower) = rows.split_at(self.size[1]);
            let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            // Without a branch, so that it compiles to vector instructions.
            for ((out, place), (&[a, b], &[c, d])) in out.iter_mut().zip(places).zip(pairs) {
                let (ab, place_ab) = if wins(b, a) { (b, 1) } else { (a, 0) };
                let (cd, place_cd) = if wins(d, c) { (d, 3) } else { (c, 2) };
                let take = wins(cd, ab);
                *out = if take { cd } else { ab };
                *place = P::of(if take { place_cd } else { place_ab });
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
            vectorize!(|| {
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
            },);
        });
    }

    #[inline(always)]
    fn scatter_plane<T: Real, P: Place>(&self, grad: &[T], places: &[P], to_x: &mut [T]) {
        let (geometry, kernel_width) = (&self.geometry, self.geometry.kernel_size()[1]);
        let [stride_y, stride_x] = geometry.strides();
        let [dilation_y, dilation_x] = geometry.dilations();
        let [padding_y, padding_x] = geometry.paddings();
        let width = self.size[1];
        // A division for each window would cost more than all the rest.
        let offset_of = |place: usize| place / kernel_width * dilation_y * width + place % kernel_width * dilation_x;
        let offsets: [usize; BLOCK] = std::array::from_fn(offset_of);
        for (row, (grad, places)) in grad.chunks_exact(self.out[1]).zip(places.chunks_exact(self.out[1])).enumerate() {
            // Where a window's first element is, or would be: padding may put it before the plane.
            let first = (row * stride_y).wrapping_sub(padding_y).wrapping_mul(width).wrapping_sub(padding_x);
            for (column, (&grad, &place)) in grad.iter().zip(places).enumerate() {
                let place = place.get();
                let offset = match offsets.get(place) {
                    Some(&offset) => offset,
                    None => offset_of(place),
                };
                to_x[first.wrapping_add(column * stride_x + offset)] += grad;
            }
        }
    }

    /// The gradient of [`Kernel::halve`], every element written once.
    #[inline(always)]
    fn scatter_halved<T: Real, P: Place>(&self, grad: &[T], places: &[P], to_x: &mut [T]) {
        let [width, out_width] = [self.size[1], self.out[1]];
        let (whole, rest) = to_x.split_at_mut(2 * self.out[0] * width);
        rest.fill(T::zero()); // a last odd row
        let windows = grad.chunks_exact(out_width).zip(places.chunks_exact(out_width));
        for (rows, (grad, places)) in whole.chunks_exact_mut(2 * width).zip(windows) {
            let (upper, lower) = rows.split_at_mut(width);
            scatter_pairs(grad, places, 0, upper);
            scatter_pairs(grad, places, 2, lower);
        }
    }
}

/// One row of windows of 2 × 2: the gradient of each window where its place is the pair's `first` or the next one, 0 elsewhere.
#[inline(always)]
fn scatter_pairs<T: Real, P: Place>(grad: &[T], places: &[P], first: u32, row: &mut [T]) {
    let (pairs, rest) = row.as_chunks_mut::<2>();
    rest.fill(T::zero()); // a last odd column
    let (left, right) = (P::of(first), P::of(first + 1));
    for (pair, (&grad, &place)) in pairs.iter_mut().zip(grad.iter().zip(places)) {
        let here = |side: P| if place == side { grad } else { T::zero() };
        *pair = [here(left), here(right)];
    }
}

/// Elements of a row that a group of windows may see.
const SEGMENT: usize = 64;

/// The maxima of some planes, whose windows are one or two elements apart, for groups of windows that are neighbours.
///
/// What the windows of two groups see of a row is copied, with -∞ in the place of what is missing around it, so that every element of the
/// windows is loaded from a run without asking where it lies.
struct Neighbours<'a, T, P> {
    pool: &'a Kernel,
    columns: &'a Columns,
    x: &'a [T],
    out: &'a mut [T],
    places: &'a mut [P],
}

impl<T, P> Neighbours<'_, T, P> {
    /// Windows that are worked on together.
    const WINDOWS: usize = 2 * LANES;

    /// Whether windows are near enough to each other.
    fn takes(geometry: &Pool2dGeometry) -> bool {
        let ([_, width], [_, stride]) = (geometry.kernel_size(), geometry.strides());
        stride <= 2 && (width - 1).saturating_mul(geometry.dilations()[1]) < SEGMENT - stride * Self::WINDOWS
    }
}

impl<T: Real, P: Place> Job<T> for Neighbours<'_, T, P> {
    #[inline(always)]
    fn run<K: gemm::Kernel<T>>(self, kernel: K) {
        let Neighbours { pool, columns, x, out, places } = self;
        let (geometry, [height, width], [out_height, out_width]) = (&pool.geometry, pool.size, pool.out);
        let ([_, kernel_width], [_, dilation], [_, padding]) =
            (geometry.kernel_size(), geometry.dilations(), geometry.paddings());
        let stride = geometry.strides()[1];
        let seen = (kernel_width - 1) * dilation + stride * Self::WINDOWS;
        let lines = out.chunks_exact_mut(out_width).zip(places.chunks_exact_mut(out_width));
        for (line, (out, places)) in lines.enumerate() {
            let x = &x[line / out_height * height * width..][..height * width];
            let row = line % out_height;
            let rows = geometry.taps(0, row, height);
            let groups = out.chunks_mut(Self::WINDOWS).zip(places.chunks_mut(Self::WINDOWS)).enumerate();
            for (group, (out, places)) in groups {
                let first = group * Self::WINDOWS;
                // Elements below `low` of the segment lie before the row, those from `high` on behind it.
                let start = (first * stride) as isize - padding as isize;
                let low = start.min(0).unsigned_abs().min(seen);
                let high = ((width as isize - start).max(0) as usize).clamp(low, seen);
                let from = (start + low as isize) as usize;
                let mut segment = [T::neg_infinity(); SEGMENT];
                let (mut best, mut best_places) = ([Lanes([T::neg_infinity(); LANES]); 2], [[0; LANES]; 2]);
                let firsts = &columns.first_taps()[first..first + out.len()];
                for (place, tap) in best_places.as_flattened_mut().iter_mut().zip(firsts) {
                    // If all elements are -∞, the first one is the maximum.
                    *place = (rows.start * kernel_width) as u32 + tap;
                }
                for ky in rows.clone() {
                    let x = &x[geometry.position(0, row, ky) * width..][..width];
                    copy_run(&x[from..from + high - low], &mut segment[low..high]);
                    for kx in 0..kernel_width {
                        let (seen, place) = (&segment[kx * dilation..], (ky * kernel_width + kx) as u32);
                        for half in 0..2 {
                            let seen = &seen[half * stride * LANES..];
                            let values = if stride == 1 { Lanes::load(seen) } else { kernel.every_second(seen) };
                            kernel.raise(values, place, &mut best[half], &mut best_places[half]);
                        }
                    }
                }
                let halves = out.chunks_mut(LANES).zip(places.chunks_mut(LANES)).zip(best.iter().zip(best_places));
                for ((out, places), (best, best_places)) in halves {
                    match (out.first_chunk_mut(), places.first_chunk_mut()) {
                        (Some(out), Some(places)) => (*out, *places) = (best.0, best_places.map(P::of)),
                        _ => {
                            out.iter_mut().zip(best.0).for_each(|(out, best)| *out = best);
                            places.iter_mut().zip(best_places).for_each(|(to, place)| *to = P::of(place));
                        }
                    }
                }
            }
        }
    }
}

/// Copies a short slice of any length into one as long, a group of lanes at a time: a call to the system's function would take longer.
#[inline(always)]
fn copy_run<T: Real>(from: &[T], to: &mut [T]) {
    let Some(last) = from.len().checked_sub(LANES) else {
        return to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
    };
    for run in 0..from.len().div_ceil(LANES) {
        // The last run may overlap the one before.
        let at = (run * LANES).min(last);
        Lanes::load(&from[at..]).store(&mut to[at..]);
    }
}

/// Whether `x` takes the place of the maximum so far: NaN beats everything but a NaN before it.
#[inline(always)]
fn wins<T: Real>(x: T, best: T) -> bool {
    // Two plain comparisons: not below nor equal, which NaN is not either, and not after a NaN.
    #[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord)]
    let wins = !(x <= best) & (best == best);
    wins
}

/// Raises maxima, and sets their places, by one element of each window.
///
/// Through other memory: of a change in place where something wins, the compiler makes a jump that cannot be predicted, or a masked
/// store, which some processors are very slow at.
#[inline(always)]
fn raise<T: Real>(best: &mut [T; BLOCK], places: &mut [u32; BLOCK], values: &[T; BLOCK], len: usize, place: u32) {
    let (mut new_best, mut new_places) = ([T::zero(); BLOCK], [0; BLOCK]);
    let len = len.min(BLOCK);
    for j in 0..len {
        let take = wins(values[j], best[j]);
        new_best[j] = if take { values[j] } else { best[j] };
        new_places[j] = if take { place } else { places[j] };
    }
    best[..len].copy_from_slice(&new_best[..len]);
    places[..len].copy_from_slice(&new_places[..len]);
}

macro_rules! max_pool {
    ($type:ident, $name:literal, $axes:literal) => {
        crate::once::compiled_once!($type);

        impl<T: Real> crate::once::OpKernel<T> for $type {
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
