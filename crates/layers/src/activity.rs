//! A penalty on what goes through a net.

use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Real, Result};
use gradwise_derive::Params;
use gradwise_tensor as tensor;

/// A penalty on activations: hands on what it gets, and in training adds `Σ (λ₁ |a| + λ₂/2 a²) / n` to the loss, over all values of a batch
/// of `n` samples.
///
/// Input and output are `[samples, …]`. Use L1 behind a hidden layer for codes of which few units are active, as in sparse
/// autoencoders; L2 to keep the outputs of a layer, recurrent ones above all, from growing. Not for weights: penalties on those need
/// no layer, and are `gradwise-regularize`'s.
///
/// The loss is reached by [`Tape::emit_loss`]: the trainer adds it and reports it apart, a loop of your own calls [`Tape::take_losses`].
/// Evaluation has no penalty, so that its loss can be compared with that of other models; Keras's `activity_regularizer` counts it there
/// too. The formula's details and sources are told with the operation, [`tensor::ActivityPenalty`].
///
/// ```
/// use gradwise_layers::{Activation, ActivityPenalty, Chain, Key, Linear, Mode, Module, Tape, Workspace};
///
/// let autoencoder: Chain<f64> = Chain::seeded(Key::new(1))
///     .then(Linear::config(8, 3).activation(Activation::Relu))
///     .then(ActivityPenalty::l1(1e-3)?)
///     .then(Linear::config(3, 8))
///     .build()?;
/// let (x, mut workspace) = (ndarray::Array::ones(vec![4, 8]), Workspace::new());
/// let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
/// let x = tape.input(&x);
/// autoencoder.forward(&mut tape, x)?;
/// assert_eq!(tape.take_losses().len(), 1);
/// assert!(ActivityPenalty::l1(-1.0).is_err());
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Params)]
pub struct ActivityPenalty(#[params(skip)] tensor::ActivityPenalty);

impl ActivityPenalty {
    /// `λ₁ Σ |a|`, and `λ₂/2 Σ a²`: the elastic net.
    ///
    /// # Errors
    /// If a strength is negative or not finite.
    pub fn new(l1: f64, l2: f64) -> Result<Self> {
        Ok(ActivityPenalty(tensor::ActivityPenalty::new(l1, l2)?))
    }

    /// `λ Σ |a|`: few active units.
    ///
    /// # Errors
    /// If the strength is negative or not finite.
    pub fn l1(strength: f64) -> Result<Self> {
        Self::new(strength, 0.0)
    }

    /// `λ/2 Σ a²`: small outputs.
    ///
    /// # Errors
    /// If the strength is negative or not finite.
    pub fn l2(strength: f64) -> Result<Self> {
        Self::new(0.0, strength)
    }
}

impl<T: Real> Module<T> for ActivityPenalty {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        if tape.training() {
            let penalty = tape.apply(self.0, &[x])?;
            tape.emit_loss(penalty)?;
        }
        Ok(x)
    }
}
