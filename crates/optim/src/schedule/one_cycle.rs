//! One rise and one long fall, for the rate and, the other way round, for the momentum.

use super::{Schedule, half_cosine, line};
use crate::check;
use gradwise_core::{Error, Result, flip};

/// One cycle: up to a large rate in the first 30 % of the steps, then down to nearly nothing.
///
/// The rate goes from `max / 25` to `max` until step `0.3 n − 1`, and to `max / 25 / 10⁴` until step `n − 1`, along half a cosine each
/// time; afterwards it stays there. Numbers and corners are PyTorch's (`OneCycleLR` with two phases). The large rates in the middle work
/// as a regularizer, the momentum ([`OneCycle::momentum`]) goes the other way. Source: Smith and Topin, *Super-convergence: very fast
/// training of neural networks using large learning rates*, 2018.
///
/// ```
/// use gradwise_optim::{OneCycle, Optimizer, Schedule, Sgd};
///
/// let cycle = OneCycle::new(0.5, 100)?;
/// assert_eq!([cycle.at(0), cycle.at(29)], [0.02, 0.5]);
/// assert!((cycle.at(99) - 0.02 / 1e4).abs() < 1e-15);
/// let optimizer = Optimizer::<f32, _>::new(Sgd::with_momentum(0.95)?, cycle).momentum(cycle.momentum());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OneCycle {
    max: f64,
    steps: u64,
    rise: f64,
    start_divisor: f64,
    end_divisor: f64,
    linear: bool,
}

impl OneCycle {
    /// A cycle of `steps` steps around the largest rate `max`.
    ///
    /// # Errors
    /// If the rate is negative or not finite, or there are no steps.
    pub fn new(max: f64, steps: u64) -> Result<Self> {
        Ok(OneCycle {
            max: check::not_negative("one-cycle: largest rate", max)?,
            steps: check::steps("one-cycle: steps", steps)?,
            rise: 0.3,
            start_divisor: 25.0,
            end_divisor: 1e4,
            linear: false,
        })
    }

    /// Rises during another share of the steps than 0.3.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn rise(self, share: f64) -> Result<Self> {
        Ok(OneCycle { rise: check::share("one-cycle: rise", share)?, ..self })
    }

    /// Starts from `max / start`, and ends at `max / start / end`, in the place of 25 and 10⁴.
    ///
    /// # Errors
    /// If a divisor is not above 0.
    pub fn divisors(self, start: f64, end: f64) -> Result<Self> {
        Ok(OneCycle {
            start_divisor: check::positive("one-cycle: start divisor", start)?,
            end_divisor: check::positive("one-cycle: end divisor", end)?,
            ..self
        })
    }

    /// Goes along straight lines in the place of cosines.
    #[must_use]
    pub fn linear(self) -> Self {
        OneCycle { linear: true, ..self }
    }

    /// The momentum that belongs to it: from 0.95 down to 0.85 while the rate rises, and back while it falls.
    pub fn momentum(&self) -> OneCycleMomentum {
        OneCycleMomentum { cycle: *self, low: 0.85, high: 0.95 }
    }

    /// The value at a step of something that is `start` first, `top` where the rate is largest, and `end` last.
    fn between(&self, step: u64, start: f64, top: f64, end: f64) -> f64 {
        let step = step as f64;
        let last = self.steps as f64 - 1.0;
        let corner = self.rise * self.steps as f64 - 1.0;
        let (from, to, begin, finish) =
            if step <= corner { (start, top, 0.0, corner) } else { (top, end, corner, last) };
        // A phase of no length is over where it begins, and the cycle is over after its last step.
        let share = if finish > begin { ((step - begin) / (finish - begin)).min(1.0) } else { 1.0 };
        if self.linear { line(from, to, share) } else { half_cosine(from, to, share) }
    }
}

impl Schedule for OneCycle {
    fn at(&self, step: u64) -> f64 {
        let start = self.max / self.start_divisor;
        self.between(step, start, flip!("one_cycle/max", self.max), start / self.end_divisor)
    }
}

/// The momentum of a [`OneCycle`]: high where the rate is low.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OneCycleMomentum {
    cycle: OneCycle,
    low: f64,
    high: f64,
}

impl OneCycleMomentum {
    /// Goes between other values than 0.85 and 0.95.
    ///
    /// # Errors
    /// If one is not in `[0, 1)`, or `low` is above `high`.
    pub fn between(self, low: f64, high: f64) -> Result<Self> {
        let low = check::below_one("one-cycle: low momentum", low)?;
        let high = check::below_one("one-cycle: high momentum", high)?;
        if low > high {
            return Err(Error::value("one-cycle: low momentum", format!("at most the high one, {high}"), low));
        }
        Ok(OneCycleMomentum { low, high, ..self })
    }
}

impl Schedule for OneCycleMomentum {
    fn at(&self, step: u64) -> f64 {
        self.cycle.between(step, self.high, flip!("one_cycle_momentum/low", self.low), self.high)
    }
}
