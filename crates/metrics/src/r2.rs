//! How much of the targets' variance the predictions explain.

use crate::batch::{Weights, alike, own_methods};
use gradwise_core::{ArrayRefD, Error, Metric, Real, Result};

/// The coefficient of determination: `R² = 1 - Σ w (y - p)² / Σ w (y - ȳ)²`.
///
/// It is 1 for perfect predictions, 0 for those as good as the targets' own mean, and negative for worse. Predictions and
/// targets are arrays of one shape `N × …`; with several entries a sample, each has its R² and the value is their mean. Where
/// the targets of an entry are all the same, there is nothing to explain and the value is NaN.
///
/// The sum of squares about the mean is gathered one target at a time by the weighted form of Welford's recurrence (West,
/// *Updating mean and variance estimates: an improved method*, CACM 1979), which does not cancel where the mean is large.
///
/// ```
/// use gradwise_metrics::{Metric, R2};
/// use ndarray::array;
///
/// let mut r2 = R2::new();
/// r2.update(&array![1.0, 2.0].into_dyn(), &*array![1.0, 3.0].into_dyn(), None)?;
/// r2.update(&array![5.0].into_dyn(), &*array![5.0].into_dyn(), None)?;
/// assert_eq!(r2.value(), 1.0 - 1.0 / 8.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
pub struct R2 {
    weight: f64,
    /// One for each entry of a sample; none before the first batch.
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Default)]
struct Entry {
    mean: f64,
    /// `Σ w (y - ȳ)²`
    total: f64,
    /// `Σ w (y - p)²`
    residual: f64,
}

impl R2 {
    /// An R² that has seen nothing.
    pub fn new() -> Self {
        R2::default()
    }

    /// The value so far, at most 1; NaN where it is not defined.
    pub fn value(&self) -> f64 {
        let r2 = |entry: &Entry| if entry.total > 0.0 { 1.0 - entry.residual / entry.total } else { f64::NAN };
        self.entries.iter().map(r2).sum::<f64>() / self.entries.len() as f64
    }

    /// Its name in reports: `r2`.
    pub fn name(&self) -> &str {
        "r2"
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.weight = 0.0;
        self.entries.clear();
    }
}

impl<T: Real> Metric<T, ArrayRefD<T>> for R2 {
    own_methods!();

    /// Also refuses samples of another number of entries than the ones before.
    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &ArrayRefD<T>, weights: Option<&[f64]>) -> Result<()> {
        let n = alike("r2", predictions, targets)?;
        let weights = Weights::new("r2", n, weights)?;
        let d: usize = targets.shape()[1..].iter().product();
        if !self.entries.is_empty() && self.entries.len() != d {
            let expected = format!("samples of {} numbers, as those before", self.entries.len());
            return Err(Error::shape("r2", expected, targets.shape()));
        }
        if n == 0 {
            return Ok(());
        }
        self.entries.resize(d, Entry::default());
        for (i, (p, y)) in predictions.outer_iter().zip(targets.outer_iter()).enumerate() {
            let w = weights.of(i);
            if w == 0.0 {
                continue;
            }
            self.weight += w;
            for (entry, (p, y)) in self.entries.iter_mut().zip(p.iter().zip(y)) {
                let (p, y) = (p.as_f64(), y.as_f64());
                let delta = y - entry.mean;
                entry.mean += delta * (w / self.weight);
                entry.total += w * delta * (y - entry.mean);
                entry.residual += w * (y - p) * (y - p);
            }
        }
        Ok(())
    }
}
