//! Rates that fall by a power of the steps that are left.

use super::Schedule;
use crate::check;
use gradwise_core::{Result, flip};

/// A rate that falls to another one in a number of steps, by a power of what is left of them, and stays there.
///
/// `end + (rate − end) (1 − step / steps)^power` up to step `steps`, `end` afterwards. With power 1, which it is unless said otherwise, a
/// straight line: what BERT and most fine-tuning uses, behind a [warm-up](crate::LinearWarmup). The end is 0, as in PyTorch (Keras:
/// 10⁻⁴).
///
/// ```
/// use gradwise_optim::{Polynomial, Schedule};
///
/// let line = Polynomial::new(0.1, 100)?;
/// assert_eq!([line.at(0), line.at(50), line.at(100), line.at(999)], [0.1, 0.05, 0.0, 0.0]);
/// let square = Polynomial::new(0.1, 100)?.power(2.0)?.ending_at(0.02)?;
/// assert!((square.at(50) - 0.04).abs() < 1e-12);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Polynomial {
    rate: f64,
    steps: u64,
    power: f64,
    end: f64,
}

impl Polynomial {
    /// From `rate` to zero in `steps` steps, along a line.
    ///
    /// # Errors
    /// If the rate is negative or not finite, or there are no steps.
    pub fn new(rate: f64, steps: u64) -> Result<Self> {
        Ok(Polynomial {
            rate: check::not_negative("polynomial: rate", rate)?,
            steps: check::steps("polynomial: steps", steps)?,
            power: 1.0,
            end: 0.0,
        })
    }

    /// Falls by another power than 1: above, fast at first; below, fast at the end.
    ///
    /// # Errors
    /// If it is not above 0.
    pub fn power(self, power: f64) -> Result<Self> {
        Ok(Polynomial { power: check::positive("polynomial: power", power)?, ..self })
    }

    /// Ends at another rate than zero.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn ending_at(self, rate: f64) -> Result<Self> {
        Ok(Polynomial { end: check::not_negative("polynomial: last rate", rate)?, ..self })
    }
}

impl Schedule for Polynomial {
    fn at(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.end;
        }
        let left = 1.0 - step as f64 / self.steps as f64;
        self.end + (self.rate - self.end) * left.powf(flip!("polynomial/power", self.power))
    }
}
