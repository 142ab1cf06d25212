//! Maps of the plane that keep straight lines straight.

use std::fmt;

/// A projective map of the plane: affine maps (translations, rotations, scalings, shears, flips) and perspectives.
///
/// Coordinates are continuous: `x` to the right and `y` down, the image is `[0, width] x [0, height]`, and pixel `(column, row)` has its centre
/// at `(column + ½, row + ½)`. So a flip maps 0 to `width`, and a half-size image is scaled by ½ about the corner, not about the
/// centre of a pixel.
///
/// ```
/// use gradwise_augment::Map;
///
/// let turn = Map::rotation(90.0).about(2.0, 2.0);
/// let (x, y) = turn.point(4.0, 2.0);
/// assert!((x - 2.0).abs() < 1e-12 && (y - 4.0).abs() < 1e-12, "clockwise, as y points down");
/// assert!(turn.then(turn).then(turn).then(turn).is_close(Map::IDENTITY, 1e-12));
/// ```
#[derive(Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Map(pub(crate) [f64; 9]);

impl Map {
    /// Every point stays.
    pub const IDENTITY: Self = Map([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);

    /// `(a x + b y + c, d x + e y + f)`.
    pub const fn affine([a, b, c, d, e, f]: [f64; 6]) -> Self {
        Map([a, b, c, d, e, f, 0.0, 0.0, 1.0])
    }

    /// To the right and down.
    pub const fn translation(x: f64, y: f64) -> Self {
        Map::affine([1.0, 0.0, x, 0.0, 1.0, y])
    }

    /// About the origin; more than 1 enlarges.
    pub const fn scaling(x: f64, y: f64) -> Self {
        Map::affine([x, 0.0, 0.0, 0.0, y, 0.0])
    }

    /// About the origin, clockwise as it is seen, in degrees. Quarter turns are exact.
    pub fn rotation(degrees: f64) -> Self {
        let (sine, cosine) = match degrees.rem_euclid(360.0) {
            0.0 => (0.0, 1.0),
            90.0 => (1.0, 0.0),
            180.0 => (0.0, -1.0),
            270.0 => (-1.0, 0.0),
            degrees => degrees.to_radians().sin_cos(),
        };
        Map::affine([cosine, -sine, 0.0, sine, cosine, 0.0])
    }

    /// About the origin: `x` grows by `y` times the tangent of the first angle, `y` by `x` times that of the second, in degrees.
    pub fn shear(x: f64, y: f64) -> Self {
        Map::affine([1.0, x.to_radians().tan(), 0.0, y.to_radians().tan(), 1.0, 0.0])
    }

    /// The perspective that takes the four corners of a rectangle `[0, width] x [0, height]`, from the upper left clockwise, to four points
    /// (Heckbert, *Fundamentals of Texture Mapping and Image Warping*, 1989, section 2.2.3). `None` if three of them lie on a line.
    pub fn quadrilateral(width: f64, height: f64, corners: [(f64, f64); 4]) -> Option<Self> {
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = corners;
        let (dx1, dx2, sx) = (x1 - x2, x3 - x2, x0 - x1 + x2 - x3);
        let (dy1, dy2, sy) = (y1 - y2, y3 - y2, y0 - y1 + y2 - y3);
        let determinant = dx1 * dy2 - dx2 * dy1;
        let (g, h) = ((sx * dy2 - dx2 * sy) / determinant, (dx1 * sy - sx * dy1) / determinant);
        let unit = Map([x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1.0]);
        let map = Map::scaling(1.0 / width, 1.0 / height).then(unit);
        (map.0.iter().all(|x| x.is_finite()) && map.inverse().is_some()).then_some(map)
    }

    /// This map about another point than the origin.
    #[must_use]
    pub fn about(self, x: f64, y: f64) -> Self {
        Map::translation(-x, -y).then(self).then(Map::translation(x, y))
    }

    /// First this map, then another.
    #[must_use]
    pub fn then(self, next: Map) -> Self {
        let (a, b) = (next.0, self.0);
        Map(std::array::from_fn(|i| {
            let (row, column) = (i / 3 * 3, i % 3);
            a[row] * b[column] + a[row + 1] * b[3 + column] + a[row + 2] * b[6 + column]
        }))
    }

    /// The map back; `None` if there is none.
    pub fn inverse(self) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let cofactors = [
            e * i - f * h,
            c * h - b * i,
            b * f - c * e,
            f * g - d * i,
            a * i - c * g,
            c * d - a * f,
            d * h - e * g,
            b * g - a * h,
            a * e - b * d,
        ];
        let determinant = a * cofactors[0] + b * cofactors[3] + c * cofactors[6];
        // With a last element of 1, so that affine maps stay recognisable.
        let scale = if cofactors[8] == 0.0 { determinant } else { cofactors[8] };
        let inverse = Map(cofactors.map(|x| x / scale));
        (determinant != 0.0 && determinant.is_finite() && inverse.0.iter().all(|x| x.is_finite())).then_some(inverse)
    }

    /// Where a point goes.
    pub fn point(self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let w = g * x + h * y + i;
        ((a * x + b * y + c) / w, (d * x + e * y + f) / w)
    }

    /// Where a point goes that a perspective leaves before the viewer; NaN for others.
    pub(crate) fn seen(self, x: f64, y: f64) -> (f64, f64) {
        let [.., g, h, i] = self.0;
        if g * x + h * y + i > 0.0 { self.point(x, y) } else { (f64::NAN, f64::NAN) }
    }

    /// Whether all elements are finite numbers.
    pub(crate) fn is_finite(self) -> bool {
        self.0.iter().all(|x| x.is_finite())
    }

    /// Whether it has no perspective.
    pub fn is_affine(self) -> bool {
        self.0[6] == 0.0 && self.0[7] == 0.0 && self.0[8] == 1.0
    }

    /// The vector by which every point moves, if they all move alike.
    pub(crate) fn as_translation(self) -> Option<(f64, f64)> {
        let [a, b, x, d, e, y, ..] = self.0;
        (self.is_affine() && (a, b, d, e) == (1.0, 0.0, 0.0, 1.0)).then_some((x, y))
    }

    /// Whether all elements are as near as `tolerance` to another's.
    pub fn is_close(self, other: Map, tolerance: f64) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| (a - b).abs() <= tolerance)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = if self.is_affine() { 6 } else { 9 };
        f.debug_list().entries(&self.0[..n]).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps() -> [Map; 4] {
        let corners = [(1.0, 2.0), (18.0, -1.0), (22.0, 9.0), (0.0, 12.0)];
        [
            Map::translation(3.0, -2.5),
            Map::rotation(33.0).about(4.0, 5.0),
            Map::scaling(2.0, 0.5).then(Map::shear(10.0, -20.0)),
            Map::quadrilateral(20.0, 10.0, corners).expect("no three corners on a line"),
        ]
    }

    #[test]
    fn inverses_undo() {
        for map in maps() {
            let inverse = map.inverse().expect("regular");
            let (x, y) = map.point(3.0, 7.0);
            let (x, y) = inverse.point(x, y);
            assert!((x - 3.0).abs() < 1e-9 && (y - 7.0).abs() < 1e-9, "{map:?}");
            assert_eq!(map.is_affine(), inverse.is_affine());
        }
        assert!(Map::scaling(0.0, 1.0).inverse().is_none());
    }

    #[test]
    fn one_after_the_other() {
        for (first, next) in maps().into_iter().zip(maps().into_iter().rev()) {
            let (x, y) = first.point(1.5, 2.0);
            let (expected, got) = (next.point(x, y), first.then(next).point(1.5, 2.0));
            assert!((expected.0 - got.0).abs() < 1e-9 && (expected.1 - got.1).abs() < 1e-9);
        }
    }

    #[test]
    fn corners_go_where_they_should() {
        let corners = [(1.0, 2.0), (18.0, -1.0), (22.0, 9.0), (0.0, 12.0)];
        let map = maps()[3];
        for ((x, y), expected) in [(0.0, 0.0), (20.0, 0.0), (20.0, 10.0), (0.0, 10.0)].into_iter().zip(corners) {
            let got = map.point(x, y);
            assert!((got.0 - expected.0).abs() < 1e-9 && (got.1 - expected.1).abs() < 1e-9, "{got:?}");
        }
        let line = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (0.0, 5.0)];
        assert!(Map::quadrilateral(20.0, 10.0, line).is_none());
    }
}
