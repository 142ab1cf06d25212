//! Data sets that are drawn.

use super::{Loaded, SourceSite, Sources};
use crate::{Described, RecipeError, Result};
use gradwise_data as data;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Samples of a set that is drawn, at most: more do not fit into memory, and are a slip of the keyboard.
const MOST: usize = 100_000_000;

macro_rules! sets {
    ($($(#[$doc:meta])* $name:ident: $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }
        |$self:ident, $seed:ident| $build:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            /// How many samples there are.
            pub samples: usize,
            $($(#[$field_doc])* pub $field: $type,)*
            /// The seed of the draw; that of `train`, if it is not said.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub seed: Option<u64>,
        }

        impl Described<Sources> for $name {
            const KIND: &'static str = $kind;
            fn build(self, site: &SourceSite<'_>) -> Result<Loaded> {
                if self.samples > MOST {
                    return Err(RecipeError::value(format!("at most {MOST}"), self.samples).at("samples"));
                }
                let $seed = self.seed.unwrap_or(site.seed());
                let $self = self;
                site.parts($build?)
            }
        }
    )*};
}

fn half() -> f64 {
    0.5
}

fn one() -> f64 {
    1.0
}

fn two() -> usize {
    2
}

fn two_labels() -> f64 {
    2.0
}

fn three() -> usize {
    3
}

sets! {
    /// `circles`: a circle within another one, two classes.
    Circles: "circles" {
        /// The inner radius, as a share of the outer one; 0.5, if it is not said.
        #[serde(default = "half")]
        factor: f64,
        /// The standard deviation of noise; none, if it is not said.
        #[serde(default)]
        noise: f64,
    } |options, seed| data::circles::<f32>(options.samples, options.factor, options.noise, seed);
    /// `moons`: two half circles that reach into each other.
    Moons: "moons" {
        /// The standard deviation of noise; none, if it is not said.
        #[serde(default)]
        noise: f64,
    } |options, seed| data::moons::<f32>(options.samples, options.noise, seed);
    /// `spirals`: spirals that wind about each other, one a class.
    Spirals: "spirals" {
        /// How many; 2, if it is not said.
        #[serde(default = "two")]
        classes: usize,
        /// How often they go round; once, if it is not said.
        #[serde(default = "one")]
        turns: f64,
        /// The standard deviation of noise; none, if it is not said.
        #[serde(default)]
        noise: f64,
    } |options, seed| data::spirals::<f32>(options.samples, options.classes, options.turns, options.noise, seed);
    /// `blobs`: normal points about a centre for each class.
    Blobs: "blobs" {
        /// How many classes; 3, if it is not said.
        #[serde(default = "three")]
        classes: usize,
        /// How many numbers a sample has; 2, if it is not said.
        #[serde(default = "two")]
        features: usize,
        /// Their standard deviation; 1, if it is not said.
        #[serde(default = "one")]
        std: f64,
    } |options, seed| data::blobs::<f32>(options.samples, options.classes, options.features, options.std, seed);
    /// `multi-label`: how often words occur, and which topics there are, any number of them.
    MultiLabel: "multi-label" {
        /// How many words.
        features: usize,
        /// How many topics.
        labels: usize,
        /// Topics of a sample, on average; 2, if it is not said.
        #[serde(default = "two_labels")]
        labels_a_sample: f64,
    } |options, seed| data::multilabel::<f32>(
        options.samples, options.features, options.labels, options.labels_a_sample, seed);
}
