//! Images resampled along a map.

use super::block::{BLOCK, Block, Sources};
use super::resample::{Interpolation, sample};
use super::sampled::{Lines, WarpMemory, whole};
use super::stage::Region;
use super::{Map, translate};
use crate::fill::Fill;
use crate::frame::{Frame, FrameMut};
use crate::pixel::Pixel;
use crate::shape::Shape;
use crate::{Error, Result};

/// An image resampled along a map.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Warp {
    /// Where points of the source go.
    pub map: Map,
    /// Rows of the result.
    pub height: usize,
    /// Columns of the result.
    pub width: usize,
    /// How values between pixels are found.
    pub interpolation: Interpolation,
    /// What lies beyond the edge.
    pub fill: Fill,
}

impl Warp {
    /// Whether it moves the image by whole pixels, so that rows are copied.
    pub(crate) fn copies(&self) -> bool {
        self.map.as_translation().is_some_and(|(x, y)| x.fract() == 0.0 && y.fract() == 0.0)
    }

    /// Whether an image can be resampled so.
    pub(crate) fn check(&self, shape: Shape) -> Result<()> {
        shape.sized(self.height, self.width).checked_len("warp")?;
        if !self.map.is_finite() {
            return Err(Error::parameter("warp", "map", "finite numbers", format!("{:?}", self.map)));
        }
        self.fill.check("warp")
    }

    /// Whether it takes a rectangle of whole pixels out of an image, and nothing from beyond its edge.
    pub(crate) fn cuts_out_of(&self, shape: Shape) -> bool {
        self.map.as_translation().is_some_and(|(x, y)| {
            let fits = |shift: f64, part: usize, len: usize| {
                shift <= 0.0 && shift.fract() == 0.0 && part as f64 - shift <= len as f64
            };
            fits(x, self.width, shape.width) && fits(y, self.height, shape.height)
        })
    }

    /// Runs it. A map without an inverse leaves nothing but the fill.
    pub(crate) fn run<P: Pixel>(&self, source: Frame<'_, P>, target: FrameMut<'_, P>, memory: &mut WarpMemory) {
        if let Some(shift) = self.map.as_translation() {
            return translate::translate(source, target, shift, self.interpolation, &self.fill, P::lines(memory));
        }
        let nowhere = Map([0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        let back = self.map.inverse().unwrap_or(nowhere);
        resample(&back, source, target, self.interpolation, &self.fill, memory);
    }
}

/// Fills an image with what its pixels' sources are.
pub(super) fn resample<P: Pixel>(
    sources: &dyn Sources,
    source: Frame<'_, P>,
    mut target: FrameMut<'_, P>,
    interpolation: Interpolation,
    fill: &Fill,
    memory: &mut WarpMemory,
) {
    let memory = P::lines(memory);
    let out = target.reborrow();
    let done = match (interpolation, source.shape.step()) {
        (Interpolation::Bicubic, _) => false,
        (_, 1) => from_copy::<P, 1>(sources, source, out, interpolation, fill, memory),
        (_, 2) => from_copy::<P, 2>(sources, source, out, interpolation, fill, memory),
        (_, 3) => from_copy::<P, 3>(sources, source, out, interpolation, fill, memory),
        (_, 4) => from_copy::<P, 4>(sources, source, out, interpolation, fill, memory),
        _ => false,
    };
    if !done {
        one_by_one(sources, source, target, interpolation, fill);
    }
}

/// From a copy of the image that has a border, if that pays; whether it does.
fn from_copy<P: Pixel, const STEP: usize>(
    sources: &dyn Sources,
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    interpolation: Interpolation,
    fill: &Fill,
    memory: &mut Lines<P>,
) -> bool {
    let (shape, to) = (source.shape, target.shape);
    let Some(region) = Region::new(sources, shape, to, fill) else { return false };
    let mut block = Block::new();
    for (plane, (from, out)) in source.planes().zip(target.planes_mut()).enumerate() {
        let Some(staged) = region.copy::<P, STEP>(from, shape, plane * STEP, fill, &mut memory.values) else {
            return false;
        };
        for row in 0..to.height {
            for column in (0..to.width).step_by(BLOCK) {
                let n = BLOCK.min(to.width - column);
                sources.block(row, column, n, &mut block);
                // Later pixels are written later, so that it does not matter what is written there now.
                let out = &mut out[(row * to.width + column) * STEP..];
                if interpolation == Interpolation::Nearest {
                    block.round(n);
                    region.fold(fill, shape, n, &mut block);
                    whole::<P, STEP>(staged, &block, n, out);
                } else {
                    region.fold(fill, shape, n, &mut block);
                    P::pixels::<STEP>(staged, &block, n, out);
                }
            }
        }
    }
    true
}

/// Every pixel by itself, from the image as it is.
fn one_by_one<P: Pixel>(
    sources: &dyn Sources,
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    interpolation: Interpolation,
    fill: &Fill,
) {
    let (shape, to) = (source.shape, target.shape);
    let step = shape.step();
    let mut block = Block::new();
    for (plane, (from, out)) in source.planes().zip(target.planes_mut()).enumerate() {
        for (row, out) in out.chunks_exact_mut(to.row()).enumerate() {
            for (i, out) in out.chunks_mut(BLOCK * step).enumerate() {
                let n = out.len() / step;
                sources.block(row, i * BLOCK, n, &mut block);
                for (i, out) in out.chunks_exact_mut(step).enumerate() {
                    sample(source, from, plane * step, block.point(i), interpolation, fill, out);
                }
            }
        }
    }
}
