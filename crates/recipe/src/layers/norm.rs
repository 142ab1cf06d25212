//! Normalization.

use super::{AnyModule, LayerSite, Layers};
use crate::{Described, RecipeError, Result};
use gradwise_layers as layers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn tenth() -> f64 {
    0.1
}

fn epsilon() -> f64 {
    1e-5
}

fn rms_epsilon() -> f64 {
    1e-6
}

fn yes() -> bool {
    true
}

fn no(value: &bool) -> bool {
    !value
}

/// `batch-norm`: channels are brought to mean 0 and variance 1 over the batch: of features, sequences or images, as they come in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BatchNorm {
    /// The weight of a batch in the running statistics; 0.1, if it is not said.
    #[serde(default = "tenth")]
    pub momentum: f64,
    /// What is added to variances; 1e-5, if it is not said.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
    /// Whether channels are scaled and shifted again, by numbers that are learned: yes, if it is not said.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub affine: bool,
    /// Whether a ReLU follows, in the same pass.
    #[serde(default, skip_serializing_if = "no")]
    pub relu: bool,
    /// Whether scales begin at 0: at the end of a residual block, which then begins as the identity.
    #[serde(default, skip_serializing_if = "no")]
    pub zero_weight: bool,
}

fn batch_norm<const D: usize>(options: &BatchNorm, channels: usize) -> Result<AnyModule> {
    let mut norm = layers::BatchNorm::<f32, D>::new(channels)?;
    norm = norm.with_momentum(options.momentum)?.with_epsilon(options.epsilon)?;
    if !options.affine {
        norm = norm.without_affine();
    }
    if options.relu {
        norm = norm.with_relu();
    }
    if options.zero_weight {
        norm = norm.zero_weight();
    }
    Ok(Box::new(norm))
}

impl Described<Layers> for BatchNorm {
    const KIND: &'static str = "batch-norm";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        match site.input() {
            [channels] | [channels, _] => batch_norm::<1>(&self, *channels),
            [channels, _, _] => batch_norm::<2>(&self, *channels),
            _ => Err(site.misfit("features, sequences or images")),
        }
    }
}

/// `layer-norm`: each sample is brought to mean 0 and variance 1, over all of its axes or the last ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LayerNorm {
    /// Over how many of the last axes; the last one, if it is not said.
    #[serde(default = "one")]
    pub axes: usize,
    /// What is added to variances; 1e-5, if it is not said.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
}

/// `rms-norm`: each sample is brought to a root mean square of 1, over the last axes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RmsNorm {
    /// Over how many of the last axes; the last one, if it is not said.
    #[serde(default = "one")]
    pub axes: usize,
    /// What is added to mean squares; 1e-6, if it is not said.
    #[serde(default = "rms_epsilon")]
    pub epsilon: f64,
}

fn one() -> usize {
    1
}

/// The last axes of a sample.
fn last_axes<'a>(site: &LayerSite<'a>, axes: usize) -> Result<&'a [usize]> {
    let n = site.input().len();
    if (1..=n).contains(&axes) {
        return Ok(&site.input()[n - axes..]);
    }
    Err(RecipeError::value(format!("a number from 1 to {n}, as samples have axes"), axes).at("axes"))
}

impl Described<Layers> for LayerNorm {
    const KIND: &'static str = "layer-norm";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        Ok(Box::new(layers::LayerNorm::<f32>::with_epsilon(last_axes(site, self.axes)?, self.epsilon)?))
    }
}

impl Described<Layers> for RmsNorm {
    const KIND: &'static str = "rms-norm";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        Ok(Box::new(layers::RmsNorm::<f32>::with_epsilon(last_axes(site, self.axes)?, self.epsilon)?))
    }
}

/// `group-norm`: groups of a sample's channels are brought to mean 0 and variance 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GroupNorm {
    /// How many groups: 1 for all channels together; one a channel (instance norm), if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// What is added to variances; 1e-5, if it is not said.
    #[serde(default = "epsilon")]
    pub epsilon: f64,
}

impl Described<Layers> for GroupNorm {
    const KIND: &'static str = "group-norm";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let channels = site.channels()?;
        let groups = self.groups.unwrap_or(channels);
        Ok(Box::new(layers::GroupNorm::<f32>::with_epsilon(groups, channels, self.epsilon)?))
    }
}
