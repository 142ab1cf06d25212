//! What a run minimizes, and what it measures.

use crate::layers::AnyModule;
use crate::set::{SetBatch, Target};
use gradwise_autograd::Tape;
use gradwise_core::{ArrayViewD, Loss, Metric, Reduction, Result};
use gradwise_train::{Measures, Objective, Outcome};

/// A loss to train by, and one to measure by, which knows no label smoothing.
pub(crate) struct RecipeObjective {
    pub(crate) training: Box<dyn Loss<f32, Target>>,
    pub(crate) measuring: Box<dyn Loss<f32, Target>>,
}

impl Objective<f32, AnyModule, SetBatch> for RecipeObjective {
    fn record<'p>(&'p self, tape: &mut Tape<'p, f32>, model: &'p AnyModule, batch: &'p SetBatch) -> Result<Outcome> {
        let x = tape.input(&batch.inputs);
        let predictions = model.forward(tape, x)?;
        let loss = if tape.mode().training { &self.training } else { &self.measuring };
        let loss = loss.op(&batch.targets, Reduction::Mean)?;
        let loss = tape.scope("loss", |tape| tape.apply(loss, &[predictions]))?;
        Ok(Outcome { loss, predictions: Some(predictions), samples: batch.indices.len() })
    }
}

/// The metrics of a run, lent to a loop.
pub(crate) struct Measured<'a>(pub(crate) &'a mut [Box<dyn Metric<f32, Target>>]);

impl Measures<f32, SetBatch> for Measured<'_> {
    fn reset(&mut self) {
        self.0.iter_mut().for_each(|metric| metric.reset());
    }

    fn update(&mut self, predictions: ArrayViewD<'_, f32>, batch: &SetBatch) -> Result<()> {
        self.0.iter_mut().try_for_each(|metric| metric.update(&predictions, &batch.targets, None))
    }

    fn values(&self) -> Vec<(String, f64)> {
        self.0.iter().map(|metric| (metric.name().to_owned(), metric.value())).collect()
    }
}
