//! A shortcut around layers.

use crate::{BatchNorm, TapeExt};
use gradwise_autograd::{Affine, Module, Tape, Var};
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

    /// With a batch norm behind the body, in whose pass the shortcut is added: see [`NormedResidual`].
    pub fn normed<N>(self, norm: N) -> NormedResidual<M, N, S> {
        NormedResidual { body: self.body, norm, shortcut: self.shortcut }
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
        check(tape, body, shortcut)?;
        let y = tape.add(body, shortcut)?;
        release(tape, x, [body, shortcut]);
        Ok(y)
    }
}

/// Refuses a sum that would broadcast, which here can only be a mistake.
fn check<T: Real>(tape: &Tape<'_, T>, body: Var, shortcut: Var) -> Result<()> {
    let (expected, got) = (tape.shape(shortcut)?, tape.shape(body)?);
    if expected == got {
        return Ok(());
    }
    let error = Error::shape("residual", format!("the shortcut's shape {expected:?} from the body"), &got);
    Err(error.at(tape.path()))
}

/// Gives back what was made within a block from `x`, and is seen by nobody else.
fn release<T: Real>(tape: &mut Tape<'_, T>, x: Var, made: [Var; 2]) {
    made.into_iter().filter(|made| *made != x).for_each(|made| tape.release(made));
}

/// Layers that end in a batch norm, with a shortcut around them: `y = norm(body(x)) + shortcut(x)`, and only then the norm's ReLU, if it
/// has one.
///
/// What [`Residual`] with a norm at the end of its body and a ReLU behind it computes, in one pass over the arrays in the place of three.
///
/// ```
/// use gradwise_layers::{BatchNorm2d, Conv2d, Key, ParamsExt, Residual};
///
/// let body = Conv2d::<f32>::config(8, 8, 3).padding(1).without_bias().build(Key::new(1))?;
/// let block = Residual::new(body).normed(BatchNorm2d::new(8)?.with_relu());
/// assert_eq!(block.paths()[..3], ["body.weight", "norm.weight", "norm.bias"]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Params)]
pub struct NormedResidual<M, N, S = Identity> {
    body: M,
    norm: N,
    shortcut: S,
}

impl<T, const D: usize, M, S> Module<T> for NormedResidual<M, BatchNorm<T, D>, S>
where
    T: Real,
    M: Module<T>,
    S: Module<T>,
{
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.block(self, |tape| {
            let body = tape.scope("body", |tape| self.body.forward(tape, x))?;
            let shortcut = tape.scope("shortcut", |tape| self.shortcut.forward(tape, x))?;
            check(tape, body, shortcut)?;
            let y = tape.scope("norm", |tape| self.norm.forward_onto(tape, body, shortcut))?;
            release(tape, x, [body, shortcut]);
            Ok(y)
        })
    }

    fn fold(&mut self) {
        self.body.fold();
        self.shortcut.fold();
        // The rectifier comes behind the sum, and stays with the norm.
        let Some(affine) = self.norm.as_affine() else { return };
        if self.body.absorb_next(&Affine { relu: false, ..affine }) {
            self.norm.dissolve();
        }
    }
}
