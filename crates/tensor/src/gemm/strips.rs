//! Filters of 3 x 3 over planes of single channels, eight columns at a time.
//!
//! A strip of rows is walked down. Each row is loaded three times, shifted by one, and used for all that depends on it while it is in
//! registers: the three rows of results that it is under, or the sums of nine taps.

use super::eight::{Eight, LANES, Lanes};
use gradwise_core::Real;

/// Rows and columns of a filter.
pub(crate) const SIDE: usize = 3;
/// Taps of a filter.
pub(crate) const TAPS: usize = SIDE * SIDE;

/// Rows of ten elements that filters are slid over, the first from the beginning of `data` on.
#[derive(Clone, Copy)]
pub(crate) struct Strip<'a, T> {
    pub(crate) data: &'a [T],
    /// From a row to the next.
    pub(crate) pitch: usize,
    /// Rows of results; there are two more of data.
    pub(crate) rows: usize,
}

impl<T> Strip<'_, T> {
    /// How many elements the data must have.
    pub(crate) fn extent(&self) -> usize {
        (self.rows + 1) * self.pitch + LANES + SIDE - 1
    }
}

/// Calls `put(y, bias + Σ weights[i, j] data[y + i, x + j])` for each row of results.
#[inline(always)]
pub(crate) fn slide<T: Real, K: Eight<T>>(
    k: K,
    strip: Strip<'_, T>,
    weights: &[T; TAPS],
    bias: T,
    mut put: impl FnMut(usize, Lanes<T>),
) {
    let mut w = [Lanes::zero(); TAPS];
    for i in 0..TAPS {
        w[i] = Lanes([weights[i]; LANES]);
    }
    let bias = Lanes([bias; LANES]);
    // What is known of the sums of this row and the next.
    let [mut this, mut next] = [bias; 2];
    for y in 0..strip.rows + SIDE - 1 {
        let row = under(strip, y);
        let done = add_row(k, row, 2, &w, this);
        if y + 1 >= SIDE {
            put(y + 1 - SIDE, done);
        }
        this = if y > 0 { add_row(k, row, 1, &w, next) } else { bias };
        next = add_row(k, row, 0, &w, bias);
    }
}

/// The three groups of lanes of a row that the columns of a filter meet.
#[inline(always)]
fn under<T: Real>(strip: Strip<'_, T>, row: usize) -> [Lanes<T>; SIDE] {
    let row = &strip.data[row * strip.pitch..][..LANES + SIDE - 1];
    [Lanes::load(row), Lanes::load(&row[1..]), Lanes::load(&row[2..])]
}

/// Adds a row under a row of a filter.
#[inline(always)]
fn add_row<T: Real, K: Eight<T>>(
    k: K,
    [a, b, c]: [Lanes<T>; SIDE],
    row: usize,
    w: &[Lanes<T>; TAPS],
    sum: Lanes<T>,
) -> Lanes<T> {
    k.mul_add(c, w[SIDE * row + 2], k.mul_add(b, w[SIDE * row + 1], k.mul_add(a, w[SIDE * row], sum)))
}

/// `sums[i, j] ← sums[i, j] + Σ factor(y) data[y + i, x + j]`, over the rows.
#[inline(always)]
pub(crate) fn correlate<T: Real, K: Eight<T>>(
    k: K,
    strip: Strip<'_, T>,
    factor: impl Fn(usize) -> Lanes<T>,
    sums: &mut [Lanes<T>; TAPS],
) {
    let mut all = *sums;
    // The factors that lie at a row, and at the two above.
    let mut factors = [Lanes::zero(); SIDE];
    for y in 0..strip.rows + SIDE - 1 {
        let row = under(strip, y);
        factors = [if y < strip.rows { factor(y) } else { Lanes::zero() }, factors[0], factors[1]];
        for i in 0..SIDE {
            for j in 0..SIDE {
                all[SIDE * i + j] = k.mul_add(row[j], factors[i], all[SIDE * i + j]);
            }
        }
    }
    *sums = all;
}
