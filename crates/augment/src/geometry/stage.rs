//! The part of a plane that a warp reads, with a border.

use super::block::{BLOCK, Block, Sources};
use crate::fill::Fill;
use crate::pixel::Pixel;
use crate::shape::Shape;

/// Pixels beyond each edge: points that far out have four pixels around them that are all of the fill.
const BORDER: i64 = 2;

/// Values that may be read after the two of a pixel and its neighbour, or what comes in their place.
pub(super) const SLACK: usize = 8;

/// How many times the result's pixels are copied at most. Finding every pixel by itself costs that many times as much as a copy.
const RATIO: usize = 64;

/// Pixels of a direction: those of the image, and a border.
#[derive(Clone, Copy, Debug)]
struct Axis {
    first: i32,
    n: usize,
}

impl Axis {
    /// The pixels that points between two bounds are found from. If the fill repeats the image, points beyond its edge have another one within, and
    /// they all are needed.
    fn new(len: usize, (low, high): (f64, f64), fill: &Fill) -> Self {
        // Comparisons that send NaN to infinity.
        let low = if low > -1e9 { low } else { -1e9 };
        let high = if high < 1e9 { high } else { 1e9 };
        let (begin, end) = (-BORDER, len as i64 + BORDER);
        // A pixel more, as bounds are rounded.
        let (low, high) = (low.floor() as i64 - 1, high.floor() as i64 + 3);
        let whole = fill.repeats() && (low < begin || high > end);
        let (low, high) = if whole { (begin, end) } else { (low, high) };
        let first = low.clamp(begin, end - 2);
        Axis { first: first as i32, n: (high.clamp(first + 2, end) - first) as usize }
    }

    /// The last pixel that has a neighbour.
    fn last(self) -> i32 {
        self.first + self.n as i32 - 2
    }
}

/// The part of an image that a warp reads, and its border.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    x: Axis,
    y: Axis,
}

impl Region {
    /// `None` if it is so large, in proportion to what is made of it, that a copy does not pay, or too large to be counted.
    pub(super) fn new(sources: &dyn Sources, source: Shape, target: Shape, fill: &Fill) -> Option<Self> {
        let [x, y] = sources.bounds(target.height, target.width);
        let (x, y) = (Axis::new(source.width, x, fill), Axis::new(source.height, y, fill));
        let pixels = x.n.checked_mul(y.n)?;
        let most = (target.height * target.width).saturating_mul(RATIO).max(1 << 12);
        let countable = pixels.checked_mul(source.step())? < (i32::MAX / 2) as usize;
        (pixels <= most && countable).then_some(Region { x, y })
    }

    /// A copy of it. `first` is the number of the plane's first channel; memory that was used before is not allocated again.
    ///
    /// `None` if there is not so much memory.
    pub(super) fn copy<'m, P: Pixel, const STEP: usize>(
        &self,
        plane: &[P],
        shape: Shape,
        first: usize,
        fill: &Fill,
        memory: &'m mut Vec<P>,
    ) -> Option<Staged<'m, P>> {
        let stride = self.x.n * STEP;
        let len = stride * self.y.n + SLACK;
        if memory.len() < len {
            memory.try_reserve_exact(len - memory.len()).ok()?;
            memory.resize(len, P::default());
        }
        let colour: [P; STEP] = std::array::from_fn(|channel| match fill {
            Fill::Constant(colour) => P::from_f32(colour.channel(first + channel) * P::WHITE),
            _ => P::default(),
        });
        // Columns within the image, of the copy and of the image, and those beyond.
        let left = (-self.x.first).clamp(0, self.x.n as i32) as usize;
        let right = (shape.width as i64 - i64::from(self.x.first)).clamp(left as i64, self.x.n as i64) as usize;
        let start = (self.x.first.max(0) as usize).min(shape.width) * STEP;
        let source = |column: usize| fill.place(i64::from(self.x.first) + column as i64, shape.width);
        let mut border = [(0, None); 2 * BORDER as usize];
        let outer = (0..left).chain(right..self.x.n);
        let n_border = border.iter_mut().zip(outer).map(|(to, column)| *to = (column, source(column))).count();
        for (row, out) in memory[..len - SLACK].chunks_exact_mut(stride).enumerate() {
            let Some(y) = fill.place(i64::from(self.y.first) + row as i64, shape.height) else {
                out.as_chunks_mut::<STEP>().0.fill(colour);
                continue;
            };
            let line = &plane[y * shape.row()..][..shape.row()];
            let inner = &mut out[left * STEP..right * STEP];
            inner.copy_from_slice(&line[start..][..inner.len()]);
            let (out, line) = (out.as_chunks_mut::<STEP>().0, line.as_chunks::<STEP>().0);
            for &(column, source) in &border[..n_border] {
                out[column] = source.map_or(colour, |source| line[source]);
            }
        }
        Some(Staged {
            values: &memory[..len],
            stride,
            left: self.x.first,
            right: self.x.last(),
            top: self.y.first,
            bottom: self.y.last(),
        })
    }

    /// Replaces points that are not in the copy by those that look alike, if the fill repeats the image.
    pub(super) fn fold(&self, fill: &Fill, shape: Shape, n: usize, block: &mut Block) {
        if fill.repeats() {
            fold(fill, shape.width, self.x, n, &mut block.x, &mut block.fx);
            fold(fill, shape.height, self.y, n, &mut block.y, &mut block.fy);
        }
    }
}

fn fold(fill: &Fill, len: usize, axis: Axis, n: usize, whole: &mut [i32; BLOCK], part: &mut [u32; BLOCK]) {
    let staged = axis.first..=axis.last();
    for (whole, part) in whole[..n].iter_mut().zip(part) {
        if !staged.contains(whole) {
            let at = fill.fold(i64::from(*whole) << 32 | i64::from(*part), len);
            (*whole, *part) = ((at >> 32) as i32, at as u32);
        }
    }
}

impl Fill {
    /// Whether what lies beyond the edge is the image again.
    fn repeats(&self) -> bool {
        !matches!(self, Fill::Constant(_) | Fill::Edge)
    }

    /// The point on an axis of `len` pixels, or half a pixel beyond its edge, where an image that is linear between pixels is what it is at a point
    /// anywhere. Both are in units of 2⁻³², from the first pixel's centre.
    fn fold(&self, at: i64, len: usize) -> i64 {
        const ONE: i64 = 1 << 32;
        let n = len as i64 * ONE;
        let mirrored = |at: i64, n: i64| {
            let at = at.rem_euclid(2 * n);
            at.min(2 * n - at)
        };
        match self {
            Fill::Constant(_) | Fill::Edge => at,
            Fill::Reflect if len == 1 => 0,
            Fill::Reflect => mirrored(at, n - ONE),
            Fill::Symmetric => mirrored(at + ONE / 2, n) - ONE / 2,
            Fill::Wrap => at.rem_euclid(n),
        }
    }
}

/// A copy of a part of a plane, with a border.
///
/// No point needs to be asked whether it is near an edge: its coordinates are clamped to those that the copy has, which leaves the value as it is, since
/// what is farther out looks like the border.
#[derive(Clone, Copy, Debug)]
pub struct Staged<'a, P> {
    values: &'a [P],
    stride: usize,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl<'a, P> Staged<'a, P> {
    /// Row by row, and a few more.
    #[inline(always)]
    pub(super) fn values(&self) -> &'a [P] {
        self.values
    }

    /// Values of a row.
    #[inline(always)]
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// The first and the last column that a point can be at.
    #[inline(always)]
    pub(super) fn columns(&self) -> (i32, i32) {
        (self.left, self.right)
    }

    /// The first and the last row that a point can be at.
    #[inline(always)]
    pub(super) fn rows(&self) -> (i32, i32) {
        (self.top, self.bottom)
    }

    /// Where the values of the pixel begin that a point is at or after.
    #[inline(always)]
    pub(super) fn place<const STEP: usize>(&self, x: i32, y: i32) -> usize {
        let column = (x.max(self.left).min(self.right) - self.left) as usize;
        let row = (y.max(self.top).min(self.bottom) - self.top) as usize;
        row * self.stride + column * STEP
    }

    /// Whether [`SLACK`] values can be read from every place on, and from those a row below, and places can be counted in 31 bits.
    pub(super) fn is_sound<const STEP: usize>(&self) -> bool {
        let last = self.place::<STEP>(self.right, self.bottom);
        let ordered = self.left <= self.right && self.top <= self.bottom;
        ordered && self.values.len() < i32::MAX as usize && last + self.stride + SLACK <= self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Map;
    use crate::fill::Colour;

    const FILLS: [Fill; 5] =
        [Fill::Constant(Colour([0.2, 0.4, 0.6, 0.8])), Fill::Edge, Fill::Reflect, Fill::Symmetric, Fill::Wrap];

    /// Every point has the four pixels that the fill says, wherever it lies and whatever part was copied.
    #[test]
    fn points_have_their_pixels() {
        let mut memory = Vec::new();
        for fill in FILLS {
            for (height, width) in [(1, 1), (1, 5), (4, 1), (3, 4)] {
                let shape = Shape::interleaved(height, width, 3);
                let plane: Vec<u8> = (0..height * width * 3).map(|i| 3 * i as u8 + 1).collect();
                for shift in -9..=9 {
                    let map = Map::translation(f64::from(shift), f64::from(shift / 2));
                    let target = shape.sized(4, 3);
                    let region = Region::new(&map, shape, target, &fill).unwrap();
                    let staged = region.copy::<u8, 3>(&plane, shape, 0, &fill, &mut memory).unwrap();
                    assert!(staged.is_sound::<3>());
                    let mut block = Block::new();
                    for row in 0..target.height {
                        map.block(row, 0, target.width, &mut block);
                        let points: Vec<(i32, i32)> = (0..target.width).map(|i| (block.x[i], block.y[i])).collect();
                        region.fold(&fill, shape, target.width, &mut block);
                        for (i, (x, y)) in points.into_iter().enumerate() {
                            let at = staged.place::<3>(block.x[i], block.y[i]);
                            let value = staged.values[at + 1];
                            let place = fill.place(y.into(), height).zip(fill.place(x.into(), width));
                            let expected = place.map_or(102, |(y, x)| plane[(y * width + x) * 3 + 1]);
                            assert_eq!(value, expected, "{fill:?}, ({x}, {y}) of {width} x {height}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn folded_points_look_alike() {
        for fill in &FILLS[2..] {
            for len in 1..=4_usize {
                let value = |at: i64| {
                    let pixel = |i: i64| (fill.place(i, len).unwrap() as f64 + 1.0).powi(2);
                    let (whole, part) = (at >> 32, (at as u32) as f64 / 2_f64.powi(32));
                    pixel(whole) * (1.0 - part) + pixel(whole + 1) * part
                };
                for quarters in -40..=40_i64 {
                    let at = quarters << 30;
                    let folded = fill.fold(at, len);
                    assert!((-1..=len as i64).contains(&(folded >> 32)), "{fill:?}, {quarters}, {folded}");
                    assert_eq!(value(folded), value(at), "{fill:?}, {quarters} quarters of {len}");
                }
            }
        }
    }

    #[test]
    fn a_small_part_of_a_large_image_is_not_copied_whole() {
        let shape = Shape::interleaved(10_000, 10_000, 1);
        let target = shape.sized(10, 10);
        let region = Region::new(&Map::translation(5000.0, 20.0), shape, target, &Fill::Edge).unwrap();
        assert!(region.x.n < 16 && region.y.n < 16);
        assert!(Region::new(&Map::scaling(1000.0, 1000.0), shape, target, &Fill::Edge).is_none());
    }
}
