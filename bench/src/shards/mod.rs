//! The other way to use threads: the batch in shards, each with a tape, a workspace and gradients of its own on a thread of its own.
//!
//! `Trainer` splits the outputs of operations; this is what it is measured against. The number of shards is the caller's, never the
//! machine's: it decides in what order sums are added, and so the last bits of the result, which the number of threads does not.
//! Batch norm sees the whole batch, dropout the sample's place in it, and the loss is the mean over all samples.

mod rendezvous;

use gradwise_autograd::{Mode, Tape, Workspace};
use gradwise_core::{Error, Grads, Loss, Params, Pool, Real, Result, Updates};
use gradwise_data::{Batch, Targets};
use gradwise_layers::Module;
use gradwise_optim::Stepper;
use gradwise_tensor::Scale;
use gradwise_train::{Objective, Supervised, threads};
use rendezvous::Rendezvous;
use std::sync::{Arc, Mutex, PoisonError};

/// Numbers of a gradient that one task adds up.
const BLOCK: usize = 1 << 15;

/// Training steps on batches in shards.
pub struct Sharded<T: Real, L, S> {
    objective: Supervised<L>,
    stepper: S,
    /// A thread for each shard; how many of them run at once is the rendezvous's business.
    pool: Arc<dyn Pool + Send + Sync>,
    /// The threads for everything else.
    helpers: Arc<dyn Pool + Send + Sync>,
    rendezvous: Arc<Rendezvous>,
    shards: Vec<Mutex<Shard<T>>>,
    updates: Updates<T>,
    seed: u64,
    step: u64,
}

/// What a shard has of its own.
struct Shard<T: Real> {
    workspace: Workspace<T>,
    grads: Grads<T>,
    /// Its part of the batch's loss.
    loss: T,
}

impl<T: Real, L, S> Sharded<T, L, S> {
    /// Steps in this many shards, of which so many threads run at once.
    ///
    /// # Errors
    /// If there is no shard or no thread, or the system has no thread left.
    pub fn new(loss: L, stepper: S, seed: u64, shards: usize, n_threads: usize) -> gradwise_train::Result<Self> {
        let pool = threads(shards)?;
        let helpers = if n_threads == shards { Arc::clone(&pool) } else { threads(n_threads)? };
        let rendezvous = Arc::new(Rendezvous::new(shards, n_threads));
        let shard = |i| Shard {
            workspace: Workspace::with_pool(Arc::new(rendezvous::Place::new(&rendezvous, i))),
            grads: Grads::new(),
            loss: T::zero(),
        };
        let shards = (0..shards).map(|i| Mutex::new(shard(i))).collect();
        let (objective, updates) = (Supervised(loss), Updates::new());
        Ok(Sharded { objective, stepper, pool, helpers, rendezvous, shards, updates, seed, step: 0 })
    }

    /// One step on a batch that comes in one part a shard, in order: forward, loss, backward, update. Returns the loss, which is a mean
    /// over the batch if it is one over each part.
    ///
    /// # Errors
    /// If there are not as many parts as shards; what goes wrong in a shard, of which the first in order counts.
    pub fn step<M, Y>(&mut self, model: &mut M, parts: &[Batch<T, Y>]) -> Result<T>
    where
        M: Module<T> + Sync,
        Y: Targets + Sync,
        L: Loss<T, Y::View>,
        S: Stepper<T, M>,
    {
        if parts.len() != self.shards.len() {
            return Err(Error::value("shards: parts of the batch", self.shards.len().to_string(), parts.len()));
        }
        let mode = Mode::train(self.seed, self.step);
        if self.step == 0 {
            self.stepper.use_pool(Arc::clone(&self.helpers));
        }
        let Sharded { objective, stepper, pool, helpers, rendezvous, shards, updates, .. } = self;
        let (mut first, mut data_loss) = (true, T::nan());
        stepper.step(model, &mut |model, grads| {
            {
                let shard = &mut *lock(&shards[0]);
                shard.workspace.reclaim(grads);
                if first {
                    updates.clear(&mut |array| shard.workspace.scratch().give_array(array));
                }
            }
            rendezvous.begin();
            let results: Vec<_> = parts.iter().map(|_| Mutex::new(Ok(()))).collect();
            let changes = Mutex::new(first.then_some(&mut *updates));
            pool.run(parts.len(), &|i| {
                let result = rendezvous.attend(|| {
                    let shard = &mut *lock(&shards[i]);
                    // Running statistics are the whole batch's in every shard, so one of them tells.
                    let mut changes = (i == 0).then(|| lock(&changes));
                    shard.evaluate(objective, model, parts, i, mode, changes.as_mut().and_then(|c| c.as_deref_mut()))
                });
                *lock(&results[i]) = result;
            });
            results.into_iter().try_for_each(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))?;
            let mut shards: Vec<_> = shards.iter().map(lock).collect();
            let loss = shards.iter().map(|shard| shard.loss).fold(T::zero(), |sum, loss| sum + loss);
            let (head, others) = shards.split_at_mut(1);
            std::mem::swap(grads, &mut head[0].grads);
            add_up(grads, &others.iter().map(|shard| &shard.grads).collect::<Vec<_>>(), &**helpers);
            if std::mem::take(&mut first) {
                data_loss = loss;
            }
            Ok(loss)
        })?;
        self.updates.apply(model);
        self.step += 1;
        Ok(data_loss)
    }

    /// The gradients of the last step.
    pub fn grads<M: Params<T> + ?Sized>(&self) -> &Grads<T>
    where
        S: Stepper<T, M>,
    {
        self.stepper.grads()
    }

    /// Bytes of the shards' workspaces.
    pub fn workspace_bytes(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).workspace.scratch().free_bytes()).sum()
    }
}

impl<T: Real, L, S> std::fmt::Debug for Sharded<T, L, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sharded").field("shards", &self.shards.len()).field("step", &self.step).finish_non_exhaustive()
    }
}

impl<T: Real> Shard<T> {
    /// Loss and gradients of a part of the batch, each in proportion to its share of the samples.
    fn evaluate<M, Y, L>(
        &mut self,
        objective: &Supervised<L>,
        model: &M,
        parts: &[Batch<T, Y>],
        i: usize,
        mode: Mode,
        updates: Option<&mut Updates<T>>,
    ) -> Result<()>
    where
        M: Module<T>,
        Y: Targets,
        L: Loss<T, Y::View>,
    {
        let samples = |parts: &[Batch<T, Y>]| parts.iter().map(Batch::len).sum::<usize>();
        let factor = parts[i].len() as f64 / samples(parts) as f64;
        self.workspace.reclaim(&mut self.grads);
        let mut tape = Tape::new(&mut self.workspace, Mode { first_sample: samples(&parts[..i]), ..mode });
        tape.watch(model);
        let outcome = objective.record(&mut tape, model, &parts[i])?;
        let loss = tape.apply(Scale { factor }, &[outcome.loss])?;
        self.loss = tape.value(loss).sum();
        if !self.loss.is_finite() {
            return Err(Error::NotFinite { op: "loss", got: self.loss.as_f64() });
        }
        if let Some(updates) = updates {
            tape.take_updates(updates);
        }
        tape.backward_freeing(loss)?;
        tape.take_grads(&mut self.grads)
    }
}

/// Where the `i`-th of some shards begins in a batch.
pub fn boundary(samples: usize, shards: usize, i: usize) -> usize {
    samples * i / shards
}

/// Adds gradients to `sum`, in order, block by block on the threads of a pool.
fn add_up<T: Real>(sum: &mut Grads<T>, others: &[&Grads<T>], pool: &dyn Pool) {
    let mut blocks = Vec::new();
    for (index, grad) in sum.iter_mut() {
        let others = others.iter().filter_map(|grads| grads.get(index)?.as_slice());
        let mut others: Vec<_> = others.map(|grad| grad.chunks(BLOCK)).collect();
        for block in grad.as_slice_mut().unwrap_or_default().chunks_mut(BLOCK) {
            blocks.push(Mutex::new((block, others.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>())));
        }
    }
    pool.run(blocks.len(), &|i| {
        let (sum, others) = &mut *lock(&blocks[i]);
        for other in others {
            sum.iter_mut().zip(*other).for_each(|(sum, &x)| *sum += x);
        }
    });
}

/// The lock, whether or not somebody panicked with it: that comes out where the job was started.
fn lock<X>(mutex: &Mutex<X>) -> std::sync::MutexGuard<'_, X> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
