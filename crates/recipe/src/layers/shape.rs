//! Other shapes, and layers that mix channels.

use super::{AnyModule, LayerSite, Layers};
use crate::{Described, Result};
use gradwise_layers::{self as layers, Gate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `flatten`: all axes of a sample become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Flatten {}

impl Described<Layers> for Flatten {
    const KIND: &'static str = "flatten";

    fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
        Ok(Box::new(layers::Flatten))
    }
}

/// `reshape`: samples of another shape, with as many elements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reshape {
    /// The shape.
    pub shape: Vec<usize>,
}

impl Described<Layers> for Reshape {
    const KIND: &'static str = "reshape";

    fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
        Ok(Box::new(layers::Reshape::new(&self.shape)))
    }
}

/// `add-coordinates`: two channels more, which tell where each pixel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddCoordinates {}

impl Described<Layers> for AddCoordinates {
    const KIND: &'static str = "add-coordinates";

    fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
        Ok(Box::new(layers::AddCoordinates))
    }
}

/// `squeeze-excite`: channels are weighted by what all of them are on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SqueezeExcite {
    /// How many times fewer units than channels are between the two; 16, if it is not said.
    #[serde(default = "sixteen")]
    pub reduction: usize,
}

fn sixteen() -> usize {
    16
}

impl Described<Layers> for SqueezeExcite {
    const KIND: &'static str = "squeeze-excite";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let config = layers::SqueezeExcite::<f32>::config(site.channels()?).reduction(self.reduction);
        Ok(Box::new(config.build(site.key())?))
    }
}

/// `maxout`: the largest of each few neighbouring features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Maxout {
    /// How many of them.
    pub pieces: usize,
}

impl Described<Layers> for Maxout {
    const KIND: &'static str = "maxout";

    fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
        Ok(Box::new(layers::Maxout::new(self.pieces)?))
    }
}

/// `glu`: one half of the features, times a function of the other half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Glu {
    /// The function; `sigmoid`, if it is not said.
    #[serde(default)]
    pub gate: GateName,
}

/// The function of a gated linear unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateName {
    /// `1 / (1 + e⁻ˣ)`.
    #[default]
    Sigmoid,
    /// `x / (1 + e⁻ˣ)`: SwiGLU.
    Silu,
    /// `x Φ(x)`: GeGLU.
    Gelu,
}

impl Described<Layers> for Glu {
    const KIND: &'static str = "glu";

    fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
        let gate = match self.gate {
            GateName::Sigmoid => Gate::Sigmoid,
            GateName::Silu => Gate::Silu,
            GateName::Gelu => Gate::Gelu,
        };
        Ok(Box::new(layers::Glu::new(1).gate(gate)))
    }
}
