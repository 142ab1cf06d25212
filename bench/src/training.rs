//! A case in training: one batch of normal numbers, and labels that change from step to step.

use crate::cases::{Case, Rule};
use crate::shards::{Sharded, boundary};
use gradwise_data::Batch;
use gradwise_layers::{Chain, CrossEntropyLoss};
use gradwise_optim::{Adam, Constant, Optimizer, Rule as OptimizerRule, Sgd, Stepper};
use gradwise_train::{Result, Supervised, Trainer};
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// How many sets of labels take turns.
const LABEL_SETS: usize = 64;

/// A net that is trained a step at a time, whatever its optimizer.
pub trait Training {
    /// Forward, loss, backward, update; returns the loss.
    ///
    /// # Errors
    /// As [`Trainer::step`].
    fn step(&mut self) -> Result<f32>;

    /// Bytes that the steps' values, saved arrays, gradients and packed factors lie in. They are made in the first step and kept.
    fn workspace_bytes(&mut self) -> usize;
}

/// A case, ready for its first step, on batches of another size if asked for.
///
/// # Errors
/// If there is no such number of threads, or no sample in a batch.
pub fn training(case: &Case, batch: Option<usize>, threads: usize) -> Result<Box<dyn Training>> {
    checkpointed(case, batch, threads, 0)
}

/// As [`training`], with a checkpoint around every so many layers of the chain; 0 for none.
///
/// # Errors
/// As [`training`].
pub fn checkpointed(case: &Case, batch: Option<usize>, threads: usize, segment: usize) -> Result<Box<dyn Training>> {
    let batch = batch.unwrap_or(case.batch);
    let model = case.model()?.checkpoint_every(segment);
    match case.rule {
        Rule::Adam { learning_rate } => start(case, model, batch, threads, None, Adam::default(), learning_rate),
        Rule::Momentum { learning_rate } => {
            start(case, model, batch, threads, None, Sgd::with_momentum(0.9)?, learning_rate)
        }
    }
}

/// As [`training`], with the batch in shards: see [`crate::shards`].
///
/// # Errors
/// If there is no such number of shards or threads.
pub fn training_in_shards(
    case: &Case,
    batch: Option<usize>,
    threads: usize,
    shards: usize,
) -> Result<Box<dyn Training>> {
    let (model, batch, shards) = (case.model()?, batch.unwrap_or(case.batch), Some(shards));
    match case.rule {
        Rule::Adam { learning_rate } => start(case, model, batch, threads, shards, Adam::default(), learning_rate),
        Rule::Momentum { learning_rate } => {
            start(case, model, batch, threads, shards, Sgd::with_momentum(0.9)?, learning_rate)
        }
    }
}

fn start<R>(
    case: &Case,
    model: Chain<f32>,
    n: usize,
    threads: usize,
    shards: Option<usize>,
    rule: R,
    learning_rate: f64,
) -> Result<Box<dyn Training>>
where
    R: OptimizerRule<f32> + 'static,
{
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let shape = [&[n], case.sample].concat();
    let inputs = ArrayD::from_shape_simple_fn(IxDyn(&shape), || StandardNormal.sample(&mut random));
    let labels = (0..LABEL_SETS).map(|_| (0..n).map(|_| random.random_range(0..10)).collect()).collect();
    let optimizer = Optimizer::new(rule, Constant::new(learning_rate)?);
    let loss = CrossEntropyLoss::default();
    if let Some(shards) = shards {
        let trainer = Sharded::new(loss, optimizer, 0, shards, threads)?;
        let part = |i| {
            let samples = boundary(n, shards, i)..boundary(n, shards, i + 1);
            let inputs = inputs.slice_axis(Axis(0), Slice::from(samples.clone())).to_owned();
            Batch { inputs, targets: vec![0; samples.len()], indices: samples.collect() }
        };
        let parts = (0..shards).map(part).collect();
        return Ok(Box::new(RunningInShards { model, trainer, parts, labels, next: 0 }));
    }
    Ok(Box::new(Running {
        model,
        trainer: Trainer::new(Supervised(loss), optimizer, 0).threads(threads)?,
        batch: Batch { inputs, targets: vec![0; n], indices: (0..n).collect() },
        labels,
        next: 0,
        grads_bytes: 0,
    }))
}

struct RunningInShards<R: OptimizerRule<f32>> {
    model: Chain<f32>,
    trainer: Sharded<f32, CrossEntropyLoss, Optimizer<f32, R>>,
    parts: Vec<Batch<f32, Vec<usize>>>,
    labels: Vec<Vec<usize>>,
    next: usize,
}

impl<R: OptimizerRule<f32>> Training for RunningInShards<R> {
    fn step(&mut self) -> Result<f32> {
        let mut labels = self.labels[self.next].iter();
        self.parts.iter_mut().flat_map(|part| &mut part.targets).zip(&mut labels).for_each(|(to, label)| *to = *label);
        self.next = (self.next + 1) % self.labels.len();
        Ok(self.trainer.step(&mut self.model, &self.parts)?)
    }

    fn workspace_bytes(&mut self) -> usize {
        let grads = self.trainer.grads::<Chain<f32>>();
        let bytes = grads.iter().map(|(_, grad)| grad.len() * size_of::<f32>()).sum::<usize>();
        self.trainer.workspace_bytes() + bytes
    }
}

struct Running<R: OptimizerRule<f32>> {
    model: Chain<f32>,
    trainer: Trainer<f32, Supervised<CrossEntropyLoss>, Optimizer<f32, R>>,
    batch: Batch<f32, Vec<usize>>,
    labels: Vec<Vec<usize>>,
    next: usize,
    grads_bytes: usize,
}

impl<R: OptimizerRule<f32>> Training for Running<R> {
    fn step(&mut self) -> Result<f32> {
        self.batch.targets.copy_from_slice(&self.labels[self.next]);
        self.next = (self.next + 1) % self.labels.len();
        Ok(self.trainer.step(&mut self.model, &self.batch)?.loss)
    }

    fn workspace_bytes(&mut self) -> usize {
        // Between steps the gradients are the optimizer's; everything else has come back.
        if self.grads_bytes == 0 {
            let grads = Stepper::<f32, Chain<f32>>::grads(self.trainer.stepper());
            self.grads_bytes = grads.iter().map(|(_, grad)| grad.len() * size_of::<f32>()).sum();
        }
        self.trainer.workspace().scratch().free_bytes() + self.grads_bytes
    }
}
