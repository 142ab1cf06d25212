//! A line of `metrics.jsonl`: every field that any event has, none of which must be there.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A number, or `null` for one that is not finite.
type Number = Option<f64>;

#[derive(Deserialize)]
pub(super) struct Line {
    pub(super) event: String,
    pub(super) epochs: Option<u64>,
    pub(super) steps_per_epoch: Option<u64>,
    pub(super) step: Option<u64>,
    pub(super) epoch: Option<u64>,
    pub(super) loss: Number,
    pub(super) learning_rate: Number,
    pub(super) grad_norm: Number,
    pub(super) momentum: Number,
    pub(super) samples: Option<u64>,
    #[serde(default)]
    pub(super) params: BTreeMap<String, Param>,
    #[serde(default)]
    pub(super) layers: Vec<Layer>,
    pub(super) train_loss: Number,
    #[serde(default)]
    pub(super) train: BTreeMap<String, Number>,
    #[serde(default)]
    pub(super) validation: BTreeMap<String, Number>,
    pub(super) seconds: Number,
    pub(super) steps: Option<u64>,
    pub(super) stop: Option<String>,
    #[serde(default)]
    pub(super) paths: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Param {
    pub(super) weight_norm: Number,
    pub(super) grad_norm: Number,
    pub(super) update_norm: Number,
}

#[derive(Deserialize)]
pub(super) struct Layer {
    pub(super) path: String,
    #[serde(default)]
    pub(super) op: String,
    #[serde(default)]
    pub(super) shape: Vec<u64>,
    pub(super) mean: Number,
    pub(super) std: Number,
    pub(super) min: Number,
    pub(super) max: Number,
    pub(super) zeros: Number,
    pub(super) not_finite: Number,
    pub(super) dead: Number,
    pub(super) saturated: Number,
    #[serde(default)]
    pub(super) histogram: Vec<f64>,
}

#[derive(Deserialize)]
pub(super) struct Config {
    pub(super) format: Option<String>,
    pub(super) version: Option<u64>,
    #[serde(default)]
    pub(super) config: serde_json::Value,
}

#[derive(Deserialize)]
pub(super) struct Confusion {
    pub(super) classes: Vec<String>,
    pub(super) matrix: Vec<Vec<f64>>,
}
