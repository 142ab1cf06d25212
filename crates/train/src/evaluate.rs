//! Measuring a model on data it does not learn from.

use crate::{Objective, Result};
use gradwise_autograd::{Mode, Tape, Workspace};
use gradwise_core::{ArrayViewD, Error as CoreError, Metric, Params, Real};
use gradwise_data::{Batch, Batches, Samples, Targets};

/// What a model scored.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss of the samples.
    pub loss: f64,
    /// The metrics' values, by name.
    pub metrics: Vec<(String, f64)>,
    /// Samples measured.
    pub samples: usize,
}

impl Evaluation {
    /// The value of a metric, or of `"loss"`.
    pub fn get(&self, name: &str) -> Option<f64> {
        if name == "loss" {
            return Some(self.loss);
        }
        self.metrics.iter().find(|(n, _)| n == name).map(|(_, value)| *value)
    }

    /// The loss and the metrics, by name.
    pub fn named(&self) -> Vec<(String, f64)> {
        let loss = (String::from("loss"), self.loss);
        std::iter::once(loss).chain(self.metrics.iter().cloned()).collect()
    }
}

/// Metrics of a batch type: predictions against whatever targets the batch has.
///
/// Implemented for every list of [`Metric`]s of the batch's targets, and for `()`, which measures nothing.
pub trait Measures<T: Real, B: ?Sized> {
    /// Forgets all samples.
    fn reset(&mut self);

    /// Takes a batch in.
    ///
    /// # Errors
    /// If predictions and batch do not fit together.
    fn update(&mut self, predictions: ArrayViewD<'_, T>, batch: &B) -> gradwise_core::Result<()>;

    /// The values, by name.
    fn values(&self) -> Vec<(String, f64)>;
}

impl<T: Real, B: ?Sized> Measures<T, B> for () {
    fn reset(&mut self) {}
    fn update(&mut self, _: ArrayViewD<'_, T>, _: &B) -> gradwise_core::Result<()> {
        Ok(())
    }
    fn values(&self) -> Vec<(String, f64)> {
        Vec::new()
    }
}

/// A list of metrics of targets `Y`.
pub type Metrics<T, Y> = Vec<Box<dyn Metric<T, Y>>>;

impl<T: Real, Y: Targets> Measures<T, Batch<T, Y>> for Metrics<T, Y::View> {
    fn reset(&mut self) {
        self.iter_mut().for_each(|m| m.reset());
    }
    fn update(&mut self, predictions: ArrayViewD<'_, T>, batch: &Batch<T, Y>) -> gradwise_core::Result<()> {
        self.iter_mut().try_for_each(|m| m.update(&predictions, batch.targets.view(), None))
    }
    fn values(&self) -> Vec<(String, f64)> {
        self.iter().map(|m| (m.name().to_owned(), m.value())).collect()
    }
}

/// Measures a model in evaluation mode, in batches of `batch_size`.
///
/// The loss is the mean over all samples, whatever the size of the last batch.
///
/// # Errors
/// If data, model and objective do not fit together.
pub fn evaluate<T, M, D, O, E>(
    model: &M,
    samples: &D,
    batch_size: usize,
    objective: &O,
    metrics: &mut E,
    workspace: &mut Workspace<T>,
) -> Result<Evaluation>
where
    T: Real,
    M: Params<T> + ?Sized,
    D: Samples + ?Sized,
    O: Objective<T, M, D::Batch>,
    E: Measures<T, D::Batch> + ?Sized,
{
    metrics.reset();
    let mut batch = D::Batch::default();
    let (mut sum, mut n) = (0.0, 0);
    for indices in Batches::new(samples.len(), batch_size)?.epoch(0) {
        samples.gather(indices, &mut batch)?;
        let mut tape = Tape::new(workspace, Mode::evaluate());
        tape.watch(model);
        let outcome = objective.record(&mut tape, model, &batch)?;
        let loss = tape.try_value(outcome.loss)?;
        let Some(loss) = loss.iter().next().filter(|_| loss.len() == 1) else {
            return Err(CoreError::shape("objective", "a loss of one element", loss.shape()).into());
        };
        sum += loss.as_f64() * outcome.samples as f64;
        n += outcome.samples;
        if let Some(predictions) = outcome.predictions {
            metrics.update(tape.try_value(predictions)?, &batch)?;
        }
    }
    Ok(Evaluation { loss: sum / n as f64, metrics: metrics.values(), samples: n })
}
