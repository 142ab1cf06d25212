//! Layers made of layers.

use super::{AnyModule, LayerSite, Layers};
use crate::part::tables_of;
use crate::{Described, Part, RecipeError, Result, schema};
use gradwise_core::Key;
use gradwise_layers::{self as layers, Chain};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `residual`: its layers, and their inputs added to what comes out of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Residual {
    /// The layers.
    #[serde(serialize_with = "tables_of")]
    #[schemars(schema_with = "schema::layers")]
    pub layers: Vec<Part>,
    /// Layers that the inputs go through before they are added; they are added as they are, if none is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "tables_of")]
    #[schemars(schema_with = "schema::layers")]
    pub shortcut: Vec<Part>,
}

impl Described<Layers> for Residual {
    const KIND: &'static str = "residual";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let keyed = |key: Key| LayerSite { key, ..*site };
        let (body, out) = keyed(site.key().with_str("body")).chain("layers", &self.layers)?;
        let (shortcut, beside) = keyed(site.key().with_str("shortcut")).chain("shortcut", &self.shortcut)?;
        if out != beside {
            let field = if self.shortcut.is_empty() { "layers" } else { "shortcut" };
            let (expected, got) = if self.shortcut.is_empty() { (beside, out) } else { (out, beside) };
            return Err(RecipeError::value(
                format!("layers that make samples of shape {expected:?}, to be added"),
                format_args!("layers that make {got:?}"),
            )
            .at(field));
        }
        if self.shortcut.is_empty() {
            return Ok(Box::new(layers::Residual::new(body)));
        }
        Ok(Box::new(layers::Residual::new(body).with_shortcut(shortcut)))
    }
}

/// `repeat`: its layers, several times one after another, each time with weights of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Repeat {
    /// How often.
    pub times: usize,
    /// The layers.
    #[serde(serialize_with = "tables_of")]
    #[schemars(schema_with = "schema::layers")]
    pub layers: Vec<Part>,
}

impl Repeat {
    /// Repetitions, at most.
    const MOST: usize = 10_000;
}

impl Described<Layers> for Repeat {
    const KIND: &'static str = "repeat";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        if self.times > Self::MOST {
            return Err(RecipeError::value(format!("at most {}", Self::MOST), self.times).at("times"));
        }
        let mut all: Chain<f32> = Chain::new();
        let mut shape = site.input().to_vec();
        for i in 0..self.times {
            let inside = LayerSite { key: site.key().with(i as u64), input: &shape, ..*site };
            let (chain, out) = inside.chain("layers", &self.layers)?;
            (all, shape) = (all.with(chain), out);
        }
        Ok(Box::new(all))
    }
}
