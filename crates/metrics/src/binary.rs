//! How often a yes or a no is right.

use crate::Mean;
use crate::batch::{Weights, alike, own_methods};
use gradwise_core::{ArrayRefD, Error, Metric, Real, Result};

/// The share of right yes-or-no answers, where a prediction at or above a threshold is a yes: `Σ wᵢ [(zᵢ ≥ t) = yᵢ] / Σ wᵢ`.
///
/// Targets are 0 and 1: class indices for predictions of shape `[N]` or `[N, 1]`, or an array of the predictions' shape `N ×
/// …`, where each entry of a sample is an answer of its own and counts with the sample's weight (several labels at once). A
/// NaN is a wrong answer.
///
/// ```
/// use gradwise_metrics::{BinaryAccuracy, Metric};
/// use ndarray::array;
///
/// let mut accuracy = BinaryAccuracy::on_logits();
/// accuracy.update(&array![[-2.0], [0.3], [1.0], [4.0]].into_dyn(), &[0, 1, 0, 1][..], None)?;
/// assert_eq!(accuracy.value(), 0.75);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BinaryAccuracy {
    threshold: f64,
    mean: Mean,
}

impl BinaryAccuracy {
    /// For predictions that are logits: yes from 0 on, which is a probability of ½.
    pub fn on_logits() -> Self {
        BinaryAccuracy { threshold: 0.0, mean: Mean::named("binary_accuracy") }
    }

    /// For predictions that are probabilities: yes from ½ on.
    pub fn on_probabilities() -> Self {
        BinaryAccuracy { threshold: 0.5, ..BinaryAccuracy::on_logits() }
    }

    /// With a threshold of one's own.
    ///
    /// # Errors
    /// If it is NaN.
    pub fn with_threshold(threshold: f64) -> Result<Self> {
        if threshold.is_nan() {
            return Err(Error::value("binary accuracy: threshold", "a number", threshold));
        }
        Ok(BinaryAccuracy { threshold, ..BinaryAccuracy::on_logits() })
    }

    /// The accuracy so far, in `[0, 1]`; NaN before the first answer.
    pub fn value(&self) -> f64 {
        self.mean.value()
    }

    /// Its name in reports: `binary_accuracy`.
    pub fn name(&self) -> &str {
        self.mean.name()
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.mean.reset();
    }

    fn add(&mut self, prediction: f64, target: bool, weight: f64) {
        let right = !prediction.is_nan() && (prediction >= self.threshold) == target;
        self.mean.add(f64::from(right), weight);
    }
}

const OP: &str = "binary accuracy";

impl<T: Real> Metric<T, [usize]> for BinaryAccuracy {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        of_labels(OP, predictions, targets, weights, |prediction, target, weight| self.add(prediction, target, weight))
    }
}

impl<T: Real> Metric<T, ArrayRefD<T>> for BinaryAccuracy {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &ArrayRefD<T>, weights: Option<&[f64]>) -> Result<()> {
        of_numbers(OP, predictions, targets, weights, |prediction, target, weight| self.add(prediction, target, weight))
    }
}

/// Checks a batch of one score a sample, `[N]` or `[N, 1]`, with labels 0 and 1, and hands over each.
pub(crate) fn of_labels<T: Real>(
    op: &'static str,
    predictions: &ArrayRefD<T>,
    targets: &[usize],
    weights: Option<&[f64]>,
    mut answer: impl FnMut(f64, bool, f64),
) -> Result<()> {
    let n = targets.len();
    if !matches!(predictions.shape(), [rows] | [rows, 1] if *rows == n) {
        return Err(Error::shape(op, format!("[{n}] or [{n}, 1]"), predictions.shape()));
    }
    let weights = Weights::new(op, n, weights)?;
    yes_or_no(op, targets)?;
    for (i, (prediction, &target)) in predictions.iter().zip(targets).enumerate() {
        answer(prediction.as_f64(), target == 1, weights.of(i));
    }
    Ok(())
}

/// Checks labels that are 0 and 1.
pub(crate) fn yes_or_no(op: &'static str, targets: &[usize]) -> Result<()> {
    match targets.iter().position(|&target| target > 1) {
        Some(position) => Err(Error::Index { op, index: targets[position], bound: 2, position }),
        None => Ok(()),
    }
}

/// Checks a batch of answers `N × …` with an array of zeros and ones, and hands over each with its sample's weight.
pub(crate) fn of_numbers<T: Real>(
    op: &'static str,
    predictions: &ArrayRefD<T>,
    targets: &ArrayRefD<T>,
    weights: Option<&[f64]>,
    mut answer: impl FnMut(f64, bool, f64),
) -> Result<()> {
    let weights = Weights::new(op, alike(op, predictions, targets)?, weights)?;
    let odd = targets.iter().enumerate().find(|(_, y)| **y != T::zero() && **y != T::one());
    if let Some((i, y)) = odd {
        return Err(Error::value(op, "targets of 0 and 1", format!("{y} at position {i}")));
    }
    for (i, (x, y)) in predictions.outer_iter().zip(targets.outer_iter()).enumerate() {
        for (prediction, target) in x.iter().zip(y) {
            answer(prediction.as_f64(), *target == T::one(), weights.of(i));
        }
    }
    Ok(())
}
