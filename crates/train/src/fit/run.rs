//! A loop that is running.

use super::{Early, Evidence, Summary, Validation};
use crate::evaluate::{Measures, evaluate};
use crate::{Evaluation, Objective, Result, TrainError, Trainer, refresh_statistics};
use gradwise_core::{Event, Observer, Params, ParamsExt, Real, Stop};
use gradwise_data::{BatchPosition, Batches, Loader, Samples};
use gradwise_optim::Stepper;
use gradwise_regularize::{Decision, Snapshot};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Who watches, and whether someone wants to end it.
pub(super) struct Watchers<'r, 'o, T: Real> {
    pub(super) observers: &'r mut [&'o mut dyn Observer<T>],
    pub(super) stop: Option<Stop>,
}

impl<T: Real> Watchers<'_, '_, T> {
    /// Tells everyone, the later ones too when an earlier one stops; the first reason counts.
    pub(super) fn tell(&mut self, event: &Event<'_, T>) {
        for observer in self.observers.iter_mut() {
            if let ControlFlow::Break(stop) = observer.observe(event) {
                self.stop.get_or_insert(stop);
            }
        }
    }
}

/// A loop that is running.
pub(super) struct Run<'r, 'o, 'a, 's, T: Real, M, D: Samples, O, S, E> {
    pub(super) trainer: &'r mut Trainer<T, O, S>,
    pub(super) model: &'r mut M,
    pub(super) samples: &'r D,
    pub(super) loader: Loader<'s, D::Batch>,
    pub(super) validation: Option<Validation<'a, D>>,
    pub(super) metrics: E,
    pub(super) early: Option<Early<'a, T>>,
    pub(super) evidence: Option<(Evidence<'a, T>, Batches)>,
    pub(super) refresh: Option<Batches>,
    pub(super) watchers: Watchers<'r, 'o, T>,
    pub(super) summary: Summary,
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
    pub(super) fn epoch(&mut self, epoch: u64) -> Result<()> {
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
        self.validate(epoch, &train)?;
        self.weigh_evidence(epoch)?;
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

    /// Measures on held-out data, with the averages of the weights if there are any. `train` is what was measured in training.
    fn validate(&mut self, epoch: u64, train: &[(String, f64)]) -> Result<()> {
        let Run { trainer, model, samples, validation, metrics, early, refresh, watchers, summary, .. } = self;
        let Some(Validation { samples: held_out, batch_size }) = *validation else { return Ok(()) };
        let train_loss = summary.train_loss;
        let found = trainer.with_averages(&mut **model, |trainer, model| {
            let Trainer { objective, workspace, .. } = trainer;
            if let Some(batches) = refresh {
                batches.seek(BatchPosition { epoch, batch: 0 })?;
                refresh_statistics(model, *samples, batches.clone(), objective, workspace)?;
            }
            let found = evaluate(&*model, held_out, batch_size, objective, metrics, workspace)?;
            if let Some(Early { stopping, monitor }) = early {
                let value = found.get(monitor).ok_or_else(|| {
                    let names: Vec<String> = found.named().into_iter().map(|(name, _)| name).collect();
                    TrainError::value("fit: early stopping", &format!("one of {}", names.join(", ")), &*monitor)
                })?;
                let of_train = train.iter().find(|(name, _)| name == monitor).map_or(train_loss, |(_, value)| *value);
                if let Decision::Stop = stopping.judge(value, of_train, &*model) {
                    let reason = match stopping.waited() {
                        0 => format!("the {monitor} of {value} met the criterion"),
                        waited => format!("the {monitor} has not become better for {waited} epochs"),
                    };
                    watchers.stop.get_or_insert(Stop::new(reason));
                }
            }
            Ok(found)
        })?;
        summary.validation = Some(found);
        Ok(())
    }

    /// Looks whether the gradients of the training data still say something.
    fn weigh_evidence(&mut self, epoch: u64) -> Result<()> {
        let Some((evidence, batches)) = &mut self.evidence else { return Ok(()) };
        batches.seek(BatchPosition { epoch, batch: 0 })?;
        let value = self.trainer.gradient_evidence(&*self.model, self.samples, batches.clone(), evidence.parts)?;
        match evidence.criterion.update(value) {
            Decision::Improved => match &mut evidence.best {
                Some(best) => best.retake(&*self.model),
                None => evidence.best = Some(Snapshot::take(&*self.model)),
            },
            Decision::Wait(_) => {}
            Decision::Stop => {
                let stop = Stop::new("the gradients of the training data are no more than noise");
                self.watchers.stop.get_or_insert(stop);
            }
        }
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<Summary> {
        if let Some(Early { stopping, .. }) = &self.early {
            stopping.restore(self.model)?;
        } else if let Some((Evidence { best: Some(best), .. }, _)) = &self.evidence {
            best.restore(self.model)?;
        }
        let stop = self.watchers.stop.take();
        let steps = self.trainer.steps();
        self.watchers.tell(&Event::End { steps, stop: stop.as_ref(), model: &*self.model });
        Ok(Summary { stop, ..self.summary })
    }
}
