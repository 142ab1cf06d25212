//! Pixels that are lost.

use crate::fill::Colour;
use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::random::{Noise, WIDTH};
use crate::{Key, Result, Shape};

/// What takes the place of what is lost.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Content {
    /// One colour.
    Colour(Colour),
    /// Values that are uniform between black and white.
    Uniform(Key),
    /// Normal values with mean 0 and standard deviation 1 as shares of white, kept between black and white for bytes: for normalised
    /// images.
    Normal(Key),
}

impl Content {
    /// Whether it is made of numbers.
    pub(crate) fn check(self, place: &str) -> Result<()> {
        if let Content::Colour(colour) = self { colour.check(place) } else { Ok(()) }
    }

    /// Writes a run of values of a row, `start` being the place of the first in the plane and `channel` the plane's first channel.
    #[inline(always)]
    fn write<P: Pixel>(self, out: &mut [P], start: usize, step: usize, channel: usize) {
        match self {
            Content::Colour(colour) => {
                let value = |i: usize| P::from_f32(colour.channel(channel + i) * P::WHITE);
                if step == 1 {
                    out.fill(value(0));
                } else {
                    out.chunks_exact_mut(step)
                        .for_each(|pixel| pixel.iter_mut().enumerate().for_each(|(i, x)| *x = value(i)));
                }
            }
            Content::Uniform(key) | Content::Normal(key) => {
                let noise = Noise::new(key.with(channel as u64));
                let mut out = out;
                let mut at = start;
                while !out.is_empty() {
                    let (group, from) = ((at / WIDTH) as u64, at % WIDTH);
                    let numbers =
                        if matches!(self, Content::Normal(_)) { noise.normals(group) } else { noise.uniforms(group) };
                    let n = out.len().min(WIDTH - from);
                    let (head, tail) = out.split_at_mut(n);
                    head.iter_mut().zip(&numbers[from..]).for_each(|(x, number)| *x = P::from_f32(number * P::WHITE));
                    (out, at) = (tail, at + n);
                }
            }
        }
    }
}

/// A rectangle that is lost, clipped to the image.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Erase {
    /// Its first column.
    pub left: usize,
    /// Its first row.
    pub top: usize,
    /// Its columns.
    pub width: usize,
    /// Its rows.
    pub height: usize,
    /// What takes its place.
    pub content: Content,
}

impl Erase {
    /// Whether its colour, if it has one, is of numbers.
    pub(crate) fn check(&self) -> Result<()> {
        self.content.check("erase")
    }

    pub(crate) fn run<P: Pixel>(&self, image: FrameMut<'_, P>) {
        let shape = image.shape;
        let end = |start: usize, len: usize, whole: usize| start.saturating_add(len).min(whole);
        let (right, bottom) = (end(self.left, self.width, shape.width), end(self.top, self.height, shape.height));
        if self.left >= right {
            return;
        }
        let (step, row) = (shape.step(), shape.row());
        for (plane, data) in image.planes_mut().enumerate() {
            for y in self.top.min(bottom)..bottom {
                let start = y * row + self.left * step;
                let out = &mut data[start..][..(right - self.left) * step];
                self.content.write(out, start, step, plane * step);
            }
        }
    }
}

/// Squares that are lost, on a regular grid (Chen et al., *GridMask data augmentation*, arXiv:2001.04086).
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Grid {
    /// From a square's edge to the next square's, in pixels; at least 1.
    pub unit: usize,
    /// The side of a square.
    pub hole: usize,
    /// Where the first square begins, from the left.
    pub left: usize,
    /// Where the first square begins, from the top.
    pub top: usize,
    /// What takes their place.
    pub colour: Colour,
}

impl Grid {
    pub(crate) fn run<P: Pixel>(&self, mut image: FrameMut<'_, P>) {
        let Shape { height, width, .. } = image.shape;
        // No image is as large: a plan may have been read from a file.
        let unit = self.unit.clamp(1, 1 << 40);
        let hole = self.hole.min(unit) as i64;
        // From the square that the image's edge may cut.
        let starts = |offset: usize, len: usize| {
            let first = (offset % unit) as i64 - unit as i64;
            (first..len as i64).step_by(unit).map(|start| (start.max(0) as usize, (start + hole).max(0) as usize))
        };
        for (top, bottom) in starts(self.top, height) {
            for (left, right) in starts(self.left, width) {
                let (width, height) = (right.saturating_sub(left), bottom.saturating_sub(top));
                let content = Content::Colour(self.colour);
                Erase { left, top, width, height, content }.run(image.reborrow());
            }
        }
    }
}
