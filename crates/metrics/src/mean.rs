//! The weighted mean, of which most metrics are one.

use crate::batch::{Weights, own_methods};
use gradwise_core::{ArrayRefD, Error, Metric, Real, Result};

/// The mean of numbers as they come: `Σ w x / Σ w`.
///
/// By hand it takes numbers, such as losses, with [`Mean::add`]. As a [`Metric`] it takes the predictions themselves,
/// averages each sample's and does not look at the targets: the mean output of a net, which should not collapse.
///
/// ```
/// use gradwise_metrics::Mean;
///
/// let mut loss = Mean::named("loss");
/// loss.add(0.7, 64.0); // a batch's mean loss, weighted by its size
/// loss.add(0.1, 32.0);
/// assert_eq!(loss.value(), 0.5);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Mean {
    name: String,
    sum: f64,
    weight: f64,
}

impl Mean {
    /// An empty mean named `mean`.
    pub fn new() -> Self {
        Mean::named("mean")
    }

    /// An empty mean of another name.
    pub fn named(name: impl Into<String>) -> Self {
        Mean { name: name.into(), sum: 0.0, weight: 0.0 }
    }

    /// Takes a number in. A weight of 0 leaves even a NaN out; a negative one is the caller's affair.
    pub fn add(&mut self, x: f64, weight: f64) {
        if weight != 0.0 {
            self.sum += x * weight;
            self.weight += weight;
        }
    }

    /// The mean so far; NaN while the weights add up to 0.
    pub fn value(&self) -> f64 {
        if self.weight == 0.0 { f64::NAN } else { self.sum / self.weight }
    }

    /// The sum of all weights so far: without weights, the number of samples.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Its name in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Forgets all numbers.
    pub fn reset(&mut self) {
        (self.sum, self.weight) = (0.0, 0.0);
    }

    /// Takes another mean's numbers in, as from another thread.
    pub fn merge(&mut self, other: &Mean) {
        self.sum += other.sum;
        self.weight += other.weight;
    }
}

impl Default for Mean {
    fn default() -> Self {
        Mean::new()
    }
}

impl<T: Real, Y: ?Sized> Metric<T, Y> for Mean {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, _: &Y, weights: Option<&[f64]>) -> Result<()> {
        let Some(&n) = predictions.shape().first() else {
            return Err(Error::shape("mean", "a first axis of samples", predictions.shape()));
        };
        let weights = Weights::new("mean", n, weights)?;
        for (i, sample) in predictions.outer_iter().enumerate() {
            let sum: f64 = sample.iter().map(|x| x.as_f64()).sum();
            self.add(sum / sample.len() as f64, weights.of(i));
        }
        Ok(())
    }
}
