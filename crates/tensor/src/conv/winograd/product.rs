//! Forward and input gradient.

#![allow(unsafe_code)] // Tasks write different rows of tiles of one output.

use super::super::problem::Problem;
use super::tiles::{Images, LANES, Lanes, Rows, TILE, Tiling, Values, rows_len};
use super::transform::{POINTS, VALUES, both_ways, filter, outputs};
use crate::gemm::blocks::aligned;
use crate::gemm::kernel::{Job, Kernel, Left, Panel, SLACK, dispatch, rows_of_tile, tile_shape};
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
    // Pixels of a row of tiles, whole tiles, from which rows of the image are then taken.
    let pixel_row = TILE * TILE * tiling.grid[1];
    let rows_len = rows_len(block_rows, images.size[1]);
    let lens = [inputs.len(), products.len(), rows_len, block_rows * pixel_row].map(|len| len.next_multiple_of(16));
    let per_task: usize = lens.iter().sum();

    let panels = n_rows.div_ceil(mr);
    let panel_len = VALUES * channels * mr;
    let starts = images.starts(tiling, block_rows, tools.scratch);
    let pixel_starts = tiling.starts(block_rows, pixel_row, 0, tools.scratch);
    let mut filters = tools.scratch.take(panels * panel_len + SLACK);
    let mut buffer = tools.scratch.take(tasks * per_task + SLACK);
    {
        let filters = &mut aligned(&mut filters)[..panels * panel_len];
        rows(pool, filters, panel_len, 1, n_rows * channels * 64, &|range, filters| {
            for (i, panel) in range.zip(filters.chunks_exact_mut(panel_len)) {
                pack(rows_of_tile(n_rows, mr, i), channels, mr, weights, panel);
            }
        });
        let filters = &*filters;
        let columns = Columns::of_images(size, [size[1], 1], n_rows * size[0] * size[1]);
        let target = &Target { out: &Parts::new(out), base: 0, row_stride: size[0] * size[1], columns, epilogue };
        let run = |task: usize, buffer: &mut [T]| {
            let (values, buffer) = buffer.split_at_mut(lens[0]);
            let (products_buffer, buffer) = buffer.split_at_mut(lens[1]);
            let (rows_buffer, pixels) = buffer.split_at_mut(lens[2]);
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
                transformed: Rows::new(&mut rows_buffer[..rows_len], &starts),
                pixels,
                pixel_starts: &pixel_starts,
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
    tools.scratch.give_words(pixel_starts);
    tools.scratch.give_words(starts);
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
    transformed: Rows<'a, T>,
    pixels: &'a mut [T],
    /// Where each tile's pixels begin.
    pixel_starts: &'a [u32],
}

impl<T: Real> Job<T> for Part<'_, '_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Part { images, tiling, n_rows, filters, target, layout, inputs, products, pixels, .. } = self;
        let mut transformed = self.transformed;
        let pixel_starts = self.pixel_starts.as_chunks::<LANES>().0;
        let [height, width] = tiling.out;
        let (pixel_width, assigns) = (TILE * tiling.grid[1], target.only_assigns());
        let channels = images.channels;
        let panel_len = VALUES * channels * K::MR;
        for start in self.rows.clone().step_by(self.block_rows) {
            let rows = start..(start + self.block_rows).min(self.rows.end);
            images.data(kernel, tiling, rows.clone(), layout[0], inputs, &mut transformed);
            let tiles = rows.len() * tiling.grid[1];
            for point in 0..VALUES {
                for column in (0..tiles).step_by(K::NR) {
                    let rhs = Panel { data: &inputs[layout[0].at(point, 0) + column..], stride: layout[0].stride };
                    let lhs = Left::Packed { panels: &filters[point * channels * K::MR..], apart: panel_len };
                    let out = &mut products[layout[1].at(point, 0) + column..];
                    let out = Out::within(out, layout[1].stride, n_rows, K::NR);
                    kernel.strip(channels, lhs, rhs, None, out);
                }
            }
            // Where a block is whole rows of one image, in whole groups of tiles, these are put where they belong.
            let (image, y) = tiling.place(rows.start);
            let is_whole = tiling.place(rows.end - 1).0 == image && tiles.is_multiple_of(LANES);
            let direct = is_whole && assigns && width == pixel_width && height.is_multiple_of(TILE);
            for row in 0..n_rows {
                let start = ((image * n_rows + row) * height + y * TILE) * width;
                let to = if direct {
                    let len = rows.len() * TILE * width;
                    target.prefetch(start + 2 * height * width, len);
                    // SAFETY: this task alone writes these rows of tiles.
                    unsafe { target.part(start, len) }
                } else {
                    &mut *pixels
                };
                for (group, starts) in pixel_starts[..tiles.div_ceil(LANES)].iter().enumerate() {
                    let tile = both_ways(
                        #[inline(always)]
                        |i, j| Lanes::load(&products[layout[1].at(i * POINTS + j, row) + group * LANES..]),
                        #[inline(always)]
                        |m: [Lanes<T>; POINTS]| outputs(kernel, m),
                    );
                    for i in 0..TILE {
                        kernel.put_pieces(tile[i], &mut to[i * pixel_width..], starts);
                    }
                }
                if direct {
                    continue;
                }
                for (tile_row, pixels) in rows.clone().zip(pixels.chunks_exact_mut(TILE * pixel_width)) {
                    let (image, y) = tiling.place(tile_row);
                    let start = ((image * n_rows + row) * height + y * TILE) * width;
                    let lines = TILE.min(height - y * TILE);
                    // The row after the next will be written soon.
                    target.prefetch(start + 2 * height * width, lines * width);
                    if width == pixel_width {
                        // SAFETY: this task alone writes these rows of tiles.
                        unsafe { target.write_run(&mut pixels[..lines * width], start, row) };
                        continue;
                    }
                    for (i, line) in pixels.chunks_exact_mut(pixel_width).take(lines).enumerate() {
                        // SAFETY: as above.
                        unsafe { target.write_run(&mut line[..width], start + i * width, row) };
                    }
                }
            }
        }
    }
}
