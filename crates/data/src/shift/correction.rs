//! p-values of many tests at once.

/// Holm's correction: p-values that may be compared with a level each, so that the chance of *any* false alarm among all tests stays
/// below it.
///
/// The `i`-th smallest of `n` becomes `max_{j ≤ i} (n − j + 1) p_j`, at most 1. It holds however the tests depend on each other, and is
/// never worse than multiplying all by `n` (Bonferroni). Use it where one alarm has consequences. Source: Holm, *A simple sequentially
/// rejective multiple test procedure*, 1979.
///
/// ```
/// let adjusted = gradwise_data::holm(&[0.01, 0.04, 0.03]);
/// assert!(adjusted.iter().zip([0.03, 0.06, 0.06]).all(|(p, e)| (p - e).abs() < 1e-12));
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let n = p_values.len();
    let (mut adjusted, mut most) = (vec![0.0; n], 0.0_f64);
    for (place, &i) in order.iter().enumerate() {
        most = most.max((n - place) as f64 * p_values[i]).min(1.0);
        adjusted[i] = most;
    }
    adjusted
}

/// The correction of Benjamini and Hochberg: p-values that may be compared with a level each, so that of all alarms no more than that
/// share are false, on average.
///
/// The `i`-th smallest of `n` becomes `min_{j ≥ i} n p_j / j`, at most 1. It finds more than [`holm`] where many features shift, and
/// holds for tests that are independent or rise together. Use it to choose what to look at. Source: Benjamini and Hochberg, *Controlling
/// the false discovery rate*, 1995.
///
/// ```
/// let adjusted = gradwise_data::benjamini_hochberg(&[0.01, 0.04, 0.03, 0.5]);
/// assert!(adjusted.iter().zip([0.04, 0.16 / 3.0, 0.16 / 3.0, 0.5]).all(|(p, e)| (p - e).abs() < 1e-12));
/// ```
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let n = p_values.len();
    let (mut adjusted, mut least) = (vec![0.0; n], 1.0_f64);
    for (place, &i) in order.iter().enumerate().rev() {
        least = least.min(n as f64 / (place + 1) as f64 * p_values[i]);
        adjusted[i] = least;
    }
    adjusted
}

fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    order
}
