//! Filters of any shape and stride.

#![allow(unsafe_code)] // Tasks write different planes of one output.

use super::super::correlation::Correlation;
use super::super::field::{Block, Blocking, Field};
use super::super::problem::Problem;
use crate::gemm::Tools;
use crate::gemm::eight::{Eight, LANES, Lanes};
use crate::gemm::kernel::{Job, Kernel, dispatch};
use crate::gemm::prefetch::prefetch_slice;
use crate::gemm::target::Target;
use crate::parallel::{Parts, n_tasks, rows, share};
use gradwise_core::Real;
use std::ops::Range;

/// Outputs in a block: with what is staged for them, they stay in the first-level cache.
const BLOCK_LINES: usize = 2048;
/// Taps that are worked on together: those of a filter of 3 x 3.
const TAPS: usize = 9;

/// The sizes of what is staged for a block of one channel.
fn sizes(size: [usize; 2], step: [usize; 2], reach: [usize; 2]) -> (Blocking, Field) {
    let blocking = Blocking::new(1, size, BLOCK_LINES);
    (blocking, Field::new(1, [blocking.rows, blocking.columns], step, reach))
}

/// Elements from which a row of outputs is summed may lie this much beyond its last.
fn staged_len(field: &Field) -> usize {
    (field.channel() + 2 * LANES).next_multiple_of(16)
}

fn origin(block: &Block, step: [usize; 2], first: [isize; 2]) -> [isize; 2] {
    let start = [block.rows.start, block.columns.start];
    std::array::from_fn(|axis| first[axis] + (start[axis] * step[axis]) as isize)
}

/// Asks for the plane that is `distance` behind the one at `start`, if there is one, up to a page or so.
#[inline(always)]
fn prefetch_next<T>(data: &[T], start: usize, distance: usize, len: usize) {
    let next = (start + distance).min(data.len());
    prefetch_slice(&data[next..(next + len.min(BLOCK_LINES)).min(data.len())]);
}

/// A [`Correlation`] of groups with one channel and one row each.
pub(in super::super) fn correlate<T: Real>(
    correlation: &Correlation<'_, T>,
    target: &Target<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let (groups, n) = (correlation.groups, correlation.source_shape[0]);
    let (blocking, field) = sizes(correlation.lines, correlation.step, correlation.reach());
    let lens = [staged_len(&field), blocking.rows * blocking.columns.next_multiple_of(LANES)];
    let per_task = lens[0] + lens[1];
    let tasks = n_tasks(tools.pool, n * groups * correlation.lines[0] * correlation.lines[1] * 4);
    let mut offsets = tools.scratch.take_words(correlation.taps.len() / 3);
    for (offset, tap) in offsets.iter_mut().zip(correlation.taps.as_chunks::<3>().0) {
        *offset = field.tap([tap[0] as usize, tap[1] as usize]) as u32;
    }
    let mut buffer = tools.scratch.take(tasks * per_task);
    let (level, offsets_ref) = (tools.level, &*offsets);
    let run = |task: usize, buffer: &mut [T]| {
        let (staged, out) = buffer.split_at_mut(lens[0]);
        let planes = share(n * groups, 1, tasks, task);
        dispatch(level, Planes { correlation, target, blocking, field, planes, offsets: offsets_ref, staged, out });
    };
    if tasks == 1 {
        run(0, &mut buffer);
    } else {
        rows(tools.pool, &mut buffer, per_task, 1, usize::MAX, &|tasks, buffers| {
            tasks.zip(buffers.chunks_exact_mut(per_task)).for_each(|(task, buffer)| run(task, buffer));
        });
    }
    tools.scratch.give(buffer);
    tools.scratch.give_words(offsets);
}

/// One task of [`correlate`]: some planes.
struct Planes<'a, 'c, 't, T> {
    correlation: &'a Correlation<'c, T>,
    target: &'a Target<'t, T>,
    blocking: Blocking,
    field: Field,
    /// As image times groups plus group.
    planes: Range<usize>,
    offsets: &'a [u32],
    staged: &'a mut [T],
    /// The outputs of a block, rows of whole groups of lanes.
    out: &'a mut [T],
}

impl<T: Real> Job<T> for Planes<'_, '_, '_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Planes { correlation, target, blocking, field, planes, offsets, staged, out } = self;
        let [height, width] = correlation.lines;
        for plane in planes {
            let (image, group) = (plane / correlation.groups, plane % correlation.groups);
            let filter = &correlation.weights[group * correlation.weight_strides[0]..];
            for block in (0..blocking.len()).map(|i| blocking.block(i)) {
                let origin = origin(&block, correlation.step, correlation.origin);
                let (source, shape) = (correlation.source, correlation.source_shape);
                let line = (image * height + block.rows.start) * width + block.columns.start;
                prefetch_next(source, plane * shape[2] * shape[3], shape[2] * shape[3], shape[2] * shape[3]);
                target.prefetch(target.columns.place(line) + group * target.row_stride, block.len());
                field.stage(kernel, source, shape, group..group + 1, image..image + 1, origin, staged);
                let pitch = block.columns.len().next_multiple_of(LANES);
                let out = &mut out[..block.rows.len() * pitch];
                let taps = correlation.taps.as_chunks::<3>().0.iter().map(|tap| filter[tap[2] as usize]);
                let mut taps = taps.zip(offsets.iter().map(|&offset| offset as usize));
                let mut first = true;
                while taps.len() > 0 {
                    if taps.len() >= TAPS {
                        add_taps::<T, K, TAPS>(kernel, &mut taps, &field, staged, out, pitch, first);
                    } else {
                        add_taps::<T, K, 1>(kernel, &mut taps, &field, staged, out, pitch, first);
                    }
                    first = false;
                }
                // SAFETY: planes are shared between tasks, and lines lie at different places.
                unsafe { target.write_lines(out, block.columns.len(), pitch, line, width, group) };
            }
        }
    }
}

/// What lies under each tap of a row of outputs, in groups of lanes.
#[inline(always)]
fn rows_under<'a, T, const N: usize>(
    field: &Field,
    staged: &'a [T],
    offsets: [usize; N],
    y: usize,
    pitch: usize,
) -> [&'a [[T; LANES]]; N] {
    let (line, groups) = (field.line(0, y), pitch / LANES);
    let mut rows: [&[[T; LANES]]; N] = [&[]; N];
    for i in 0..N {
        // Of one length for all, as the compiler sees, so that it checks no index in the loops over them.
        rows[i] = &staged[line + offsets[i]..][..pitch].as_chunks().0[..groups];
    }
    rows
}

/// Adds `N` taps, or with `first` assigns them, to rows of outputs.
#[inline(always)]
fn add_taps<T: Real, K: Eight<T>, const N: usize>(
    k: K,
    taps: &mut impl Iterator<Item = (T, usize)>,
    field: &Field,
    staged: &[T],
    out: &mut [T],
    pitch: usize,
    first: bool,
) {
    let (mut weights, mut offsets) = ([Lanes::zero(); N], [0; N]);
    for (i, (weight, offset)) in taps.take(N).enumerate() {
        (weights[i], offsets[i]) = (Lanes([weight; LANES]), offset);
    }
    for (y, row) in out.chunks_exact_mut(pitch).enumerate() {
        let rows = rows_under(field, staged, offsets, y, pitch);
        for (x, out) in row.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut sum = if first { Lanes::zero() } else { Lanes(*out) };
            for i in 0..N {
                sum = k.mul_add(Lanes(rows[i][x]), weights[i], sum);
            }
            *out = sum.0;
        }
    }
}

/// `∂w[c, tap] ← Σ ∂y[n, c, pixel] x[n, c, place of pixel + tap] + β ∂w`.
pub(in super::super) fn weight_grad<T: Real>(
    problem: &Problem,
    x: &[T],
    grad: &[T],
    w_grad: &mut [T],
    beta: T,
    tools: &mut Tools<'_, T>,
) {
    let geometry = &problem.geometry;
    let reach = std::array::from_fn(|axis| (problem.kernel[axis] - 1) * geometry.dilation[axis]);
    let (blocking, field) = sizes(problem.out, geometry.stride, reach);
    let lens = [staged_len(&field), blocking.rows * blocking.columns.next_multiple_of(LANES)];
    let per_task = lens[0] + lens[1];
    let tasks = n_tasks(tools.pool, problem.n * problem.channels * problem.out_len() * 4).min(problem.channels.max(1));
    let mut buffer = tools.scratch.take(tasks * per_task);
    let out = &Parts::new(w_grad);
    let (level, n_taps) = (tools.level, problem.n_taps());
    let run = |task: usize, buffer: &mut [T]| {
        let (staged, grads) = buffer.split_at_mut(lens[0]);
        // Rows of whole groups of lanes reach beyond what is staged, where the gradient is 0; 0 times whatever lay there may be NaN.
        staged.fill(T::zero());
        let channels = share(problem.channels, 1, tasks, task);
        // SAFETY: tasks have different channels.
        let w_grad = unsafe { out.part(channels.start * n_taps..channels.end * n_taps) };
        dispatch(level, Channels { problem, x, grad, w_grad, beta, blocking, field, channels, staged, grads });
    };
    if tasks == 1 {
        run(0, &mut buffer);
    } else {
        rows(tools.pool, &mut buffer, per_task, 1, usize::MAX, &|tasks, buffers| {
            tasks.zip(buffers.chunks_exact_mut(per_task)).for_each(|(task, buffer)| run(task, buffer));
        });
    }
    tools.scratch.give(buffer);
}

/// One task of [`weight_grad`]: some channels.
struct Channels<'a, T> {
    problem: &'a Problem,
    x: &'a [T],
    grad: &'a [T],
    w_grad: &'a mut [T],
    beta: T,
    blocking: Blocking,
    field: Field,
    channels: Range<usize>,
    staged: &'a mut [T],
    /// The output's gradient in a block, rows of whole groups of lanes.
    grads: &'a mut [T],
}

impl<T: Real> Job<T> for Channels<'_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Channels { problem, x, grad, w_grad, beta, blocking, field, channels, staged, grads } = self;
        let (geometry, n_taps) = (&problem.geometry, problem.n_taps());
        let first = geometry.padding.map(|padding| -(padding as isize));
        for (channel, filter) in channels.zip(w_grad.chunks_exact_mut(n_taps)) {
            // Sums over a block are in this type's precision, those over blocks and images in double.
            for (chunk, filter) in filter.chunks_mut(TAPS).enumerate() {
                let mut offsets = [0; TAPS];
                for (i, offset) in offsets.iter_mut().enumerate() {
                    let tap = (chunk * TAPS + i).min(n_taps - 1);
                    let [down, across] = [tap / problem.kernel[1], tap % problem.kernel[1]];
                    *offset = field.tap([down * geometry.dilation[0], across * geometry.dilation[1]]);
                }
                let mut totals = [0.0; TAPS];
                for image in 0..problem.n {
                    for block in (0..blocking.len()).map(|i| blocking.block(i)) {
                        let origin = origin(&block, geometry.stride, first);
                        let plane = image * problem.channels + channel;
                        for (data, len) in [(x, problem.image_len()), (grad, problem.out_len())] {
                            prefetch_next(data, plane * len, problem.channels * len, len);
                        }
                        field.stage(
                            kernel,
                            x,
                            problem.x_shape(),
                            channel..channel + 1,
                            image..image + 1,
                            origin,
                            staged,
                        );
                        let plane = &grad[(image * problem.channels + channel) * problem.out_len()..];
                        let pitch = block.columns.len().next_multiple_of(LANES);
                        let rows = block.rows.clone().zip(grads.chunks_exact_mut(pitch.max(1)));
                        for (y, row) in rows {
                            let from = &plane[y * problem.out[1]..][block.columns.clone()];
                            row[..from.len()].copy_from_slice(from);
                            row[from.len()..].fill(T::zero());
                        }
                        let sums = dot_taps(kernel, &field, offsets, staged, &grads[..block.rows.len() * pitch], pitch);
                        for i in 0..TAPS {
                            totals[i] += sums[i].0.iter().map(|x| x.as_f64()).sum::<f64>();
                        }
                    }
                }
                for (w, &total) in filter.iter_mut().zip(&totals) {
                    *w = if beta == T::zero() { T::of(total) } else { T::of(total + (beta * *w).as_f64()) };
                }
            }
        }
    }
}

/// The products of rows with the rows that lie under each tap, summed by lanes.
#[inline(always)]
fn dot_taps<T: Real, K: Eight<T>>(
    k: K,
    field: &Field,
    offsets: [usize; TAPS],
    staged: &[T],
    grads: &[T],
    pitch: usize,
) -> [Lanes<T>; TAPS] {
    let mut sums = [Lanes::zero(); TAPS];
    for (y, row) in grads.chunks_exact(pitch.max(1)).enumerate() {
        let rows = rows_under(field, staged, offsets, y, pitch);
        for (x, grad) in row.as_chunks::<LANES>().0.iter().enumerate() {
            for i in 0..TAPS {
                sums[i] = k.mul_add(Lanes(rows[i][x]), Lanes(*grad), sums[i]);
            }
        }
    }
    sums
}
