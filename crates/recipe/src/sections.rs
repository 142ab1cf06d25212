//! The sections of a recipe: the keys of each, and what they mean where nothing is said.

use crate::Part;
use crate::part::tables_of;
use crate::schema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn yes() -> bool {
    true
}

/// `[data]`: what is learned from, and how it is prepared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DataSection {
    /// Where the samples come from.
    #[schemars(schema_with = "schema::source")]
    pub source: Part,
    /// Which samples are held out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub split: Split,
    /// What is made of the inputs first, one after another: products, waves, coordinates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::transforms")]
    pub features: Vec<Part>,
    /// How inputs are brought to a common scale, one after another, as learned from the training part alone. As they are, if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::transforms")]
    pub scale: Vec<Part>,
    /// The value of white in images, for `augment`; the largest value of the training part, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub white: Option<f64>,
}

impl DataSection {
    /// Data as they come from a source.
    pub fn new(source: Part) -> Self {
        DataSection { source, split: Split::default(), features: Vec::new(), scale: Vec::new(), white: None }
    }
}

/// Which samples are held out, to measure on.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Split {
    /// Share of all samples that are kept for the test at the end; a fifth, if it is not said and the source has no test part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<f64>,
    /// Share of the training part that is measured on after each epoch, and that decides about early stopping; none, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<f64>,
    /// Whether each class has the same share in all parts: yes, if it is not said. Numbers have no classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratified: Option<bool>,
    /// The seed of the draw; that of `train`, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// `[model]`: the network, and what it is to minimize.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelSection {
    /// A ready network, instead of a list of layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::layer")]
    pub network: Option<Part>,
    /// The activation of every layer with weights that says none, but for the last `linear` one, which makes the outputs; none, if it is not
    /// said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::activation")]
    pub activation: Option<Part>,
    /// The initializer of every weight for which none is said; uniform with a variance that keeps a signal's, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::initializer")]
    pub init: Option<Part>,
    /// The initializer of every bias for which none is said; zeros, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::initializer")]
    pub bias_init: Option<Part>,
    /// What is done to the outputs before the loss and in predictions; nothing, if it is not said. Most losses take outputs as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::activation")]
    pub output: Option<Part>,
    /// What is minimized: cross entropy for classes and the mean squared error for numbers, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::loss")]
    pub loss: Option<Part>,
    /// The layers, from the inputs to the outputs. Any of them may have a `name`, by which its parameters go.
    #[serde(default, skip_serializing_if = "Vec::is_empty", serialize_with = "tables_of")]
    #[schemars(schema_with = "schema::layers")]
    pub layers: Vec<Part>,
}

/// `[optimizer]`: how weights are moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OptimizerSection {
    /// The rule by which a gradient becomes a step; `adam`, if it is not said.
    #[schemars(schema_with = "schema::rule")]
    pub rule: Part,
    /// The learning rate, from which the schedule starts or which is its largest; 0.001, if it is not said.
    pub rate: f64,
    /// How the rate changes from step to step; `constant`, if it is not said.
    #[schemars(schema_with = "schema::schedule")]
    pub schedule: Part,
    /// Steps in which the rate rises from nothing, before the schedule begins.
    #[serde(skip_serializing_if = "is_default")]
    pub warmup: u64,
    /// The strength of weight decay; the rule's own, if it is not said: 0.01 for `adamw`, and none for most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// What is different for some parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupOptions>,
    /// Each layer's rate is that of the layer behind it, times this; layers near the inputs learn slowly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_decay: Option<f64>,
    /// How large a gradient may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<ClipOptions>,
    /// Batches whose gradients are averaged for one step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accumulate: Option<u64>,
    /// Sharpness-aware minimization: gradients from a distance uphill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sam: Option<SamOptions>,
    /// Lookahead: slow weights that follow the fast ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookahead: Option<LookaheadOptions>,
    /// Normal noise that is added to gradients, less and less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseOptions>,
    /// An average of the weights, which is what is measured and saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageOptions>,
}

impl Default for OptimizerSection {
    fn default() -> Self {
        OptimizerSection {
            rule: Part::named("adam"),
            rate: 0.001,
            schedule: Part::named("constant"),
            warmup: 0,
            weight_decay: None,
            groups: Vec::new(),
            layer_decay: None,
            clip: None,
            accumulate: None,
            sam: None,
            lookahead: None,
            noise: None,
            average: None,
        }
    }
}

/// Parameters that are treated in another way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GroupOptions {
    /// The paths of the parameters, such as `**.bias` or `0.*`; `vectors` for all that have one axis: biases, and what norms scale by.
    pub on: String,
    /// A factor on the learning rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_times: Option<f64>,
    /// A factor on weight decay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay_times: Option<f64>,
    /// Whether they are not moved at all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub frozen: bool,
}

/// How large a gradient may be: one of these.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClipOptions {
    /// The largest norm of all gradients together.
    GlobalNorm(f64),
    /// The largest norm of each parameter's gradient.
    Norm(f64),
    /// The largest element.
    Value(f64),
    /// The largest norm of each unit's gradient, as a share of its weights' norm: adaptive clipping.
    Unit(f64),
}

/// Sharpness-aware minimization.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SamOptions {
    /// The distance uphill; 0.05, if it is not said.
    #[serde(default = "rho")]
    pub rho: f64,
    /// Whether the distance is measured in units of the weights.
    #[serde(default, skip_serializing_if = "is_default")]
    pub adaptive: bool,
}

fn rho() -> f64 {
    0.05
}

/// Lookahead.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LookaheadOptions {
    /// Steps after which the slow weights move; 5, if it is not said.
    #[serde(default = "five")]
    pub every: u64,
    /// How far they move towards the fast ones; 0.5, if it is not said.
    #[serde(default = "half")]
    pub share: f64,
}

fn five() -> u64 {
    5
}

fn half() -> f64 {
    0.5
}

/// Noise on gradients, of variance `eta / (1 + step)^gamma`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NoiseOptions {
    /// The variance in the first step.
    pub eta: f64,
    /// How fast it falls; 0.55, if it is not said.
    #[serde(default = "gamma")]
    pub gamma: f64,
}

fn gamma() -> f64 {
    0.55
}

/// An average of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AverageOptions {
    /// The share of the average that a step keeps, such as 0.999; all steps count the same, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
    /// Whether the first steps keep less of it, so that first weights are soon forgotten.
    #[serde(default, skip_serializing_if = "is_default")]
    pub warm_up: bool,
    /// Steps that are left out at the beginning.
    #[serde(default, skip_serializing_if = "is_default")]
    pub after: u64,
    /// Of how many steps one counts; each, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
}

/// `[regularize]`: what holds a model back from learning by heart.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RegularizeSection {
    /// What is added to the loss for the weights; `on` says for which, and is `**.weight` if it is not said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::penalties")]
    pub penalties: Vec<Part>,
    /// The share of each target that is spread over all classes, in training only.
    #[serde(skip_serializing_if = "is_default")]
    pub label_smoothing: f64,
}

impl RegularizeSection {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        is_default(self)
    }
}

/// `[train]`: how long, on how many threads, from which seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TrainSection {
    /// Times to go through the training data; 10, if neither this nor `steps` is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// Steps to do, instead of epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Samples in a batch; 32, if it is not said.
    pub batch: usize,
    /// Threads, which change nothing but the time; as many as the machine has, if it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// The seed of everything random: first weights, held-out samples, the order of samples, dropout, augmentation.
    pub seed: u64,
    /// Whether the order of samples is another in each epoch; yes, if it is not said.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub shuffle: bool,
    /// Whether each class is drawn as often as any other.
    #[serde(skip_serializing_if = "is_default")]
    pub balanced: bool,
    /// Whether the last batch of an epoch is left out if it is smaller than the others.
    #[serde(skip_serializing_if = "is_default")]
    pub drop_last: bool,
    /// What is measured besides the loss: accuracy for classes and R² for numbers, if it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::metrics")]
    pub metrics: Option<Vec<Part>>,
    /// When training ends early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<StoppingOptions>,
    /// Steps from one look at the layers to the next; an epoch's, if it is not said, and none at all for 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_every: Option<u64>,
}

impl Default for TrainSection {
    fn default() -> Self {
        TrainSection {
            epochs: None,
            steps: None,
            batch: 32,
            threads: None,
            seed: 0,
            shuffle: true,
            balanced: false,
            drop_last: false,
            metrics: None,
            early_stopping: None,
            look_every: None,
        }
    }
}

/// When training ends early; the weights of the best epoch are put back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoppingOptions {
    /// What is watched, on the validation part: `loss`, if it is not said, or the name of a metric.
    #[serde(default = "loss")]
    pub monitor: String,
    /// Whether it should become larger; if it is not said, no for the loss and for errors, yes for all other metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximize: Option<bool>,
    /// Epochs without anything better that are waited for.
    pub patience: u64,
    /// By how much better is better.
    #[serde(default, skip_serializing_if = "is_default")]
    pub min_delta: f64,
}

fn loss() -> String {
    "loss".to_owned()
}
