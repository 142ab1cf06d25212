//! How often the right class has the best score, or one of the best.

use crate::Mean;
use crate::batch::{Weights, largest, own_methods, scores};
use gradwise_core::{ArrayRefD, Error, Metric, Real, Result};

/// The share of samples whose largest score is that of their class: `Σ wᵢ [argmax sᵢ = yᵢ] / Σ wᵢ`.
///
/// Predictions are scores of any kind (logits, probabilities) of shape `[N, classes]`, targets class indices. Of several
/// largest scores the first counts. A sample with a NaN among its scores has no largest one and counts as wrong.
///
/// ```
/// use gradwise_metrics::{Accuracy, Metric};
/// use ndarray::array;
///
/// let mut accuracy = Accuracy::new();
/// accuracy.update(&array![[2.0_f32, 1.0], [0.0, 3.0]].into_dyn(), &[0, 1][..], None)?;
/// accuracy.update(&array![[5.0_f32, 1.0], [0.5, 0.1]].into_dyn(), &[0, 1][..], None)?;
/// assert_eq!(accuracy.value(), 0.75);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Accuracy(Mean);

impl Accuracy {
    /// An accuracy that has seen nothing.
    pub fn new() -> Self {
        Accuracy(Mean::named("accuracy"))
    }

    /// The accuracy so far, in `[0, 1]`; NaN before the first sample.
    pub fn value(&self) -> f64 {
        self.0.value()
    }

    /// Its name in reports: `accuracy`.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

impl Default for Accuracy {
    fn default() -> Self {
        Accuracy::new()
    }
}

impl<T: Real> Metric<T, [usize]> for Accuracy {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        let scores = scores("accuracy", predictions, targets)?;
        let weights = Weights::new("accuracy", targets.len(), weights)?;
        for (i, (row, &target)) in scores.outer_iter().zip(targets).enumerate() {
            self.0.add(f64::from(largest(row) == Some(target)), weights.of(i));
        }
        Ok(())
    }
}

/// The share of samples whose class is among the `k` largest scores: `Σ wᵢ [rank of sᵢ,yᵢ < k] / Σ wᵢ`.
///
/// Predictions are scores of shape `[N, classes]`, targets class indices. Equal scores rank by class, the lower first, so
/// that `k = 1` is [`Accuracy`]. A sample with a NaN among its scores counts as wrong.
///
/// ```
/// use gradwise_metrics::{Metric, TopK};
/// use ndarray::array;
///
/// let mut top_2 = TopK::new(2)?;
/// top_2.update(&array![[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]].into_dyn(), &[2, 2][..], None)?;
/// assert_eq!((top_2.name(), top_2.value()), ("top_2_accuracy", 0.5));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TopK {
    k: usize,
    mean: Mean,
}

impl TopK {
    /// A top-`k` accuracy that has seen nothing.
    ///
    /// # Errors
    /// If `k` is 0.
    pub fn new(k: usize) -> Result<Self> {
        if k == 0 {
            return Err(Error::value("top-k accuracy: k", "at least 1", k));
        }
        Ok(TopK { k, mean: Mean::named(format!("top_{k}_accuracy")) })
    }

    /// The accuracy so far, in `[0, 1]`; NaN before the first sample.
    pub fn value(&self) -> f64 {
        self.mean.value()
    }

    /// Its name in reports, such as `top_5_accuracy`.
    pub fn name(&self) -> &str {
        self.mean.name()
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.mean.reset();
    }
}

impl<T: Real> Metric<T, [usize]> for TopK {
    own_methods!();

    /// Also refuses scores of fewer than `k` classes, of which every one would be among the best.
    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        const OP: &str = "top-k accuracy";
        let scores = scores(OP, predictions, targets)?;
        let weights = Weights::new(OP, targets.len(), weights)?;
        if scores.ncols() < self.k {
            let expected = format!("[{}, classes] with at least {} classes", targets.len(), self.k);
            return Err(Error::shape(OP, expected, predictions.shape()));
        }
        for (i, (row, &target)) in scores.outer_iter().zip(targets).enumerate() {
            let own = row[target];
            let before = |(class, &score): (usize, &T)| score > own || (score == own && class < target);
            let right = !row.iter().any(|s| s.is_nan())
                && row.iter().enumerate().filter(|&s| before(s)).take(self.k).count() < self.k;
            self.mean.add(f64::from(right), weights.of(i));
        }
        Ok(())
    }
}
