//! The multilayer perceptron.

use crate::build::configuration;
use crate::{Activation, Chain, Dropout, Flatten, Linear};
use gradwise_core::{Error, Key, Real, Result};

/// A multilayer perceptron with ReLU between its layers: `mlp(&[784, 256, 10], key)` has 784 inputs, one hidden layer of 256 units and 10
/// outputs, on which no activation is applied. Samples of any shape are flattened first.
///
/// # Errors
/// If there are not at least two sizes, or one is 0.
///
/// ```
/// use gradwise_layers::{Chain, Key, ParamsExt, models};
///
/// let model: Chain<f32> = models::mlp(&[784, 256, 10], Key::new(0))?;
/// assert_eq!(model.n_trainable(), 784 * 256 + 256 + 256 * 10 + 10);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
pub fn mlp<T: Real>(sizes: &[usize], key: Key) -> Result<Chain<T>> {
    MlpConfig::new(sizes).build(key)
}

/// A multilayer perceptron in the making.
///
/// ```
/// use gradwise_layers::{Activation, Chain, Key, ParamsExt, models::MlpConfig};
///
/// // Five hidden layers of sigmoids: the classical example of gradients that vanish.
/// let sizes = [64, 32, 32, 32, 32, 32, 10];
/// let model: Chain<f32> = MlpConfig::new(&sizes).activation(Activation::Sigmoid).dropout(0.1).build(Key::new(0))?;
/// assert_eq!(model.paths()[0], "hidden0.weight");
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MlpConfig {
    sizes: Vec<usize>,
    activation: Activation,
    dropout: f64,
}

impl MlpConfig {
    /// A perceptron of these sizes, from the inputs to the outputs, with ReLU.
    pub fn new(sizes: &[usize]) -> Self {
        MlpConfig { sizes: sizes.to_vec(), activation: Activation::Relu, dropout: 0.0 }
    }

    /// With this activation behind each hidden layer.
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        MlpConfig { activation, ..self }
    }

    /// With dropout of this rate behind each hidden layer.
    #[must_use]
    pub fn dropout(self, rate: f64) -> Self {
        MlpConfig { dropout: rate, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If a size is 0 or an option out of its range.
    pub fn build<T: Real>(self, key: Key) -> Result<Chain<T>> {
        let [hidden @ .., last, outputs] = &self.sizes[..] else {
            let got = format_args!("{:?}", self.sizes).to_string();
            return Err(Error::value("mlp: sizes", "at least those of inputs and outputs", got));
        };
        let dropout = Dropout::new(self.dropout)?;
        let mut chain = Chain::seeded(key).named("flatten", Flatten);
        for (i, pair) in [hidden, &[*last]].concat().windows(2).enumerate() {
            let layer = Linear::config(pair[0], pair[1]).activation(self.activation);
            chain = chain.named(&format!("hidden{i}"), layer);
            if self.dropout > 0.0 {
                chain = chain.named(&format!("dropout{i}"), dropout);
            }
        }
        chain.named("head", Linear::config(*last, *outputs)).build()
    }
}

configuration!(MlpConfig => Chain<T>);
