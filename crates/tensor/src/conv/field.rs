//! A block of images, staged so that every tap of a filter finds its pixels in one run.

use crate::gemm::eight::{Eight, LANES, Lanes};
use crate::gemm::prefetch::{line_len, prefetch_slice};
use crate::parallel::share;
use gradwise_core::Real;
use std::ops::Range;

/// How a block of images is staged: some rows of some channels of some images, with zeros where there is no image.
///
/// Columns of one phase of the horizontal stride lie together: with a stride of 2, first the even ones of a row, then the odd ones.
/// Neighbouring outputs then read neighbouring elements at any stride, and a tap is one offset for all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Rows of a channel of an image.
    rows: usize,
    /// Elements of a phase in a row.
    phase: usize,
    /// Distance from an output to the next, down and across.
    step: [usize; 2],
    /// How far taps reach beyond an output's first.
    reach: [usize; 2],
    /// Images of a channel.
    images: usize,
}

impl Field {
    /// For blocks of `images` images with `lines` outputs each, and taps that reach `reach` beyond an output's first.
    pub(super) fn new(images: usize, lines: [usize; 2], step: [usize; 2], reach: [usize; 2]) -> Self {
        let rows = lines[0].saturating_sub(1) * step[0] + reach[0] + 1;
        Field { rows, phase: lines[1] + reach[1] / step[1], step, reach, images }
    }

    /// The elements of one row.
    fn row(&self) -> usize {
        self.phase * self.step[1]
    }

    /// The elements of one image of a channel.
    fn image(&self) -> usize {
        self.rows.saturating_mul(self.row())
    }

    /// From a channel to the next: an odd number of cache lines, so that one pixel's channels do not fall into the same sets of a cache, as
    /// they would where a block is a power of two.
    pub(super) fn channel(&self) -> usize {
        const LINE: usize = 16;
        let lines = self.images.saturating_mul(self.image()).div_ceil(LINE);
        (lines | 1).saturating_mul(LINE)
    }

    /// Where a tap that is `y` and `x` beyond an output's first finds its pixels.
    pub(super) fn tap(&self, [y, x]: [usize; 2]) -> usize {
        y * self.row() + x % self.step[1] * self.phase + x / self.step[1]
    }

    /// Where the first of a row of outputs lies.
    pub(super) fn line(&self, image: usize, y: usize) -> usize {
        image * self.image() + y * self.step[0] * self.row()
    }

    /// What [`Field::stage`] would read.
    pub(super) fn upcoming(
        &self,
        [_, _, h, w]: [usize; 4],
        channels: Range<usize>,
        images: Range<usize>,
        origin: [isize; 2],
    ) -> Upcoming {
        let row = |y: isize| y.clamp(0, h as isize) as usize;
        Upcoming { channels, images, plane: row(origin[0]) * w..row(origin[0] + self.rows as isize) * w }
    }

    /// Copies channels and images of `source [n, c, h, w]` in, so that the first row and column are those of `origin`, which may lie
    /// outside. Rows and phases that no tap meets, as where a stride is longer than the filter, are left as they are.
    #[inline(always)]
    pub(super) fn stage<T: Real, K: Eight<T>>(
        &self,
        kernel: K,
        source: &[T],
        [_, all_channels, h, w]: [usize; 4],
        channels: Range<usize>,
        images: Range<usize>,
        origin: [isize; 2],
        field: &mut [T],
    ) {
        let (row_len, step) = (self.row().max(1), self.step);
        for (channel, planes) in channels.zip(field.chunks_exact_mut(self.channel().max(1))) {
            for (image, plane) in images.clone().zip(planes.chunks_exact_mut(self.image().max(1))) {
                let source = &source[(image * all_channels + channel) * h * w..][..h * w];
                for phase in 0..step[1].min(self.reach[1] + 1) {
                    let row = PhaseRow::new(self.phase, origin[1] + phase as isize, step[1], w);
                    let rows = plane.chunks_exact_mut(row_len).map(|row| &mut row[phase * self.phase..][..self.phase]);
                    let mut in_step = 0;
                    for (y, to) in (origin[0]..).zip(rows) {
                        let met = in_step <= self.reach[0];
                        in_step = if in_step + 1 == step[0] { 0 } else { in_step + 1 };
                        if met && y >= 0 && y < h as isize {
                            row.copy(kernel, &source[y as usize * w..][..w], to);
                        } else if met {
                            to.fill(T::zero());
                        }
                    }
                }
            }
        }
    }
}

/// What will be staged next, to be asked for in portions while the present block is worked on.
#[derive(Clone, Debug)]
pub(super) struct Upcoming {
    /// The planes, as channel and image.
    channels: Range<usize>,
    images: Range<usize>,
    /// The part of a plane.
    plane: Range<usize>,
}

impl Upcoming {
    /// Asks for the `i`-th of `n` portions.
    #[inline(always)]
    pub(super) fn prefetch<T>(&self, source: &[T], [_, all_channels, h, w]: [usize; 4], i: usize, n: usize) {
        let lines = self.plane.len().div_ceil(line_len::<T>());
        let mine = share(self.channels.len() * self.images.len() * lines, 1, n, i);
        let (mut plane, mut line, mut left) = (mine.start / lines.max(1), mine.start % lines.max(1), mine.len());
        while left > 0 {
            let (image, channel) = (plane / self.channels.len(), plane % self.channels.len());
            let start = ((self.images.start + image) * all_channels + self.channels.start + channel) * h * w;
            let run = left.min(lines - line);
            let from = self.plane.start + line * line_len::<T>();
            let to = (from + run * line_len::<T>()).min(self.plane.end);
            prefetch_slice(&source[start + from..start + to]);
            (plane, line, left) = (plane + 1, 0, left - run);
        }
    }
}

/// One phase of a row: where it lies in the row of an image.
#[derive(Clone, Copy)]
struct PhaseRow {
    /// Elements below this one lie before the image's row.
    low: usize,
    /// Elements from this one on lie behind it.
    high: usize,
    /// The place of element `low` in the image's row.
    start: usize,
    step: usize,
}

impl PhaseRow {
    /// Of `len` elements, of which element `i` is the `first + i · step`-th of `width`.
    fn new(len: usize, first: isize, step: usize, width: usize) -> Self {
        let low = ((-first).max(0) as usize).div_ceil(step).min(len);
        let high = ((width as isize - first).max(0) as usize).div_ceil(step).clamp(low, len);
        PhaseRow { low, high, start: (first + (low * step) as isize).max(0) as usize, step }
    }

    #[inline(always)]
    fn copy<T: Real, K: Eight<T>>(&self, kernel: K, source: &[T], row: &mut [T]) {
        let &PhaseRow { low, high, start, step } = self;
        clear_ends(row, low, high);
        if low < high {
            let (source, row) = (&source[start..], &mut row[low..high]);
            match step {
                1 => copy_steps::<T, K, 1>(kernel, source, row),
                2 => copy_steps::<T, K, 2>(kernel, source, row),
                _ => row.iter_mut().zip(source.iter().step_by(step)).for_each(|(to, &from)| *to = from),
            }
        }
    }
}

/// Elements that are copied together. Lengths known to the compiler become a few instructions, others calls, which rows of some dozens
/// of elements are too short for.
const RUN: usize = LANES;

/// Clears what lies outside of `low..high`; where that is little, perhaps more, if it is going to be written afterwards.
#[inline(always)]
fn clear_ends<T: Real>(row: &mut [T], low: usize, high: usize) {
    let len = row.len();
    if len < RUN || low > RUN || len - high > RUN {
        row[..low].fill(T::zero());
        row[high..].fill(T::zero());
        return;
    }
    if low > 0 {
        row[..RUN].copy_from_slice(&[T::zero(); RUN]);
    }
    if high < len {
        row[len - RUN..].copy_from_slice(&[T::zero(); RUN]);
    }
}

/// Copies every `STEP`-th element, `STEP` being 1 or 2.
#[inline(always)]
fn copy_steps<T: Real, K: Eight<T>, const STEP: usize>(kernel: K, source: &[T], row: &mut [T]) {
    let Some(last) = row.len().checked_sub(RUN) else {
        row.iter_mut().zip(source.iter().step_by(STEP)).for_each(|(to, &from)| *to = from);
        return;
    };
    for run in 0..row.len().div_ceil(RUN) {
        // The last run may overlap the one before.
        let at = (run * RUN).min(last);
        let from = &source[at * STEP..];
        let run = if STEP == 1 { Lanes::load(from) } else { kernel.every_second(from) };
        run.store(&mut row[at..]);
    }
}

/// A batch's outputs cut into blocks: all rows of some images, some rows of one image, or a part of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocking {
    n: usize,
    size: [usize; 2],
    /// Images in a block.
    pub(super) images: usize,
    /// Rows of an image in a block.
    pub(super) rows: usize,
    /// Outputs of a row in a block.
    pub(super) columns: usize,
}

/// One block. Its outputs are neighbours in standard order.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) images: Range<usize>,
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
}

impl Block {
    /// The number of outputs.
    pub(super) fn len(&self) -> usize {
        self.images.len() * self.rows.len() * self.columns.len()
    }
}

/// A row is cut only if it is longer than this: beyond its ends, parts have the taps' reach in common.
const LONG_ROW: usize = 2048;

/// The length of equal parts that are not longer than `target`.
fn part_len(len: usize, target: usize) -> usize {
    len.div_ceil(len.div_ceil(target.max(1)).max(1)).max(1)
}

impl Blocking {
    /// Blocks of about `target` outputs.
    pub(super) fn new(n: usize, [height, width]: [usize; 2], target: usize) -> Self {
        let columns = part_len(width, LONG_ROW);
        let rows = if columns < width { 1 } else { part_len(height, target / width.max(1)) };
        let whole = columns >= width && rows >= height;
        let images = if whole { (target / (height * width).max(1)).clamp(1, n.max(1)) } else { 1 };
        Blocking { n, size: [height, width], images, rows, columns }
    }

    /// The number of blocks in images, in rows and in columns.
    fn counts(&self) -> [usize; 3] {
        [self.n.div_ceil(self.images), self.size[0].div_ceil(self.rows), self.size[1].div_ceil(self.columns)]
    }

    /// How many blocks there are.
    pub(super) fn len(&self) -> usize {
        self.counts().iter().product()
    }

    /// The `i`-th block, in standard order.
    pub(super) fn block(&self, i: usize) -> Block {
        let [_, strips, parts] = self.counts();
        let part = |i: usize, len: usize, end: usize| i * len..((i + 1) * len).min(end);
        Block {
            images: part(i / (strips * parts), self.images, self.n),
            rows: part(i / parts % strips, self.rows, self.size[0]),
            columns: part(i % parts, self.columns, self.size[1]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::portable::Portable;

    #[test]
    fn blocks_cover_every_output_once_in_order() {
        for (n, size, target) in [
            (3, [5, 7], 20),
            (9, [2, 3], 20),
            (2, [1, 5000], 512),
            (2, [3, 2049], 512),
            (0, [3, 3], 9),
            (1, [40, 3], 1),
        ] {
            let blocking = Blocking::new(n, size, target);
            let mut end = 0;
            for block in (0..blocking.len()).map(|i| blocking.block(i)) {
                let start = (block.images.start * size[0] + block.rows.start) * size[1] + block.columns.start;
                assert_eq!(start, end, "{block:?}");
                assert!(block.len() <= target.max(size[1].min(LONG_ROW)));
                end += block.len();
            }
            assert_eq!(end, n * size[0] * size[1]);
        }
    }

    #[test]
    fn rows_are_staged_by_phase_with_zeros_around() {
        // Stride 2 over five pixels, padded by one: 0 a | b c | d e | 0.
        let field = Field::new(1, [1, 3], [1, 2], [0, 2]);
        let mut row = vec![9.0; field.channel()];
        field.stage(Portable, &[1.0, 2.0, 3.0, 4.0, 5.0], [1, 1, 1, 5], 0..1, 0..1, [0, -1], &mut row);
        assert_eq!(row[..8], [0.0, 2.0, 4.0, 0.0, 1.0, 3.0, 5.0, 0.0]);
        // The third output's taps.
        assert_eq!([0, 1, 2].map(|x| row[field.tap([0, x]) + field.line(0, 0) + 2]), [4.0, 5.0, 0.0]);
    }
}
