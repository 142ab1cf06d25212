//! A training run, as its folder tells it.

mod line;
mod read;
mod series;

use serde_json::Value;
use std::path::PathBuf;

/// A run that was read from its folder.
///
/// Numbers that were not finite are NaN. What the folder does not tell is empty or `None`: nothing is made up.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder.
    pub path: PathBuf,
    /// The folder's name.
    pub name: String,
    /// Everything the run was started with; an object, as a rule.
    pub config: Value,
    /// The recipe it was made from, as text, if one lies in the folder: `recipe.toml`.
    pub recipe: Option<String>,
    /// How it ended, in the words of whoever ran it; `None` if it did not end.
    pub summary: Option<Value>,
    /// Epochs that were planned, and steps in each.
    pub plan: Option<[u64; 2]>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The epochs, in order.
    pub epochs: Vec<Epoch>,
    /// What the layers' outputs looked like, in the steps in which they were looked at.
    pub readings: Vec<At<LayerStats>>,
    /// Norms of the parameters, in the steps in which they were measured.
    pub norms: Vec<At<ParamStats>>,
    /// Parameters that the loss does not depend on.
    pub unreached: Vec<String>,
    /// How the loop ended; `None` if it did not.
    pub end: Option<End>,
    /// Which class was taken for which, on the test data.
    pub confusion: Option<ConfusionMatrix>,
    /// Whether the last line of `metrics.jsonl` was cut off: the run was ended from outside.
    pub cut_off: bool,
}

/// A step of training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its number since training began, from 0.
    pub step: u64,
    /// The number of its epoch, from 0.
    pub epoch: u64,
    /// The batch's loss, before the update.
    pub loss: f64,
    /// Its learning rate.
    pub learning_rate: f64,
    /// Euclidean norm of all gradients together.
    pub grad_norm: f64,
    /// The momentum, where a schedule moves it.
    pub momentum: Option<f64>,
    /// Samples in the batch.
    pub samples: u64,
}

/// An epoch of training.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, from 0.
    pub epoch: u64,
    /// Mean loss of its samples.
    pub train_loss: f64,
    /// What was measured on the training batches, by name.
    pub train: Vec<(String, f64)>,
    /// What was measured on held-out data, by name.
    pub validation: Vec<(String, f64)>,
    /// Seconds its training took.
    pub seconds: f64,
    /// Samples trained on.
    pub samples: u64,
}

/// What was looked at in a step.
#[derive(Clone, Debug, PartialEq)]
pub struct At<V> {
    /// The step.
    pub step: u64,
    /// What was seen: of layers in the order of their operations, of parameters in that of their paths.
    pub values: Vec<V>,
}

/// What an operation's output looked like.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerStats {
    /// Path of the layer.
    pub path: String,
    /// Name of the operation.
    pub op: String,
    /// Shape of its output.
    pub shape: Vec<u64>,
    /// Mean of the values.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Share of values that are exactly 0.
    pub zeros: f64,
    /// Share of values that are not finite.
    pub not_finite: f64,
    /// Share of units that put out the same number for all samples, where it was found out.
    pub dead: Option<f64>,
    /// Share of values at the ends of their range, of operations that have such.
    pub saturated: Option<f64>,
    /// Counts of values in bins of equal width from `min` to `max`; empty where they were not counted.
    pub histogram: Vec<f64>,
}

/// Norms of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamStats {
    /// Its path.
    pub path: String,
    /// Euclidean norm of its values, after the update.
    pub weight_norm: f64,
    /// That of its gradient.
    pub grad_norm: f64,
    /// That of its change, where it was measured.
    pub update_norm: Option<f64>,
}

/// How a loop ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Steps done.
    pub steps: u64,
    /// Why it ended early, if it did.
    pub stop: Option<String>,
}

/// Which class was taken for which: `confusion.json` of a run folder.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfusionMatrix {
    /// The classes' names.
    pub classes: Vec<String>,
    /// A row a true class, a column a predicted one.
    pub matrix: Vec<Vec<f64>>,
}

impl Run {
    /// Whether the run came to its end, planned or not.
    pub fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// The state of the run, in words.
    pub fn state(&self) -> String {
        match &self.end {
            Some(End { stop: Some(reason), steps }) => format!("stopped after {steps} steps: {reason}"),
            Some(End { steps, .. }) => format!("ended after {steps} steps"),
            None => format!("did not end; {} steps are recorded", self.steps.len()),
        }
    }
}
