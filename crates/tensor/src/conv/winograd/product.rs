//! Forward and input gradient.

#![allow(unsafe_code)] // Tasks write different rows of tiles of one output.

use super::super::problem::Problem;
use super::tiles::{Images, LANES, Lanes, TILE, Tiling, Values, rows_len};
use super::transform::{POINTS, VALUES, both_ways, filter, outputs};
use crate::gemm::blocks::aligned;
use crate::gemm::kernel::{Job, Kernel, Panel, SLACK, dispatch, tile_shape};
use crate::gemm::out::Out;
use crate::gemm::target::{Columns, Target};
use crate::gemm::{Epilogue, Tools};
use crate::parallel::{Parts, n_tasks, rows, share};
use gradwise_core::Real;
use std::ops::Range;

/// Numbers that the values of a block's inputs and outputs may take: with the filters' they are to fit into a second-level cache.
const BLOCK: usize = 1 << 17;
/// Most tiles in a block.
const MOST_TILES: usize = 64;

/// `y ← f(α w ⋆ x + β y + bias)`.
pub(in super::super) fn forward<T: Real>(
    problem: &Problem,
    x: &[T],
    weight: &[T],
    y: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let channels = problem.channels;
    let images = Images { data: x, channels, size: problem.image, padding: problem.geometry.padding };
    let weights = |row: usize, channel: usize, tap: usize| weight[(row * channels + channel) * 9 + tap];
    run(images, problem.n, problem.out_channels, problem.out, &weights, y, epilogue, tools);
}

/// `∂x ← f(α wᵀ ⋆ ∂y + β ∂x + bias)`: a convolution of `∂y` with the filters turned over.
pub(in super::super) fn input_grad<T: Real>(
    problem: &Problem,
    grad: &[T],
    weight: &[T],
    x_grad: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let (channels, padding) = (problem.channels, problem.geometry.padding.map(|padding| 2 - padding));
    let images = Images { data: grad, channels: problem.out_channels, size: problem.out, padding };
    let weights = |row: usize, channel: usize, tap: usize| weight[(channel * channels + row) * 9 + 8 - tap];
    run(images, problem.n, channels, problem.image, &weights, x_grad, epilogue, tools);
}

/// The weight of a row of the result, a channel and a tap.
type Weights<'a, T> = &'a (dyn Fn(usize, usize, usize) -> T + Sync);

fn run<T: Real>(
    images: Images<'_, T>,
    n: usize,
    n_rows: usize,
    size: [usize; 2],
    weights: Weights<'_, T>,
    out: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let (level, pool, channels) = (tools.level, tools.pool, images.channels);
    let (mr, _) = tile_shape::<T>(level);
    let tiling = Tiling::new(n, size);
    let work = (n * size[0] * size[1]).saturating_mul(n_rows * channels);
    let tasks = n_tasks(pool, work);
    let tiles = (BLOCK / (VALUES * (channels + n_rows))).clamp(16, MOST_TILES).next_multiple_of(16);
    let block_rows = tiling.rows_of(tiles);
    let tiles = block_rows * tiling.grid[1];
    let (inputs, products) = (Values::new(channels, tiles), Values::new(n_rows, tiles));
    let lens = [inputs.len(), products.len(), rows_len(images.size[1])].map(|len| len.next_multiple_of(16));
    let per_task: usize = lens.iter().sum();

    let panels = n_rows.div_ceil(mr);
    let panel_len = VALUES * channels * mr;
    let mut filters = tools.scratch.take(panels * panel_len + SLACK);
    let mut buffer = tools.scratch.take(tasks * per_task + SLACK);
    {
        let filters = &mut aligned(&mut filters)[..panels * panel_len];
        rows(pool, filters, panel_len, 1, n_rows * channels * 64, &|range, filters| {
            for (i, panel) in range.zip(filters.chunks_exact_mut(panel_len)) {
                pack(share(n_rows, 1, panels, i), channels, mr, weights, panel);
            }
        });
        let filters = &*filters;
        let columns = Columns::of_images(size, [size[1], 1], n_rows * size[0] * size[1]);
        let target = &Target { out: &Parts::new(out), base: 0, row_stride: size[0] * size[1], columns, epilogue };
        let run = |task: usize, buffer: &mut [T]| {
            let (values, buffer) = buffer.split_at_mut(lens[0]);
            let (products_buffer, rows_buffer) = buffer.split_at_mut(lens[1]);
            let job = Part {
                images,
                tiling,
                rows: share(tiling.n_rows(), 1, tasks, task),
                block_rows,
                n_rows,
                filters,
                target,
                layout: [inputs, products],
                inputs: values,
                products: products_buffer,
                rows_buffer,
            };
            dispatch(level, job);
        };
        let buffers = &mut aligned(&mut buffer)[..tasks * per_task];
        if tasks == 1 {
            run(0, buffers);
        } else {
            rows(pool, buffers, per_task, 1, usize::MAX, &|tasks, buffers| {
                tasks.zip(buffers.chunks_exact_mut(per_task)).for_each(|(task, buffer)| run(task, buffer));
            });
        }
    }
    tools.scratch.give(buffer);
    tools.scratch.give(filters);
}

/// The filters of some rows at every point: a panel of the left factor for each.
fn pack<T: Real>(rows: Range<usize>, channels: usize, mr: usize, weights: Weights<'_, T>, panel: &mut [T]) {
    for channel in 0..channels {
        for i in 0..mr {
            let row = rows.start + i;
            let g = |tap: usize| if row < rows.end { weights(row, channel, tap).as_f64() } else { 0.0 };
            let values = filter(std::array::from_fn(|i| std::array::from_fn(|j| g(3 * i + j))));
            for (point, &value) in values.as_flattened().iter().enumerate() {
                panel[(point * channels + channel) * mr + i] = T::of(value);
            }
        }
    }
}

/// One task: some rows of tiles.
struct Part<'a, 't, T> {
    images: Images<'a, T>,
    tiling: Tiling,
    rows: Range<usize>,
    block_rows: usize,
    /// Rows of the result: its channels.
    n_rows: usize,
    filters: &'a [T],
    target: &'a Target<'t, T>,
    /// How the values of inputs and of products stand.
    layout: [Values; 2],
    inputs: &'a mut [T],
    products: &'a mut [T],
    rows_buffer: &'a mut [T],
}

impl<T: Real> Job<T> for Part<'_, '_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Part { images, tiling, n_rows, filters, target, layout, inputs, products, rows_buffer, .. } = self;
        let (channels, panels) = (images.channels, n_rows.div_ceil(K::MR));
        let panel_len = VALUES * channels * K::MR;
        for start in self.rows.clone().step_by(self.block_rows) {
            let rows = start..(start + self.block_rows).min(self.rows.end);
            images.data(kernel, tiling, rows.clone(), layout[0], inputs, rows_buffer);
            let tiles = rows.len() * tiling.grid[1];
            for point in 0..VALUES {
                for column in (0..tiles).step_by(K::NR) {
                    let rhs = Panel { data: &inputs[layout[0].at(point, 0) + column..], stride: layout[0].stride };
                    for panel in 0..panels {
                        let rows = share(n_rows, 1, panels, panel);
                        let lhs = &filters[panel * panel_len + point * channels * K::MR..];
                        let out = &mut products[layout[1].at(point, rows.start) + column..];
                        let out = Out::within(out, layout[1].stride, rows.len(), K::NR);
                        kernel.panels(rows.len(), channels, Panel { data: lhs, stride: K::MR }, rhs, out);
                    }
                }
            }
            for row in 0..n_rows {
                for (i, tile_row) in rows.clone().enumerate() {
                    for first in (0..tiling.grid[1]).step_by(LANES) {
                        let tile = i * tiling.grid[1] + first;
                        let pixels = both_ways(
                            #[inline(always)]
                            |i, j| Lanes::load(&products[layout[1].at(i * POINTS + j, row) + tile..]),
                            #[inline(always)]
                            |m: [Lanes<T>; POINTS]| outputs(kernel, m),
                        );
                        // SAFETY: this task alone writes these rows of tiles.
                        unsafe { write(kernel, target, tiling, (row, n_rows), tile_row, first, pixels) };
                    }
                }
            }
        }
    }
}

/// Writes eight tiles side by side, as far as they are within the image.
///
/// # Safety
/// While this runs, no other thread touches the pixels of this row of tiles.
#[inline(always)]
unsafe fn write<T: Real, K: Kernel<T>>(
    kernel: K,
    target: &Target<'_, T>,
    tiling: Tiling,
    (row, n_rows): (usize, usize),
    tile_row: usize,
    first: usize,
    pixels: [[Lanes<T>; TILE]; TILE],
) {
    let [height, width] = tiling.out;
    let x = first * TILE;
    let (image, y) = (tile_row / tiling.grid[0], tile_row % tiling.grid[0] * TILE);
    let n = (width - x).min(TILE * LANES);
    for (y, lanes) in (y..height).zip(pixels) {
        let mut run = kernel.row_of(lanes);
        // SAFETY: by this function's contract.
        unsafe { target.write_run(&mut run, n, ((image * n_rows + row) * height + y) * width + x, row) };
    }
}
