//! What may end a loop by how a measure develops.

use gradwise_core::{Params, Real, Result};
use gradwise_regularize::{Criterion, Decision, EarlyStopping, Losses};

/// What a stopping criterion judges an epoch by, made of the measure that is watched.
///
/// For `f64` it is the measure on held-out data; for [`Losses`] that on training data as well. One of your own takes what it needs.
pub trait EpochReading {
    /// The reading of an epoch.
    fn of_epoch(held_out: f64, train: f64) -> Self;
}

impl EpochReading for f64 {
    fn of_epoch(held_out: f64, _: f64) -> Self {
        held_out
    }
}

impl EpochReading for Losses {
    fn of_epoch(held_out: f64, train: f64) -> Self {
        Losses { held_out, train }
    }
}

/// Early stopping by whatever criterion.
pub(crate) trait Judge<T> {
    fn judge(&mut self, held_out: f64, train: f64, model: &dyn Params<T>) -> Decision;
    fn restore(&self, model: &mut dyn Params<T>) -> Result<bool>;
    /// How many readings in a row have not improved.
    fn waited(&self) -> u64;
}

impl<T: Real, C: Criterion> Judge<T> for EarlyStopping<T, C>
where
    C::Reading: EpochReading,
{
    fn judge(&mut self, held_out: f64, train: f64, model: &dyn Params<T>) -> Decision {
        self.update(C::Reading::of_epoch(held_out, train), model)
    }

    fn restore(&self, model: &mut dyn Params<T>) -> Result<bool> {
        EarlyStopping::restore(self, model)
    }

    fn waited(&self) -> u64 {
        self.progress().waited
    }
}
