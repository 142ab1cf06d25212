//! A shortcut around layers.

use crate::TapeExt;
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Real, Result};
use gradwise_derive::Params;

/// The identity: no parameters, no operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Params)]
pub struct Identity;

impl<T: Real> Module<T> for Identity {
    fn forward<'p>(&'p self, _: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        Ok(x)
    }
}

/// Layers with a shortcut around them: `y = body(x) + shortcut(x)`, the shortcut being the identity unless another is given.
///
/// Both must have one shape; a shortcut with a strided 1 × 1 convolution fits the input to a body that changes it. The gradient
/// reaches the input on both ways, so that depth does not diminish it. (He et al., *Deep residual learning for image recognition*, CVPR 2016.)
///
/// ```
/// use gradwise_layers::{Activation, Key, Linear, ParamsExt, Residual};
///
/// let block = Residual::new(Linear::<f32>::config(8, 8).activation(Activation::Relu).build(Key::new(1))?);
/// assert_eq!(block.paths(), ["body.weight", "body.bias"]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Params)]
pub struct Residual<M, S = Identity> {
    body: M,
    shortcut: S,
}

impl<M> Residual<M> {
    /// A shortcut past `body`, which keeps the shape of its input.
    pub const fn new(body: M) -> Self {
        Residual { body, shortcut: Identity }
    }
}

impl<M, S> Residual<M, S> {
    /// With this module on the shortcut.
    pub fn with_shortcut<N>(self, shortcut: N) -> Residual<M, N> {
        Residual { body: self.body, shortcut }
    }

    /// What the shortcut goes around.
    pub const fn body(&self) -> &M {
        &self.body
    }
}

impl<T: Real, M: Module<T>, S: Module<T>> Module<T> for Residual<M, S> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| self.record(tape, x))
    }

    fn fold(&mut self) {
        self.body.fold();
        self.shortcut.fold();
    }
}

impl<M, S> Residual<M, S> {
    fn record<'p, T: Real>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var>
    where
        M: Module<T>,
        S: Module<T>,
    {
        let body = tape.scope("body", |tape| self.body.forward(tape, x))?;
        let shortcut = tape.scope("shortcut", |tape| self.shortcut.forward(tape, x))?;
        let (expected, got) = (tape.shape(shortcut)?, tape.shape(body)?);
        // An addition would broadcast, which here can only be a mistake.
        if expected != got {
            let error = Error::shape("residual", format!("the shortcut's shape {expected:?} from the body"), &got);
            return Err(error.at(tape.path()));
        }
        let y = tape.add(body, shortcut)?;
        // What was made in here is seen by nobody else.
        for made in [body, shortcut] {
            if made != x {
                tape.release(made);
            }
        }
        Ok(y)
    }
}
