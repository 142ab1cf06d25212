//! The fully connected layer.

use crate::build::{at_least_one, configuration};
use crate::fold::{rectifier, scale_inputs, scale_outputs};
use crate::weights::{Weights, weight_options};
use gradwise_autograd::{Affine, Module, Tape, Var};
use gradwise_core::{Error, Key, Param, Real, Result};
use gradwise_derive::Params;
use gradwise_init::{Fan, Init};
use gradwise_tensor::{self as tensor, Activation};

/// A fully connected layer: `y = f(x Wᵀ + b)`.
///
/// - Input `[…, inputs]`, output `[…, outputs]`. Parameters are `weight` `[outputs, inputs]` and `bias` `[outputs]`.
/// - The activation `f` is fused with the product; there is none unless asked for.
/// - Weights begin uniform with variance `gain² / inputs`, where the gain is that of the fused activation (√2 for ReLU, 5/3 for tanh,
///   else 1; see `gradwise_init`): the layer hands on as much variance as it gets. The bias begins at zero.
///
/// ```
/// use gradwise_layers::{Activation, HeNormal, Key, Linear, ParamsExt};
///
/// let head = Linear::<f32>::new(32, 10, Key::new(1))?;
/// assert_eq!(head.n_trainable(), 330);
///
/// let hidden = Linear::<f32>::config(64, 32).activation(Activation::Relu).init(HeNormal::new()).build(Key::new(2))?;
/// assert_eq!(hidden.weight().value.shape(), &[32, 64]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct Linear<T> {
    weight: Param<T>,
    bias: Option<Param<T>>,
    #[params(skip)]
    activation: Activation,
    /// Whether a batch norm was folded in, whose channels are axis 1: the input then has that as its last.
    #[params(skip)]
    folded: bool,
}

impl<T: Real> Linear<T> {
    /// A layer without activation, with a bias.
    ///
    /// # Errors
    /// If there are no inputs or no outputs.
    pub fn new(inputs: usize, outputs: usize, key: Key) -> Result<Self> {
        Self::config(inputs, outputs).build(key)
    }

    /// A layer whose options are still to be said.
    pub fn config(inputs: usize, outputs: usize) -> LinearConfig<T> {
        LinearConfig { inputs, outputs, weights: Weights::new() }
    }

    /// A layer of these very parameters, such as those of another library: weight `[outputs, inputs]`, bias `[outputs]`.
    ///
    /// # Errors
    /// If their shapes do not fit each other.
    pub fn from_params(weight: Param<T>, bias: Option<Param<T>>, activation: Activation) -> Result<Self> {
        let &[outputs, inputs] = weight.value.shape() else {
            return Err(Error::shape("linear", "a weight [outputs, inputs]", weight.value.shape()));
        };
        at_least_one("linear: inputs", inputs)?;
        at_least_one("linear: outputs", outputs)?;
        match &bias {
            Some(bias) if bias.value.shape() != [outputs] => {
                Err(Error::shape("linear", format!("a bias of shape [{outputs}]"), bias.value.shape()))
            }
            _ => Ok(Linear { weight, bias, activation, folded: false }),
        }
    }

    /// The weight, `[outputs, inputs]`.
    pub fn weight(&self) -> &Param<T> {
        &self.weight
    }

    /// The bias, `[outputs]`.
    pub fn bias(&self) -> Option<&Param<T>> {
        self.bias.as_ref()
    }
}

impl<T: Real> Module<T> for Linear<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.layer(&self.weight, "linear", |tape| {
            let op = tensor::Linear::new(self.activation);
            if self.folded && tape.shape(x)?.len() != 2 {
                let expected = "[samples, inputs], since a batch norm is folded in";
                return Err(Error::shape("linear", expected, &tape.shape(x)?).at(tape.path()));
            }
            let weight = tape.param(&self.weight);
            match &self.bias {
                Some(bias) => {
                    let bias = tape.param(bias);
                    tape.apply(op, &[x, weight, bias])
                }
                None => tape.apply(op, &[x, weight]),
            }
        })
    }

    fn absorb_next(&mut self, next: &Affine) -> bool {
        let activation = self.activation;
        let fits = next.scale.len() == self.weight.value.shape()[0];
        let absorbed = fits && activation == Activation::Identity;
        if absorbed {
            scale_outputs(&mut self.weight, &mut self.bias, next, |output, _| output);
            (self.activation, self.folded) = (rectifier(next), true);
        }
        absorbed
    }

    fn absorb_previous(&mut self, previous: &Affine) -> bool {
        let absorbed = previous.scale.len() == self.weight.value.shape()[1];
        if absorbed {
            scale_inputs(&mut self.weight, &mut self.bias, previous, 1);
            self.folded = true;
        }
        absorbed
    }
}

/// A [`Linear`] layer in the making.
pub struct LinearConfig<T> {
    inputs: usize,
    outputs: usize,
    weights: Weights<T>,
}

impl<T: Real> LinearConfig<T> {
    weight_options!();

    /// Draws the first weights.
    ///
    /// # Errors
    /// If there are no inputs or no outputs.
    pub fn build(self, key: Key) -> Result<Linear<T>> {
        let inputs = at_least_one("linear: inputs", self.inputs)?;
        let outputs = at_least_one("linear: outputs", self.outputs)?;
        let shape = [outputs, inputs];
        let (weight, bias) = self.weights.draw(&shape, Fan::of_shape(&shape), outputs, key)?;
        Ok(Linear { weight, bias, activation: self.weights.activation, folded: false })
    }
}

configuration!(LinearConfig<T> => Linear<T>);

impl<T> std::fmt::Debug for LinearConfig<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinearConfig")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}
