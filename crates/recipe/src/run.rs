//! A run that is ready to be trained, and one that was.

use crate::augmented::Augmented;
use crate::layers::{AnyModule, LayerLine};
use crate::objective::{Measured, RecipeObjective};
use crate::optimizer::AnyStepper;
use crate::set::{Set, Target};
use crate::{RecipeError, Result};
use gradwise_core::{Event, Metric, Observer, ParamsExt, Stop};
use gradwise_data::{Batches, Samples};
use gradwise_optim::Stepper;
use gradwise_regularize::EarlyStopping;
use gradwise_train::{Evaluation, Fit, RunFolder, Summary, Trainer, evaluate};
use std::ops::ControlFlow;

/// A run that a recipe made: data, model and all that is needed to train it.
pub struct Run {
    pub(crate) model: AnyModule,
    pub(crate) lines: Vec<LayerLine>,
    pub(crate) set: Set,
    pub(crate) validation: Option<Set>,
    pub(crate) test: Option<Set>,
    pub(crate) augmented: Option<Augmented>,
    pub(crate) trainer: Trainer<f32, RecipeObjective, AnyStepper>,
    pub(crate) batches: Batches,
    pub(crate) epochs: u64,
    /// The step to end after, if it is not the last of an epoch.
    pub(crate) limit: Option<u64>,
    pub(crate) metrics: Vec<Box<dyn Metric<f32, Target>>>,
    pub(crate) stopping: Option<(String, EarlyStopping<f32>)>,
    /// Whether the model has the averages of its weights, if the optimizer keeps such.
    pub(crate) averaged: bool,
}

/// A run that was trained.
#[derive(Debug)]
pub struct Trained {
    /// What the loop did.
    pub summary: Summary,
    /// What the model scored on the test part, if there is one.
    pub test: Option<Evaluation>,
}

/// Samples measured at a time.
const MEASURED: usize = 256;

impl Run {
    /// The model.
    pub fn model(&self) -> &AnyModule {
        &self.model
    }

    /// The layers, with the shape of what comes out of each and the numbers it trains.
    pub fn layers(&self) -> &[LayerLine] {
        &self.lines
    }

    /// How many numbers are trained.
    pub fn n_trainable(&self) -> usize {
        self.model.n_trainable()
    }

    /// The training part.
    pub fn train_set(&self) -> &Set {
        &self.set
    }

    /// The part that is measured on after each epoch.
    pub fn validation_set(&self) -> Option<&Set> {
        self.validation.as_ref()
    }

    /// The part that is measured on at the end.
    pub fn test_set(&self) -> Option<&Set> {
        self.test.as_ref()
    }

    /// Threads that it trains on.
    pub fn n_threads(&self) -> usize {
        self.trainer.n_threads()
    }

    /// The epochs, and the steps in each.
    pub fn length(&self) -> (u64, u64) {
        (self.epochs, self.batches.per_epoch())
    }

    /// Trains, and measures on the test part when all is decided.
    ///
    /// # Errors
    /// A number that is not finite, with the layer that made it; the model is as it was before that step.
    pub fn train(&mut self, observers: &mut [&mut dyn Observer<f32>]) -> Result<Trained> {
        let summary = self.fit(observers)?;
        let test = self.measure_test()?;
        Ok(Trained { summary, test })
    }

    /// Trains in a folder: `metrics.jsonl` and `model.safetensors` are written there. `summary.json` is the caller's, who knows what
    /// else there is to tell.
    ///
    /// # Errors
    /// As [`Run::train`], and if a file cannot be written.
    pub fn train_in(&mut self, folder: &RunFolder, observers: &mut [&mut dyn Observer<f32>]) -> Result<Trained> {
        let mut metrics = folder.metrics()?;
        let mut all: Vec<&mut dyn Observer<f32>> = Vec::with_capacity(1 + observers.len());
        all.push(&mut metrics);
        for observer in observers.iter_mut() {
            all.push(&mut **observer);
        }
        let summary = self.fit(&mut all)?;
        // Saved before anything else can go wrong.
        folder.save_model(&self.model)?;
        let io = |source| gradwise_train::TrainError::Io { path: folder.path().join("metrics.jsonl"), source };
        metrics.finish().map_err(|error| RecipeError::from(io(error)))?;
        let test = self.measure_test()?;
        Ok(Trained { summary, test })
    }

    /// Trains, and leaves the model with the weights that it is to be used with.
    fn fit(&mut self, observers: &mut [&mut dyn Observer<f32>]) -> Result<Summary> {
        if std::mem::take(&mut self.averaged) {
            self.trainer.stepper_mut().swap_averages(&mut self.model)?;
        }
        let summary = self.steps(observers)?;
        // Early stopping has put the best weights back already.
        if self.stopping.is_none() {
            self.trainer.stepper_mut().swap_averages(&mut self.model)?;
            self.averaged = true;
        }
        Ok(summary)
    }

    fn steps(&mut self, observers: &mut [&mut dyn Observer<f32>]) -> Result<Summary> {
        let Run { model, set, validation, augmented, trainer, batches, epochs, limit, metrics, stopping, .. } = self;
        let mut fit = Fit::new(*epochs).metrics(Measured(metrics));
        if let Some(validation) = validation {
            fit = fit.validate(validation, MEASURED);
        }
        if let Some(augmented) = augmented {
            fit = fit.transform(|batch, position| augmented.apply(batch, position));
        }
        if let Some((monitor, stopping)) = stopping {
            fit = fit.early_stopping(monitor, stopping);
        }
        let limit = *limit;
        let mut end = |event: &Event<'_, f32>| match (event, limit) {
            (Event::Step { step, .. }, Some(limit)) if step + 1 >= limit => {
                ControlFlow::Break(Stop::new(format!("{limit} steps were asked for")))
            }
            _ => ControlFlow::Continue(()),
        };
        let mut all: Vec<&mut dyn Observer<f32>> = Vec::with_capacity(1 + observers.len());
        for observer in observers.iter_mut() {
            all.push(&mut **observer);
        }
        all.push(&mut end);
        let summary = fit.run(trainer, model, set, batches.clone(), &mut all)?;
        Ok(summary)
    }

    fn measure_test(&mut self) -> Result<Option<Evaluation>> {
        let Some(test) = &self.test else { return Ok(None) };
        let objective = self.trainer.objective();
        let mut workspace = gradwise_autograd::Workspace::new();
        let found = evaluate(&self.model, test, MEASURED, objective, &mut Measured(&mut self.metrics), &mut workspace)?;
        Ok(Some(found))
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("layers", &self.lines)
            .field("samples", &self.set.len())
            .field("epochs", &self.epochs)
            .finish_non_exhaustive()
    }
}
