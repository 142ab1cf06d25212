//! Ready networks: each is a layer, too, and makes as many outputs as the data ask for.

use super::{AnyModule, LayerSite, Layers};
use crate::{Described, RecipeError, Result};
use gradwise_layers::{Activation, models};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The activations that networks compute together with their layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FusedActivation {
    /// `max(x, 0)`.
    #[default]
    Relu,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x`.
    None,
}

impl From<FusedActivation> for Activation {
    fn from(name: FusedActivation) -> Self {
        match name {
            FusedActivation::Relu => Activation::Relu,
            FusedActivation::Sigmoid => Activation::Sigmoid,
            FusedActivation::Tanh => Activation::Tanh,
            FusedActivation::None => Activation::Identity,
        }
    }
}

/// `mlp`: a multilayer perceptron; images are flattened first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mlp {
    /// The units of each hidden layer.
    pub hidden: Vec<usize>,
    /// The activation behind each; `relu`, if it is not said.
    #[serde(default)]
    pub activation: FusedActivation,
    /// The rate of dropout behind each hidden layer; none, if it is not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropout: f64,
}

impl Described<Layers> for Mlp {
    const KIND: &'static str = "mlp";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let inputs = site.input().iter().product();
        let sizes = [&[inputs], &self.hidden[..], &[site.outputs()]].concat();
        let config = models::MlpConfig::new(&sizes).activation(self.activation.into()).dropout(self.dropout);
        Ok(Box::new(config.build::<f32>(site.key())?))
    }
}

/// `conv-net`: blocks of convolutions, batch norms and pooling, and a hidden layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConvNet {
    /// The channels of each block, after which images are halved; 32, 64 and 128, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<usize>>,
    /// Convolutions in a block; 1, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convolutions: Option<usize>,
    /// Units of the hidden layer; 128, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// The rate of dropout before the last layer; none, if it is not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropout: f64,
}

impl Described<Layers> for ConvNet {
    const KIND: &'static str = "conv-net";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let mut config = models::ConvNetConfig::new(site.image()?, site.outputs()).dropout(self.dropout);
        if let Some(channels) = &self.channels {
            config = config.channels(channels);
        }
        if let Some(convolutions) = self.convolutions {
            config = config.convolutions(convolutions);
        }
        if let Some(hidden) = self.hidden {
            config = config.hidden(hidden);
        }
        Ok(Box::new(config.build::<f32>(site.key())?))
    }
}

/// `lenet`: LeNet-5, for images of 28 x 28 pixels, or of 32 x 32.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LeNet {
    /// The activation; `tanh`, if it is not said.
    #[serde(default = "tanh")]
    pub activation: FusedActivation,
}

fn tanh() -> FusedActivation {
    FusedActivation::Tanh
}

impl Described<Layers> for LeNet {
    const KIND: &'static str = "lenet";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let [channels, height, width] = site.image()?;
        let config = models::LeNetConfig::new(site.outputs()).channels(channels).activation(self.activation.into());
        let config = match (height, width) {
            (28, 28) => config,
            (32, 32) => config.without_padding(),
            _ => return Err(site.misfit("images of 28 x 28 or 32 x 32 pixels")),
        };
        Ok(Box::new(config.build::<f32>(site.key())?))
    }
}

/// `resnet`: a residual network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResNet {
    /// 18 for ResNet-18, made for large images; else 6 n + 2, as 20, 32, 44 or 56, for images of about 32 x 32 pixels. 20, if it is not said.
    #[serde(default = "twenty")]
    pub layers: usize,
    /// Whether there are convolutions where a stage begins, rather than channels of zeros.
    #[serde(default, skip_serializing_if = "is_default")]
    pub projected: bool,
    /// Whether each block begins as the identity.
    #[serde(default, skip_serializing_if = "is_default")]
    pub zero_gain: bool,
    /// The rate of stochastic depth at the last block; none, if it is not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stochastic_depth: f64,
}

fn twenty() -> usize {
    20
}

impl Described<Layers> for ResNet {
    const KIND: &'static str = "resnet";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let [channels, _, _] = site.image()?;
        let config = match self.layers {
            18 => models::ResNetConfig::resnet18(site.outputs()),
            n if n >= 8 && n % 6 == 2 => models::ResNetConfig::small(n / 6, site.outputs()),
            n => return Err(RecipeError::value("18, or 6 n + 2 layers, as 20, 32, 44 or 56", n).at("layers")),
        };
        let mut config = config.channels(channels).stochastic_depth(self.stochastic_depth);
        if self.projected {
            config = config.projected();
        }
        if self.zero_gain {
            config = config.zero_gain();
        }
        Ok(Box::new(config.build::<f32>(site.key())?))
    }
}

/// `vit`: a vision transformer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vit {
    /// The side of a patch, in pixels.
    pub patch: usize,
    /// Features of a token; 192, if it is not said.
    #[serde(default = "width")]
    pub width: usize,
    /// Heads of attention; 3, if it is not said.
    #[serde(default = "heads")]
    pub heads: usize,
    /// Blocks; 6, if it is not said.
    #[serde(default = "depth")]
    pub depth: usize,
    /// The rate of dropout; none, if it is not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropout: f64,
    /// The rate of stochastic depth at the last block; none, if it is not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stochastic_depth: f64,
}

fn width() -> usize {
    192
}

fn heads() -> usize {
    3
}

fn depth() -> usize {
    6
}

impl Described<Layers> for Vit {
    const KIND: &'static str = "vit";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let config = models::VitConfig::new(site.image()?, self.patch, site.outputs())
            .width(self.width, self.heads)
            .depth(self.depth)
            .dropout(self.dropout)
            .stochastic_depth(self.stochastic_depth);
        Ok(Box::new(config.build::<f32>(site.key())?))
    }
}
