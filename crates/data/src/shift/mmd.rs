//! A test of all features together.

use super::TwoSample;
use crate::draw::Random;
use crate::scaler::quantile;
use crate::shuffle::Purpose;
use crate::whitening::n_features;
use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};

/// The most samples of both sets together: the test keeps the kernel of each pair, 32 MB for so many.
const MOST: usize = 2048;

/// The maximum mean discrepancy of two sets of samples (`N × …`), tested by permutations: whether they come from one distribution, in
/// whatever way they may differ, correlations included.
///
/// The statistic is the unbiased estimate of `MMD² = E k(a, a') + E k(b, b') − 2 E k(a, b)` with the Gaussian kernel
/// `k(x, y) = exp(−‖x − y‖² / 2σ²)`, where σ is the median distance of all pairs. If both sets are of one distribution, it does not
/// matter which samples are called the first set: so the p-value is the share of statistics that are at least as large when that is drawn
/// anew, `(1 + #) / (1 + permutations)`, and its level is exact. Scale the features first: distance takes them all alike. The seed tells
/// the permutations; 199 or more resolve a level of 0.05. Source: Gretton et al., *A kernel two-sample test*, JMLR 2012.
///
/// It takes `(n + m)²` operations a feature and a permutation each, and at most 2,048 samples of both sets together: give it a random
/// part of larger sets.
///
/// ```
/// use ndarray::Array2;
///
/// // The same features, each by itself; but in one set the second goes with the first.
/// let x = |turn: f64| Array2::from_shape_fn((60, 2), |(i, j)| {
///     let a = (i as f64 * 0.618).fract() - 0.5;
///     let b = (i as f64 * 0.414).fract() - 0.5;
///     if j == 0 { a } else { turn * a + (1.0 - turn) * b }
/// }).into_dyn();
/// assert!(gradwise_data::mmd_test(&x(0.0), &x(1.0), 199, 1)?.p_value < 0.05);
/// assert!(gradwise_data::mmd_test(&x(0.0), &x(0.0), 199, 1)?.p_value > 0.05);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a set has fewer than two samples, they have different numbers of features, a value is not finite, there are too many samples, or no
/// permutations.
pub fn mmd_test<T: Real>(a: &ArrayRefD<T>, b: &ArrayRefD<T>, permutations: usize, seed: u64) -> Result<TwoSample> {
    const WHAT: &str = "mmd test";
    let d = n_features(WHAT, a, None)?;
    n_features(WHAT, b, Some(d))?;
    let (n, m) = (a.shape()[0], b.shape()[0]);
    if n < 2 || m < 2 || n + m > MOST {
        let expected = format!("at least 2 samples in each set, and at most {MOST} in both");
        return Err(DataError::value(WHAT, expected, format!("{n} and {m}")));
    }
    if permutations == 0 {
        return Err(DataError::value("mmd test: permutations", "at least 1", permutations));
    }
    crate::scaler::check_finite(WHAT, a)?;
    crate::scaler::check_finite(WHAT, b)?;
    let kernel = kernel(a, b, n + m, d);
    let mut order: Vec<usize> = (0..n + m).collect();
    let statistic = discrepancy(&kernel, &order, n);
    let mut random = Random::new(Purpose::Shift, seed, 0);
    let mut as_large = 0;
    for _ in 0..permutations {
        random.shuffle(&mut order);
        // Sums in another order differ by rounding, which must not make equal statistics unequal.
        as_large += usize::from(discrepancy(&kernel, &order, n) >= statistic - 1e-12);
    }
    Ok(TwoSample { statistic, p_value: (1 + as_large) as f64 / (1 + permutations) as f64 })
}

/// The kernel of all pairs, row by row.
fn kernel<T: Real>(a: &ArrayRefD<T>, b: &ArrayRefD<T>, n: usize, d: usize) -> Vec<f64> {
    let rows: Vec<f64> = a.iter().chain(b).map(|x| x.as_f64()).collect();
    let row = |i: usize| &rows[i * d..(i + 1) * d];
    let mut squares = vec![0.0; n * n];
    let mut distances = Vec::with_capacity(n * (n - 1) / 2);
    for i in 0..n {
        for j in 0..i {
            let square: f64 = row(i).iter().zip(row(j)).map(|(x, y)| (x - y) * (x - y)).sum();
            (squares[i * n + j], squares[j * n + i]) = (square, square);
            distances.push(square);
        }
    }
    distances.sort_unstable_by(f64::total_cmp);
    let median = quantile(&distances, 0.5);
    // Where most samples are equal, those that are not decide; where all are, any width will do.
    let square = if median > 0.0 { median } else { distances.iter().copied().find(|s| *s > 0.0).unwrap_or(1.0) };
    squares.iter_mut().for_each(|s| *s = (-0.5 * *s / square).exp());
    squares
}

/// The unbiased estimate, where the first `n` samples of an order are the first set.
fn discrepancy(kernel: &[f64], order: &[usize], n: usize) -> f64 {
    let total = order.len();
    let mut first = vec![0.0; total];
    order[..n].iter().for_each(|&i| first[i] = 1.0);
    let (mut within, mut across, mut all) = (0.0, 0.0, 0.0);
    for (i, row) in kernel.chunks_exact(total).enumerate() {
        let with_first: f64 = row.iter().zip(&first).map(|(k, f)| k * f).sum();
        let whole: f64 = row.iter().sum();
        within += first[i] * with_first;
        across += (1.0 - first[i]) * with_first;
        all += whole;
    }
    let (n, m) = (n as f64, (total - n) as f64);
    // A sample's kernel with itself is 1, and no part of the estimate.
    let second = all - within - 2.0 * across;
    (within - n) / (n * (n - 1.0)) + (second - m) / (m * (m - 1.0)) - 2.0 * across / (n * m)
}
