//! A compact convolutional network for small images.

use crate::build::at_least_one;
use crate::build::configuration;
use crate::{Activation, BatchNorm2d, Chain, Conv2d, Dropout, Flatten, Linear, MaxPool2d};
use gradwise_core::{Error, Key, Real, Result};

/// A compact convolutional network: blocks of a 3 × 3 convolution, batch norm, ReLU and 2 × 2 max pooling, then a hidden layer with
/// dropout, and a linear head whose outputs are logits.
///
/// Unless said otherwise the blocks have 16, 32 and 64 channels, the hidden layer 128 units, and dropout a rate of 0.25: a network of
/// 98,554 parameters for 28 × 28 digits.
///
/// ```
/// use gradwise_layers::{Chain, Key, ParamsExt, models::ConvNetConfig};
///
/// let model: Chain<f32> = ConvNetConfig::new([1, 28, 28], 10).build(Key::new(0))?;
/// assert_eq!(model.n_trainable(), 98_554);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ConvNetConfig {
    input: [usize; 3],
    classes: usize,
    channels: Vec<usize>,
    convolutions: usize,
    hidden: usize,
    dropout: f64,
}

impl ConvNetConfig {
    /// A network for images of this shape, `[channels, height, width]`, and this many classes.
    pub fn new(input: [usize; 3], classes: usize) -> Self {
        ConvNetConfig { input, classes, channels: vec![16, 32, 64], convolutions: 1, hidden: 128, dropout: 0.25 }
    }

    /// With blocks of this many channels.
    #[must_use]
    pub fn channels(self, channels: &[usize]) -> Self {
        ConvNetConfig { channels: channels.to_vec(), ..self }
    }

    /// With this many convolutions in each block, each with its batch norm and ReLU, before the pooling: for images so small that they
    /// cannot be halved often.
    #[must_use]
    pub fn convolutions(self, n: usize) -> Self {
        ConvNetConfig { convolutions: n, ..self }
    }

    /// With a hidden layer of this many units.
    #[must_use]
    pub fn hidden(self, units: usize) -> Self {
        ConvNetConfig { hidden: units, ..self }
    }

    /// With dropout of this rate before the head.
    #[must_use]
    pub fn dropout(self, rate: f64) -> Self {
        ConvNetConfig { dropout: rate, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If a size is 0 or an option out of its range.
    pub fn build<T: Real>(self, key: Key) -> Result<Chain<T>> {
        let [mut inputs, mut height, mut width] = self.input;
        let halvings = self.channels.len() as u32;
        if halvings >= usize::BITS || height >> halvings == 0 || width >> halvings == 0 {
            let expected = format!("an image that can be halved {halvings} times");
            return Err(Error::value("conv_net: input", expected, format_args!("{height} x {width}")));
        }
        at_least_one("conv_net: convolutions", self.convolutions)?;
        let mut chain = Chain::seeded(key);
        let mut n = 0;
        for (i, &outputs) in self.channels.iter().enumerate() {
            for _ in 0..self.convolutions {
                chain = chain
                    .named(&format!("conv{n}"), Conv2d::config(inputs, outputs, 3).padding(1).without_bias())
                    .named(&format!("norm{n}"), BatchNorm2d::new(outputs)?.with_relu());
                (inputs, n) = (outputs, n + 1);
            }
            chain = chain.named(&format!("pool{i}"), MaxPool2d::new(2)?);
            (height, width) = (height / 2, width / 2);
        }
        chain
            .named("flatten", Flatten)
            .named("hidden", Linear::config(inputs * height * width, self.hidden).activation(Activation::Relu))
            .named("dropout", Dropout::new(self.dropout)?)
            .named("head", Linear::config(self.hidden, self.classes))
            .build()
    }
}

configuration!(ConvNetConfig => Chain<T>);
