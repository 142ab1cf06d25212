//! What every metric asks of a batch before it counts anything, and how a metric forwards to its trait.

use gradwise_core::{ArrayRefD, Error, Real, Result};
use ndarray::{ArrayView1, ArrayView2, Ix2};

/// The weights of a batch: given, or 1 for every sample.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a>(Option<&'a [f64]>);

impl<'a> Weights<'a> {
    /// Checks that there is one for each of `n` samples, finite and not negative.
    pub(crate) fn new(op: &'static str, n: usize, weights: Option<&'a [f64]>) -> Result<Self> {
        if let Some(weights) = weights {
            if weights.len() != n {
                return Err(Error::shape(op, format!("{n} weights, one a sample"), &[weights.len()]));
            }
            if let Some(i) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
                let got = format!("{} at position {i}", weights[i]);
                return Err(Error::value(op, "weights that are finite and not negative", got));
            }
        }
        Ok(Weights(weights))
    }

    /// The weight of a sample.
    pub(crate) fn of(self, sample: usize) -> f64 {
        self.0.map_or(1.0, |weights| weights[sample])
    }
}

/// Checks a batch of scores `[N, classes]` with one class a sample.
pub(crate) fn scores<'a, T: Real>(
    op: &'static str,
    predictions: &'a ArrayRefD<T>,
    targets: &[usize],
) -> Result<ArrayView2<'a, T>> {
    let n = targets.len();
    let scores = predictions.view().into_dimensionality::<Ix2>();
    let scores = scores.ok().filter(|scores| scores.nrows() == n);
    let scores = scores.ok_or_else(|| Error::shape(op, format!("[{n}, classes]"), predictions.shape()))?;
    let bound = scores.ncols();
    match targets.iter().position(|&target| target >= bound) {
        Some(position) => Err(Error::Index { op, index: targets[position], bound, position }),
        None => Ok(scores),
    }
}

/// Checks that predictions and targets are arrays of one shape, `N × …`, and gives the number of samples.
///
/// A target of shape `[N]` for predictions of shape `[N, 1]` is refused: broadcasting it would silently measure each sample
/// against all others.
pub(crate) fn alike<T: Real>(op: &'static str, predictions: &ArrayRefD<T>, targets: &ArrayRefD<T>) -> Result<usize> {
    if predictions.shape() != targets.shape() {
        let expected = format!("{:?}, the shape of the targets", targets.shape());
        return Err(Error::shape(op, expected, predictions.shape()));
    }
    match predictions.shape().first() {
        Some(&n) => Ok(n),
        None => Err(Error::shape(op, "a first axis of samples", predictions.shape())),
    }
}

/// The class of the largest score, the first of several; none where a score is NaN, or there is no class.
pub(crate) fn largest<T: Real>(scores: ArrayView1<'_, T>) -> Option<usize> {
    let mut best: Option<(usize, T)> = None;
    for (class, &score) in scores.iter().enumerate() {
        if score.is_nan() {
            return None;
        }
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((class, score));
        }
    }
    best.map(|(class, _)| class)
}

/// The three methods of `Metric` that are the same for every kind of predictions and targets: they call the metric's own,
/// which exist besides so that `metric.value()` needs no type.
macro_rules! own_methods {
    () => {
        fn name(&self) -> &str {
            self.name()
        }
        fn value(&self) -> f64 {
            self.value()
        }
        fn reset(&mut self) {
            self.reset();
        }
    };
}
pub(crate) use own_methods;
