//! What a training loop tells, and who listens.

use crate::{Grads, Params, Real};
use std::ops::ControlFlow;

/// What one operation's output looked like, read from a sample of its values.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerReading {
    /// Path of the layer.
    pub path: String,
    /// Name of the operation.
    pub op: &'static str,
    /// Shape of its output.
    pub shape: Vec<usize>,
    /// Mean of the values.
    pub mean: f64,
    /// Standard deviation of the values.
    pub std: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Share of values that are exactly zero, in `[0, 1]`: the sparsity of a ReLU.
    pub zeros: f64,
    /// Share of values that are NaN or infinite, in `[0, 1]`; they are left out of the others.
    pub not_finite: f64,
    /// Share of units that put out one and the same number for all samples and positions, in `[0, 1]`: what is behind them learns nothing
    /// from them, and a ReLU that is always 0 learns nothing itself. Found out over all values.
    ///
    /// Units are counted by the second axis, those of three axes by the second or the last, whichever tells of more.
    pub dead: f64,
    /// Share of values within a hundredth of the range from one of its ends, where derivatives are next to nothing, in `[0, 1]`; of
    /// operations whose outputs lie between two numbers, such as a sigmoid.
    pub saturated: Option<f64>,
}

/// What happened in a training loop. Loops may tell more in later versions: match with a wildcard.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a, T: Real> {
    /// Training begins.
    Start {
        /// The model as it is before the first step.
        model: &'a dyn Params<T>,
        /// Epochs that are planned.
        epochs: u64,
        /// Steps in an epoch.
        steps_per_epoch: u64,
    },
    /// The loss does not depend on some trainable parameters, as the first step of a run found: a layer was forgotten, or should be frozen.
    /// Told before that step.
    Unreached {
        /// The parameters' paths.
        paths: &'a [String],
    },
    /// A step is done; the model is already updated.
    Step {
        /// Number of the step since training began, from 0.
        step: u64,
        /// Number of the epoch, from 0.
        epoch: u64,
        /// The batch's loss, before the update.
        loss: T,
        /// Learning rate of the step.
        learning_rate: f64,
        /// Euclidean norm of all gradients together, before clipping.
        grad_norm: f64,
        /// Samples in the batch.
        samples: usize,
        /// The model after the update.
        model: &'a dyn Params<T>,
        /// The gradients the update was made from.
        grads: &'a Grads<T>,
        /// Euclidean norm of each parameter's change, in the parameters' order; empty where it was not measured in this step.
        update_norms: &'a [f64],
        /// Readings of the layers' outputs; empty where none were taken in this step.
        layers: &'a [LayerReading],
    },
    /// An epoch is done.
    Epoch {
        /// Number of the epoch, from 0.
        epoch: u64,
        /// Mean loss of the epoch's samples, each at the time it was trained on.
        train_loss: f64,
        /// What was measured on the training batches, by name.
        train: &'a [(String, f64)],
        /// What was measured on held-out data, by name; empty where there is none.
        validation: &'a [(String, f64)],
        /// Seconds the epoch's training took, without the measuring.
        seconds: f64,
        /// Samples trained on in the epoch.
        samples: usize,
        /// The model after the epoch.
        model: &'a dyn Params<T>,
    },
    /// Training ended.
    End {
        /// Steps done since training began.
        steps: u64,
        /// Why it ended early, if it did.
        stop: Option<&'a Stop>,
        /// The model as it is left.
        model: &'a dyn Params<T>,
    },
}

impl<T: Real> std::fmt::Debug for Event<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::Start { epochs, steps_per_epoch, .. } => f
                .debug_struct("Start")
                .field("epochs", epochs)
                .field("steps_per_epoch", steps_per_epoch)
                .finish_non_exhaustive(),
            Event::Unreached { paths } => f.debug_struct("Unreached").field("paths", paths).finish(),
            Event::Step { step, epoch, loss, .. } => f
                .debug_struct("Step")
                .field("step", step)
                .field("epoch", epoch)
                .field("loss", loss)
                .finish_non_exhaustive(),
            Event::Epoch { epoch, train_loss, validation, .. } => f
                .debug_struct("Epoch")
                .field("epoch", epoch)
                .field("train_loss", train_loss)
                .field("validation", validation)
                .finish_non_exhaustive(),
            Event::End { steps, stop, .. } => {
                f.debug_struct("End").field("steps", steps).field("stop", stop).finish_non_exhaustive()
            }
        }
    }
}

/// A request to end training, with its reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Why, as a fragment: `no better validation loss for 5 epochs`.
    pub reason: String,
}

impl Stop {
    /// A request to end training.
    pub fn new(reason: impl Into<String>) -> Self {
        Stop { reason: reason.into() }
    }
}

/// Someone who watches a training loop, and may end it.
///
/// Closures are observers. Returning [`ControlFlow::Break`] ends training after this event, in good order.
///
/// ```
/// use gradwise_core::{Event, Observer, Stop};
/// use std::ops::ControlFlow;
///
/// let mut losses = Vec::new();
/// let mut record = |event: &Event<'_, f32>| -> ControlFlow<Stop> {
///     if let Event::Epoch { train_loss, .. } = event {
///         losses.push(*train_loss);
///     }
///     ControlFlow::Continue(())
/// };
/// fn observes(_: &mut dyn Observer<f32>) {}
/// observes(&mut record);
/// ```
pub trait Observer<T: Real> {
    /// Takes note of an event.
    fn observe(&mut self, event: &Event<'_, T>) -> ControlFlow<Stop>;
}

impl<T: Real, F: FnMut(&Event<'_, T>) -> ControlFlow<Stop>> Observer<T> for F {
    fn observe(&mut self, event: &Event<'_, T>) -> ControlFlow<Stop> {
        self(event)
    }
}

impl<T: Real> Observer<T> for Box<dyn Observer<T> + '_> {
    fn observe(&mut self, event: &Event<'_, T>) -> ControlFlow<Stop> {
        (**self).observe(event)
    }
}
