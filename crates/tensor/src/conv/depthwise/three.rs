//! Filters of 3 x 3 that move pixel by pixel.
//!
//! A plane is staged with its padding, which keeps it in the first-level cache, and is then walked down in strips of eight columns. Each
//! staged row is loaded three times, shifted by one, and used for all that depends on it while it is in registers: the three rows of
//! outputs that it is under, or the sums of nine taps. Meanwhile the next plane is asked for, since neither it nor its output lies
//! where the processor expects it.
//!
//! The gradients of input and weight are sums over the same shifted rows of the output's gradient, `∂x[q] = Σ_t w[t] ∂y[q + p - t]` and
//! `∂w[t] = Σ_q x[q] ∂y[q + p - t]`, so where both are asked for, a plane is staged once for both.

#![allow(unsafe_code)] // Tasks write different planes of one output.

use super::super::gradients::Gradients;
use super::super::problem::Problem;
use crate::gemm::eight::{LANES, Lanes};
use crate::gemm::kernel::{Job, Kernel, dispatch};
use crate::gemm::prefetch::{line_len, prefetch};
use crate::gemm::strips::{self, SIDE, Strip, TAPS};
use crate::gemm::{Bias, Epilogue, Tools};
use crate::parallel::{Parts, n_tasks, rows, share};
use crate::simd::Level;
use gradwise_core::Real;
use std::ops::Range;

/// Outputs in a block: with what is staged for them, they stay in the first-level cache.
const BLOCK: usize = 2048;
/// Channels whose sums are formed together, so that neighbours in memory are read one after the other.
const TOGETHER: usize = 16;
/// Staged columns before those under the middle of the filters, which so begin where vectors do.
const MARGIN: usize = LANES;

/// Whether these kernels are for the problem.
pub(in super::super) fn three_by_three(problem: &Problem) -> bool {
    let geometry = &problem.geometry;
    problem.kernel == [SIDE, SIDE]
        && (geometry.stride, geometry.dilation) == ([1, 1], [1, 1])
        && (problem.group_channels(), problem.group_out_channels()) == (1, 1)
}

/// `y ← f(w ⋆ x + β y + bias)`.
pub(in super::super) fn forward<T: Real>(
    problem: &Problem,
    x: &[T],
    weight: &[T],
    y: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let source =
        Source { data: x, size: problem.image, padding: problem.geometry.padding.map(|padding| padding as isize) };
    let filtered = Filtered { weight, turned: false, out: &Parts::new(y), epilogue };
    run(problem, source, problem.out, Some(filtered), None, tools);
}

/// `∂x ← f(wᵀ ⋆ ∂y + β ∂x + bias)` and `∂w ← ∂y ⋆ x + β ∂w`, as far as they are asked for.
pub(in super::super) fn gradients<T: Real>(
    problem: &Problem,
    grad: &[T],
    gradients: Gradients<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let padding = problem.geometry.padding.map(|padding| 2 - padding as isize);
    let source = Source { data: grad, size: problem.out, padding };
    let input = gradients.input.map(|(weight, out, epilogue)| (weight, Parts::new(out), epilogue));
    let weight = gradients.weight.map(|(x, out, beta)| (x, Parts::new(out), beta));
    let filtered =
        input.as_ref().map(|(weight, out, epilogue)| Filtered { weight, turned: true, out, epilogue: *epilogue });
    let correlated = weight.as_ref().map(|(factor, out, beta)| Correlated { factor, out, beta: *beta });
    run(problem, source, problem.image, filtered, correlated, tools);
}

/// Planes that filters are slid over.
#[derive(Clone, Copy)]
struct Source<'a, T> {
    data: &'a [T],
    size: [usize; 2],
    /// Rows and columns of zeros before the first; fewer than none leave some out.
    padding: [isize; 2],
}

/// What becomes of the planes under filters.
#[derive(Clone, Copy)]
struct Filtered<'a, T> {
    weight: &'a [T],
    /// Whether the filters are turned over.
    turned: bool,
    out: &'a Parts<'a, T>,
    epilogue: Epilogue<'a, T>,
}

/// Sums of the products of planes with other planes, under each tap.
#[derive(Clone, Copy)]
struct Correlated<'a, T> {
    factor: &'a [T],
    out: &'a Parts<'a, T>,
    beta: T,
}

/// Slides filters of 3 x 3 over the planes to all points of planes of `size`.
fn run<T: Real>(
    problem: &Problem,
    source: Source<'_, T>,
    size: [usize; 2],
    filtered: Option<Filtered<'_, T>>,
    correlated: Option<Correlated<'_, T>>,
    tools: &mut Tools<'_, T>,
) {
    let (n, channels, level) = (problem.n, problem.channels, tools.level);
    let block_rows = (BLOCK / size[1].max(1)).clamp(1, size[0].max(1));
    let pitch = MARGIN + size[1].next_multiple_of(LANES) + LANES;
    let per_task = (block_rows + SIDE - 1) * pitch;
    let work = n * channels * size[0] * size[1] * 4;
    // Sums are over all images, in their order: only channels are shared.
    let units = if correlated.is_some() { channels } else { n * channels };
    let tasks = n_tasks(tools.pool, work).min(units.max(1));
    let walk = &Walk { n, channels, source, size, block_rows, pitch, filtered, correlated };
    let mut buffer = tools.scratch.take(tasks * per_task);
    rows(tools.pool, &mut buffer, per_task, 1, if tasks == 1 { 0 } else { usize::MAX }, &|range, buffers| {
        for (task, staged) in range.zip(buffers.chunks_exact_mut(per_task)) {
            walk.task(level, share(units, 1, tasks, task), staged);
        }
    });
    tools.scratch.give(buffer);
}

/// What all tasks have in common.
struct Walk<'a, T> {
    n: usize,
    channels: usize,
    source: Source<'a, T>,
    size: [usize; 2],
    /// Rows of outputs that are worked on at once.
    block_rows: usize,
    /// Staged elements of a row.
    pitch: usize,
    filtered: Option<Filtered<'a, T>>,
    correlated: Option<Correlated<'a, T>>,
}

impl<T: Real> Walk<'_, T> {
    /// One task: some channels where there are sums to form, some planes otherwise.
    fn task(&self, level: Level, units: Range<usize>, staged: &mut [T]) {
        // What is beside the image stays zero: only the image's own columns are ever written.
        staged.fill(T::zero());
        let Some(correlated) = self.correlated else {
            for plane in units.clone() {
                let next = if plane + 1 < units.end { plane + 1 } else { plane };
                self.plane(level, plane, next, staged, &mut [0.0; TAPS]);
            }
            return;
        };
        for first in units.clone().step_by(TOGETHER) {
            let group = first..(first + TOGETHER).min(units.end);
            // Sums over a block are in this type's precision, those over blocks and images in double.
            let mut totals = [[0.0; TAPS]; TOGETHER];
            for image in 0..self.n {
                for (channel, totals) in group.clone().zip(&mut totals) {
                    let plane = image * self.channels + channel;
                    let next = if channel + 1 < group.end {
                        plane + 1
                    } else if image + 1 < self.n {
                        plane + 1 + self.channels - group.len()
                    } else {
                        group.end.min(units.end - 1)
                    };
                    self.plane(level, plane, next, staged, totals);
                }
            }
            for (channel, totals) in group.zip(&totals) {
                // SAFETY: tasks have different channels.
                let out = unsafe { correlated.out.part(channel * TAPS..(channel + 1) * TAPS) };
                let beta = correlated.beta;
                for (w, &total) in out.iter_mut().zip(totals.iter().rev()) {
                    *w = if beta == T::zero() { T::of(total) } else { T::of(total + (beta * *w).as_f64()) };
                }
            }
        }
    }

    /// All that is to be done with one plane, before the next one. Totals are those of taps from the last to the first.
    fn plane(&self, level: Level, plane: usize, next: usize, staged: &mut [T], totals: &mut [f64; TAPS]) {
        let ([height, width], pitch) = (self.size, self.pitch);
        if width == 0 {
            return;
        }
        let start = plane * height * width;
        for first in (0..height).step_by(self.block_rows) {
            let rows = first..(first + self.block_rows).min(height);
            let lines = start + first * width..start + rows.end * width;
            let ahead = &self.ahead(next, rows.clone());
            let staged = &mut staged[..(rows.len() + SIDE - 1) * pitch];
            dispatch(level, Stage { source: self.source, plane, first: first as isize, width, pitch, staged });
            if let Some(filtered) = &self.filtered {
                let (weights, bias) = filtered.weights(plane % self.channels);
                // SAFETY: a plane of the output is one task's.
                let out = unsafe { filtered.out.part(lines.clone()) };
                let epilogue = filtered.epilogue;
                dispatch(level, Slide { staged, pitch, width, weights, bias, epilogue, out, ahead });
            }
            if let Some(correlated) = &self.correlated {
                let factor = &correlated.factor[lines];
                dispatch(level, Correlate { staged, pitch, width, factor, totals, ahead });
            }
        }
    }

    fn ahead(&self, plane: usize, rows: Range<usize>) -> Ahead<'_, T> {
        let part = |[height, width]: [usize; 2]| {
            let start = plane * height * width;
            start + rows.start.min(height) * width..start + rows.end.min(height) * width
        };
        let own = part(self.size);
        let out = self.filtered.as_ref().map(|filtered| filtered.out.as_mut_ptr().wrapping_add(own.start).cast_const());
        Ahead {
            source: &self.source.data[part(self.source.size)],
            factor: self.correlated.as_ref().map_or(&[], |correlated| &correlated.factor[own.clone()]),
            out: out.map(|out| (out, own.len())),
        }
    }
}

/// What will be read and written next.
struct Ahead<'a, T> {
    source: &'a [T],
    factor: &'a [T],
    /// Where it begins, and how long it is.
    out: Option<(*const T, usize)>,
}

impl<T> Ahead<'_, T> {
    /// Asks for every `n`-th line of what will be filtered, from the `i`-th on.
    #[inline(always)]
    fn ask_filtered(&self, i: usize, n: usize) {
        ask::<T, false>(self.source.as_ptr(), self.source.len(), i, n);
        if let Some((out, len)) = self.out {
            ask::<T, true>(out, len, i, n);
        }
    }

    /// The same for the factor.
    #[inline(always)]
    fn ask_factor(&self, i: usize, n: usize) {
        ask::<T, false>(self.factor.as_ptr(), self.factor.len(), i, n);
    }
}

#[inline(always)]
fn ask<T, const WRITE: bool>(start: *const T, len: usize, i: usize, n: usize) {
    let line = line_len::<T>();
    let mut at = i * line;
    while at < len {
        prefetch::<T, WRITE>(start.wrapping_add(at));
        at += n * line;
    }
}

impl<T: Real> Filtered<'_, T> {
    /// A channel's filter, in the order in which it meets the staged rows, and its bias.
    fn weights(&self, channel: usize) -> ([T; TAPS], T) {
        let filter = &self.weight[channel * TAPS..][..TAPS];
        let weights = std::array::from_fn(|i| filter[if self.turned { TAPS - 1 - i } else { i }]);
        let bias = match self.epilogue.bias {
            Bias::PerRow(bias) => bias[channel],
            Bias::PerColumn(_) | Bias::None => T::zero(),
        };
        (weights, bias)
    }
}

/// Copies rows of a plane in, from one on that lies `first` below the first row of padding, as many as there is room for.
struct Stage<'a, T> {
    source: Source<'a, T>,
    plane: usize,
    first: isize,
    /// Columns of outputs.
    width: usize,
    pitch: usize,
    staged: &'a mut [T],
}

impl<T: Real> Job<T> for Stage<'_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, _: K) {
        let Stage { source, plane, first, width, pitch, staged } = self;
        let ([rows, columns], [down, across]) = (source.size, source.padding);
        let plane = &source.data[plane * rows * columns..][..rows * columns];
        // The image's columns among the `width + 2` that are under filters.
        let from = ((-across).max(0) as usize).min(columns);
        let to = (from as isize + across).max(0) as usize;
        let len = (columns - from).min((width + SIDE - 1).saturating_sub(to));
        // Staged rows before the image's first, and its rows among them.
        let y = first - down;
        let (above, y) = ((-y).max(0) as usize, y.max(0) as usize);
        let (above, inside) = staged.split_at_mut((above * pitch).min(staged.len()));
        let (inside, below) = inside.split_at_mut((rows.saturating_sub(y) * pitch).min(inside.len()));
        above.fill(T::zero());
        below.fill(T::zero());
        let plane = &plane[(y * columns).min(plane.len())..];
        for (from_row, row) in plane.chunks_exact(columns.max(1)).zip(inside.chunks_exact_mut(pitch)) {
            copy(&from_row[from..][..len], &mut row[MARGIN - 1 + to..][..len]);
        }
    }
}

/// Writes the rows of outputs over staged rows.
struct Slide<'a, T> {
    staged: &'a [T],
    pitch: usize,
    width: usize,
    weights: [T; TAPS],
    bias: T,
    epilogue: Epilogue<'a, T>,
    out: &'a mut [T],
    ahead: &'a Ahead<'a, T>,
}

impl<T: Real> Job<T> for Slide<'_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, k: K) {
        let Slide { staged, pitch, width, weights, bias, epilogue, out, ahead } = self;
        let (rows, beta, n_strips) = (out.len() / width, epilogue.beta, width.div_ceil(LANES));
        for strip in 0..n_strips {
            ahead.ask_filtered(strip, n_strips);
            let columns = Columns::new(strip, width);
            let strip = Strip { data: &staged[MARGIN - 1 + columns.first..], pitch, rows };
            if beta == T::zero() && columns.is_whole() {
                k.slide(strip, &weights, bias, &mut out[columns.first..], width);
                continue;
            }
            strips::slide(
                k,
                strip,
                &weights,
                bias,
                #[inline(always)]
                |y, sum| columns.merge(sum, beta, &mut out[y * width..][..width]),
            );
        }
        epilogue.activation.apply_slice(out);
    }
}

/// Adds the products of staged rows with rows of another plane.
struct Correlate<'a, T> {
    staged: &'a [T],
    pitch: usize,
    width: usize,
    factor: &'a [T],
    totals: &'a mut [f64; TAPS],
    ahead: &'a Ahead<'a, T>,
}

impl<T: Real> Job<T> for Correlate<'_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, k: K) {
        let Correlate { staged, pitch, width, factor, totals, ahead } = self;
        let (rows, n_strips) = (factor.len() / width, width.div_ceil(LANES));
        let mut sums = [Lanes::zero(); TAPS];
        for strip in 0..n_strips {
            ahead.ask_factor(strip, n_strips);
            if ahead.out.is_none() {
                ahead.ask_filtered(strip, n_strips);
            }
            let columns = Columns::new(strip, width);
            let strip = Strip { data: &staged[MARGIN - 1 + columns.first..], pitch, rows };
            if columns.is_whole() {
                k.correlate(strip, &factor[columns.first..], width, &mut sums);
                continue;
            }
            strips::correlate(
                k,
                strip,
                #[inline(always)]
                |y| columns.own(&factor[y * width..][..width]),
                &mut sums,
            );
        }
        for (total, sum) in totals.iter_mut().zip(&sums) {
            *total += sum.0.iter().map(|x| x.as_f64()).sum::<f64>();
        }
    }
}

/// Copies a short row: a length known to the compiler becomes an instruction, others calls.
#[inline(always)]
fn copy<T: Real>(from: &[T], to: &mut [T]) {
    let (groups, rest) = from.as_chunks::<LANES>();
    let (to_groups, to_rest) = to.as_chunks_mut::<LANES>();
    to_groups.iter_mut().zip(groups).for_each(|(to, from)| *to = *from);
    to_rest.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
}

/// The columns of a strip.
#[derive(Clone, Copy)]
struct Columns {
    first: usize,
    n: usize,
}

impl Columns {
    #[inline(always)]
    fn new(strip: usize, width: usize) -> Self {
        let first = strip * LANES;
        Columns { first, n: (width - first).min(LANES) }
    }

    #[inline(always)]
    fn is_whole(self) -> bool {
        self.n == LANES
    }

    /// `row ← sum + β row` in these columns.
    #[inline(always)]
    fn merge<T: Real>(self, sum: Lanes<T>, beta: T, row: &mut [T]) {
        for (x, &sum) in row[self.first..][..self.n].iter_mut().zip(&sum.0) {
            *x = if beta == T::zero() { sum } else { *x * beta + sum };
        }
    }

    /// These columns of a row, and zeros.
    #[inline(always)]
    fn own<T: Real>(self, row: &[T]) -> Lanes<T> {
        let mut lanes = Lanes::zero();
        lanes.0.iter_mut().zip(&row[self.first..][..self.n]).for_each(|(lane, &x)| *lane = x);
        lanes
    }
}
