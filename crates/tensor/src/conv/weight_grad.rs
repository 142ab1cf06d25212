//! The weight gradient: patches times the output's gradient, summed over the pixels of the batch.

#![allow(unsafe_code)] // Tasks write disjoint rows of one sum.

use super::depthwise;
use super::field::{Block, Blocking, Field};
use super::gradients::Gradients;
use super::problem::Problem;
use super::winograd;
use crate::gemm::blocks::{aligned, longest_depth};
use crate::gemm::kernel::{Job, Kernel, MAX_ROWS, Panel, SLACK, Segments, dispatch, tile_shape};
use crate::gemm::out::Tile;
use crate::gemm::target::{Columns, Spot, Target};
use crate::gemm::{Epilogue, Tools};
use crate::parallel::{Parts, n_tasks, rows, share};
use gradwise_core::Real;
use std::ops::Range;

/// A sum of at most this many numbers is formed in several parts, so that there is work for several threads. Larger sums have enough
/// rows to share.
const PARTED_SUM: usize = 1 << 15;
/// How many parts.
const PARTS: usize = 8;

/// `∂w ← ∂y ⋆ x + β ∂w`.
///
/// The left factor, patches as rows, is read from the staged image where it lies: a tap is a run in each row of it. The right one, the
/// output's gradient with channels side by side, is packed. So the product is `∂wᵀ`, and its turning at the end costs one pass.
pub(super) fn weight_grad<T: Real>(
    problem: &Problem,
    x: &[T],
    grad: &[T],
    w_grad: &mut [T],
    beta: T,
    tools: &mut Tools<'_, T>,
) {
    if winograd::applies(problem) {
        return winograd::weight_grad(problem, x, grad, w_grad, beta, tools);
    }
    if depthwise::three_by_three(problem) {
        let weight = Some((x, w_grad, beta));
        return depthwise::gradients(problem, grad, Gradients { input: None, weight }, tools);
    }
    if (problem.group_channels(), problem.group_out_channels()) == (1, 1) {
        return depthwise::weight_grad(problem, x, grad, w_grad, beta, tools);
    }
    let geometry = &problem.geometry;
    let (n_taps, width) = (problem.n_taps(), problem.group_out_channels());
    let sum_len = problem.channels * n_taps * width;
    if sum_len == 0 {
        return;
    }
    let level = tools.level;
    let (_, nr) = tile_shape::<T>(level);
    let blocking = Blocking::new(problem.n, problem.out, longest_depth::<T>());
    let block_lines = blocking.images * blocking.rows * blocking.columns;
    let [kernel_height, kernel_width] = problem.kernel;
    let reach = [(kernel_height - 1) * geometry.dilation[0], (kernel_width - 1) * geometry.dilation[1]];
    let field = Field::new(blocking.images, [blocking.rows, blocking.columns], geometry.stride, reach);

    // How the sum is cut depends on shapes alone; how rows are shared does not matter to the bits.
    let n_blocks = if problem.out_len() == 0 { 0 } else { blocking.len() };
    let parts = if sum_len <= PARTED_SUM { n_blocks.clamp(1, PARTS) } else { 1 };
    let work = sum_len.saturating_mul(problem.n * problem.out_len()) / 8;
    let shares = if parts == 1 { n_tasks(tools.pool, work).min(problem.channels) } else { 1 };
    let tasks = parts * shares;

    // Staged channels stay in the second-level cache beside the panels.
    let channels = (STAGED / field.channel().max(1)).clamp(1, problem.group_channels().max(1));
    let field_len = (channels * field.channel() + SLACK).next_multiple_of(16);
    let panels_len = (width.next_multiple_of(nr) * block_lines + SLACK).next_multiple_of(16);
    let per_task = field_len + panels_len;

    let mut taps = tools.scratch.take_words(n_taps);
    for (i, tap) in taps.iter_mut().enumerate() {
        let place = [i / kernel_width * geometry.dilation[0], i % kernel_width * geometry.dilation[1]];
        *tap = field.tap(place) as u32;
    }
    let n_segments = blocking.images * blocking.rows;
    let mut segments = tools.scratch.take_words(n_segments);
    for (i, segment) in segments.iter_mut().enumerate() {
        *segment = field.line(i / blocking.rows, i % blocking.rows) as u32;
    }

    let mut sums = tools.scratch.take(parts * sum_len);
    let mut buffer = tools.scratch.take(tasks * per_task + SLACK);
    {
        let out = &Parts::new(&mut sums);
        let (taps, segments) = (&*taps, &*segments);
        let run = |task: usize, buffer: &mut [T]| {
            let (part, share_of) = (task / shares, task % shares);
            let (field_buffer, panels) = buffer.split_at_mut(field_len);
            let job = Part {
                problem,
                x,
                grad,
                out,
                base: part * sum_len,
                blocking,
                field,
                blocks: share(n_blocks, 1, parts, part),
                channels: share(problem.channels, 1, shares, share_of),
                at_once: channels,
                taps,
                segments,
                field_buffer,
                panels,
            };
            dispatch(level, job);
        };
        let buffers = &mut aligned(&mut buffer)[..tasks * per_task];
        if n_tasks(tools.pool, work) == 1 {
            buffers.chunks_exact_mut(per_task).enumerate().for_each(|(task, buffer)| run(task, buffer));
        } else {
            rows(tools.pool, buffers, per_task, 1, usize::MAX, &|tasks, buffers| {
                tasks.zip(buffers.chunks_exact_mut(per_task)).for_each(|(task, buffer)| run(task, buffer));
            });
        }
    }
    tools.scratch.give(buffer);
    add_parts(&mut sums, sum_len);
    turn(problem, &sums[..sum_len], w_grad, beta);
    tools.scratch.give(sums);
    tools.scratch.give_words(segments);
    tools.scratch.give_words(taps);
}

/// Numbers of a staged block: 128 KiB of `f32`.
const STAGED: usize = 1 << 15;

/// Adds all parts to the first: neighbours, then neighbours of these.
fn add_parts<T: Real>(sums: &mut [T], len: usize) {
    let parts = sums.len() / len;
    let mut distance = 1;
    while distance < parts {
        for first in (0..parts - distance).step_by(2 * distance) {
            let (to, from) = sums[first * len..].split_at_mut(distance * len);
            to[..len].iter_mut().zip(&from[..len]).for_each(|(to, &from)| *to += from);
        }
        distance *= 2;
    }
}

/// `∂w[o, (c, tap)] ← sums[(c, tap), o] + β ∂w`, for each group.
fn turn<T: Real>(problem: &Problem, sums: &[T], w_grad: &mut [T], beta: T) {
    let width = problem.group_out_channels();
    let rows = problem.group_channels() * problem.n_taps();
    for (sums, w_grad) in sums.chunks_exact(rows * width).zip(w_grad.chunks_exact_mut(rows * width)) {
        for (o, filter) in w_grad.chunks_exact_mut(rows).enumerate() {
            let sums = sums[o..].iter().step_by(width);
            if beta == T::zero() {
                filter.iter_mut().zip(sums).for_each(|(w, &sum)| *w = sum);
            } else {
                filter.iter_mut().zip(sums).for_each(|(w, &sum)| *w = *w * beta + sum);
            }
        }
    }
}

/// One task: the sum over some blocks, for the taps of some channels.
struct Part<'a, T> {
    problem: &'a Problem,
    x: &'a [T],
    grad: &'a [T],
    out: &'a Parts<'a, T>,
    /// Where the task's sum begins.
    base: usize,
    blocking: Blocking,
    field: Field,
    blocks: Range<usize>,
    /// Channels of all groups.
    channels: Range<usize>,
    /// How many of them are staged at once.
    at_once: usize,
    taps: &'a [u32],
    /// Where rows of outputs begin in a staged image.
    segments: &'a [u32],
    field_buffer: &'a mut [T],
    panels: &'a mut [T],
}

impl<T: Real> Job<T> for Part<'_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Part { problem, x, grad, out, base, blocking, field, blocks, channels, at_once, .. } = self;
        let Part { taps, segments: all_segments, field_buffer, panels, .. } = self;
        let (per_group, width, n_taps) = (problem.group_channels(), problem.group_out_channels(), problem.n_taps());
        let mut tile = Tile::new();
        // A sum without terms has a value, too: one empty block.
        for i in 0..blocks.len().max(1) {
            let empty = Block { images: 0..0, rows: 0..0, columns: 0..0 };
            let block = if blocks.is_empty() { empty } else { blocking.block(blocks.start + i) };
            let (depth, per_image) = (block.len(), block.rows.len() * block.columns.len());
            let first_pixel = block.rows.start * problem.out[1] + block.columns.start;
            let beta = if i == 0 { T::zero() } else { T::one() };
            let columns = Columns::of_matrix(width, 1);
            let target = Target { out, base, row_stride: width, columns, epilogue: Epilogue::scaled(beta) };
            let n_segments = block.images.len() * block.rows.len();
            let segments = Segments::new(&all_segments[..n_segments], block.columns.len());
            let start = [block.rows.start, block.columns.start];
            let geometry = &problem.geometry;
            let origin: [isize; 2] = std::array::from_fn(|axis| {
                (start[axis] * geometry.stride[axis]) as isize - geometry.padding[axis] as isize
            });
            for group in 0..problem.geometry.groups {
                let end = channels.end.min((group + 1) * per_group);
                let own = channels.start.max(group * per_group)..end;
                if own.is_empty() {
                    continue;
                }
                for (panel, first) in (0..width).step_by(K::NR).enumerate() {
                    let n = K::NR.min(width - first);
                    let panel = &mut panels[panel * K::NR * depth..][..K::NR * depth];
                    for (image, panel) in block.images.clone().zip(panel.chunks_exact_mut((K::NR * per_image).max(1))) {
                        let plane = image * problem.out_channels + group * width + first;
                        let line =
                            |j: usize| &grad[(plane + j) * problem.out_len()..][first_pixel..first_pixel + per_image];
                        let lines: [&[T]; SLACK] = std::array::from_fn(|j| if j < n { line(j) } else { &[][..] });
                        kernel.transpose(&lines[..n], panel);
                    }
                }
                for first_channel in own.clone().step_by(at_once) {
                    let staged = first_channel..(first_channel + at_once).min(own.end);
                    field.stage(
                        kernel,
                        x,
                        problem.x_shape(),
                        staged.clone(),
                        block.images.clone(),
                        origin,
                        field_buffer,
                    );
                    let n_rows = staged.len() * n_taps;
                    for (panel, column) in (0..width).step_by(K::NR).enumerate() {
                        let n = K::NR.min(width - column);
                        let rhs = Panel { data: &panels[panel * K::NR * depth..], stride: K::NR };
                        let place = columns.locate(column, n);
                        // The channel and the tap of the next row, counted without divisions.
                        let (mut channel, mut tap) = (0, 0);
                        for row in (0..n_rows).step_by(K::MR) {
                            let m = K::MR.min(n_rows - row);
                            let mut patches: [&[T]; MAX_ROWS] = [&[]; MAX_ROWS];
                            for patch in &mut patches[..m] {
                                *patch = &field_buffer[channel * field.channel() + taps[tap] as usize..];
                                tap += 1;
                                if tap == n_taps {
                                    (channel, tap) = (channel + 1, 0);
                                }
                            }
                            let start = staged.start * n_taps + row;
                            let spot =
                                Spot { rows: start..start + m, column, n, base: 0, place, first: true, last: true };
                            // SAFETY: tasks have different sums, or different channels of one.
                            unsafe {
                                target.fill(spot, K::NR, &mut tile, |out| {
                                    kernel.rows(&patches[..m], &segments, rhs, out);
                                });
                            }
                        }
                    }
                }
            }
        }
    }
}
