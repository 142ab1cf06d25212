//! Dropout and noise, in training only.

use super::{AnyModule, LayerSite, Layers};
use crate::{Described, Result};
use gradwise_layers as layers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! noises {
    ($($(#[$doc:meta])* $name:ident: $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* };)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

        impl Described<Layers> for $name {
            const KIND: &'static str = $kind;
            fn build(self, _: &LayerSite<'_>) -> Result<AnyModule> {
                Ok(Box::new(layers::$name::new($(self.$field),*)?))
            }
        }
    )*};
}

fn seven() -> usize {
    7
}

noises! {
    /// `dropout`: elements are dropped, and the others made larger.
    Dropout: "dropout" {
        /// The share that is dropped.
        rate: f64
    };
    /// `spatial-dropout`: whole channels are dropped. For convolutions.
    SpatialDropout: "spatial-dropout" {
        /// The share that is dropped.
        rate: f64
    };
    /// `alpha-dropout`: dropout that leaves mean 0 and variance 1. After `selu`.
    AlphaDropout: "alpha-dropout" {
        /// The share that is dropped.
        rate: f64
    };
    /// `gaussian-dropout`: elements are multiplied by normal numbers around 1.
    GaussianDropout: "gaussian-dropout" {
        /// The rate of the dropout whose variance it has.
        rate: f64
    };
    /// `gaussian-noise`: normal noise is added.
    GaussianNoise: "gaussian-noise" {
        /// Its standard deviation.
        deviation: f64
    };
    /// `drop-block`: squares of feature maps are dropped.
    DropBlock: "drop-block" {
        /// The share that is dropped, about.
        rate: f64,
        /// The side of a square; 7, if it is not said.
        #[serde(default = "seven")]
        size: usize
    };
    /// `stochastic-depth`: whole samples are dropped. At the end of the layers of `residual`, so that the block is left out for them.
    StochasticDepth: "stochastic-depth" {
        /// The share that is dropped.
        rate: f64
    };
}
