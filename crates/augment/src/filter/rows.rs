//! Padded rows, and a ring of the last few.

use super::weighted::LANES;
use crate::fill::Fill;
use crate::frame::Frame;
use crate::pixel::Pixel;
use crate::{Result, memory};

/// A type that rows of `P` are kept in.
pub(super) trait Wide<P>: Copy + Default {
    fn widened(value: P) -> Self;
}

impl<P: Pixel> Wide<P> for P {
    #[inline(always)]
    fn widened(value: P) -> P {
        value
    }
}

/// 128ths of a level: two of them can be added in 16 bits.
impl Wide<u8> for u16 {
    #[inline(always)]
    fn widened(value: u8) -> u16 {
        u16::from(value) << 7
    }
}

impl Wide<u8> for f32 {
    #[inline(always)]
    fn widened(value: u8) -> f32 {
        f32::from(value)
    }
}

impl Wide<u8> for i32 {
    #[inline(always)]
    fn widened(value: u8) -> i32 {
        i32::from(value)
    }
}

/// The bits of a finite number as an integer in the same order.
impl Wide<f32> for i32 {
    #[inline(always)]
    fn widened(value: f32) -> i32 {
        let bits = value.to_bits() as i32;
        bits ^ ((bits >> 31) as u32 >> 1) as i32
    }
}

/// Memory for the rows that a filter sees at once, and one more to work in.
#[derive(Debug, Default)]
pub(crate) struct Ring<W> {
    /// The row to work in.
    row: Vec<W>,
    rows: Vec<W>,
    len: usize,
    count: usize,
    /// Weights, each once for every lane.
    weights: Vec<[W; LANES]>,
}

impl<W: Copy + Default> Ring<W> {
    /// Makes room for `count` rows of `len` values, and a row of `work`.
    pub(super) fn size(&mut self, count: usize, len: usize, work: usize) -> Result<()> {
        memory::resize(&mut self.row, work, "filter")?;
        memory::resize(&mut self.rows, count.saturating_mul(len), "filter")?;
        (self.len, self.count) = (len, count);
        Ok(())
    }

    /// The memory of row number `i`: it takes the place of row `i - count`.
    #[inline(always)]
    pub(super) fn row_mut(&mut self, i: usize) -> &mut [W] {
        let start = i % self.count * self.len;
        &mut self.rows[start..start + self.len]
    }

    /// Row number `i`.
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &[W] {
        let start = i % self.count * self.len;
        &self.rows[start..start + self.len]
    }

    /// The row to work in, the weights, and the memory of row `i`.
    #[inline(always)]
    pub(super) fn work(&mut self, i: usize) -> (&mut [W], &[[W; LANES]], &mut [W]) {
        let start = i % self.count * self.len;
        (&mut self.row, &self.weights, &mut self.rows[start..start + self.len])
    }

    /// Sets the weights.
    pub(super) fn spread(&mut self, weights: impl Iterator<Item = W>) {
        self.weights.clear();
        self.weights.extend(weights.map(|weight| [weight; LANES]));
    }

    /// The weights.
    pub(super) fn weights(&self) -> &[[W; LANES]] {
        &self.weights
    }
}

/// Writes row `y` of a plane, which may lie beyond the edge, with `radius` pixels more to both sides. `first` is the plane's first channel.
#[inline(always)]
pub(super) fn pad<P: Pixel, W: Wide<P>>(
    frame: Frame<'_, P>,
    (plane, first): (&[P], usize),
    (y, radius): (i64, usize),
    fill: Fill,
    out: &mut [W],
) {
    let shape = frame.shape;
    let step = shape.step();
    let constant = |channel: usize| match fill {
        Fill::Constant(colour) => W::widened(P::from_f32(colour.channel(first + channel) * P::WHITE)),
        _ => W::default(),
    };
    let Some(y) = fill.place(y, shape.height) else {
        for pixel in out.chunks_exact_mut(step) {
            pixel.iter_mut().enumerate().for_each(|(channel, x)| *x = constant(channel));
        }
        return;
    };
    let row = &plane[y * shape.row()..][..shape.row()];
    let (left, rest) = out.split_at_mut(radius * step);
    let (middle, right) = rest.split_at_mut(row.len());
    middle.iter_mut().zip(row).for_each(|(out, &x)| *out = W::widened(x));
    let beyond = |out: &mut [W], start: i64| {
        for (pixel, x) in out.chunks_exact_mut(step).zip(start..) {
            let place = fill.place(x, shape.width);
            for (channel, out) in pixel.iter_mut().enumerate() {
                *out = place.map_or_else(|| constant(channel), |x| W::widened(row[x * step + channel]));
            }
        }
    };
    beyond(left, -(radius as i64));
    beyond(right, shape.width as i64);
}
