//! A rate that falls when a measure has stopped getting better.

use super::Schedule;
use crate::{State, Stored, check};
use gradwise_core::{Real, Result, flip};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lowers the rate of a schedule when a measure, such as the loss on validation data, has stopped getting better.
///
/// [`ReduceOnPlateau::observe`] is told the measure after each epoch; [`ReduceOnPlateau::schedule`] makes the schedule whose rates
/// follow. When more than `patience` observations in a row were not better than the best one, rates are multiplied by `factor`. Better is
/// what is below `best · (1 − threshold)`, so a measure to be minimized should not be negative; NaN is never better.
///
/// The factor is 0.1 in most uses; the patience is 10, the threshold 10⁻⁴ and relative, without a cooldown or a lowest rate, as in
/// PyTorch. (Keras counts one epoch less, and its threshold of 10⁻⁴ is absolute.) When no length of training is known beforehand. What it
/// has seen is state: whoever saves a run saves it, too ([`State`]).
///
/// ```
/// use gradwise_optim::{Constant, Optimizer, ReduceOnPlateau, Schedule, Sgd};
///
/// let mut plateau = ReduceOnPlateau::new(0.1)?.patience(1);
/// let schedule = plateau.schedule(Constant::new(0.5)?);
/// // Worse once, and once more: that is one time more than it is patient.
/// let reduced = [1.0, 0.9, 0.95, 0.92].map(|loss| plateau.observe(loss));
/// assert_eq!(reduced, [false, false, false, true]);
/// assert_eq!(schedule.at(0), 0.05);
/// let optimizer = Optimizer::<f32, _>::new(Sgd::new(), schedule);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Debug)]
pub struct ReduceOnPlateau {
    by: f64,
    patience: u64,
    threshold: f64,
    absolute: bool,
    maximize: bool,
    cooldown: u64,
    lowest: f64,
    best: f64,
    bad: u64,
    cooling: u64,
    /// The factor of rates, an `f64` by its bits: schedules read it.
    factor: Arc<AtomicU64>,
}

impl ReduceOnPlateau {
    /// Multiplies rates by `factor` at each plateau.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn new(factor: f64) -> Result<Self> {
        Ok(ReduceOnPlateau {
            by: check::below_one("reduce on plateau: factor", factor)?,
            patience: 10,
            threshold: 1e-4,
            absolute: false,
            maximize: false,
            cooldown: 0,
            lowest: 0.0,
            best: f64::INFINITY,
            bad: 0,
            cooling: 0,
            factor: Arc::new(AtomicU64::new(1.0_f64.to_bits())),
        })
    }

    /// Bears so many observations in a row that are not better.
    #[must_use]
    pub fn patience(self, observations: u64) -> Self {
        ReduceOnPlateau { patience: observations, ..self }
    }

    /// Calls better what is better by this share of the best measure.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn threshold(self, share: f64) -> Result<Self> {
        let threshold = check::not_negative("reduce on plateau: threshold", share)?;
        Ok(ReduceOnPlateau { threshold, absolute: false, ..self })
    }

    /// Calls better what is better by this amount.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn absolute_threshold(self, amount: f64) -> Result<Self> {
        let threshold = check::not_negative("reduce on plateau: threshold", amount)?;
        Ok(ReduceOnPlateau { threshold, absolute: true, ..self })
    }

    /// Takes larger measures for better ones, as for an accuracy.
    #[must_use]
    pub fn maximize(self) -> Self {
        ReduceOnPlateau { maximize: true, best: f64::NEG_INFINITY, ..self }
    }

    /// Does not count so many observations after each reduction.
    #[must_use]
    pub fn cooldown(self, observations: u64) -> Self {
        ReduceOnPlateau { cooldown: observations, ..self }
    }

    /// Never multiplies rates by less than this, all reductions together.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn lowest(self, factor: f64) -> Result<Self> {
        Ok(ReduceOnPlateau { lowest: check::share("reduce on plateau: lowest factor", factor)?, ..self })
    }

    /// Takes note of a measure, and returns whether rates were lowered.
    pub fn observe(&mut self, measure: f64) -> bool {
        let better = match (self.maximize, self.absolute || self.best.is_infinite()) {
            (false, true) => measure < self.best - self.threshold,
            (true, true) => measure > self.best + self.threshold,
            (false, false) => measure < self.best * (1.0 - flip!("plateau/threshold", self.threshold)),
            (true, false) => measure > self.best * (1.0 + self.threshold),
        };
        if better {
            self.best = measure;
            self.bad = 0;
        } else {
            self.bad += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.bad = 0;
        }
        if self.bad <= self.patience {
            return false;
        }
        (self.bad, self.cooling) = (0, self.cooldown);
        let before = self.factor();
        self.set_factor((before * flip!("plateau/by", self.by)).max(self.lowest));
        self.factor() < before
    }

    /// What rates are multiplied by now.
    pub fn factor(&self) -> f64 {
        f64::from_bits(self.factor.load(Ordering::Relaxed))
    }

    fn set_factor(&self, factor: f64) {
        self.factor.store(factor.to_bits(), Ordering::Relaxed);
    }

    /// The best measure so far; infinite before the first one.
    pub fn best(&self) -> f64 {
        self.best
    }

    /// A schedule whose rates this lowers, from now on and for as long as both live. There may be several.
    pub fn schedule<S: Schedule>(&self, schedule: S) -> Reduced<S> {
        Reduced { schedule, factor: Arc::clone(&self.factor) }
    }
}

impl<T: Real> State<T> for ReduceOnPlateau {
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        let mut factor = self.factor();
        f("best", Stored::Number(&mut self.best));
        f("bad", Stored::Counter(&mut self.bad));
        f("cooling", Stored::Counter(&mut self.cooling));
        f("factor", Stored::Number(&mut factor));
        self.set_factor(factor);
    }
}

/// A schedule under a [`ReduceOnPlateau`]: its rates times the factor that holds when they are asked for.
#[derive(Clone, Debug)]
pub struct Reduced<S> {
    schedule: S,
    factor: Arc<AtomicU64>,
}

impl<S: Schedule> Schedule for Reduced<S> {
    fn at(&self, step: u64) -> f64 {
        self.schedule.at(step) * f64::from_bits(self.factor.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_is_never_better() {
        let mut plateau = ReduceOnPlateau::new(0.5).unwrap().patience(0);
        assert!(plateau.observe(f64::NAN));
        assert!(!plateau.observe(2.0));
        assert!(plateau.observe(f64::NAN));
        assert_eq!((plateau.best(), plateau.factor()), (2.0, 0.25));
    }
}
