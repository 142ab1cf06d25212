//! Normalization of rows that lie together in memory, with parameters by column: the kernel of layer norm and RMS norm.

use super::write;
use crate::dense::Dense;
use crate::parallel;
use crate::support::{moments, rows2, slice, slice_mut, sums, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Real, Result, Saved, Slot, flip};

/// Rows of the matrix that are summed in the type itself before the sums go into an `f64`.
const ROWS: usize = 32;

/// Columns that are summed side by side: runs of memory that are long enough to be read ahead, and sums that stay in the first cache.
const COLUMNS: usize = 512;

/// What distinguishes the norms that are taken over rows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct RowNorm {
    /// Whether the mean is subtracted.
    pub(super) center: bool,
    /// Added to the variance (or mean square).
    pub(super) epsilon: f64,
    /// Trailing axes that make up a row.
    pub(super) axes: usize,
}

impl RowNorm {
    /// Number and length of the rows of a shape.
    fn sizes(&self, shape: &[usize]) -> (usize, usize) {
        let (rows, row) = shape.split_at(shape.len() - self.axes);
        (rows.iter().product(), row.iter().product())
    }

    /// Mean and inverse standard deviation of a row.
    #[inline(always)]
    fn statistics<T: Real>(&self, row: &[T]) -> (T, T) {
        let (mean, square) = if self.center {
            moments(row)
        } else {
            let [square] = sums(
                row,
                row,
                row,
                #[inline(always)]
                |x, _, _| [x * x],
            );
            (0.0, square / row.len() as f64)
        };
        (T::of(mean), T::of(1.0 / (square + self.epsilon).sqrt()))
    }

    /// Inputs `x`, and optionally `γ`, or `γ` and `β`.
    pub(super) fn forward<T: Real>(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let (n_rows, len) = self.sizes(inputs[0].shape());
        let x = Dense::of(&inputs[0], cx.scratch);
        let gamma = inputs.get(1).map(|gamma| Dense::of(gamma, cx.scratch));
        let beta = inputs.get(2).map(|beta| Dense::of(beta, cx.scratch));
        let stats = slice_mut(saved.array(&[n_rows, 2], cx.scratch));

        rows2(cx.pool, 4 * x.len(), n_rows, (slice_mut(out), len), (stats, 2), &|range, out, stats| {
            vectorize!(|| {
                for (i, row) in range.enumerate() {
                    let (x, out) = (&x[row * len..][..len], &mut out[i * len..][..len]);
                    let (mean, inverse) = self.statistics(x);
                    (stats[2 * i], stats[2 * i + 1]) = (mean, inverse);
                    let pairs = out.iter_mut().zip(x);
                    match (&gamma, &beta) {
                        (Some(gamma), Some(beta)) => {
                            for (((out, &x), &gamma), &beta) in pairs.zip(&gamma[..]).zip(&beta[..]) {
                                *out = (x - mean) * inverse * gamma + beta;
                            }
                        }
                        (Some(gamma), None) => {
                            pairs.zip(&gamma[..]).for_each(|((out, &x), &gamma)| *out = (x - mean) * inverse * gamma);
                        }
                        _ => pairs.for_each(|(out, &x)| *out = (x - mean) * inverse),
                    }
                }
            },);
        });

        x.release(cx.scratch);
        [gamma, beta].into_iter().flatten().for_each(|p| p.release(cx.scratch));
        Ok(())
    }

    pub(super) fn backward<T: Real>(
        &self,
        at: &At<'_, T>,
        grads: &mut [Option<Slot<'_, T>>],
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let (n_rows, len) = self.sizes(at.inputs[0].shape());
        let x = Dense::of(&at.inputs[0], cx.scratch);
        let gamma = at.inputs.get(1).map(|gamma| Dense::of(gamma, cx.scratch));
        let (grad, stats) = (slice(at.grad), slice(&at.saved.arrays[0]));

        if grads[0].is_some() {
            let (to_x, first) = target(&mut grads[0]);
            rows2(cx.pool, 6 * x.len(), n_rows, (to_x, len), (&mut [0_u8; 0], 0), &|range, out, _| {
                vectorize!(|| {
                    for (i, row) in range.enumerate() {
                        let all = (&x[row * len..][..len], &grad[row * len..][..len]);
                        let out = &mut out[i * len..][..len];
                        let (mean, inverse) = (stats[2 * row], stats[2 * row + 1]);
                        match gamma.as_deref() {
                            Some(gamma) => self.backward_row(
                                all,
                                gamma,
                                #[inline(always)]
                                |g, gamma| g * gamma,
                                (mean, inverse),
                                first,
                                out,
                            ),
                            // Any slice of the length stands in for the scale that is not read.
                            None => self.backward_row(
                                all,
                                all.0,
                                #[inline(always)]
                                |g, _| g,
                                (mean, inverse),
                                first,
                                out,
                            ),
                        }
                    }
                },);
            });
        }

        if grads[1..].iter().any(Option::is_some) {
            let mut totals = cx.scratch.take(2 * len);
            column_sums(&x, grad, stats, n_rows, len, &mut totals, cx);
            for (k, slot) in grads[1..].iter_mut().enumerate() {
                let (grad, first) = target(slot);
                write(grad, first, totals.chunks(2).map(|totals| totals[k]));
            }
            cx.scratch.give(totals);
        }

        x.release(cx.scratch);
        gamma.into_iter().for_each(|p| p.release(cx.scratch));
        Ok(())
    }

    /// `∂x = (g - mean(g) - x̂ · mean(g x̂)) / √(σ² + ε)` of one row, where `g = γ ∂y`; without a center there is no `mean(g)`.
    #[inline(always)]
    fn backward_row<T: Real>(
        &self,
        (x, grad): (&[T], &[T]),
        gamma: &[T],
        scaled: impl Fn(T, T) -> T,
        (mean, inverse): (T, T),
        first: bool,
        out: &mut [T],
    ) {
        let n = x.len() as f64;
        let [sum, product] = sums(
            x,
            grad,
            gamma,
            #[inline(always)]
            |x, g, gamma| {
                let g = scaled(g, gamma);
                [g, g * ((x - mean) * inverse)]
            },
        );
        let shift = if self.center { T::of(flip!("layer_norm/mean", sum / n)) } else { T::zero() };
        let slope = T::of(flip!("row_norm/slope", product / n));
        let pairs = x.iter().zip(grad).zip(gamma);
        let value =
            |((&x, &g), &gamma): ((&T, &T), &T)| (scaled(g, gamma) - shift - (x - mean) * inverse * slope) * inverse;
        if first {
            for (out, all) in out.iter_mut().zip(pairs) {
                *out = value(all);
            }
        } else {
            for (out, all) in out.iter_mut().zip(pairs) {
                *out += value(all);
            }
        }
    }
}

/// For each column, `∂γ = Σ ∂y x̂` and `∂β = Σ ∂y` over all rows, side by side in `totals`.
fn column_sums<T: Real>(
    x: &[T],
    grad: &[T],
    stats: &[T],
    n_rows: usize,
    len: usize,
    totals: &mut [T],
    cx: &mut Cx<'_, T>,
) {
    // A share of columns is a whole number of cache lines.
    parallel::rows(cx.pool, totals, 2, 16, 3 * x.len(), &|columns, totals| {
        vectorize!(|| {
            for (first, totals) in columns.step_by(COLUMNS).zip(totals.chunks_mut(2 * COLUMNS)) {
                let mut sums = [[0.0_f64; COLUMNS]; 2];
                let width = totals.len() / 2;
                for start in (0..n_rows).step_by(ROWS) {
                    let [mut products, mut grads] = [[T::zero(); COLUMNS]; 2];
                    for row in start..(start + ROWS).min(n_rows) {
                        let (mean, inverse) = (stats[2 * row], stats[2 * row + 1]);
                        let at = row * len + first;
                        let pairs = x[at..at + width].iter().zip(&grad[at..at + width]);
                        for ((product, sum), (&x, &g)) in products.iter_mut().zip(&mut grads).zip(pairs) {
                            *product += g * ((x - mean) * inverse);
                            *sum += g;
                        }
                    }
                    for (sums, partial) in sums.iter_mut().zip([&products, &grads]) {
                        for (sum, partial) in sums.iter_mut().zip(&partial[..width]) {
                            *sum += partial.as_f64();
                        }
                    }
                }
                for (totals, (&product, &sum)) in totals.chunks_mut(2).zip(sums[0].iter().zip(&sums[1])) {
                    (totals[0], totals[1]) = (T::of(product), T::of(sum));
                }
            }
        },);
    });
}
