//! Activations that have parameters, or several inputs to each output.

use crate::TapeExt;
use crate::build::at_least_one;
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Param, Real, Result};
use gradwise_derive::Params;
use gradwise_tensor as tensor;
use ndarray::{ArrayD, IxDyn};

/// Parametric ReLU: `x` for `x > 0`, else `a x`, with a learned slope `a` for each channel of `[samples, channels, …]`; see [`tensor::PRelu`].
///
/// The parameter is `weight` `[channels]`, which begins at 0.25. Leave it out of weight decay.
///
/// ```
/// use gradwise_layers::{Chain, Key, Linear, PRelu};
///
/// let model: Chain<f32> = Chain::seeded(Key::new(1)).then(Linear::config(4, 8)).then(PRelu::new(8)?).build()?;
/// # let _ = model;
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct PRelu<T> {
    weight: Param<T>,
}

impl<T: Real> PRelu<T> {
    /// With a slope of 0.25 for each of so many channels.
    ///
    /// # Errors
    /// If there is no channel.
    pub fn new(channels: usize) -> Result<Self> {
        Self::with_slope(channels, 0.25)
    }

    /// With this first slope.
    ///
    /// # Errors
    /// If there is no channel, or the slope is not finite.
    pub fn with_slope(channels: usize, slope: f64) -> Result<Self> {
        at_least_one("prelu: channels", channels)?;
        if !slope.is_finite() {
            return Err(Error::value("prelu: slope", "a finite number", slope));
        }
        Ok(PRelu { weight: Param::new(ArrayD::from_elem(IxDyn(&[channels]), T::of(slope))) })
    }
}

impl<T: Real> Module<T> for PRelu<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.layer(&self.weight, "prelu", |tape| {
            let weight = tape.param(&self.weight);
            tape.apply(tensor::PRelu, &[x, weight])
        })
    }
}

/// Maxout: the largest of each `pieces` neighbouring features, `[samples, pieces · n, …]` to `[samples, n, …]`. Behind a linear layer it can become any
/// convex function.
///
/// Source: Goodfellow et al., *Maxout networks*, ICML 2013.
///
/// ```
/// use gradwise_layers::{Chain, Key, Linear, Maxout};
///
/// let model: Chain<f32> = Chain::seeded(Key::new(1)).then(Linear::config(4, 16)).then(Maxout::new(2)?).then(Linear::config(8, 1)).build()?;
/// # let _ = model;
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
pub struct Maxout {
    #[params(skip)]
    pieces: usize,
}

impl Maxout {
    /// Of so many pieces, commonly 2 to 5.
    ///
    /// # Errors
    /// If there is none.
    pub fn new(pieces: usize) -> Result<Self> {
        Ok(Maxout { pieces: at_least_one("maxout: pieces", pieces)? })
    }
}

impl<T: Real> Module<T> for Maxout {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let shape = tape.shape(x)?;
        let &[samples, features, ref rest @ ..] = &*shape else {
            return Err(Error::shape("maxout", "[samples, features, …]", &shape).at(tape.path()));
        };
        if !features.is_multiple_of(self.pieces) {
            let expected = format!("a multiple of {} features", self.pieces);
            return Err(Error::shape("maxout", expected, &shape).at(tape.path()));
        }
        let x = tape.reshape(x, &[&[samples, features / self.pieces, self.pieces], rest].concat())?;
        tape.max(x, 2)
    }
}

/// A gated linear unit: the first half of an axis, multiplied by a function of the second half.
///
/// `a ⊙ sigmoid(b)` unless another function is asked for; with SiLU or GELU it is the SwiGLU and GeGLU of language models.
///
/// Sources: Dauphin et al., *Language modeling with gated convolutional networks*, ICML 2017; Shazeer, *GLU variants improve transformer*, 2020,
/// <https://arxiv.org/abs/2002.05202>, which gates with the first half.
///
/// ```
/// use gradwise_layers::{Glu, predict};
/// use ndarray::arr2;
///
/// let y = predict(&Glu::new(1), &arr2(&[[3.0, 0.0]]).into_dyn(), &mut Default::default())?;
/// assert_eq!(y, arr2(&[[1.5]]).into_dyn());
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
pub struct Glu {
    #[params(skip)]
    axis: usize,
    #[params(skip)]
    gate: Gate,
}

/// The function of a [`Glu`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gate {
    /// `1 / (1 + e⁻ˣ)`.
    #[default]
    Sigmoid,
    /// `x / (1 + e⁻ˣ)`: SwiGLU.
    Silu,
    /// `x Φ(x)`: GeGLU.
    Gelu,
    /// `max(x, 0)`: ReGLU.
    Relu,
    /// `x`: bilinear.
    Identity,
}

impl Glu {
    /// Halves of this axis, the second one through a sigmoid.
    pub const fn new(axis: usize) -> Self {
        Glu { axis, gate: Gate::Sigmoid }
    }

    /// With another function of the second half.
    #[must_use]
    pub const fn gate(self, gate: Gate) -> Self {
        Glu { gate, ..self }
    }
}

impl<T: Real> Module<T> for Glu {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let shape = tape.shape(x)?;
        let Some(len) = shape.get(self.axis).copied().filter(|len| len.is_multiple_of(2)) else {
            let expected = format!("an even number of elements on axis {}", self.axis);
            return Err(Error::shape("glu", expected, &shape).at(tape.path()));
        };
        let (value, gate) = (tape.slice(x, self.axis, 0..len / 2)?, tape.slice(x, self.axis, len / 2..len)?);
        let gate = match self.gate {
            Gate::Sigmoid => tape.sigmoid(gate)?,
            Gate::Silu => tape.silu(gate)?,
            Gate::Gelu => tape.gelu(gate)?,
            Gate::Relu => tape.relu(gate)?,
            Gate::Identity => gate,
        };
        tape.mul(value, gate)
    }
}
