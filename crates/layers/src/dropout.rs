//! Dropout as a layer.

use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Real, Result};
use gradwise_derive::Params;
use gradwise_tensor::dropout;

/// Dropout: in training each element is dropped with a probability and the rest scaled up, so that evaluation, which changes nothing,
/// is the mean network.
///
/// What is dropped depends on seed, step, the layer's path and the sample's index in the batch, and on nothing else.
///
/// Source: Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*, JMLR 2014.
///
/// ```
/// use gradwise_layers::Dropout;
///
/// assert!(Dropout::new(0.5).is_ok());
/// assert_eq!(Dropout::new(1.5).unwrap_err().to_string(), "dropout: rate: expected a number in [0, 1), got 1.5");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
pub struct Dropout(#[params(skip)] dropout::Dropout);

impl Dropout {
    /// Dropout of this rate.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    pub fn new(rate: f64) -> Result<Self> {
        Ok(Dropout(dropout::Dropout::new(rate)?))
    }

    /// The rate, a multiple of 2⁻¹⁶.
    pub fn rate(&self) -> f64 {
        self.0.rate()
    }
}

impl<T: Real> Module<T> for Dropout {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        // In evaluation, and at rate 0, there is nothing to compute, and so nothing to copy.
        if tape.training() && self.rate() > 0.0 { tape.apply(self.0, &[x]) } else { Ok(x) }
    }
}
