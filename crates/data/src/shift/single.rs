//! Tests of one feature.

use super::TwoSample;
use super::distributions::{chi_square, kolmogorov};
use crate::{DataError, Result};

/// The two-sample test of Kolmogorov and Smirnov: whether two samples of numbers come from one continuous distribution.
///
/// The statistic is `D = max_x |F₁(x) − F₂(x)|`, the largest gap of the two shares of values up to `x`. Its p-value is that of
/// Kolmogorov's distribution at `(√n + 0.12 + 0.11/√n) D` with `n = n₁ n₂ / (n₁ + n₂)` (Stephens, *Use of the Kolmogorov-Smirnov,
/// Cramér-von Mises and related statistics without extensive tables*, 1970), which is good for `n` of 4 and more. Where values are
/// equal, as of counted features, the test raises fewer false alarms than its level allows; for few different values take
/// [`chi_square_test`]. Use it for each feature with [`ShiftTest`](super::ShiftTest), which corrects for their number.
///
/// ```
/// let before: Vec<f64> = (0..100).map(|i| i as f64).collect();
/// let after: Vec<f64> = (0..100).map(|i| i as f64 + 40.0).collect();
/// let test = gradwise_data::ks_test(&before, &after)?;
/// assert!((test.statistic - 0.4).abs() < 1e-12 && test.p_value < 1e-6);
/// assert_eq!(gradwise_data::ks_test(&before, &before)?.p_value, 1.0);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If a sample has no values, or one of them is NaN.
pub fn ks_test(a: &[f64], b: &[f64]) -> Result<TwoSample> {
    let sorted = |values: &[f64]| {
        if values.is_empty() {
            return Err(DataError::value("ks test", "at least one value in each sample", "none"));
        }
        if let Some(i) = values.iter().position(|x| x.is_nan()) {
            return Err(DataError::value("ks test", "numbers", format!("NaN at position {i}")));
        }
        let mut values = values.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        Ok(values)
    };
    let (a, b) = (sorted(a)?, sorted(b)?);
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j, mut gap) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        // All values of one size are passed at once: between them there is no place to look.
        while i < a.len() && a[i] <= x {
            i += 1;
        }
        while j < b.len() && b[j] <= x {
            j += 1;
        }
        gap = gap.max((i as f64 / n - j as f64 / m).abs());
    }
    let root = (n * m / (n + m)).sqrt();
    Ok(TwoSample { statistic: gap, p_value: kolmogorov((root + 0.12 + 0.11 / root) * gap) })
}

/// Pearson's test of two samples of classes: whether `a[c]` and `b[c]`, how often each has class `c`, are of one distribution.
///
/// The statistic is `Σ (n − e)² / e` over both samples and all classes, where `e` is what both together let expect; its p-value is that
/// of the χ² distribution with `classes − 1` degrees of freedom. Classes that neither has are left out, and with fewer than two left the
/// samples are the same. Use it for labels and for features of few values; each class should be expected five times or more.
///
/// ```
/// let test = gradwise_data::chi_square_test(&[50, 50], &[80, 20])?;
/// assert!((test.statistic - 19.780219780219781).abs() < 1e-12 && test.p_value < 1e-4);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If the samples have different numbers of classes, or one has no values.
pub fn chi_square_test(a: &[u64], b: &[u64]) -> Result<TwoSample> {
    if a.len() != b.len() {
        return Err(DataError::shape(
            "chi-square test",
            format!("{} counts, as of the first sample", a.len()),
            &[b.len()],
        ));
    }
    let total = |counts: &[u64]| counts.iter().map(|&n| n as f64).sum::<f64>();
    let (n, m) = (total(a), total(b));
    if n == 0.0 || m == 0.0 {
        return Err(DataError::value("chi-square test", "at least one value in each sample", "none"));
    }
    let (mut statistic, mut classes) = (0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (x as f64, y as f64);
        if x + y > 0.0 {
            let (expected_x, expected_y) = ((x + y) * (n / (n + m)), (x + y) * (m / (n + m)));
            statistic += (x - expected_x).powi(2) / expected_x + (y - expected_y).powi(2) / expected_y;
            classes += 1.0;
        }
    }
    let p_value = if classes < 2.0 { 1.0 } else { chi_square(statistic, classes - 1.0) };
    Ok(TwoSample { statistic, p_value })
}
