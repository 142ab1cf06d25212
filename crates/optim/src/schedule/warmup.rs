//! A slow start before any other schedule.

use super::Schedule;
use crate::check;
use gradwise_core::{Result, flip};

/// A linear rise to the first rate of another schedule, which then follows from its own step 0.
///
/// With `n` steps of warm-up and a start factor `f`, the rate is `(f + (1 − f) step / n) · then(0)` for `step < n`, and `then(step − n)`
/// afterwards. The factor is `1 / (n + 1)` unless told otherwise, which makes the steps of the rise equal and the first rate more than
/// zero. Source: Goyal et al., *Accurate, large minibatch SGD*, 2017.
///
/// ```
/// use gradwise_optim::{Constant, Cosine, LinearWarmup, Schedule};
///
/// let schedule = LinearWarmup::new(3, Constant::new(0.4)?)?;
/// let rates: Vec<f64> = (0..5).map(|step| schedule.at(step)).collect();
/// for (rate, expected) in rates.iter().zip([0.1, 0.2, 0.3, 0.4, 0.4]) {
///     assert!((rate - expected).abs() < 1e-12);
/// }
/// // 1000 steps in all: the cosine begins where the warm-up ends.
/// let schedule = LinearWarmup::new(100, Cosine::new(0.1, 900)?)?.from(0.0)?;
/// assert_eq!([schedule.at(0), schedule.at(100), schedule.at(1000)], [0.0, 0.1, 0.0]);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LinearWarmup<S> {
    steps: u64,
    start: f64,
    then: S,
}

impl<S: Schedule> LinearWarmup<S> {
    /// A warm-up of `steps` steps, and what follows it. Zero steps are no warm-up.
    ///
    /// # Errors
    /// If the first rate of what follows is negative or not finite.
    pub fn new(steps: u64, then: S) -> Result<Self> {
        check::not_negative("warm-up: first rate of the schedule that follows", then.at(0))?;
        Ok(LinearWarmup { steps, start: 1.0 / (steps as f64 + 1.0), then })
    }

    /// Starts from another share of the first rate.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn from(self, factor: f64) -> Result<Self> {
        Ok(LinearWarmup { start: check::share("warm-up: start factor", factor)?, ..self })
    }
}

impl<S: Schedule> Schedule for LinearWarmup<S> {
    fn at(&self, step: u64) -> f64 {
        if step < self.steps {
            let share = step as f64 / self.steps as f64;
            (self.start + flip!("warmup/share", (1.0 - self.start) * share)) * self.then.at(0)
        } else {
            self.then.at(step - self.steps)
        }
    }
}
