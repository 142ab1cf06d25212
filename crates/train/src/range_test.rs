//! The learning-rate range test, run.

use crate::{Objective, Result, StepperState, TrainError, Trainer};
use gradwise_core::{Params, Real};
use gradwise_data::{Batches, Samples};
use gradwise_optim::{RangeTest, Stepper, Suggestion};
use gradwise_regularize::Snapshot;

/// What a range test found.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeFound {
    /// Rates and smoothed losses, as far as it came.
    pub curve: Vec<(f64, f64)>,
    /// The rates that the curve suggests; `valley` is what to take, as a rule.
    pub suggestion: Suggestion,
    /// Whether it ended before the last rate, because the loss had grown too much or was no finite number any more.
    pub diverged: bool,
}

impl<T: Real, O, S> Trainer<T, O, S> {
    /// Tries out learning rates: steps at rates that grow from step to step, until the loss has grown too much, and a suggestion from the
    /// curve. Do it before training, with the model, the optimizer and the batches of the run, instead of guessing a rate.
    ///
    /// The optimizer's own schedule is put aside meanwhile; factors of groups hold. Batches go on from epoch to epoch where the test is
    /// longer than one. Afterwards the model, the optimizer and the number of the step are, to the bit, what they were before. How the test
    /// goes about it, and its source, are told with [`RangeTest`].
    ///
    /// ```
    /// use gradwise_data::{Batches, Samples, StandardScaler, Per, digits};
    /// use gradwise_layers::{Activation, Chain, CrossEntropyLoss, Flatten, Linear, core::Key};
    /// use gradwise_optim::{Constant, Optimizer, RangeTest, Sgd};
    /// use gradwise_train::{Supervised, Trainer};
    ///
    /// let mut digits = digits::<f32>();
    /// StandardScaler::fit(Per::All, digits.inputs())?.transform(digits.inputs_mut())?;
    /// let mut model = Chain::seeded(Key::new(0))
    ///     .then(Flatten)
    ///     .then(Linear::config(64, 32).activation(Activation::Relu))
    ///     .then(Linear::config(32, 10))
    ///     .build()?;
    /// let optimizer = Optimizer::new(Sgd::with_momentum(0.9)?, Constant::new(1.0)?);
    /// let mut trainer = Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 0);
    ///
    /// let batches = Batches::new(digits.len(), 32)?.shuffled(0);
    /// let found = trainer.range_test(RangeTest::new(1e-5, 100.0, 80)?, &mut model, &digits, batches)?;
    /// assert!(found.diverged);
    /// assert!((1e-4..1.0).contains(&found.suggestion.valley), "{:?}", found.suggestion);
    /// # Ok::<(), gradwise_train::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// If the optimizer's rate cannot be set, if model, data and objective do not fit together, or if it comes to an end before the third
    /// rate: the least of them is too large already.
    pub fn range_test<M, D>(
        &mut self,
        mut test: RangeTest,
        model: &mut M,
        samples: &D,
        mut batches: Batches,
    ) -> Result<RangeFound>
    where
        M: Params<T> + ?Sized,
        D: Samples + ?Sized,
        O: Objective<T, M, D::Batch>,
        S: Stepper<T, M>,
    {
        self.stepper.prepare(&*model)?;
        let state = StepperState::take::<M, S>(&mut self.stepper)?;
        let weights = Snapshot::take(&*model);
        let (step, pruning) = (self.step, self.pruning.clone());

        let ended = self.try_rates(&mut test, model, samples, &mut batches);

        self.stepper.override_rate(None);
        self.step = step;
        self.pruning = pruning;
        weights.restore(model)?;
        state.restore::<M, S>(&mut self.stepper)?;

        let error = ended?;
        let curve = test.curve().to_vec();
        match error {
            Some(error) if curve.len() < 3 => Err(error),
            error => {
                let diverged = error.is_some() || (curve.len() as u64) < test.steps();
                Ok(RangeFound { suggestion: test.suggestion()?, curve, diverged })
            }
        }
    }

    /// The steps. Returns the error of a step that met a number that is not finite, if one did.
    fn try_rates<M, D>(
        &mut self,
        test: &mut RangeTest,
        model: &mut M,
        samples: &D,
        batches: &mut Batches,
    ) -> Result<Option<TrainError>>
    where
        M: Params<T> + ?Sized,
        D: Samples + ?Sized,
        O: Objective<T, M, D::Batch>,
        S: Stepper<T, M>,
    {
        let mut batch = D::Batch::default();
        loop {
            let rate = gradwise_optim::Schedule::at(&test.schedule(), test.curve().len() as u64);
            if !self.stepper.override_rate(Some(rate)) {
                let expected = "an optimizer whose learning rate can be set";
                return Err(TrainError::value("range test", expected, "one that sets its own"));
            }
            samples.gather(batches.next_batch(), &mut batch)?;
            match self.step(model, &batch) {
                Ok(report) if test.record(report.loss.as_f64()).is_break() => return Ok(None),
                Ok(_) => {}
                Err(error @ TrainError::Diverged { .. }) => return Ok(Some(error)),
                Err(error) => return Err(error),
            }
        }
    }
}
