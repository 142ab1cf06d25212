//! A block of images, staged so that every tap of a filter finds its pixels in one run.

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
    /// Images of a channel.
    images: usize,
}

impl Field {
    /// For blocks of `images` images with `lines` outputs each, and taps that reach `reach` beyond an output's first.
    pub(super) fn new(images: usize, lines: [usize; 2], step: [usize; 2], reach: [usize; 2]) -> Self {
        let rows = lines[0].saturating_sub(1) * step[0] + reach[0] + 1;
        Field { rows, phase: lines[1] + reach[1] / step[1], step, images }
    }

    /// The elements of one row.
    fn row(&self) -> usize {
        self.phase * self.step[1]
    }

    /// The elements of one image of a channel.
    fn image(&self) -> usize {
        self.rows * self.row()
    }

    /// The elements of one channel.
    pub(super) fn channel(&self) -> usize {
        self.images * self.image()
    }

    /// Where a tap that is `y` and `x` beyond an output's first finds its pixels.
    pub(super) fn tap(&self, [y, x]: [usize; 2]) -> usize {
        y * self.row() + x % self.step[1] * self.phase + x / self.step[1]
    }

    /// Where the first of a row of outputs lies.
    pub(super) fn line(&self, image: usize, y: usize) -> usize {
        image * self.image() + y * self.step[0] * self.row()
    }

    /// Copies channels and images of `source [n, c, h, w]` in, so that the first row and column are those of `origin`, which may lie
    /// outside.
    #[inline(always)]
    pub(super) fn stage<T: Real>(
        &self,
        source: &[T],
        [_, all_channels, h, w]: [usize; 4],
        channels: Range<usize>,
        images: Range<usize>,
        origin: [isize; 2],
        field: &mut [T],
    ) {
        let row_len = self.row();
        for (channel, planes) in channels.zip(field.chunks_exact_mut(self.channel().max(1))) {
            for (image, plane) in images.clone().zip(planes.chunks_exact_mut(self.image().max(1))) {
                let source = &source[(image * all_channels + channel) * h * w..][..h * w];
                for (y, row) in plane.chunks_exact_mut(row_len).enumerate() {
                    let y = origin[0] + y as isize;
                    if y < 0 || y >= h as isize {
                        row.fill(T::zero());
                    } else {
                        self.stage_row(&source[y as usize * w..][..w], origin[1], row);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn stage_row<T: Real>(&self, source: &[T], origin: isize, row: &mut [T]) {
        let step = self.step[1];
        for (phase, row) in row.chunks_exact_mut(self.phase).enumerate() {
            // Element `i` is the source's `first + i · step`; those below `low` lie before it, those from `high` on behind it.
            let first = origin + phase as isize;
            let low = ((-first).max(0) as usize).div_ceil(step).min(self.phase);
            let high = ((source.len() as isize - first).max(0) as usize).div_ceil(step).clamp(low, self.phase);
            row[..low].fill(T::zero());
            row[high..].fill(T::zero());
            if low < high {
                let start = (first + (low * step) as isize) as usize;
                if step == 1 {
                    row[low..high].copy_from_slice(&source[start..start + (high - low)]);
                } else {
                    row[low..high]
                        .iter_mut()
                        .zip(source[start..].iter().step_by(step))
                        .for_each(|(to, &from)| *to = from);
                }
            }
        }
    }
}

/// A batch's outputs cut into blocks: some rows of one image, or all rows of some images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocking {
    n: usize,
    height: usize,
    /// Images in a block.
    pub(super) images: usize,
    /// Rows of an image in a block.
    pub(super) rows: usize,
}

impl Blocking {
    /// Blocks of about `target` outputs.
    pub(super) fn new(n: usize, [height, width]: [usize; 2], target: usize) -> Self {
        let rows = (target / width.max(1)).clamp(1, height.max(1));
        let rows = if rows == height { rows } else { height.div_ceil(height.div_ceil(rows).max(1)).max(1) };
        let images = if rows < height { 1 } else { (target / (height * width).max(1)).clamp(1, n.max(1)) };
        Blocking { n, height, images, rows }
    }

    fn strips(&self) -> usize {
        self.height.div_ceil(self.rows)
    }

    /// How many blocks there are.
    pub(super) fn len(&self) -> usize {
        self.n.div_ceil(self.images) * self.strips()
    }

    /// The images and rows of a block. Where it has several images, it has all their rows.
    pub(super) fn block(&self, i: usize) -> (Range<usize>, Range<usize>) {
        let part = |i: usize, len: usize, end: usize| i * len..((i + 1) * len).min(end);
        (part(i / self.strips(), self.images, self.n), part(i % self.strips(), self.rows, self.height))
    }
}
