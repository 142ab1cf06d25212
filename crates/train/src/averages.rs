//! A model as it should be evaluated, and not as it is trained.

use crate::{Result, Trainer};
use gradwise_core::{Params, Real};
use gradwise_optim::Stepper;
use gradwise_regularize::Snapshot;

impl<T: Real, O, S> Trainer<T, O, S> {
    /// Shows the model with the parameters that it should be evaluated by and saved for use, if the optimizer keeps such: averages of the
    /// weights, as [`Averaged`](gradwise_optim::steppers::Averaged) and schedule-free rules do. Without, it is shown as it is.
    ///
    /// Averages are pruned and brought into bounds as the weights are. Afterwards the model is, to the bit, what it was before, whatever
    /// was done to it: training goes on as if nobody had looked.
    ///
    /// ```
    /// use gradwise_layers::{Linear, MseLoss, core::Key};
    /// use gradwise_optim::{Constant, Optimizer, Sgd, steppers::{Average, Averaged}};
    /// use gradwise_train::{Supervised, Trainer};
    /// # use gradwise_data::Batch;
    /// # use ndarray::array;
    /// # let x = array![[1.0], [2.0]].into_dyn();
    /// # let batch = Batch { targets: &x * 3.0, inputs: x, indices: vec![0, 1] };
    ///
    /// let mut model = Linear::<f64>::new(1, 1, Key::new(0))?;
    /// let optimizer = Optimizer::new(Sgd::default(), Constant::new(0.1)?);
    /// let mut trainer = Trainer::new(Supervised(MseLoss), Averaged::new(optimizer, Average::equal()), 0);
    /// let mut weights = Vec::new();
    /// for _ in 0..4 {
    ///     trainer.step(&mut model, &batch)?;
    ///     weights.push(model.weight().value[[0, 0]]);
    /// }
    /// let mean = trainer.with_averages(&mut model, |_, model| Ok(model.weight().value[[0, 0]]))?;
    /// assert!((mean - weights.iter().sum::<f64>() / 4.0).abs() < 1e-12);
    /// assert_eq!(model.weight().value[[0, 0]], weights[3]);
    /// # Ok::<(), gradwise_train::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// Those of `look`, and if the model is not the one that was trained.
    pub fn with_averages<M, R>(&mut self, model: &mut M, look: impl FnOnce(&mut Self, &mut M) -> Result<R>) -> Result<R>
    where
        M: Params<T> + ?Sized,
        S: Stepper<T, M>,
    {
        self.stepper.swap_averages(model)?;
        let mut kept = self.kept.take().unwrap_or_else(|| Snapshot::take(&*model));
        kept.retake(&*model);
        let result = self.hold(model).and_then(|()| look(self, model));
        let restored = kept.restore(model);
        self.kept = Some(kept);
        self.stepper.swap_averages(model)?;
        restored?;
        result
    }

    /// Keeps removed weights removed, and all within their bounds.
    pub(crate) fn hold<M: Params<T> + ?Sized>(&mut self, model: &mut M) -> Result<()> {
        if let Some((pruner, _)) = &self.pruning {
            pruner.apply(model)?;
        }
        if let Some(constraints) = &mut self.constraints {
            constraints.apply(model)?;
        }
        Ok(())
    }
}
