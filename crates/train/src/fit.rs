//! The loop, written on the public step.

use crate::evaluate::{Measures, evaluate};
use crate::{Evaluation, Objective, Result, TrainError, Trainer};
use gradwise_core::{Event, Observer, Params, ParamsExt, Real, Stop};
use gradwise_data::{BatchPosition, Batches, DataError, Loader, Samples};
use gradwise_optim::Stepper;
use gradwise_regularize::{Decision, EarlyStopping};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// What a training loop did.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Epochs done, the one that was stopped in included.
    pub epochs: u64,
    /// Steps done in this loop.
    pub steps: u64,
    /// Samples trained on, counted as often as they were.
    pub samples: u64,
    /// Time of the training itself, without measuring and observers.
    pub train_time: Duration,
    /// Mean training loss of the last epoch.
    pub train_loss: f64,
    /// The last measurement on held-out data.
    pub validation: Option<Evaluation>,
    /// Why training ended early, if it did.
    pub stop: Option<Stop>,
}

impl Summary {
    /// Samples trained on in a second of training.
    pub fn samples_per_second(&self) -> f64 {
        self.samples as f64 / self.train_time.as_secs_f64()
    }
}

type Transform<'a, B> = Box<dyn FnMut(&mut B, BatchPosition) -> Result<(), DataError> + Send + 'a>;

/// Held-out data, and how often it is measured on.
struct Validation<'a, D> {
    samples: &'a D,
    batch_size: usize,
}

struct Early<'a, T> {
    stopping: &'a mut EarlyStopping<T>,
    monitor: String,
}

/// A training loop: epochs over a data set, with whoever wants to watch.
///
/// ```
/// use gradwise_data::{Batches, digits, stratified_split, Samples, StandardScaler};
/// use gradwise_layers::{CrossEntropyLoss, Flatten, Chain, Linear, core::Key};
/// use gradwise_metrics::Accuracy;
/// use gradwise_optim::{Adam, Constant, Optimizer};
/// use gradwise_train::{Fit, Supervised, Trainer};
///
/// let digits = digits::<f32>();
/// let parts = digits.train_test(&stratified_split(digits.labels(), 0.2, 0)?)?;
/// let mut model = Chain::new().with(Flatten).with(Linear::new(64, 10, Key::new(0))?);
/// let optimizer = Optimizer::new(Adam::default(), Constant::new(0.01)?);
/// let mut trainer = Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 0);
/// let batches = Batches::new(parts.train.len(), 64)?.shuffled(0);
///
/// let summary = Fit::new(2)
///     .validate(&parts.test, 256)
///     .metrics(vec![Box::new(Accuracy::new()) as Box<dyn gradwise_core::Metric<f32, [usize]>>])
///     .run(&mut trainer, &mut model, &parts.train, batches, &mut [])?;
/// assert!(summary.validation.unwrap().get("accuracy").unwrap() > 0.8);
/// # Ok::<(), gradwise_train::TrainError>(())
/// ```
pub struct Fit<'a, T, D: Samples, E = ()> {
    epochs: u64,
    validation: Option<Validation<'a, D>>,
    metrics: E,
    transform: Option<Transform<'a, D::Batch>>,
    early: Option<Early<'a, T>>,
}

impl<T: Real, D: Samples> Fit<'_, T, D> {
    /// A loop of a number of epochs that measures nothing but the loss.
    pub fn new(epochs: u64) -> Self {
        Fit::<T, D> { epochs, validation: None, metrics: (), transform: None, early: None }
    }
}

impl<'a, T: Real, D: Samples, E> Fit<'a, T, D, E> {
    /// Measures loss and metrics on held-out data after each epoch, in batches of `batch_size`.
    #[must_use]
    pub fn validate(mut self, samples: &'a D, batch_size: usize) -> Self {
        self.validation = Some(Validation { samples, batch_size });
        self
    }

    /// Gathers metrics, on the training batches as they are trained on and on held-out data.
    #[must_use]
    pub fn metrics<F: Measures<T, D::Batch>>(self, metrics: F) -> Fit<'a, T, D, F> {
        let Fit { epochs, validation, transform, early, .. } = self;
        Fit::<T, D, F> { epochs, validation, metrics, transform, early }
    }

    /// Changes each training batch before it is trained on: augmentation. With more than one thread this is done on a thread of its own,
    /// one batch ahead.
    #[must_use]
    pub fn transform(
        mut self,
        transform: impl FnMut(&mut D::Batch, BatchPosition) -> Result<(), DataError> + Send + 'a,
    ) -> Self {
        self.transform = Some(Box::new(transform));
        self
    }

    /// Ends training when a validation measure (`"loss"` or a metric's name) no longer gets better, and puts the weights of the best epoch
    /// back.
    #[must_use]
    pub fn early_stopping(mut self, monitor: &str, stopping: &'a mut EarlyStopping<T>) -> Self {
        self.early = Some(Early { stopping, monitor: monitor.to_owned() });
        self
    }

    /// Trains.
    ///
    /// Epochs and steps are counted on from where the batches and the trainer stand, so a loop can be continued by another.
    ///
    /// # Errors
    /// Those of the step, of the data, and of options that do not fit together. Observers are told of the end in any case but these.
    pub fn run<M, O, S>(
        self,
        trainer: &mut Trainer<T, O, S>,
        model: &mut M,
        samples: &D,
        batches: Batches,
        observers: &mut [&mut dyn Observer<T>],
    ) -> Result<Summary>
    where
        M: Params<T>,
        D: Sync,
        D::Batch: 'a,
        O: Objective<T, M, D::Batch>,
        S: Stepper<T, M>,
        E: Measures<T, D::Batch>,
    {
        if self.epochs == 0 {
            return Err(TrainError::value("fit: epochs", "at least 1", 0));
        }
        if self.early.is_some() && self.validation.is_none() {
            return Err(TrainError::value("fit: early stopping", "data to validate on", "none"));
        }
        let Fit { epochs, validation, metrics, transform, early } = self;
        let per_epoch = batches.per_epoch();
        let first_epoch = batches.position().epoch;
        std::thread::scope(|scope| {
            let loader = match transform {
                // A copy of samples is too little work for a thread of its own; an augmentation is not.
                None => Loader::inline(samples, batches, |_, _| Ok(()))?,
                Some(transform) if trainer.n_threads() == 1 => Loader::inline(samples, batches, transform)?,
                Some(transform) => Loader::scoped(scope, samples, batches, transform)?,
            };
            let mut fit = Run {
                trainer,
                model,
                loader,
                validation,
                metrics,
                early,
                watchers: Watchers { observers, stop: None },
                summary: Summary {
                    epochs: 0,
                    steps: 0,
                    samples: 0,
                    train_time: Duration::ZERO,
                    train_loss: f64::NAN,
                    validation: None,
                    stop: None,
                },
            };
            fit.watchers.tell(&Event::Start { model: &*fit.model, epochs, steps_per_epoch: per_epoch });
            for epoch in first_epoch..first_epoch.saturating_add(epochs) {
                fit.epoch(epoch)?;
                if fit.watchers.stop.is_some() {
                    break;
                }
            }
            fit.end()
        })
    }
}

impl<T: Real, D: Samples, E> std::fmt::Debug for Fit<'_, T, D, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fit")
            .field("epochs", &self.epochs)
            .field("validates", &self.validation.is_some())
            .field("transforms", &self.transform.is_some())
            .field("early_stopping", &self.early.as_ref().map(|e| &e.monitor))
            .finish_non_exhaustive()
    }
}

/// Who watches, and whether someone wants to end it.
struct Watchers<'r, 'o, T: Real> {
    observers: &'r mut [&'o mut dyn Observer<T>],
    stop: Option<Stop>,
}

impl<T: Real> Watchers<'_, '_, T> {
    /// Tells everyone, the later ones too when an earlier one stops; the first reason counts.
    fn tell(&mut self, event: &Event<'_, T>) {
        for observer in self.observers.iter_mut() {
            if let ControlFlow::Break(stop) = observer.observe(event) {
                self.stop.get_or_insert(stop);
            }
        }
    }
}

/// A loop that is running.
struct Run<'r, 'o, 'a, 's, T: Real, M, D: Samples, O, S, E> {
    trainer: &'r mut Trainer<T, O, S>,
    model: &'r mut M,
    loader: Loader<'s, D::Batch>,
    validation: Option<Validation<'a, D>>,
    metrics: E,
    early: Option<Early<'a, T>>,
    watchers: Watchers<'r, 'o, T>,
    summary: Summary,
}

impl<T, M, D, O, S, E> Run<'_, '_, '_, '_, T, M, D, O, S, E>
where
    T: Real,
    M: Params<T>,
    D: Samples,
    O: Objective<T, M, D::Batch>,
    S: Stepper<T, M>,
    E: Measures<T, D::Batch>,
{
    fn epoch(&mut self, epoch: u64) -> Result<()> {
        let (mut loss_sum, mut n, mut time) = (0.0, 0, Duration::ZERO);
        self.metrics.reset();
        loop {
            let start = Instant::now();
            let Some(batch) = self.loader.next_in_epoch(epoch)? else { break };
            let metrics = &mut self.metrics;
            let report = self.trainer.step_with(self.model, batch, &mut |y| metrics.update(y, batch))?;
            time += start.elapsed();
            loss_sum += report.loss.as_f64() * report.samples as f64;
            n += report.samples;
            if self.summary.steps == 0 && report.grads.unreached().next().is_some() {
                let paths = self.model.paths();
                let unreached: Vec<String> = report.grads.unreached().map(|i| paths[i].clone()).collect();
                self.watchers.tell(&Event::Unreached { paths: &unreached });
            }
            self.summary.steps += 1;
            self.watchers.tell(&Event::Step {
                step: report.step,
                epoch,
                loss: report.loss,
                learning_rate: report.learning_rate,
                grad_norm: report.grad_norm,
                samples: report.samples,
                model: &*self.model,
                grads: report.grads,
                update_norms: report.update_norms,
                layers: report.layers,
            });
            if self.watchers.stop.is_some() {
                break;
            }
        }
        self.summary.epochs += 1;
        self.summary.samples += n as u64;
        self.summary.train_time += time;
        self.summary.train_loss = loss_sum / n as f64;
        let train = self.metrics.values();
        self.validate()?;
        let validation = self.summary.validation.as_ref().map(Evaluation::named).unwrap_or_default();
        self.watchers.tell(&Event::Epoch {
            epoch,
            train_loss: self.summary.train_loss,
            train: &train,
            validation: &validation,
            seconds: time.as_secs_f64(),
            samples: n,
            model: &*self.model,
        });
        Ok(())
    }

    fn validate(&mut self) -> Result<()> {
        let Some(Validation { samples, batch_size }) = self.validation else { return Ok(()) };
        let Trainer { objective, workspace, .. } = &mut *self.trainer;
        let found = evaluate(&*self.model, samples, batch_size, objective, &mut self.metrics, workspace)?;
        if let Some(Early { stopping, monitor }) = &mut self.early {
            let value = found.get(monitor).ok_or_else(|| {
                let names: Vec<String> = found.named().into_iter().map(|(name, _)| name).collect();
                TrainError::value("fit: early stopping", &format!("one of {}", names.join(", ")), &*monitor)
            })?;
            if let Decision::Stop = stopping.update(value, &*self.model) {
                let waited = stopping.progress().waited;
                let stop = Stop::new(format!("the {monitor} has not become better for {waited} epochs"));
                self.watchers.stop.get_or_insert(stop);
            }
        }
        self.summary.validation = Some(found);
        Ok(())
    }

    fn end(mut self) -> Result<Summary> {
        if let Some(Early { stopping, .. }) = &self.early {
            stopping.restore(self.model)?;
        }
        let stop = self.watchers.stop.take();
        let steps = self.trainer.steps();
        self.watchers.tell(&Event::End { steps, stop: stop.as_ref(), model: &*self.model });
        Ok(Summary { stop, ..self.summary })
    }
}
