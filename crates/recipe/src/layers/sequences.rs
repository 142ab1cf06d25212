//! Layers over sequences (steps, features).

use super::{AnyModule, LayerSite, Layers};
use crate::{Described, Part, Result, schema};
use gradwise_autograd::Module;
use gradwise_core::Key;
use gradwise_layers::{self as layers, Bidirectional, LastStep as Last, Recurrent, RecurrentCell, RecurrentConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Draws a recurrent layer, of one direction or two.
fn recurrent<C: RecurrentCell<f32>>(
    site: &LayerSite<'_>,
    config: impl Fn() -> Result<RecurrentConfig<f32, C>>,
    bidirectional: bool,
) -> Result<AnyModule>
where
    Recurrent<f32, C>: Module<f32>,
{
    let draw = |key: Key| Ok::<_, crate::RecipeError>(config()?.build(key)?);
    if bidirectional {
        let (ahead, back) = (draw(site.key().with_str("forward"))?, draw(site.key().with_str("backward"))?);
        return Ok(Box::new(Bidirectional::new(ahead, back)));
    }
    Ok(Box::new(draw(site.key())?))
}

macro_rules! recurrent_layers {
    ($($(#[$doc:meta])* $name:ident: $kind:literal => $layer:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            /// Its units: the features of a step that comes out.
            pub units: usize,
            /// Whether sequences are read from both ends, which gives twice as many features.
            #[serde(default, skip_serializing_if = "is_default")]
            pub bidirectional: bool,
            /// The initializer of the weights of inputs; the model's, if it is not said.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(schema_with = "schema::initializer")]
            pub init: Option<Part>,
        }

        impl Described<Layers> for $name {
            const KIND: &'static str = $kind;

            fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
                let [_, inputs] = site.sequence()?;
                let config = || {
                    let config = layers::$layer::<f32>::config(inputs, self.units);
                    Ok(match site.init(self.init.as_ref())? {
                        Some(init) => config.init(init),
                        None => config,
                    })
                };
                recurrent(site, config, self.bidirectional)
            }
        }
    )*};
}

recurrent_layers! {
    /// `lstm`: long short-term memory.
    Lstm: "lstm" => Lstm;
    /// `gru`: gated recurrent units.
    Gru: "gru" => Gru;
    /// `rnn`: units that see the step and what they said at the one before.
    Rnn: "rnn" => SimpleRnn;
}

/// `last-step`: the last step of sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LastStep {}

impl Described<Layers> for LastStep {
    const KIND: &'static str = "last-step";

    fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
        Ok(Box::new(Last))
    }
}

/// `transformer`: attention and a small perceptron, each with a norm and added to its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Transformer {
    /// Heads of attention.
    pub heads: usize,
    /// Units of the perceptron; four times the features, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// Whether a step sees only itself and those before it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub causal: bool,
    /// Whether norms stand behind the sums rather than before the layers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub norm_last: bool,
    /// The rate of dropout; none, if it is not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropout: f64,
    /// The rate of stochastic depth; none, if it is not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stochastic_depth: f64,
}

impl Described<Layers> for Transformer {
    const KIND: &'static str = "transformer";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let [_, width] = site.sequence()?;
        let mut config = layers::TransformerBlock::<f32>::config(width, self.heads)
            .dropout(self.dropout)
            .stochastic_depth(self.stochastic_depth);
        if let Some(hidden) = self.hidden {
            config = config.hidden(hidden);
        }
        if self.causal {
            config = config.causal();
        }
        if self.norm_last {
            config = config.norm_last();
        }
        Ok(Box::new(config.build(site.key())?))
    }
}

/// `positions`: something is added to each step that tells which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Positions {
    /// Whether it is made of sines and cosines rather than learned.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sinusoidal: bool,
}

impl Described<Layers> for Positions {
    const KIND: &'static str = "positions";

    fn build(self, site: &LayerSite<'_>) -> Result<AnyModule> {
        let [steps, width] = site.sequence()?;
        let positions = match self.sinusoidal {
            true => layers::Positions::<f32>::sinusoidal(steps, width)?,
            false => layers::Positions::<f32>::new(steps, width, site.key())?,
        };
        Ok(Box::new(positions))
    }
}
