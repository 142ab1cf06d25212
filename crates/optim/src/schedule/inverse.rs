//! Rates that fall as one over the step, or over its root.

use super::Schedule;
use crate::check;
use gradwise_core::{Result, flip};

/// A rate that falls as one over the step: `rate / (1 + decay · step)`.
///
/// The sum of such rates has no bound, that of their squares has: what Robbins and Monro ask of a rate that converges under noise. For
/// long runs to an exact optimum of a convex problem; for nets it falls too early. [`InverseTime::staircase`] falls once every so many
/// steps only, as Keras's `InverseTimeDecay` can. Source: Robbins and Monro, *A stochastic approximation method*, 1951.
///
/// ```
/// use gradwise_optim::{InverseTime, Schedule};
///
/// let schedule = InverseTime::new(1.0, 0.5)?;
/// assert_eq!([schedule.at(0), schedule.at(2), schedule.at(6)], [1.0, 0.5, 0.25]);
/// assert_eq!(schedule.staircase(2)?.at(3), 0.5);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct InverseTime {
    rate: f64,
    decay: f64,
    every: u64,
}

impl InverseTime {
    /// From `rate`, half of it after `1 / decay` steps.
    ///
    /// # Errors
    /// If the rate or the decay is negative or not finite.
    pub fn new(rate: f64, decay: f64) -> Result<Self> {
        Ok(InverseTime {
            rate: check::not_negative("inverse time: rate", rate)?,
            decay: check::not_negative("inverse time: decay", decay)?,
            every: 1,
        })
    }

    /// Stays the same for `every` steps at a time.
    ///
    /// # Errors
    /// If `every` is 0.
    pub fn staircase(self, every: u64) -> Result<Self> {
        Ok(InverseTime { every: check::steps("inverse time: every", every)?, ..self })
    }
}

impl Schedule for InverseTime {
    fn at(&self, step: u64) -> f64 {
        self.rate / (1.0 + flip!("inverse_time/decay", self.decay * (step / self.every * self.every) as f64))
    }
}

/// A rate that falls as one over the root of the step: `rate · √(offset / (step + offset))`.
///
/// Behind a warm-up of `offset` steps it is the schedule of the first transformer, whose rate is `rate · √(offset / step)` after it. It
/// needs no length: training can go on for as long as one likes. Source: Vaswani et al., *Attention is all you need*, NeurIPS 2017.
///
/// ```
/// use gradwise_optim::{InverseSqrt, LinearWarmup, Schedule};
///
/// let schedule = LinearWarmup::new(4000, InverseSqrt::new(7e-4, 4000)?)?;
/// assert_eq!(schedule.at(4000), 7e-4);
/// assert_eq!(schedule.at(16_000), 3.5e-4);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct InverseSqrt {
    rate: f64,
    offset: u64,
}

impl InverseSqrt {
    /// From `rate`, half of it after `3 · offset` steps.
    ///
    /// # Errors
    /// If the rate is negative or not finite, or the offset 0.
    pub fn new(rate: f64, offset: u64) -> Result<Self> {
        Ok(InverseSqrt {
            rate: check::not_negative("inverse square root: rate", rate)?,
            offset: check::steps("inverse square root: offset", offset)?,
        })
    }
}

impl Schedule for InverseSqrt {
    fn at(&self, step: u64) -> f64 {
        let offset = self.offset as f64;
        self.rate * flip!("inverse_sqrt/root", (offset / (step as f64 + offset)).sqrt())
    }
}
