//! The product that forward and input gradient share: filters slid over images, for every group.

#![allow(unsafe_code)] // Tasks write disjoint pixels of one output.

use super::depthwise;
use super::field::{Blocking, Field};
use crate::gemm::Tools;
use crate::gemm::blocks::{aligned, longest_depth};
use crate::gemm::kernel::{Job, Kernel, Left, Panel, SLACK, Segments, dispatch, rows_of_tile, tile_rows, tile_shape};
use crate::gemm::out::{Out, TILES, Tile};
use crate::gemm::target::{Spot, Target};
use crate::parallel::{n_tasks, rows, share};
use gradwise_core::Real;
use std::ops::Range;

/// Outputs in a block: enough that the rows staged twice, for the taps above and below, are few.
const BLOCK_LINES: usize = 512;

/// An upper bound for the length of a field over whose images lines are `step` apart and see `reach` further.
pub(super) fn largest_field(n: usize, lines: [usize; 2], step: [usize; 2], reach: [usize; 2], n_taps: usize) -> usize {
    let blocking = Blocking::new(n, lines, BLOCK_LINES);
    let channels = (longest_depth::<f32>() / n_taps.max(1)).max(1);
    Field::new(blocking.images, [blocking.rows, blocking.columns], step, reach).channel().saturating_mul(channels)
}

/// `out[row, line] = Σ_(channel, tap) weights[row, channel, tap] · source[channel, place of line + tap]`, for each group.
///
/// Lines are the pixels of a regular grid in each image. The order of the sum is that of channels, then taps.
pub(super) struct Correlation<'a, T> {
    /// Images `[n, c, h, w]`, `c` over all groups.
    pub(super) source: &'a [T],
    pub(super) source_shape: [usize; 4],
    pub(super) groups: usize,
    /// Rows of the result in a group.
    pub(super) rows: usize,
    /// Height and width of the grid of lines.
    pub(super) lines: [usize; 2],
    /// Distance of the grid's points in the source, down and across.
    pub(super) step: [usize; 2],
    /// Where the first point's first tap lies in the source; it may be outside.
    pub(super) origin: [isize; 2],
    /// Triples: how far the tap is below and beside the first, and its place in a filter.
    pub(super) taps: &'a [u32],
    pub(super) weights: &'a [T],
    /// From a group's, row's and channel's weights to the next's.
    pub(super) weight_strides: [usize; 3],
}

impl<T: Real> Correlation<'_, T> {
    fn n_taps(&self) -> usize {
        self.taps.len() / 3
    }

    /// Channels in a group, as far as they are in the sum.
    fn channels(&self) -> usize {
        if self.taps.is_empty() { 0 } else { self.source_shape[1] / self.groups }
    }

    pub(super) fn reach(&self) -> [usize; 2] {
        let far = |axis: usize| self.taps.iter().skip(axis).step_by(3).max().map_or(0, |&far| far as usize);
        [far(0), far(1)]
    }

    /// Channels in a block of the sum. It depends on shapes alone.
    fn block_channels(&self) -> usize {
        let blocks = (self.channels() * self.n_taps()).div_ceil(longest_depth::<T>()).max(1);
        self.channels().div_ceil(blocks).max(1)
    }

    /// The blocks of channels; one, and empty, where there are no channels.
    fn channel_blocks(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.channels().div_ceil(self.block_channels()).max(1)).map(|i| self.channel_block(i))
    }

    fn channel_block(&self, i: usize) -> Range<usize> {
        let (len, all) = (self.block_channels(), self.channels());
        i * len..((i + 1) * len).min(all)
    }

    /// Computes all of it.
    pub(super) fn run(&self, target: &Target<'_, T>, tools: &mut Tools<'_, T>) {
        let n = self.source_shape[0];
        let (per_image, n_taps) = (self.lines[0] * self.lines[1], self.n_taps());
        if n * per_image * self.rows * self.groups == 0 {
            return;
        }
        if (self.rows, self.channels()) == (1, 1) {
            return depthwise::correlate(self, target, tools);
        }
        let level = tools.level;
        let (mr, nr) = tile_shape::<T>(level);
        let row_panels = self.rows.div_ceil(mr);
        let packed_group = row_panels * mr * self.channels() * n_taps;

        let depth = self.channels() * n_taps;
        let work = (n * per_image).saturating_mul(self.rows * self.groups).saturating_mul(depth.max(8)) / 8;
        let tasks = n_tasks(tools.pool, work);
        // Blocks may be of any size without changing a bit: small ones where each thread would else not get several.
        let target_lines =
            BLOCK_LINES.min((n * per_image).div_ceil(4 * tasks)).max(if tasks == 1 { BLOCK_LINES } else { nr });
        let blocking = Blocking::new(n, self.lines, target_lines);
        let field = Field::new(blocking.images, [blocking.rows, blocking.columns], self.step, self.reach());
        let field_len = (self.block_channels() * field.channel() + SLACK).next_multiple_of(16);
        let panel_len = (self.block_channels() * n_taps * nr + SLACK).next_multiple_of(16);
        let per_task = field_len + panel_len;

        let mut offsets = tools.scratch.take_words(self.block_channels() * n_taps);
        for (channel, offsets) in offsets.chunks_exact_mut(n_taps.max(1)).enumerate() {
            for (offset, tap) in offsets.iter_mut().zip(self.taps.as_chunks::<3>().0) {
                *offset = (channel * field.channel() + field.tap([tap[0] as usize, tap[1] as usize])) as u32;
            }
        }
        let mut weights = tools.scratch.take(self.groups * packed_group + SLACK);
        let mut buffer = tools.scratch.take(tasks * per_task + SLACK);
        {
            let weights = aligned(&mut weights);
            for (group, packed) in weights.chunks_exact_mut(packed_group.max(1)).take(self.groups).enumerate() {
                self.pack_weights(group, mr, packed);
            }
            let (weights, offsets) = (&*weights, &*offsets);
            let run = |task: usize, buffer: &mut [T]| {
                let (field_buffer, panel) = buffer.split_at_mut(field_len);
                let blocks = share(blocking.len(), 1, tasks, task);
                dispatch(
                    level,
                    Part {
                        correlation: self,
                        target,
                        blocking,
                        field,
                        blocks,
                        offsets,
                        weights,
                        packed_group,
                        field_buffer,
                        panel,
                    },
                );
            };
            let buffers = &mut aligned(&mut buffer)[..tasks * per_task];
            if tasks == 1 {
                run(0, buffers);
            } else {
                rows(tools.pool, buffers, per_task, 1, usize::MAX, &|tasks, buffers| {
                    tasks.zip(buffers.chunks_exact_mut(per_task)).for_each(|(task, buffer)| run(task, buffer));
                });
            }
        }
        tools.scratch.give(buffer);
        tools.scratch.give(weights);
        tools.scratch.give_words(offsets);
    }

    /// The weights of a group as panels of `mr` rows, one for each tile of a strip, for each block of channels one after the other.
    pub(super) fn pack_weights(&self, group: usize, mr: usize, packed: &mut [T]) {
        let [group_stride, row_stride, channel_stride] = self.weight_strides;
        let n_taps = self.n_taps();
        let mut rest = packed;
        for channels in self.channel_blocks() {
            let depth = channels.len() * n_taps;
            let panels = self.rows.div_ceil(mr);
            for rows in (0..panels).map(|i| rows_of_tile(self.rows, mr, i)) {
                let (panel, after) = rest.split_at_mut(mr * depth);
                rest = after;
                for i in 0..mr {
                    let column = panel.iter_mut().skip(i).step_by(mr);
                    let row = rows.start + i;
                    if row >= rows.end {
                        column.for_each(|x| *x = T::zero());
                        continue;
                    }
                    let start = group * group_stride + row * row_stride;
                    let sources = channels.clone().flat_map(|channel| {
                        let filter = start + channel * channel_stride;
                        self.taps.as_chunks::<3>().0.iter().map(move |tap| filter + tap[2] as usize)
                    });
                    column.zip(sources).for_each(|(x, at)| *x = self.weights[at]);
                }
            }
        }
    }
}

/// One task: some blocks of the batch.
struct Part<'a, 'c, 't, T> {
    correlation: &'a Correlation<'c, T>,
    target: &'a Target<'t, T>,
    blocking: Blocking,
    field: Field,
    blocks: Range<usize>,
    /// Where the taps of a block's channels find their pixels in the field.
    offsets: &'a [u32],
    weights: &'a [T],
    packed_group: usize,
    field_buffer: &'a mut [T],
    panel: &'a mut [T],
}

impl<T: Real> Job<T> for Part<'_, '_, '_, T> {
    #[inline(always)]
    fn run<K: Kernel<T>>(self, kernel: K) {
        let Part { correlation, target, blocking, field, field_buffer, panel, .. } = self;
        let (mut tile, n_taps) = (Tile::new(), correlation.n_taps());
        let [height, width] = correlation.lines;
        let (rows, row_panels) = (correlation.rows, correlation.rows.div_ceil(K::MR));
        // A block is staged once for every group and block of channels.
        let channel_blocks = correlation.channel_blocks().count();
        let per_block = correlation.groups * channel_blocks;
        let stages = self.blocks.start * per_block..self.blocks.end * per_block;
        let stage_of = |stage: usize| {
            let block = blocking.block(stage / per_block);
            let (group, i) = (stage % per_block / channel_blocks, stage % channel_blocks);
            let start = [block.rows.start, block.columns.start];
            let origin: [isize; 2] =
                std::array::from_fn(|axis| correlation.origin[axis] + (start[axis] * correlation.step[axis]) as isize);
            (block, group, correlation.channel_block(i), origin)
        };
        let (source, shape) = (correlation.source, correlation.source_shape);
        for stage in stages.clone() {
            let (block, group, channels, origin) = stage_of(stage);
            let first_line = (block.images.start * height + block.rows.start) * width + block.columns.start;
            let (n_lines, block_size) = (block.len(), [block.rows.len(), block.columns.len()]);
            let panels = Panels::new(block_size[1], K::NR, rows);
            let (first, last) = (channels.start == 0, channels.end == correlation.channels());
            let depth = channels.len() * n_taps;
            let weights = &self.weights[group * self.packed_group + channels.start * n_taps * row_panels * K::MR..];
            let of_group = |channels: Range<usize>, group: usize| {
                group * correlation.channels() + channels.start..group * correlation.channels() + channels.end
            };
            field.stage(kernel, source, shape, of_group(channels, group), block.images.clone(), origin, field_buffer);
            let upcoming = (stage + 1 < stages.end).then(|| {
                let (block, group, channels, origin) = stage_of(stage + 1);
                field.upcoming(shape, of_group(channels, group), block.images, origin)
            });
            let offsets = Segments::new(&self.offsets[..depth], 1);
            let n_panels = panels.len(block.images.len() * block_size[0]);
            for i in 0..n_panels {
                let line = panels.line(i, n_lines);
                let n = line.len();
                if let Some(upcoming) = &upcoming {
                    upcoming.prefetch(source, shape, i, n_panels);
                }
                let runs = Runs::new(&field, block_size, line.start, n);
                // Neighbours in the field are read from there; others are first gathered.
                let field = runs.only().map(|from| &field_buffer[from..]);
                if field.is_none() {
                    let patches = Patches { field: field_buffer, offsets: offsets.offsets() };
                    match K::NR {
                        16 => patches.pack::<16>(&runs, panel),
                        _ => patches.pack::<8>(&runs, panel),
                    }
                }
                let column = first_line + line.start;
                let place = target.columns.locate(column, n);
                // Tiles from one on, as many as there are rows for.
                let tiles = |first: usize, out: Out<'_, T>| {
                    let (panels, apart) = (&weights[first * K::MR * depth..], K::MR * depth);
                    match field {
                        Some(field) => kernel.strip_under(panels, field, &offsets, out),
                        None => {
                            let rhs = Panel { data: panel, stride: K::NR };
                            kernel.strip(depth, Left::Packed { panels, apart }, rhs, None, out);
                        }
                    }
                };
                let in_strips = target.takes_strips(place, n, K::NR, first);
                let at_once = if in_strips { row_panels } else { TILES };
                let (mut row, first_row) = (0, group * rows);
                for first_tile in (0..row_panels).step_by(at_once) {
                    let m = (0..at_once).fold(0, |m, _| m + tile_rows(rows - row - m, K::MR));
                    let own = first_row + row..first_row + row + m;
                    row += m;
                    let spot = Spot { rows: own, column, n, base: 0, place, first, last };
                    // SAFETY: each block of lines is worked on by one task, and lines lie at different places.
                    unsafe {
                        if in_strips {
                            target.fill_strip(spot, K::NR, |out| tiles(first_tile, out));
                        } else {
                            target.fill(spot, K::NR, &mut tile, |out| tiles(first_tile, out.first_rows(m)));
                        }
                    }
                }
            }
        }
    }
}

/// How the lines of a block are cut into panels: across the ends of rows, or each row for itself.
///
/// A panel within a row is read where it lies, without being gathered first, but the last one of each row may be short.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    /// Lines in a row.
    width: usize,
    /// Lines in a panel.
    panel: usize,
    by_row: bool,
}

impl Panels {
    pub(super) fn new(width: usize, panel: usize, rows: usize) -> Self {
        /// Rows of a product that take as long as gathering a panel for all of them.
        const GATHERING: usize = 14;
        let whole = width.next_multiple_of(panel) - width;
        // By rows, a share of `whole / width` of the work is done on lines that are not there.
        Panels { width, panel, by_row: width >= panel && whole * rows <= GATHERING * width }
    }

    /// The number of panels in a block of so many rows.
    pub(super) fn len(&self, rows: usize) -> usize {
        if self.by_row { rows * self.width.div_ceil(self.panel) } else { (rows * self.width).div_ceil(self.panel) }
    }

    /// The lines of a panel, in a block of `n_lines`.
    pub(super) fn line(&self, i: usize, n_lines: usize) -> Range<usize> {
        if self.by_row {
            let in_row = self.width.div_ceil(self.panel);
            let (row, start) = (i / in_row * self.width, i % in_row * self.panel);
            return row + start..row + (start + self.panel).min(self.width);
        }
        i * self.panel..((i + 1) * self.panel).min(n_lines)
    }
}

/// Where the lines of a panel lie in a field: up to 16 runs of neighbours, as pairs of places in panel and field.
pub(super) struct Runs {
    runs: [(usize, usize); SLACK],
    len: usize,
}

impl Runs {
    /// Where the only run begins.
    #[inline(always)]
    pub(super) fn only(&self) -> Option<usize> {
        (self.len == 1).then_some(self.runs[0].1)
    }

    #[inline(always)]
    pub(super) fn new(field: &Field, [height, width]: [usize; 2], first: usize, n: usize) -> Self {
        let mut runs = Runs { runs: [(0, 0); SLACK], len: 0 };
        let (row, mut x) = (first / width, first % width);
        let (mut image, mut y, mut at) = (row / height, row % height, 0);
        while at < n {
            runs.runs[runs.len] = (at, field.line(image, y) + x);
            runs.len += 1;
            at += width - x;
            (x, y) = (0, y + 1);
            if y == height {
                (y, image) = (0, image + 1);
            }
        }
        runs
    }
}

/// The patches of a staged block.
pub(super) struct Patches<'a, T> {
    pub(super) field: &'a [T],
    /// Where the channels' taps find their pixels.
    pub(super) offsets: &'a [u32],
}

impl<T: Real> Patches<'_, T> {
    /// Packs the patches of a panel's lines.
    ///
    /// Every run is copied in full width: what is too much lies where the next run or the next row will be written, or in the slack
    /// behind the panel, and columns beyond the last line are never used.
    #[inline(always)]
    pub(super) fn pack<const WIDTH: usize>(&self, runs: &Runs, panel: &mut [T]) {
        for (k, &offset) in self.offsets.iter().enumerate() {
            for (to, from) in &runs.runs[..runs.len] {
                let (to, from) = (k * WIDTH + to, from + offset as usize);
                panel[to..to + WIDTH].copy_from_slice(&self.field[from..from + WIDTH]);
            }
        }
    }
}
