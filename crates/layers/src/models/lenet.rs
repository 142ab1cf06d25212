//! LeNet-5.

use crate::build::{at_least_one, configuration};
use crate::{Activation, AvgPool2d, Chain, Conv2d, Flatten, Linear};
use gradwise_core::{Key, Real, Result};

/// LeNet-5: two 5 x 5 convolutions with tanh and mean pooling, then linear layers of 120, 84 and as many units as there are classes, whose outputs are
/// logits.
///
/// For 32 x 32 pixels, or 28 x 28, to which the first convolution adds two on each side: 61,706 parameters for digits. As is the custom, pooling has no
/// parameters, the second convolution sees all maps, and a softmax takes the place of the radial basis functions (the paper's has 60,000).
///
/// Source: LeCun et al., *Gradient-based learning applied to document recognition*, Proceedings of the IEEE 86, 1998.
///
/// ```
/// use gradwise_layers::{Chain, Key, ParamsExt, models::LeNetConfig};
///
/// let model: Chain<f32> = LeNetConfig::new(10).build(Key::new(0))?;
/// assert_eq!(model.n_trainable(), 61_706);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeNetConfig {
    channels: usize,
    classes: usize,
    padding: usize,
    activation: Activation,
}

impl LeNetConfig {
    /// For grey images of 28 x 28 pixels and so many classes.
    pub fn new(classes: usize) -> Self {
        LeNetConfig { channels: 1, classes, padding: 2, activation: Activation::Tanh }
    }

    /// For images of 32 x 32 pixels.
    #[must_use]
    pub fn without_padding(self) -> Self {
        LeNetConfig { padding: 0, ..self }
    }

    /// For images of so many channels.
    #[must_use]
    pub fn channels(self, channels: usize) -> Self {
        LeNetConfig { channels, ..self }
    }

    /// With another activation: ReLU trains faster.
    #[must_use]
    pub fn activation(self, activation: Activation) -> Self {
        LeNetConfig { activation, ..self }
    }

    /// Draws the first weights.
    ///
    /// # Errors
    /// If there are no channels or no classes.
    pub fn build<T: Real>(self, key: Key) -> Result<Chain<T>> {
        let channels = at_least_one("lenet: channels", self.channels)?;
        let classes = at_least_one("lenet: classes", self.classes)?;
        let f = self.activation;
        Chain::seeded(key)
            .named("conv1", Conv2d::config(channels, 6, 5).padding(self.padding).activation(f))
            .named("pool1", AvgPool2d::new(2)?)
            .named("conv2", Conv2d::config(6, 16, 5).activation(f))
            .named("pool2", AvgPool2d::new(2)?)
            .named("flatten", Flatten)
            .named("linear1", Linear::config(400, 120).activation(f))
            .named("linear2", Linear::config(120, 84).activation(f))
            .named("head", Linear::config(84, classes))
            .build()
    }
}

configuration!(LeNetConfig => Chain<T>);
