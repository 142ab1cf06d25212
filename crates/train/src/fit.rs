//! The loop, written on the public step.

mod run;

use crate::judge::{EpochReading, Judge};
use crate::{Evaluation, Measures, Objective, Result, TrainError, Trainer};
use gradwise_core::{Event, Observer, Params, Real, Stop};
use gradwise_data::{BatchPosition, Batches, DataError, Loader, Samples};
use gradwise_optim::Stepper;
use gradwise_regularize::{Criterion, EarlyStopping, EvidenceBased, Snapshot};
use run::{Run, Watchers};
use std::time::Duration;

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
    stopping: &'a mut dyn Judge<T>,
    monitor: String,
}

/// Stopping by the gradients of parts of the training data.
struct Evidence<'a, T> {
    criterion: &'a mut EvidenceBased,
    parts: u64,
    batch_size: usize,
    best: Option<Snapshot<T>>,
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
    evidence: Option<Evidence<'a, T>>,
    /// The batch size of the passes that gather running statistics anew.
    refresh: Option<usize>,
}

impl<T: Real, D: Samples> Fit<'_, T, D> {
    /// A loop of a number of epochs that measures nothing but the loss.
    pub fn new(epochs: u64) -> Self {
        Fit::<T, D> {
            epochs,
            validation: None,
            metrics: (),
            transform: None,
            early: None,
            evidence: None,
            refresh: None,
        }
    }
}

impl<'a, T: Real, D: Samples, E> Fit<'a, T, D, E> {
    /// Measures loss and metrics on held-out data after each epoch, in batches of `batch_size`.
    ///
    /// An optimizer that keeps averages of the weights has those measured, and the best of those kept: see [`Trainer::with_averages`].
    /// Training goes on with its own weights, as if nothing had been measured.
    #[must_use]
    pub fn validate(mut self, samples: &'a D, batch_size: usize) -> Self {
        self.validation = Some(Validation { samples, batch_size });
        self
    }

    /// Gathers metrics, on the training batches as they are trained on and on held-out data.
    #[must_use]
    pub fn metrics<F: Measures<T, D::Batch>>(self, metrics: F) -> Fit<'a, T, D, F> {
        let Fit { epochs, validation, transform, early, evidence, refresh, .. } = self;
        Fit::<T, D, F> { epochs, validation, metrics, transform, early, evidence, refresh }
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
    /// back: their averages, if the optimizer keeps such.
    ///
    /// By patience, or by any other criterion:
    ///
    /// ```
    /// use gradwise_regularize::{EarlyStopping, ProgressQuotient};
    /// # use gradwise_data::{Batches, Labelled, Samples, digits};
    /// # use gradwise_layers::{CrossEntropyLoss, Flatten, Chain, Linear, core::Key};
    /// # use gradwise_optim::{Adam, Constant, Optimizer};
    /// # use gradwise_train::{Fit, Supervised, Trainer};
    /// # let (train, test) = (digits::<f32>().subset(&[0, 1, 2, 3])?, digits::<f32>().subset(&[4, 5, 6, 7])?);
    /// # let mut model = Chain::new().with(Flatten).with(Linear::new(64, 10, Key::new(0))?);
    /// # let optimizer = Optimizer::new(Adam::default(), Constant::new(0.01)?);
    /// # let mut trainer = Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 0);
    /// # let batches = Batches::new(4, 4)?;
    ///
    /// // When the held-out loss rises much for how little the training loss still falls (Prechelt's PQ).
    /// let mut stopping = EarlyStopping::with(ProgressQuotient::new(0.75, 5)?);
    /// let summary = Fit::new(200)
    ///     .validate(&test, 256)
    ///     .early_stopping("loss", &mut stopping)
    ///     .run(&mut trainer, &mut model, &train, batches, &mut [])?;
    /// # assert!(stopping.best().is_some() && summary.epochs > 4);
    /// # Ok::<(), gradwise_train::TrainError>(())
    /// ```
    #[must_use]
    pub fn early_stopping<C>(mut self, monitor: &str, stopping: &'a mut EarlyStopping<T, C>) -> Self
    where
        C: Criterion,
        C::Reading: EpochReading,
    {
        self.early = Some(Early { stopping, monitor: monitor.to_owned() });
        self
    }

    /// Ends training when the gradients of the training data say nothing more, and puts the last weights back for which they did: without
    /// held-out data, so that all data can be learned from.
    ///
    /// After each epoch, the gradients of `parts` batches of `batch_size` samples are compared: see [`Trainer::gradient_evidence`]. Twenty
    /// parts are plenty.
    #[must_use]
    pub fn stop_on_evidence(mut self, criterion: &'a mut EvidenceBased, parts: u64, batch_size: usize) -> Self {
        self.evidence = Some(Evidence { criterion, parts, batch_size, best: None });
        self
    }

    /// Gathers the running statistics of batch norms anew before each validation, by a pass over the training data in batches of
    /// `batch_size`: for averages of weights (SWA), whose statistics are not the average of statistics. See [`refresh_statistics`](crate::refresh_statistics).
    ///
    /// They serve the validation and the best weights; training keeps its own. The training data are taken as they are, without the
    /// transform.
    #[must_use]
    pub fn refresh_statistics(mut self, batch_size: usize) -> Self {
        self.refresh = Some(batch_size);
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
        let Fit { epochs, validation, metrics, transform, early, evidence, refresh } = self;
        let mixed = |batch_size: usize| -> Result<Batches> {
            // Statistics and gradients of one batch are no use where it is smaller than the others.
            let batches = Batches::new(samples.len(), batch_size.min(samples.len().max(1)))?;
            Ok(batches.drop_last()?.shuffled(trainer.seed))
        };
        let refresh = refresh.map(mixed).transpose()?;
        let parts = evidence.as_ref().map(|evidence| mixed(evidence.batch_size)).transpose()?;
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
                samples,
                loader,
                validation,
                metrics,
                early,
                evidence: evidence.zip(parts),
                refresh,
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
            .field("stops_on_evidence", &self.evidence.is_some())
            .field("refreshes_statistics", &self.refresh.is_some())
            .finish_non_exhaustive()
    }
}
