//! The maps between tiles and their values at the six points, for eight tiles at once.

use crate::gemm::eight::{Eight, Lanes};
use gradwise_core::Real;

/// Points each way.
pub(super) const POINTS: usize = 6;
/// Values of a tile.
pub(super) const VALUES: usize = POINTS * POINTS;

// The points are 0, ±A, ±B and ∞.
const A: f64 = 0.625;
const B: f64 = 1.5;
const A2: f64 = A * A;
const B2: f64 = B * B;

/// `Bᵀ d`: the coefficients of polynomials that are 0 at all points but one, applied to six inputs.
#[inline(always)]
pub(super) fn data<T: Real, K: Eight<T>>(k: K, d: [Lanes<T>; 6]) -> [Lanes<T>; POINTS] {
    let [d0, d1, d2, d3, d4, d5] = d;
    let (even_a, odd_a) = (k.scale_add(d2, -B2, d4), k.scale(k.scale_add(d1, -B2, d3), A));
    let (even_b, odd_b) = (k.scale_add(d2, -A2, d4), k.scale(k.scale_add(d1, -A2, d3), B));
    [
        k.scale_add(d0, A2 * B2, k.scale_add(d2, -(A2 + B2), d4)),
        k.add(even_a, odd_a),
        k.sub(even_a, odd_a),
        k.add(even_b, odd_b),
        k.sub(even_b, odd_b),
        k.scale_add(d1, A2 * B2, k.scale_add(d3, -(A2 + B2), d5)),
    ]
}

/// `Aᵀ m`: four outputs from the products at the points.
#[inline(always)]
pub(super) fn outputs<T: Real, K: Eight<T>>(k: K, m: [Lanes<T>; POINTS]) -> [Lanes<T>; 4] {
    let (even_a, odd_a) = (k.add(m[1], m[2]), k.sub(m[1], m[2]));
    let (even_b, odd_b) = (k.add(m[3], m[4]), k.sub(m[3], m[4]));
    [
        k.add(m[0], k.add(even_a, even_b)),
        k.scale_add(odd_a, A, k.scale(odd_b, B)),
        k.scale_add(even_a, A2, k.scale(even_b, B2)),
        k.scale_add(odd_a, A * A2, k.scale_add(odd_b, B * B2, m[5])),
    ]
}

/// `A y`: the transpose of [`outputs`].
#[inline(always)]
pub(super) fn spread<T: Real, K: Eight<T>>(k: K, y: [Lanes<T>; 4]) -> [Lanes<T>; POINTS] {
    let [y0, y1, y2, y3] = y;
    let (even_a, odd_a) = (k.scale_add(y2, A2, y0), k.scale(k.scale_add(y3, A2, y1), A));
    let (even_b, odd_b) = (k.scale_add(y2, B2, y0), k.scale(k.scale_add(y3, B2, y1), B));
    [y0, k.add(even_a, odd_a), k.sub(even_a, odd_a), k.add(even_b, odd_b), k.sub(even_b, odd_b), y3]
}

/// One over the product of a point's distances to the others: at 0, ±A and ±B.
const WEIGHTS: [f64; 3] = [1.0 / (A2 * B2), 1.0 / (2.0 * A2 * (A2 - B2)), 1.0 / (2.0 * B2 * (B2 - A2))];

/// `G g`: three taps as a polynomial's values at the points, in double precision.
fn taps([g0, g1, g2]: [f64; 3]) -> [f64; POINTS] {
    let [zero, a, b] = WEIGHTS;
    let (even_a, odd_a) = (a * (g0 + A2 * g2), a * A * g1);
    let (even_b, odd_b) = (b * (g0 + B2 * g2), b * B * g1);
    [zero * g0, even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, g2]
}

/// `G g Gᵀ` of one filter.
#[inline(always)]
pub(super) fn filter(g: [[f64; 3]; 3]) -> [[f64; POINTS]; POINTS] {
    let columns: [[f64; POINTS]; 3] = std::array::from_fn(|j| taps([g[0][j], g[1][j], g[2][j]]));
    std::array::from_fn(|i| taps([columns[0][i], columns[1][i], columns[2][i]]))
}

/// `Gᵀ u`: the transpose of [`taps`].
#[inline(always)]
pub(super) fn taps_back<T: Real, K: Eight<T>>(k: K, u: [Lanes<T>; POINTS]) -> [Lanes<T>; 3] {
    let [zero, a, b] = WEIGHTS;
    let (even_a, odd_a) = (k.add(u[1], u[2]), k.sub(u[1], u[2]));
    let (even_b, odd_b) = (k.add(u[3], u[4]), k.sub(u[3], u[4]));
    [
        k.scale_add(u[0], zero, k.scale_add(even_a, a, k.scale(even_b, b))),
        k.scale_add(odd_a, a * A, k.scale(odd_b, b * B)),
        k.scale_add(even_a, a * A2, k.scale_add(even_b, b * B2, u[5])),
    ]
}

/// A map of one axis applied to both, first down, then across. Closures are to be inlined.
#[inline(always)]
pub(super) fn both_ways<T: Real, const N: usize, const M: usize>(
    tile: impl Fn(usize, usize) -> Lanes<T>,
    map: impl Fn([Lanes<T>; N]) -> [Lanes<T>; M],
) -> [[Lanes<T>; M]; M] {
    let mut down = [[Lanes::zero(); N]; M];
    for j in 0..N {
        let mut column = [Lanes::zero(); N];
        for i in 0..N {
            column[i] = tile(i, j);
        }
        let column = map(column);
        for i in 0..M {
            down[i][j] = column[i];
        }
    }
    let mut both = [[Lanes::zero(); M]; M];
    for i in 0..M {
        both[i] = map(down[i]);
    }
    both
}
