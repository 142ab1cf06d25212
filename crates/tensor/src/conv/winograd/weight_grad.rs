//! The weight gradient.

#![allow(unsafe_code)] // Tasks write different parts of one sum.

use super::super::problem::Problem;
use super::tiles::{Images, LANES, Lanes, Rows, Tiling, Values, rows_len};
use super::transform::{POINTS, VALUES, both_ways, taps_back};
use crate::gemm::Tools;
use crate::gemm::blocks::aligned;
use crate::gemm::kernel::{Job, Kernel, Left, Panel, SLACK, dispatch, tile_shape};
use crate::gemm::operand::Operand;
use crate::gemm::out::Out;
use crate::parallel::{Parts, n_tasks, rows, share};
use gradwise_core::Real;
use std::ops::Range;

/// The sum over the tiles is formed in so many parts, so that there is work for several threads.
const PARTS: usize = 4;
/// Numbers that the values of a block may take.
const BLOCK: usize = 1 << 17;

/// `∂w ← ∂y ⋆ x + β ∂w`.
pub(in super::super) fn weight_grad<T: Real>(
    problem: &Problem,
    x: &[T],
    grad: &[T],
    w_grad: &mut [T],
    beta: T,
    tools: &mut Tools<'_, T>,
) {
    let (level, pool) = (tools.level, tools.pool);
    let (_, nr) = tile_shape::<T>(level);
    let (channels, n_rows) = (problem.channels, problem.out_channels);
    let tiling = Tiling::new(problem.n, problem.out);
    let x = Images { data: x, channels, size: problem.image, padding: problem.geometry.padding };
    let grad = Images { data: grad, channels: n_rows, size: problem.out, padding: [0, 0] };
    // How the sum is cut depends on shapes alone.
    let block_rows = tiling.rows_of((BLOCK / (VALUES * (channels + n_rows))).clamp(16, 64));
    let tiles = block_rows * tiling.grid[1];
    let layout = [Values::new(channels, tiles), Values::new(n_rows, tiles)];
    let n_blocks = tiling.n_rows().div_ceil(block_rows);
    let parts = n_blocks.min(PARTS);
    let rows_lens = [x, grad].map(|images| rows_len(block_rows, images.size[1]));
    let lens = [layout[0].len(), layout[1].len(), rows_lens[0], rows_lens[1], tiles * nr + SLACK];
    let lens = lens.map(|len| len.next_multiple_of(16));
    let per_task: usize = lens.iter().sum();
    let sum_stride = channels.next_multiple_of(nr);
    let sum_len = VALUES * n_rows * sum_stride;

    let work = (problem.n * problem.out_len()).saturating_mul(n_rows * channels);
    let tasks = if n_tasks(pool, work) == 1 { 1 } else { parts };
    let starts = [x, grad].map(|images| images.starts(tiling, block_rows, tools.scratch));
    let mut sums = tools.scratch.take(parts * sum_len);
    let mut buffer = tools.scratch.take(tasks * per_task + SLACK);
    {
        let out = &Parts::new(&mut sums);
        let run = |part: usize, buffer: &mut [T]| {
            let (inputs, buffer) = buffer.split_at_mut(lens[0]);
            let (grads, buffer) = buffer.split_at_mut(lens[1]);
            let (x_rows, buffer) = buffer.split_at_mut(lens[2]);
            let (grad_rows, panel) = buffer.split_at_mut(lens[3]);
            let x_rows = Rows::new(&mut x_rows[..rows_lens[0]], &starts[0]);
            let grad_rows = Rows::new(&mut grad_rows[..rows_lens[1]], &starts[1]);
            // SAFETY: every part of the sum is one call's.
            let sums = unsafe { out.part(part * sum_len..(part + 1) * sum_len) };
            let blocks = share(n_blocks, 1, parts, part);
            dispatch(
                level,
                Part {
                    x,
                    grad,
                    tiling,
                    blocks,
                    block_rows,
                    layout,
                    sums,
                    sum_stride,
                    inputs,
                    grads,
                    x_rows,
                    grad_rows,
                    panel,
                },
            );
        };
        let buffers = &mut aligned(&mut buffer)[..tasks * per_task];
        if tasks == 1 {
            (0..parts).for_each(|part| run(part, buffers));
        } else {
            let buffers = &Parts::new(buffers);
            crate::parallel::run(pool, tasks, &|task| {
                // SAFETY: every task has its own buffer.
                run(task, unsafe { buffers.part(task * per_task..(task + 1) * per_task) });
            });
        }
    }
    tools.scratch.give(buffer);
    let parts = &*sums;
    rows(pool, w_grad, channels * 9, 1, n_rows * channels * 64, &|rows, w_grad| {
        dispatch(level, Finish { sums: parts, sum_len, sum_stride, n_rows, rows, w_grad, channels, beta });
    });
    tools.scratch.give(sums);
    starts.into_iter().for_each(|starts| tools.scratch.give_words(starts));
}

/// One task: the sum over some blocks.
struct Part<'a, T> {
    x: Images<'a, T>,
    grad: Images<'a, T>,
    tiling: Tiling,
    blocks: Range<usize>,
    block_rows: usize,
    /// How the values of inputs and of gradients stand.
    layout: [Values; 2],
    /// `[point, row, channel]`.
    sums: &'a mut [T],
    sum_stride: usize,
    inputs: &'a mut [T],
    grads: &'a mut [T],
    x_rows: Rows<'a, T>,
    grad_rows: Rows<'a, T>,
    panel: &'a mut [T],
}

impl<T: Real> Job<T> for Part<'_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Part { x, grad, tiling, blocks, block_rows, layout, sums, sum_stride, .. } = self;
        let Part { inputs, grads, mut x_rows, mut grad_rows, panel, .. } = self;
        let (channels, n_rows) = (x.channels, grad.channels);
        for block in blocks.clone() {
            let rows = block * block_rows..((block + 1) * block_rows).min(tiling.n_rows());
            let tiles = rows.len() * tiling.grid[1];
            x.data(kernel, tiling, rows.clone(), layout[0], inputs, &mut x_rows);
            grad.spread(kernel, tiling, rows, layout[1], grads, &mut grad_rows);
            for point in 0..VALUES {
                let inputs_at = Operand::within(&inputs[layout[0].at(point, 0)..], layout[0].stride, channels, tiles);
                let grads_at = Operand::within(&grads[layout[1].at(point, 0)..], layout[1].stride, n_rows, tiles);
                for column in (0..channels).step_by(K::NR) {
                    let n = K::NR.min(channels - column);
                    kernel.transpose_lines(&inputs_at, column..column + n, 0, tiles, &mut panel[..tiles * K::NR]);
                    let rhs = Panel { data: &*panel, stride: K::NR };
                    let out = &mut sums[point * n_rows * sum_stride + column..];
                    let mut out = Out::within(out, sum_stride, n_rows, K::NR);
                    if block > blocks.start {
                        out = out.adding();
                    }
                    kernel.strip(tiles, Left::Rows { operand: &grads_at, first: 0, k: 0 }, rhs, None, out);
                }
            }
        }
    }
}

/// Adds the parts of the sum, and turns them from values at the points into taps.
struct Finish<'a, T> {
    sums: &'a [T],
    sum_len: usize,
    sum_stride: usize,
    n_rows: usize,
    rows: Range<usize>,
    w_grad: &'a mut [T],
    channels: usize,
    beta: T,
}

impl<T: Real> Job<T> for Finish<'_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Finish { sums, sum_len, sum_stride, n_rows, rows, w_grad, channels, beta } = self;
        for (row, w_grad) in rows.zip(w_grad.chunks_exact_mut(9 * channels)) {
            for channel in (0..channels).step_by(LANES) {
                let taps = both_ways(
                    #[inline(always)]
                    |i, j| {
                        let at = ((i * POINTS + j) * n_rows + row) * sum_stride + channel;
                        let mut sum = Lanes::load(&sums[at..]);
                        for part in 1..sums.len() / sum_len {
                            sum = kernel.add(sum, Lanes::load(&sums[part * sum_len + at..]));
                        }
                        sum
                    },
                    #[inline(always)]
                    |u: [Lanes<T>; POINTS]| taps_back(kernel, u),
                );
                for lane in 0..LANES.min(channels - channel) {
                    let filter = &mut w_grad[(channel + lane) * 9..][..9];
                    for (w, taps) in filter.iter_mut().zip(taps.as_flattened()) {
                        let before = if beta == T::zero() { T::zero() } else { *w * beta };
                        *w = taps.0[lane] + before;
                    }
                }
            }
        }
    }
}
