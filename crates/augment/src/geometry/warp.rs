//! Images resampled along a map.

use super::resample::{Interpolation, Point, sample};
use super::{Map, translate};
use crate::fill::Fill;
use crate::frame::{Frame, FrameMut};
use crate::pixel::{Pixel, Points};
use crate::shape::Shape;
use crate::simd::vectorize;
use crate::{Error, Result};

/// Pixels whose sources are found together.
pub(super) const BLOCK: usize = 64;

/// Farther out than any image, and small enough to be counted in parts of a pixel: where points at infinity are taken to lie.
const FAR: f64 = 1e9;

/// Where a block of pixels comes from: the pixel at or before the source point, and the fraction of the way to the next.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) x: [i32; BLOCK],
    pub(super) y: [i32; BLOCK],
    pub(super) fx: [f32; BLOCK],
    pub(super) fy: [f32; BLOCK],
}

impl Block {
    #[inline(always)]
    pub(super) fn set(&mut self, i: usize, x: f64, y: f64) {
        // From the corner's coordinates to the first pixel's centre's.
        (self.x[i], self.fx[i]) = split(x - 0.5);
        (self.y[i], self.fy[i]) = split(y - 0.5);
    }
}

/// The greatest integer below a coordinate, and the rest. What is no number is far to the left.
///
/// Adding a number so large that the last bit counts 1 rounds to an integer, whose low bits can be read; conversions to integers would not become
/// vectors.
#[inline(always)]
fn split(u: f64) -> (i32, f32) {
    const ROUND: f64 = 1.5 * (1_u64 << 52) as f64;
    let u = if u > -FAR { u } else { -FAR };
    let u = if u < FAR { u } else { FAR };
    let rounded = u + ROUND;
    let nearest = rounded - ROUND;
    let above = nearest > u;
    let whole = if above { nearest - 1.0 } else { nearest };
    (rounded.to_bits() as i32 - i32::from(above), (u - whole) as f32)
}

/// Whatever says where pixels come from.
pub(super) trait Sources {
    /// Fills the block for the pixels of a row from a column on.
    fn block(&self, row: usize, column: usize, n: usize, block: &mut Block);
}

/// Along the inverse of a map.
impl Sources for Map {
    #[inline(always)]
    fn block(&self, row: usize, column: usize, n: usize, block: &mut Block) {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let y = row as f64 + 0.5;
        if self.is_affine() {
            let (c, f) = (b * y + c, e * y + f);
            for at in 0..n {
                let x = (column + at) as f64 + 0.5;
                block.set(at, a * x + c, d * x + f);
            }
        } else {
            for at in 0..n {
                let x = (column + at) as f64 + 0.5;
                let w = g * x + h * y + i;
                let scale = 1.0 / w;
                // Points behind the viewer are nowhere.
                let seen = |u: f64| if w > 0.0 { u * scale } else { f64::INFINITY };
                block.set(at, seen(a * x + b * y + c), seen(d * x + e * y + f));
            }
        }
    }
}

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
    /// Whether it takes a rectangle of whole pixels out of an image, and nothing from beyond its edge.
    pub(crate) fn cuts_out_of(&self, shape: Shape) -> bool {
        self.map.as_translation().is_some_and(|(x, y)| {
            let fits = |shift: f64, part: usize, len: usize| {
                shift <= 0.0 && shift.fract() == 0.0 && part as f64 - shift <= len as f64
            };
            fits(x, self.width, shape.width) && fits(y, self.height, shape.height)
        })
    }

    /// Whether its numbers are such.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.map.0.iter().all(|x| x.is_finite()) {
            return Err(Error::parameter("warp", "map", "finite numbers", format!("{:?}", self.map)));
        }
        self.fill.check("warp")
    }

    /// Runs it. A map without an inverse leaves nothing but the fill.
    pub(crate) fn run<P: Pixel>(&self, source: Frame<'_, P>, target: FrameMut<'_, P>) {
        if let Some(shift) = self.map.as_translation() {
            return vectorize(
                #[inline(always)]
                || translate::translate(source, target, shift, self.interpolation, &self.fill),
            );
        }
        let nowhere = Map([0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        let back = self.map.inverse().unwrap_or(nowhere);
        resample(&back, source, target, self.interpolation, &self.fill);
    }
}

/// Fills an image with what its pixels' sources are.
pub(super) fn resample<P: Pixel>(
    sources: &impl Sources,
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    interpolation: Interpolation,
    fill: &Fill,
) {
    vectorize(
        #[inline(always)]
        || match source.shape.step() {
            1 => by_step::<P, 1>(sources, source, target, interpolation, fill),
            3 => by_step::<P, 3>(sources, source, target, interpolation, fill),
            4 => by_step::<P, 4>(sources, source, target, interpolation, fill),
            _ => by_step::<P, 0>(sources, source, target, interpolation, fill),
        },
    );
}

/// For a number of values side by side that is known when compiling; 0 for any other.
#[inline(always)]
fn by_step<P: Pixel, const STEP: usize>(
    sources: &impl Sources,
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    interpolation: Interpolation,
    fill: &Fill,
) {
    let (shape, to) = (source.shape, target.shape);
    let step = if STEP == 0 { shape.step() } else { STEP };
    let mut block = Block { x: [0; BLOCK], y: [0; BLOCK], fx: [0.0; BLOCK], fy: [0.0; BLOCK] };
    let quick = STEP != 0 && interpolation == Interpolation::Bilinear;
    let (width, height) = (shape.width as i32, shape.height as i32);
    for row in 0..to.height {
        for column in (0..to.width).step_by(BLOCK) {
            let n = BLOCK.min(to.width - column);
            sources.block(row, column, n, &mut block);
            let mut start = 0;
            while start < n {
                let place = |i: usize| Place::of(block.x[i], block.y[i], width, height);
                let here = place(start);
                let end = (start + 1..n).find(|&i| place(i) != here).unwrap_or(n);
                for plane in 0..shape.planes() {
                    let data = &source.data[plane * shape.plane()..][..shape.plane()];
                    let first = plane * to.plane() + row * to.row() + column * step;
                    let out = &mut target.data[first + start * step..first + end * step];
                    match (here, fill) {
                        (Place::Inside, _) if quick => {
                            let points = Points {
                                x: &block.x[start..end],
                                y: &block.y[start..end],
                                fx: &block.fx[start..end],
                                fy: &block.fy[start..end],
                            };
                            P::bilinear::<STEP>(data, shape.row(), points, out);
                        }
                        (Place::Outside, Fill::Constant(colour)) => {
                            for pixel in out.chunks_exact_mut(step) {
                                for (channel, value) in pixel.iter_mut().enumerate() {
                                    *value = P::from_f32(colour.channel(plane * step + channel) * P::WHITE);
                                }
                            }
                        }
                        _ => {
                            for (i, out) in (start..end).zip(out.chunks_exact_mut(step)) {
                                let (x, y) = (block.x[i].into(), block.y[i].into());
                                let point = Point { x, y, fx: block.fx[i], fy: block.fy[i] };
                                sample(source, data, plane * step, point, interpolation, fill, out);
                            }
                        }
                    }
                }
                start = end;
            }
        }
    }
}

/// Where the pixels are that a value is found from.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// All of those that two in each direction are, within the image.
    Inside,
    /// Farther from the image than any interpolation reaches.
    Outside,
    /// In between.
    Edge,
}

impl Place {
    #[inline(always)]
    fn of(x: i32, y: i32, width: i32, height: i32) -> Self {
        let inside = (x >= 0) & (y >= 0) & (x + 1 < width) & (y + 1 < height);
        let outside = (x < -3) | (y < -3) | (x > width + 1) | (y > height + 1);
        match (inside, outside) {
            (true, _) => Place::Inside,
            (_, true) => Place::Outside,
            _ => Place::Edge,
        }
    }
}
