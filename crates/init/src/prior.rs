//! Biases that begin with what is known of the classes.

use crate::{Fan, Init};
use gradwise_core::{ArrayRefD, Error, Key, Real, Result};

/// The bias of an output layer that begins by predicting how frequent the classes are: the loss starts at what knowing that is worth, and
/// the first steps are not spent on learning it.
///
/// Under a sigmoid, `b = log(π / (1 − π))` for the share π of positives: [`PriorBias::positive`], for all outputs alike, or
/// [`PriorBias::positives`], one each. Under a softmax, `b_c = log π_c`: [`PriorBias::classes`]. Use it where classes are of very
/// different sizes. Source: Lin et al., *Focal loss for dense object detection*, ICCV 2017, section 3.3 (π = 0.01, without which training
/// on one object among 10⁵ places diverges).
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{InitExt, PriorBias};
///
/// let bias = PriorBias::positive(0.01)?.array::<f64>(&[3], Key::new(0))?;
/// assert!(bias.iter().all(|b| (1.0 / (1.0 + (-b).exp()) - 0.01).abs() < 1e-12));
///
/// // Of a classifier, from the number of samples of each class.
/// let bias = PriorBias::classes(&[900.0, 90.0, 10.0])?.array::<f64>(&[3], Key::new(0))?;
/// assert!((bias[[2]].exp() - 0.01).abs() < 1e-12);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PriorBias {
    /// One for all, or one for each output.
    biases: Vec<f64>,
    all: bool,
}

impl PriorBias {
    /// Each output is positive for the share `prior` of the samples.
    ///
    /// # Errors
    /// If it is not between 0 and 1.
    pub fn positive(prior: f64) -> Result<Self> {
        Ok(PriorBias { biases: vec![log_odds(prior)?], all: true })
    }

    /// Output `i` is positive for the share `priors[i]` of the samples: several labels at once.
    ///
    /// # Errors
    /// If one is not between 0 and 1, or there are none.
    pub fn positives(priors: &[f64]) -> Result<Self> {
        some(priors)?;
        Ok(PriorBias { biases: priors.iter().map(|&prior| log_odds(prior)).collect::<Result<_>>()?, all: false })
    }

    /// Class `c` is that of the share `weights[c] / Σ weights` of the samples: shares, or counts.
    ///
    /// # Errors
    /// If a weight is not positive and finite (a class without samples would begin at minus infinity), or there are none.
    pub fn classes(weights: &[f64]) -> Result<Self> {
        some(weights)?;
        if let Some(bad) = weights.iter().find(|w| !(**w > 0.0 && w.is_finite())) {
            return Err(Error::value("prior bias: share of a class", "a positive number", bad));
        }
        let total: f64 = weights.iter().sum();
        Ok(PriorBias { biases: weights.iter().map(|w| (w / total).ln()).collect(), all: false })
    }
}

fn some(priors: &[f64]) -> Result<()> {
    if priors.is_empty() { Err(Error::value("prior bias: classes", "at least one", "none")) } else { Ok(()) }
}

fn log_odds(prior: f64) -> Result<f64> {
    if prior > 0.0 && prior < 1.0 {
        return Ok((prior / (1.0 - prior)).ln());
    }
    Err(Error::value("prior bias: share of positives", "a number above 0 and below 1", prior))
}

impl<T: Real> Init<T> for PriorBias {
    /// # Errors
    /// If there is not one bias for each prior.
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, _: Key) -> Result<()> {
        if self.all {
            array.fill(T::of(self.biases[0]));
            return Ok(());
        }
        if array.shape() != [self.biases.len()] {
            return Err(Error::shape("prior bias", format!("[{}]", self.biases.len()), array.shape()));
        }
        array.iter_mut().zip(&self.biases).for_each(|(x, &bias)| *x = T::of(bias));
        Ok(())
    }
}
