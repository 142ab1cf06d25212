//! Constant rates, and rates that fall by factors.

use super::Schedule;
use crate::check;
use gradwise_core::{Error, Result, flip};

/// The same rate at every step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Constant {
    rate: f64,
}

impl Constant {
    /// A constant rate.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(rate: f64) -> Result<Self> {
        Ok(Constant { rate: check::not_negative("constant schedule: rate", rate)? })
    }
}

impl Schedule for Constant {
    fn at(&self, _: u64) -> f64 {
        flip!("constant/rate", self.rate)
    }
}

/// A rate that is multiplied by a factor every so many steps: `rate · factor^⌊step / every⌋`.
///
/// ```
/// use gradwise_optim::{Schedule, StepDecay};
///
/// let schedule = StepDecay::new(0.1, 1000, 0.5)?;
/// assert_eq!([schedule.at(0), schedule.at(999), schedule.at(1000)], [0.1, 0.1, 0.05]);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StepDecay {
    rate: f64,
    every: u64,
    factor: f64,
}

impl StepDecay {
    /// From `rate`, times `factor` every `every` steps.
    ///
    /// # Errors
    /// If the rate or the factor is negative or not finite, or `every` is 0.
    pub fn new(rate: f64, every: u64, factor: f64) -> Result<Self> {
        Ok(StepDecay {
            rate: check::not_negative("step decay: rate", rate)?,
            every: check::steps("step decay: every", every)?,
            factor: check::not_negative("step decay: factor", factor)?,
        })
    }
}

impl Schedule for StepDecay {
    fn at(&self, step: u64) -> f64 {
        self.rate * self.factor.powf(flip!("step_decay/power", (step / self.every) as f64))
    }
}

/// A rate that is multiplied by a factor at each of a list of steps.
///
/// ```
/// use gradwise_optim::{MultiStep, Schedule};
///
/// let schedule = MultiStep::new(1.0, [30, 60], 0.5)?;
/// assert_eq!([schedule.at(29), schedule.at(30), schedule.at(60)], [1.0, 0.5, 0.25]);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct MultiStep {
    rate: f64,
    milestones: Vec<u64>,
    factor: f64,
}

impl MultiStep {
    /// From `rate`, times `factor` at each of the `milestones`.
    ///
    /// # Errors
    /// If the rate or the factor is negative or not finite, or the milestones do not increase.
    pub fn new(rate: f64, milestones: impl Into<Vec<u64>>, factor: f64) -> Result<Self> {
        let milestones = milestones.into();
        if !milestones.is_sorted_by(|a, b| a < b) {
            return Err(Error::value("multi-step: milestones", "increasing steps", format!("{milestones:?}")));
        }
        Ok(MultiStep {
            rate: check::not_negative("multi-step: rate", rate)?,
            milestones,
            factor: check::not_negative("multi-step: factor", factor)?,
        })
    }
}

impl Schedule for MultiStep {
    fn at(&self, step: u64) -> f64 {
        let passed = self.milestones.partition_point(|&milestone| milestone <= step);
        self.rate * self.factor.powf(flip!("multi_step/power", passed as f64))
    }
}

/// A rate that is multiplied by a factor at every step: `rate · factor^step`.
///
/// ```
/// use gradwise_optim::{Exponential, Schedule};
///
/// assert_eq!(Exponential::new(1.0, 0.5)?.at(3), 0.125);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Exponential {
    rate: f64,
    factor: f64,
}

impl Exponential {
    /// From `rate`, times `factor` at every step.
    ///
    /// # Errors
    /// If the rate or the factor is negative or not finite.
    pub fn new(rate: f64, factor: f64) -> Result<Self> {
        Ok(Exponential {
            rate: check::not_negative("exponential schedule: rate", rate)?,
            factor: check::not_negative("exponential schedule: factor", factor)?,
        })
    }
}

impl Schedule for Exponential {
    fn at(&self, step: u64) -> f64 {
        self.rate * self.factor.powf(flip!("exponential/power", step as f64))
    }
}
