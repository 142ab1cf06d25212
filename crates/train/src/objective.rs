//! How a batch becomes a loss.

use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Loss, Real, Reduction, Result};
use gradwise_data::{Batch, Targets};

/// What an [`Objective`] recorded on the tape.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The number to minimize.
    pub loss: Var,
    /// The model's predictions, for metrics; `None` where there is no such thing.
    pub predictions: Option<Var>,
    /// How many samples the loss is of.
    pub samples: usize,
}

/// What is minimized: a function from model and batch to a loss, recorded on a tape.
///
/// [`Supervised`] is the common one. A closure is one too: for models with several inputs, losses on intermediate layers, and whatever
/// else has no name.
///
/// ```
/// use gradwise_autograd::{Module, Tape};
/// use gradwise_core::Result;
/// use gradwise_data::Batch;
/// use gradwise_train::{Objective, Outcome};
/// # use gradwise_layers::{Linear, MseLoss};
/// # use gradwise_core::{Loss, Reduction};
/// # use ndarray::ArrayD;
///
/// // An autoencoder: the input is its own target.
/// fn reconstruction<'p>(
///     tape: &mut Tape<'p, f32>, model: &'p Linear<f32>, batch: &'p Batch<f32, ArrayD<f32>>,
/// ) -> Result<Outcome> {
///     let x = tape.input(&batch.inputs);
///     let y = model.forward(tape, x)?;
///     let loss = tape.apply(MseLoss.op(&*batch.inputs, Reduction::Mean)?, &[y])?;
///     Ok(Outcome { loss, predictions: Some(y), samples: batch.len() })
/// }
/// fn takes<O: Objective<f32, Linear<f32>, Batch<f32, ArrayD<f32>>>>(_: O) {}
/// takes(reconstruction);
/// ```
pub trait Objective<T: Real, M: ?Sized, B: ?Sized> {
    /// Records the forward pass and the loss.
    ///
    /// # Errors
    /// If batch, model and loss do not fit together.
    fn record<'p>(&'p self, tape: &mut Tape<'p, T>, model: &'p M, batch: &'p B) -> Result<Outcome>;
}

impl<T: Real, M: ?Sized, B: ?Sized, F> Objective<T, M, B> for F
where
    F: for<'p> Fn(&mut Tape<'p, T>, &'p M, &'p B) -> Result<Outcome>,
{
    fn record<'p>(&'p self, tape: &mut Tape<'p, T>, model: &'p M, batch: &'p B) -> Result<Outcome> {
        self(tape, model, batch)
    }
}

/// A loss between the model's predictions and the batch's targets, averaged over the batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Supervised<L>(pub L);

impl<T, M, Y, L> Objective<T, M, Batch<T, Y>> for Supervised<L>
where
    T: Real,
    M: Module<T> + ?Sized,
    Y: Targets,
    L: Loss<T, Y::View>,
{
    fn record<'p>(&'p self, tape: &mut Tape<'p, T>, model: &'p M, batch: &'p Batch<T, Y>) -> Result<Outcome> {
        let x = tape.input(&batch.inputs);
        let predictions = model.forward(tape, x)?;
        let loss = self.0.op(batch.targets.view(), Reduction::Mean)?;
        let loss = tape.scope("loss", |tape| tape.apply(loss, &[predictions]))?;
        Ok(Outcome { loss, predictions: Some(predictions), samples: batch.len() })
    }
}
