//! How much probability the right class is given.

use crate::Mean;
use crate::batch::{Weights, own_methods, scores};
use gradwise_core::{ArrayRefD, Metric, Real, Result};

/// The mean negative log-likelihood of the right class, in nats: `Σ wᵢ (log Σ_c exp zᵢ,c - zᵢ,yᵢ) / Σ wᵢ`.
///
/// Predictions are logits of shape `[N, classes]`, targets class indices. The largest logit is taken out of the sum before
/// the exponential, and all is computed in f64, so no logit overflows. It is what softmax cross-entropy minimizes; a net that
/// knows nothing has `ln(classes)`.
///
/// ```
/// use gradwise_metrics::{LogLoss, Metric};
/// use ndarray::array;
///
/// let mut loss = LogLoss::new();
/// loss.update(&array![[0.0, 0.0], [1e4, -1e4]].into_dyn(), &[1, 0][..], None)?;
/// assert_eq!(loss.value(), 2.0_f64.ln() / 2.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LogLoss(Mean);

impl LogLoss {
    /// A log loss that has seen nothing.
    pub fn new() -> Self {
        LogLoss(Mean::named("log_loss"))
    }

    /// The loss so far, at least 0; NaN before the first sample, and where a logit is.
    pub fn value(&self) -> f64 {
        self.0.value()
    }

    /// Its name in reports: `log_loss`.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

impl Default for LogLoss {
    fn default() -> Self {
        LogLoss::new()
    }
}

impl<T: Real> Metric<T, [usize]> for LogLoss {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        let scores = scores("log loss", predictions, targets)?;
        let weights = Weights::new("log loss", targets.len(), weights)?;
        for (i, (row, &target)) in scores.outer_iter().zip(targets).enumerate() {
            let most = row.iter().fold(f64::NEG_INFINITY, |most, z| most.max(z.as_f64()));
            let sum: f64 = row.iter().map(|z| (z.as_f64() - most).exp()).sum();
            self.0.add(most - row[target].as_f64() + sum.ln(), weights.of(i));
        }
        Ok(())
    }
}
