//! The eight ways to lay a square on itself: exact, without interpolation.

use super::Map;
use crate::frame::{Frame, FrameMut};
use crate::pixel::Pixel;
use crate::shape::Shape;

/// A symmetry of the square.
///
/// On an image that is not square, those that exchange the axes exchange height and width.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Symmetry {
    /// Nothing moves.
    Identity,
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
    /// Both: half a turn.
    HalfTurn,
    /// Rows become columns: mirrored at the diagonal from the upper left.
    Transpose,
    /// A quarter turn clockwise.
    Clockwise,
    /// A quarter turn counterclockwise.
    Counterclockwise,
    /// Mirrored at the diagonal from the upper right.
    Antitranspose,
}

impl Symmetry {
    /// All eight.
    pub const ALL: [Self; 8] = [
        Symmetry::Identity,
        Symmetry::Horizontal,
        Symmetry::Vertical,
        Symmetry::HalfTurn,
        Symmetry::Transpose,
        Symmetry::Clockwise,
        Symmetry::Counterclockwise,
        Symmetry::Antitranspose,
    ];

    /// Whether axes are exchanged, then which of them are reversed: horizontally, vertically.
    const fn parts(self) -> (bool, bool, bool) {
        match self {
            Symmetry::Identity => (false, false, false),
            Symmetry::Horizontal => (false, true, false),
            Symmetry::Vertical => (false, false, true),
            Symmetry::HalfTurn => (false, true, true),
            Symmetry::Transpose => (true, false, false),
            Symmetry::Clockwise => (true, true, false),
            Symmetry::Counterclockwise => (true, false, true),
            Symmetry::Antitranspose => (true, true, true),
        }
    }

    const fn of(transposes: bool, horizontal: bool, vertical: bool) -> Self {
        Symmetry::ALL[4 * transposes as usize
            + if transposes { horizontal as usize } else { 0 }
            + 2 * vertical as usize
            + if transposes { 0 } else { horizontal as usize }]
    }

    /// Whether axes are exchanged.
    pub const fn transposes(self) -> bool {
        self.parts().0
    }

    /// First this one, then another.
    #[must_use]
    pub const fn then(self, next: Self) -> Self {
        let (a, b) = (self.parts(), next.parts());
        // The next one's exchange of axes exchanges what this one reversed.
        let (horizontal, vertical) = if b.0 { (a.2, a.1) } else { (a.1, a.2) };
        Symmetry::of(a.0 ^ b.0, horizontal ^ b.1, vertical ^ b.2)
    }

    /// The symmetry back.
    #[must_use]
    pub const fn inverse(self) -> Self {
        match self {
            Symmetry::Clockwise => Symmetry::Counterclockwise,
            Symmetry::Counterclockwise => Symmetry::Clockwise,
            other => other,
        }
    }

    /// The shape of the result.
    pub(crate) fn shape(self, shape: Shape) -> Shape {
        if self.transposes() { shape.sized(shape.width, shape.height) } else { shape }
    }

    /// Where points of an image of this size go.
    pub fn map(self, height: usize, width: usize) -> Map {
        let (transposes, horizontal, vertical) = self.parts();
        let (height, width) = if transposes { (width, height) } else { (height, width) };
        let exchange = if transposes { Map::affine([0.0, 1.0, 0.0, 1.0, 0.0, 0.0]) } else { Map::IDENTITY };
        let reversed = |reverses: bool, len: usize| if reverses { (-1.0, len as f64) } else { (1.0, 0.0) };
        let ((a, c), (e, f)) = (reversed(horizontal, width), reversed(vertical, height));
        exchange.then(Map::affine([a, 0.0, c, 0.0, e, f]))
    }

    /// Writes the result into an image of [its shape](Symmetry::shape).
    pub(crate) fn run<P: Pixel>(self, source: Frame<'_, P>, target: FrameMut<'_, P>) {
        let (transposes, horizontal, vertical) = self.parts();
        let (shape, to) = (source.shape, target.shape.row());
        for (source, target) in source.planes().zip(target.planes_mut()) {
            if transposes {
                for (y, row) in target.chunks_exact_mut(to).enumerate() {
                    let column = if vertical { shape.width - 1 - y } else { y };
                    transpose(source, row, shape, column, horizontal);
                }
            } else {
                rows(source, target, shape, horizontal, vertical);
            }
        }
    }
}

/// Writes a column as a row, from below if it is reversed.
#[inline(always)]
fn transpose<P: Pixel>(source: &[P], row: &mut [P], shape: Shape, column: usize, reversed: bool) {
    let step = shape.step();
    for (x, pixel) in row.chunks_exact_mut(step).enumerate() {
        let line = if reversed { shape.height - 1 - x } else { x };
        pixel.copy_from_slice(&source[line * shape.row() + column * step..][..step]);
    }
}

/// Bytes of a plane from which on rows are fetched ahead: what is less is near enough.
const FAR: usize = 1 << 15;

/// Writes rows, each reversed or not, from the last or from the first.
fn rows<P: Pixel>(source: &[P], mut target: &mut [P], shape: Shape, horizontal: bool, vertical: bool) {
    let (len, height) = (shape.row(), shape.height);
    let line = |y: usize| &source[if vertical { height - 1 - y } else { y } * len..][..len];
    for y in 0..height {
        let (row, rest) = target.split_at_mut(len);
        if horizontal && size_of_val(source) >= FAR && y + 1 < height {
            // Processors foresee how one reads on; here rows are read backwards, and each begins where the one before did not end.
            ahead(line(y + 1));
            ahead(&rest[..len]);
        }
        if horizontal {
            reverse(line(y), row, shape.step());
        } else {
            row.copy_from_slice(line(y));
        }
        target = rest;
    }
}

/// Asks for the memory of a row that is soon read or written.
#[inline(always)]
fn ahead<P>(row: &[P]) {
    #[cfg(target_arch = "x86_64")]
    super::avx2::prefetch(row);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// The pixels of a row in reverse order.
#[inline(always)]
fn reverse<P: Pixel>(source: &[P], target: &mut [P], step: usize) {
    #[inline(always)]
    fn of<P: Pixel, const STEP: usize>(source: &[P], target: &mut [P]) {
        let (source, target) = (source.as_chunks::<STEP>().0, target.as_chunks_mut::<STEP>().0);
        target.iter_mut().zip(source.iter().rev()).for_each(|(target, source)| *target = *source);
    }
    #[cfg(target_arch = "x86_64")]
    if step == 3 && super::avx2::reverse(source, target) {
        return;
    }
    match step {
        1 => of::<P, 1>(source, target),
        2 => of::<P, 2>(source, target),
        3 => reverse_three(source, target),
        4 => of::<P, 4>(source, target),
        _ => {
            for (target, source) in target.chunks_exact_mut(step).zip(source.chunks_exact(step).rev()) {
                target.copy_from_slice(source);
            }
        }
    }
}

/// [`reverse`] for pixels of three values: moved as four, as far as there are four, of which the next pixel overwrites the last.
#[inline(always)]
fn reverse_three<P: Pixel>(source: &[P], target: &mut [P]) {
    let n = source.len().min(target.len());
    let mut done = 0;
    while done + 3 < n {
        let start = n - 3 - done;
        match (source[start..].first_chunk::<4>(), target[done..].first_chunk_mut::<4>()) {
            (Some(from), Some(to)) => *to = *from,
            _ => target[done..done + 3].copy_from_slice(&source[start..start + 3]),
        }
        done += 3;
    }
    target[done..n].copy_from_slice(&source[..n - done]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(symmetry: Symmetry, data: &[u8], shape: Shape) -> (Vec<u8>, Shape) {
        let target = symmetry.shape(shape);
        let mut out = vec![0; data.len()];
        symmetry.run(Frame { data, shape }, FrameMut { data: &mut out, shape: target });
        (out, target)
    }

    #[test]
    fn pictures() {
        let shape = Shape::interleaved(2, 3, 1);
        let of = |symmetry| run(symmetry, &[1, 2, 3, 4, 5, 6], shape).0;
        assert_eq!(of(Symmetry::Horizontal), [3, 2, 1, 6, 5, 4]);
        assert_eq!(of(Symmetry::Vertical), [4, 5, 6, 1, 2, 3]);
        assert_eq!(of(Symmetry::HalfTurn), [6, 5, 4, 3, 2, 1]);
        assert_eq!(of(Symmetry::Transpose), [1, 4, 2, 5, 3, 6]);
        assert_eq!(of(Symmetry::Clockwise), [4, 1, 5, 2, 6, 3]);
        assert_eq!(of(Symmetry::Counterclockwise), [3, 6, 2, 5, 1, 4]);
        assert_eq!(of(Symmetry::Antitranspose), [6, 3, 5, 2, 4, 1]);
    }

    /// Rows of every length: whole groups of pixels, and what is left of them.
    #[test]
    fn rows_are_reversed_pixel_by_pixel() {
        fn check<P: Pixel>(width: usize, channels: usize, value: impl Fn(usize) -> P) {
            let shape = Shape::interleaved(2, width, channels);
            let data: Vec<P> = (0..2 * width * channels).map(value).collect();
            let mut out = vec![P::default(); data.len()];
            Symmetry::Horizontal.run(Frame { data: &data, shape }, FrameMut { data: &mut out, shape });
            for (row, out) in data.chunks(shape.row()).zip(out.chunks(shape.row())) {
                assert!(out.chunks(channels).eq(row.chunks(channels).rev()), "{width} pixels of {channels}");
            }
        }
        for channels in 1..6 {
            for width in (1..100).chain([224]) {
                check(width, channels, |i| (i % 251) as u8);
                check(width, channels, |i| i as f32);
            }
        }
    }

    #[test]
    fn they_are_a_group_and_their_maps_agree() {
        for channels in [1, 3, 5] {
            for shape in [Shape::interleaved(3, 4, channels), Shape::planar(channels, 4, 2)] {
                let data: Vec<u8> = (0..shape.plane() * shape.planes()).map(|i| i as u8).collect();
                for first in Symmetry::ALL {
                    let (once, after) = run(first, &data, shape);
                    assert_eq!(run(first.inverse(), &once, after).0, data, "{first:?}");
                    for next in Symmetry::ALL {
                        let both = first.then(next);
                        assert_eq!(run(next, &once, after), run(both, &data, shape), "{first:?}, {next:?}");
                        let chained = first.map(shape.height, shape.width).then(next.map(after.height, after.width));
                        assert!(both.map(shape.height, shape.width).is_close(chained, 1e-12));
                    }
                }
            }
        }
    }
}
