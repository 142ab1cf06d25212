//! Where pixels come from, a block at a time.

use super::Map;
use super::resample::Point;
use crate::simd::vectorize;

/// Pixels whose sources are found together.
pub(super) const BLOCK: usize = 64;

/// Pixels that vectors take at once.
pub(super) const GROUP: usize = 8;

/// Farther out than any image: where points at infinity are taken to lie.
const FAR: f64 = ((1 << 25) - 1) as f64;

/// Where a block of pixels comes from: the pixel at or before the source point, and the part of the way to the next, in units of 2⁻³².
///
/// Integers, so that all who read them round in the same way, and the next pixel of a straight line is an addition away.
#[derive(Debug)]
pub struct Block {
    pub(super) x: [i32; BLOCK],
    pub(super) y: [i32; BLOCK],
    pub(super) fx: [u32; BLOCK],
    pub(super) fy: [u32; BLOCK],
}

impl Block {
    pub(super) fn new() -> Self {
        Block { x: [0; BLOCK], y: [0; BLOCK], fx: [0; BLOCK], fy: [0; BLOCK] }
    }

    /// Sets the first `n` by a function of their number, in the coordinates of maps: the first pixel's centre is at ½.
    #[inline(always)]
    pub(super) fn set(&mut self, n: usize, point: impl Fn(usize) -> (f64, f64)) {
        let wholes = self.x[..n].iter_mut().zip(&mut self.y[..n]);
        let parts = self.fx[..n].iter_mut().zip(&mut self.fy[..n]);
        for (i, ((x, y), (fx, fy))) in wholes.zip(parts).enumerate() {
            let (u, v) = point(i);
            (*x, *fx) = split(u - 0.5);
            (*y, *fy) = split(v - 0.5);
        }
    }

    /// Moves the first `n` points to the nearest pixels.
    pub(super) fn round(&mut self, n: usize) {
        let axes = [(&mut self.x, &mut self.fx), (&mut self.y, &mut self.fy)];
        for (whole, part) in axes {
            for (whole, part) in whole[..n].iter_mut().zip(part) {
                *whole += (*part >> 31).cast_signed();
                *part = 0;
            }
        }
    }

    /// A pixel's source.
    pub(super) fn point(&self, i: usize) -> Point {
        Point { x: self.x[i].into(), y: self.y[i].into(), fx: fraction(self.fx[i]), fy: fraction(self.fy[i]) }
    }
}

/// A part of 2³² as a number below 1: the upper 24 bits, which are exact.
#[inline(always)]
pub(super) fn fraction(part: u32) -> f32 {
    (part >> 8) as i32 as f32 * (1.0 / (1 << 24) as f32)
}

/// The greatest integer below a coordinate, and the rest, rounded to 2⁻²⁶. What is no number is far to the left.
///
/// Adding a number so large that the last bit counts 2⁻²⁶ leaves both in the bits of the sum; conversions to integers would not become vectors.
#[inline(always)]
fn split(u: f64) -> (i32, u32) {
    const LARGE: f64 = 1.5 * (1 << 26) as f64;
    let u = if u > -FAR { u } else { -FAR };
    let u = if u < FAR { u } else { FAR };
    let bits = (u + LARGE).to_bits();
    (((bits >> 26) as u32).wrapping_sub((LARGE.to_bits() >> 26) as u32).cast_signed(), (bits as u32) << 6)
}

/// Whatever says where pixels come from.
pub(super) trait Sources {
    /// Sets the block's first `n` points to the sources of the pixels of a row from a column on. Those after them may become anything.
    fn block(&self, row: usize, column: usize, n: usize, block: &mut Block);

    /// Between what pixels' numbers the sources of a picture of that size lie, in both directions; infinite where that is not known.
    fn bounds(&self, height: usize, width: usize) -> [(f64, f64); 2];
}

/// Along the inverse of a map.
impl Sources for Map {
    fn block(&self, row: usize, column: usize, n: usize, block: &mut Block) {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let y = row as f64 + 0.5;
        let x = |at: usize| (column + at) as f64 + 0.5;
        if self.is_affine() {
            let (c, f) = (b * y + c, e * y + f);
            let lines = (Line::new(a * x(0) + c - 0.5, a), Line::new(d * x(0) + f - 0.5, d));
            match lines {
                (Some(columns), Some(rows)) => {
                    columns.points(n, &mut block.x, &mut block.fx);
                    rows.points(n, &mut block.y, &mut block.fy);
                }
                _ => block.set(n, |at| (a * x(at) + c, d * x(at) + f)),
            }
        } else {
            vectorize(
                #[inline(always)]
                || {
                    block.set(n, |at| {
                        let x = x(at);
                        let w = g * x + h * y + i;
                        let scale = 1.0 / w;
                        // Points behind the viewer are nowhere.
                        let seen = |u: f64| if w > 0.0 { u * scale } else { f64::INFINITY };
                        (seen(a * x + b * y + c), seen(d * x + e * y + f))
                    });
                },
            );
        }
    }

    fn bounds(&self, height: usize, width: usize) -> [(f64, f64); 2] {
        if !self.is_affine() {
            return [(f64::NEG_INFINITY, f64::INFINITY); 2];
        }
        let [a, b, c, d, e, f, ..] = self.0;
        let span = |factor: f64, len: usize| {
            let (first, last) = (factor * 0.5, factor * (len as f64 - 0.5));
            (first.min(last), first.max(last))
        };
        [(a, b, c), (d, e, f)].map(|(across, down, shift)| {
            let (across, down) = (span(across, width), span(down, height));
            (across.0 + down.0 + shift - 0.5, across.1 + down.1 + shift - 0.5)
        })
    }
}

/// Numbers at equal distances, in units of 2⁻³².
#[derive(Clone, Copy)]
struct Line {
    start: i64,
    step: i64,
}

impl Line {
    /// `None` if a block of them does not fit. What a step is rounded by adds up to less than 2⁻²⁶ over a block.
    fn new(start: f64, step: f64) -> Option<Self> {
        // To the nearest, by the conversion that drops what is left of a number.
        let units = |u: f64| (u * (1_u64 << 32) as f64 + 0.5_f64.copysign(u)) as i64;
        let fits = start.abs() < (1 << 29) as f64 && step.abs() < (1 << 23) as f64;
        fits.then(|| Line { start: units(start), step: units(step) })
    }

    /// The first `n`. Vectors may set the rest of a group as well.
    fn points(self, n: usize, whole: &mut [i32; BLOCK], part: &mut [u32; BLOCK]) {
        #[cfg(target_arch = "x86_64")]
        if super::vectors::line(self.start, self.step, n, whole, part) {
            return;
        }
        let mut at = self.start;
        for (whole, part) in whole[..n].iter_mut().zip(part) {
            (*whole, *part) = ((at >> 32) as i32, at as u32);
            at += self.step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_split_at_the_integer_below() {
        for (u, expected) in [
            (0.0, (0, 0)),
            (-0.0, (0, 0)),
            (2.75, (2, 3 << 30)),
            (-2.75, (-3, 1 << 30)),
            (-1e-300, (0, 0)),
            (1.0 - 1e-12, (1, 0)),
            (f64::NAN, split(-FAR)),
            (f64::INFINITY, (FAR as i32, 0)),
            (f64::NEG_INFINITY, (-FAR as i32, 0)),
        ] {
            assert_eq!(split(u), expected, "{u}");
        }
        assert_eq!(fraction(u32::MAX), 1.0 - 2_f32.powi(-24));
    }

    /// By additions of integers as by multiplications of floating-point numbers, near and far.
    #[test]
    fn lines_are_straight() {
        for (start, step) in
            [(0.25, 1.0), (-7.3, -0.123), (1e6, 999.99), (3e8, 1e6), (1e9, 1.0), (0.0, 1e7), (f64::NAN, 1.0)]
        {
            let map = Map::affine([step, 0.0, start, 0.0, 1.0, 0.0]);
            let (mut block, mut expected) = (Block::new(), Block::new());
            map.block(3, 10, BLOCK, &mut block);
            expected.set(BLOCK, |i| (step * (i as f64 + 10.5) + start, 3.5));
            assert_eq!(block.y, expected.y);
            let of = |block: &Block, i: usize| f64::from(block.x[i]) + f64::from(block.fx[i]) / (1_u64 << 32) as f64;
            for i in 0..BLOCK {
                let (got, expected) = (of(&block, i), of(&expected, i));
                // Beyond where any image is, only that they are there.
                let near = if expected.abs() == FAR { got.abs() >= FAR } else { (got - expected).abs() < 4e-8 };
                assert!(near, "{start} + {i} * {step}: {got}, expected {expected}");
            }
        }
    }

    #[test]
    fn bounds_hold_all_points() {
        let map = Map::rotation(33.0).then(Map::scaling(2.0, -0.5)).about(4.0, 5.0);
        let (height, width) = (7, 11);
        let bounds = map.bounds(height, width);
        let mut block = Block::new();
        for row in 0..height {
            map.block(row, 0, width, &mut block);
            for i in 0..width {
                for (at, (low, high)) in [block.x[i], block.y[i]].into_iter().zip(bounds) {
                    assert!(f64::from(at) > low - 1.001 && f64::from(at) < high + 1e-6);
                }
            }
        }
    }
}
