//! Whether gradients still say something, measured.

use crate::auxiliary::with_emitted;
use crate::{Objective, Result, TrainError, Trainer};
use gradwise_autograd::{Mode, Tape};
use gradwise_core::{Grads, Params, Real};
use gradwise_data::{Batches, Samples};
use gradwise_regularize::GradientEvidence;

impl<T: Real, O, S> Trainer<T, O, S> {
    /// How strongly the gradients of parts of the data contradict the belief that there is nothing more to learn: see
    /// [`GradientEvidence`]. Negative while there is, above 0 where the mean gradient is smaller than its noise.
    ///
    /// The parts are the first `parts` batches of the batches' epoch; nothing is trained. Batch norm takes the statistics of each part,
    /// nothing is dropped, and penalties count. [`Fit::stop_on_evidence`](crate::Fit::stop_on_evidence) does it once an epoch.
    ///
    /// # Errors
    /// If there are not so many batches of one size in an epoch, fewer than [`GradientEvidence::LEAST_PARTS`] are asked for, or model, data
    /// and objective do not fit together.
    pub fn gradient_evidence<M, D>(&mut self, model: &M, samples: &D, mut batches: Batches, parts: u64) -> Result<f64>
    where
        M: Params<T> + ?Sized,
        D: Samples + ?Sized,
        O: Objective<T, M, D::Batch>,
    {
        let whole = (batches.n_samples() / batches.batch_size()) as u64;
        if !(GradientEvidence::LEAST_PARTS..=whole).contains(&parts) {
            let least = GradientEvidence::LEAST_PARTS;
            let expected = format!("from {least} to the {whole} whole batches that there are");
            return Err(TrainError::value("gradient evidence: parts", &expected, parts));
        }
        let epoch = batches.position().epoch;
        let mode = Mode { noise: false, ..Mode::train(self.seed, self.step) };
        let (mut evidence, mut grads, mut batch) = (GradientEvidence::new(), Grads::new(), D::Batch::default());
        for indices in batches.epoch(epoch).take(parts as usize) {
            samples.gather(indices, &mut batch)?;
            self.workspace.reclaim(&mut grads);
            {
                let mut tape = Tape::new(&mut self.workspace, mode);
                tape.watch(model);
                let outcome = self.objective.record(&mut tape, model, &batch)?;
                let (total, _) = with_emitted(&mut tape, outcome.loss)?;
                tape.backward_freeing(total)?;
                tape.take_grads(&mut grads)?;
            }
            if let Some(penalties) = &mut self.penalties {
                penalties.apply(model, &mut grads)?;
            }
            if let Some((pruner, _)) = &self.pruning {
                pruner.apply_to_grads(&mut grads)?;
            }
            evidence.add(&grads)?;
        }
        self.workspace.reclaim(&mut grads);
        Ok(evidence.value())
    }
}
