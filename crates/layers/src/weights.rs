//! What all layers with weights and a bias have in common: how these begin.

use gradwise_core::{Key, Param, Real, Result};
use gradwise_init::{Fan, Init, InitExt, LecunUniform, Nonlinearity, Zeros};
use gradwise_tensor::Activation;

/// First values of a weight and a bias, and the activation that follows them.
pub(crate) struct Weights<T> {
    pub(crate) activation: Activation,
    pub(crate) bias: bool,
    init: Option<Box<dyn Init<T>>>,
    bias_init: Option<Box<dyn Init<T>>>,
}

impl<T: Real> Weights<T> {
    pub(crate) fn new() -> Self {
        Weights { activation: Activation::Identity, bias: true, init: None, bias_init: None }
    }

    pub(crate) fn set_init(&mut self, init: impl Init<T> + 'static) {
        self.init = Some(Box::new(init));
    }

    pub(crate) fn set_bias_init(&mut self, init: impl Init<T> + 'static) {
        self.bias_init = Some(Box::new(init));
        self.bias = true;
    }

    /// Draws a weight of this shape, and a bias for `outputs` units unless there shall be none.
    pub(crate) fn draw(
        &self,
        shape: &[usize],
        fan: Fan,
        outputs: usize,
        key: Key,
    ) -> Result<(Param<T>, Option<Param<T>>)> {
        let weight_key = key.with_str("weight");
        let weight = match &self.init {
            Some(init) => init.array_with(shape, fan, weight_key)?,
            // Weights of variance gain² / fan keep the variance of a signal; the layer knows the gain of its own activation only.
            None => LecunUniform::new().for_activation(gain_of(self.activation))?.array_with(shape, fan, weight_key)?,
        };
        let bias = match (&self.bias_init, self.bias) {
            (_, false) => None,
            (Some(init), true) => Some(init.array_with(&[outputs], fan, key.with_str("bias"))?),
            (None, true) => Some(Zeros.array_with(&[outputs], fan, key)?),
        };
        Ok((Param::new(weight), bias.map(Param::new)))
    }
}

fn gain_of(activation: Activation) -> Nonlinearity {
    match activation {
        Activation::Relu => Nonlinearity::Relu,
        Activation::Sigmoid => Nonlinearity::Sigmoid,
        Activation::Tanh => Nonlinearity::Tanh,
        _ => Nonlinearity::Linear,
    }
}

/// The options that every configuration of a layer with weights has.
macro_rules! weight_options {
    () => {
        /// With this activation, computed together with the layer.
        #[must_use]
        pub fn activation(mut self, activation: Activation) -> Self {
            self.weights.activation = activation;
            self
        }

        /// Without a bias: before a batch norm, which has its own.
        #[must_use]
        pub fn without_bias(mut self) -> Self {
            self.weights.bias = false;
            self
        }

        /// With this initializer for the weight, instead of uniform values of variance `gain² / fan in`, whose gain is the activation's.
        #[must_use]
        pub fn init(mut self, init: impl Init<T> + 'static) -> Self {
            self.weights.set_init(init);
            self
        }

        /// With this initializer for the bias, instead of zeros.
        #[must_use]
        pub fn bias_init(mut self, init: impl Init<T> + 'static) -> Self {
            self.weights.set_bias_init(init);
            self
        }
    };
}
pub(crate) use weight_options;
