//! Stopping in time, with the best weights.

use super::{Criterion, Decision, Mode, Patience, Progress};
use crate::Snapshot;
use gradwise_core::{Params, Real, Result};

/// Stops when a measured value has not improved for some time, and keeps a copy of the weights that gave the best one.
///
/// It needs no trainer: give it a value and the model after each epoch, or whenever there is something to judge by. The judging is
/// [`Patience`]'s, or another [`Criterion`]'s ([`EarlyStopping::with`]); the copy holds all parameters, buffers such as running
/// statistics included. Source: Prechelt, *Early stopping - but when?*, 1998.
///
/// ```
/// use gradwise_regularize::{Decision, EarlyStopping, Mode, Param, ndarray::arr1};
///
/// let mut model = Param::new(arr1(&[0.0_f32]));
/// let mut stopping = EarlyStopping::new(Mode::Min, 3)?;
/// for epoch in 0..100 {
///     model.value += 1.0;                                       // an epoch of training
///     let loss = f64::from(model.value[[0]] - 5.0).powi(2);     // of held-out data
///     if stopping.update(loss, &model) == Decision::Stop {
///         break;
///     }
/// }
/// assert_eq!(model.value[[0]], 8.0);
/// stopping.restore(&mut model)?;
/// assert_eq!(model.value[[0]], 5.0);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct EarlyStopping<T, C = Patience> {
    criterion: C,
    best: Option<Snapshot<T>>,
}

impl<T: Real> EarlyStopping<T> {
    /// Stops at the `patience`-th value in a row without improvement.
    ///
    /// # Errors
    /// If `patience` is 0.
    pub fn new(mode: Mode, patience: u64) -> Result<Self> {
        Ok(Patience::new(mode, patience)?.into())
    }

    /// Goes on from where another one, with the same options, stood.
    pub fn resume(&mut self, progress: Progress, best: Option<Snapshot<T>>) {
        self.criterion.resume(progress);
        self.best = best;
    }
}

impl<T: Real, C: Criterion> EarlyStopping<T, C> {
    /// Stops when a criterion says so.
    ///
    /// ```
    /// use gradwise_regularize::{Decision, EarlyStopping, GeneralizationLoss, Param, ndarray::arr1};
    ///
    /// let model = Param::new(arr1(&[0.0_f32]));
    /// let mut stopping = EarlyStopping::with(GeneralizationLoss::new(5.0)?);
    /// assert_eq!(stopping.update(1.0, &model), Decision::Improved);
    /// assert_eq!(stopping.update(1.1, &model), Decision::Stop);
    /// # Ok::<(), gradwise_regularize::Error>(())
    /// ```
    pub fn with(criterion: C) -> Self {
        EarlyStopping { criterion, best: None }
    }

    /// Goes on with the best weights of another one. Its criterion, which [`EarlyStopping::with`] was given, is resumed by itself.
    pub fn resume_with(&mut self, best: Option<Snapshot<T>>) {
        self.best = best;
    }

    /// Takes in a value and the model that it was measured on, whose numbers are copied if it is the best.
    pub fn update<M: Params<T> + ?Sized>(&mut self, value: C::Reading, model: &M) -> Decision {
        let at = self.criterion.progress().updates;
        let decision = self.criterion.update(value);
        if self.criterion.progress().best_at == Some(at) {
            match &mut self.best {
                Some(best) => best.retake(model),
                None => self.best = Some(Snapshot::take(model)),
            }
        }
        decision
    }

    /// Gives a model the best weights. Returns whether there were any.
    ///
    /// # Errors
    /// If the model does not have the parameters that were copied; it is unchanged then.
    pub fn restore<M: Params<T> + ?Sized>(&self, model: &mut M) -> Result<bool> {
        self.best.as_ref().map_or(Ok(false), |best| best.restore(model).map(|()| true))
    }

    /// The best weights, if any value was judged.
    pub fn best(&self) -> Option<&Snapshot<T>> {
        self.best.as_ref()
    }

    /// Where it stands.
    pub fn progress(&self) -> &Progress {
        self.criterion.progress()
    }

    /// What it is judged by.
    pub fn criterion(&self) -> &C {
        &self.criterion
    }
}

/// With all the options of a [`Patience`]:
///
/// ```
/// use gradwise_regularize::{EarlyStopping, Mode, Patience};
///
/// let patience = Patience::new(Mode::Max, 5)?.min_delta(1e-3)?.start_from(10);
/// let stopping = EarlyStopping::<f32>::from(patience);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
impl<T> From<Patience> for EarlyStopping<T> {
    fn from(patience: Patience) -> Self {
        EarlyStopping { criterion: patience, best: None }
    }
}
