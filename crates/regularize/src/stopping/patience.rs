//! When to give up, judged by one number.

use super::{Criterion, Decision, Progress};
use crate::check;
use gradwise_core::{Error, Result};

/// Which way a measured value gets better.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Mode {
    /// Smaller is better: a loss.
    Min,
    /// Larger is better: an accuracy.
    Max,
}

/// Stops when a measured value has not improved for some time. It sees values only; [`EarlyStopping`](crate::EarlyStopping) keeps the
/// best weights as well.
///
/// A value improves if it is better than the best one by more than `min_delta`; NaN and infinite values never do. With patience `n` the
/// `n`-th value in a row without improvement stops. (Keras stops so too, and takes 0 for 1.)
///
/// ```
/// use gradwise_regularize::{Decision, Mode, Patience};
///
/// let mut patience = Patience::new(Mode::Min, 2)?;
/// let decisions: Vec<Decision> = [0.9, 0.5, 0.6, 0.4, f64::NAN, 0.4].into_iter().map(|loss| patience.update(loss)).collect();
/// use Decision::*;
/// assert_eq!(decisions, [Improved, Improved, Wait(1), Improved, Wait(1), Stop]);
/// assert_eq!((patience.progress().best, patience.progress().best_at), (Some(0.4), Some(3)));
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Patience {
    mode: Mode,
    patience: u64,
    min_delta: f64,
    baseline: Option<f64>,
    start_from: u64,
    progress: Progress,
}

impl Patience {
    /// Stops at the `patience`-th value in a row without improvement.
    ///
    /// # Errors
    /// If `patience` is 0.
    pub fn new(mode: Mode, patience: u64) -> Result<Self> {
        if patience == 0 {
            return Err(Error::value("early stopping: patience", "at least 1", patience));
        }
        let progress = Progress::default();
        Ok(Patience { mode, patience, min_delta: 0.0, baseline: None, start_from: 0, progress })
    }

    /// By how much a value has to be better than the best one to count; 0 unless set.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn min_delta(self, min_delta: f64) -> Result<Self> {
        Ok(Patience { min_delta: check::not_negative("early stopping: min delta", min_delta)?, ..self })
    }

    /// A value that has to be beaten: until one is better (by more than `min_delta`), every value uses up patience, even the best so
    /// far.
    ///
    /// # Errors
    /// If it is not finite.
    pub fn baseline(self, baseline: f64) -> Result<Self> {
        Ok(Patience { baseline: Some(check::finite("early stopping: baseline", baseline)?), ..self })
    }

    /// Judges from the `n`-th value on, counted from 0. Earlier values are noise: none of them becomes the best one.
    #[must_use]
    pub fn start_from(self, n: u64) -> Self {
        Patience { start_from: n, ..self }
    }

    /// Takes a value in.
    pub fn update(&mut self, value: f64) -> Decision {
        let at = self.progress.updates;
        self.progress.updates += 1;
        if at < self.start_from {
            return Decision::Wait(0);
        }
        let improves = self.progress.best.map_or(value.is_finite(), |best| self.better(value, best));
        if improves {
            self.progress.best = Some(value);
            self.progress.best_at = Some(at);
        }
        if improves && self.baseline.is_none_or(|baseline| self.better(value, baseline)) {
            self.progress.waited = 0;
            return Decision::Improved;
        }
        self.progress.waited += 1;
        if self.progress.waited >= self.patience { Decision::Stop } else { Decision::Wait(self.progress.waited) }
    }

    /// Where it stands.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Goes on from where another one, with the same options, stood.
    pub fn resume(&mut self, progress: Progress) {
        self.progress = progress;
    }

    fn better(&self, value: f64, than: f64) -> bool {
        let gain = match self.mode {
            Mode::Min => than - value,
            Mode::Max => value - than,
        };
        value.is_finite() && gain > self.min_delta
    }
}

impl Criterion for Patience {
    type Reading = f64;
    fn update(&mut self, value: f64) -> Decision {
        self.update(value)
    }
    fn progress(&self) -> &Progress {
        &self.progress
    }
}
