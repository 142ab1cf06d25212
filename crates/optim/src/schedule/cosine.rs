//! A rate that falls along half a cosine.

use super::{Schedule, half_cosine};
use crate::check;
use gradwise_core::{Result, flip};

/// A rate that falls along half a cosine, and stays where it ends.
///
/// `end + (rate − end) (1 + cos(π step / steps)) / 2` up to step `steps`, `end` afterwards. Source: Loshchilov and Hutter, *SGDR:
/// stochastic gradient descent with warm restarts*, ICLR 2017, without the restarts.
///
/// ```
/// use gradwise_optim::{Cosine, Schedule};
///
/// let schedule = Cosine::new(0.1, 100)?;
/// assert_eq!(schedule.at(0), 0.1);
/// assert!((schedule.at(50) - 0.05).abs() < 1e-12);
/// assert_eq!(schedule.at(100), 0.0);
/// assert_eq!(Cosine::new(0.1, 100)?.ending_at(0.01)?.at(1000), 0.01);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cosine {
    rate: f64,
    steps: u64,
    end: f64,
}

impl Cosine {
    /// From `rate` to zero in `steps` steps.
    ///
    /// # Errors
    /// If the rate is negative or not finite, or there are no steps.
    pub fn new(rate: f64, steps: u64) -> Result<Self> {
        Ok(Cosine {
            rate: check::not_negative("cosine: rate", rate)?,
            steps: check::steps("cosine: steps", steps)?,
            end: 0.0,
        })
    }

    /// Ends at another rate than zero.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn ending_at(self, rate: f64) -> Result<Self> {
        Ok(Cosine { end: check::not_negative("cosine: last rate", rate)?, ..self })
    }
}

impl Schedule for Cosine {
    fn at(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.end;
        }
        half_cosine(self.rate, flip!("cosine/end", self.end), step as f64 / self.steps as f64)
    }
}
