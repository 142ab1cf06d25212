//! What a person sees, and what a script reads.

use gradwise::prelude::*;
use gradwise::train::{LayerRow, layer_rows};
use serde::Serialize;
use std::ops::ControlFlow;

/// How a run ended: `summary.json`, and the last line for scripts.
#[derive(Serialize, Debug)]
pub(crate) struct Outcome {
    pub(crate) test_accuracy: f64,
    pub(crate) test_loss: f64,
    pub(crate) train_loss: f64,
    pub(crate) train_seconds: f64,
    pub(crate) samples_per_second: f64,
    pub(crate) epochs: u64,
    pub(crate) steps: u64,
    pub(crate) parameters: usize,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) out: String,
}

/// Keeps the table of layers of the last step that was looked at.
#[derive(Default)]
pub(crate) struct LastLayers {
    pub(crate) rows: Vec<LayerRow>,
}

impl Observer<f32> for LastLayers {
    fn observe(&mut self, event: &Event<'_, f32>) -> ControlFlow<Stop> {
        if let Event::Step { model, grads, update_norms, layers, .. } = event
            && !layers.is_empty()
        {
            self.rows = layer_rows(*model, grads, update_norms, layers);
        }
        ControlFlow::Continue(())
    }
}
