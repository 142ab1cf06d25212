//! Cosines one after the other.

use super::{Schedule, half_cosine};
use crate::check;
use gradwise_core::{Error, Result, flip};

/// A rate that falls along half a cosine, jumps up again, and falls once more: warm restarts.
///
/// Cycle `i` is `steps · stretch^i` long; in its step `k` the rate is `end + (peak − end) (1 + cos(π k / length)) / 2`, where the peak is
/// `rate · decay^i`. Each restart leaves the valley one is in, and each end of a cycle gives a model worth keeping. The stretch is 1, the
/// decay 1 and the end 0 unless said otherwise, as in PyTorch (Keras: a stretch of 2). Source: Loshchilov and Hutter, *SGDR: stochastic
/// gradient descent with warm restarts*, ICLR 2017.
///
/// ```
/// use gradwise_optim::{CosineRestarts, Schedule};
///
/// let schedule = CosineRestarts::new(0.1, 10)?.stretch(2)?;
/// assert_eq!([schedule.at(0), schedule.at(10), schedule.at(30)], [0.1; 3]);
/// assert!((schedule.at(20) - 0.05).abs() < 1e-12);
/// let lower = CosineRestarts::new(0.1, 10)?.decay(0.5)?.ending_at(0.01)?;
/// assert_eq!(lower.at(10), 0.05);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CosineRestarts {
    rate: f64,
    steps: u64,
    stretch: u64,
    decay: f64,
    end: f64,
}

impl CosineRestarts {
    /// From `rate` to zero in cycles of `steps` steps.
    ///
    /// # Errors
    /// If the rate is negative or not finite, or a cycle has no steps.
    pub fn new(rate: f64, steps: u64) -> Result<Self> {
        Ok(CosineRestarts {
            rate: check::not_negative("cosine restarts: rate", rate)?,
            steps: check::steps("cosine restarts: steps of the first cycle", steps)?,
            stretch: 1,
            decay: 1.0,
            end: 0.0,
        })
    }

    /// Makes each cycle so many times as long as the one before.
    ///
    /// # Errors
    /// If it is 0.
    pub fn stretch(self, factor: u64) -> Result<Self> {
        if factor == 0 {
            return Err(Error::value("cosine restarts: stretch", "at least 1", factor));
        }
        Ok(CosineRestarts { stretch: factor, ..self })
    }

    /// Begins each cycle at a share of the rate that the one before began at.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn decay(self, factor: f64) -> Result<Self> {
        Ok(CosineRestarts { decay: check::share("cosine restarts: decay", factor)?, ..self })
    }

    /// Ends each cycle at another rate than zero.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn ending_at(self, rate: f64) -> Result<Self> {
        Ok(CosineRestarts { end: check::not_negative("cosine restarts: last rate", rate)?, ..self })
    }

    /// The number of the cycle that a step is in, the step within it, and its length.
    fn cycle(&self, step: u64) -> (u64, u64, u64) {
        if self.stretch == 1 {
            return (step / self.steps, step % self.steps, self.steps);
        }
        let (mut cycle, mut left, mut length) = (0, step, self.steps);
        while left >= length {
            left -= length;
            length = length.saturating_mul(self.stretch);
            cycle += 1;
        }
        (cycle, left, length)
    }
}

impl Schedule for CosineRestarts {
    fn at(&self, step: u64) -> f64 {
        let (cycle, step, length) = self.cycle(step);
        half_cosine(
            self.rate * self.decay.powf(flip!("cosine_restarts/power", cycle as f64)),
            self.end,
            step as f64 / length as f64,
        )
    }
}
