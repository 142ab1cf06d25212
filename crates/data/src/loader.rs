//! Batches made ready, on the spot or one ahead on a thread.

use crate::{BatchPosition, Batches, DataError, Result, Samples};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle, Scope, ScopedJoinHandle};

/// Batches that wait, made ready, for the loop. One is enough to hide the gathering behind a step; with the one the loop
/// holds and the one that is being made, three batches of memory circulate.
const READY: usize = 1;

/// The batches of a data set, gathered and transformed one after the other, for ever.
///
/// A loader joins [`Samples`], [`Batches`] and a transform, such as an augmentation, which may change a gathered batch in
/// place and gets its position to draw randomness from. [`Loader::inline`] makes a batch when it is asked for it;
/// [`Loader::scoped`] and [`Loader::spawn`] make the next one on a thread of their own meanwhile. What they give is the same,
/// to the bit and in the same order; so a loop with a budget of one thread takes the first, and one that can spare a thread
/// the second.
///
/// - **Memory** is used again: once three batches (inline: one) were made, gathering allocates nothing of size.
/// - **Errors** and panics of gathering or of the transform come out of [`Loader::next_batch`], in their turn; after one, the
///   loader only repeats that it has ended.
/// - **Position**: [`Loader::position`] is the batch the loop gets next, however far the thread is ahead. Save it; `seek` the
///   batches there to go on.
/// - **Dropping** a loader at any time stops and joins its thread, after the batch that it is making.
///
/// ```
/// use gradwise_data::{Batches, Loader, Samples, digits};
///
/// let digits = digits::<f32>();
/// let batches = Batches::new(digits.len(), 64)?.shuffled(7);
/// std::thread::scope(|scope| {
///     let mut loader = Loader::scoped(scope, &digits, batches, |batch, _| {
///         batch.inputs /= 16.0;
///         Ok(())
///     })?;
///     for epoch in 0..2 {
///         let mut seen = 0;
///         while let Some(batch) = loader.next_in_epoch(epoch)? {
///             assert_eq!(batch.inputs.shape()[1..], [1, 8, 8]);
///             seen += batch.len();
///         }
///         assert_eq!(seen, 1797);
///     }
///     Ok::<(), gradwise_data::DataError>(())
/// })?;
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
pub struct Loader<'scope, B> {
    source: Source<'scope, B>,
    batch: B,
    plan: Plan,
    failed: bool,
}

/// Makes one batch after the other: the same closure on the spot and on a thread.
type Producer<'scope, B> = Box<dyn FnMut(&mut B) -> Result<()> + Send + 'scope>;

enum Source<'scope, B> {
    Inline(Producer<'scope, B>),
    Thread {
        /// Both ends are given up before the thread is joined, which tells it to end.
        ends: Option<(SyncSender<B>, Receiver<Result<B>>)>,
        handle: Option<Handle<'scope>>,
    },
}

enum Handle<'scope> {
    Scoped(ScopedJoinHandle<'scope, ()>),
    Owned(JoinHandle<()>),
}

/// What the loop knows of the batches while a thread has them.
struct Plan {
    next: BatchPosition,
    per_epoch: u64,
}

impl<'scope, B: Default + Send + 'scope> Loader<'scope, B> {
    /// A loader that makes each batch on the caller's thread, when it is asked for it.
    ///
    /// # Errors
    /// If the batches are not of as many samples as there are.
    pub fn inline<S, F>(samples: S, batches: Batches, transform: F) -> Result<Self>
    where
        S: Samples<Batch = B> + Send + 'scope,
        F: FnMut(&mut B, BatchPosition) -> Result<()> + Send + 'scope,
    {
        let plan = Plan::new(&samples, &batches)?;
        let source = Source::Inline(producer(samples, batches, transform));
        Ok(Loader { source, batch: B::default(), plan, failed: false })
    }

    /// A loader that makes the next batch meanwhile, on a thread of a scope; the data set may be borrowed.
    ///
    /// # Errors
    /// If the batches are not of as many samples as there are, or the system has no thread left.
    pub fn scoped<'env, S, F>(
        scope: &'scope Scope<'scope, 'env>,
        samples: S,
        batches: Batches,
        transform: F,
    ) -> Result<Self>
    where
        S: Samples<Batch = B> + Send + 'scope,
        F: FnMut(&mut B, BatchPosition) -> Result<()> + Send + 'scope,
    {
        let plan = Plan::new(&samples, &batches)?;
        let (ends, work) = worker(producer(samples, batches, transform));
        let handle = Handle::Scoped(builder().spawn_scoped(scope, work)?);
        let source = Source::Thread { ends: Some(ends), handle: Some(handle) };
        Ok(Loader { source, batch: B::default(), plan, failed: false })
    }
}

impl<B: Default + Send + 'static> Loader<'static, B> {
    /// A loader that makes the next batch meanwhile, on a thread that owns its part of the data set, such as an `Arc`.
    ///
    /// # Errors
    /// As [`Loader::scoped`].
    pub fn spawn<S, F>(samples: S, batches: Batches, transform: F) -> Result<Self>
    where
        S: Samples<Batch = B> + Send + 'static,
        F: FnMut(&mut B, BatchPosition) -> Result<()> + Send + 'static,
    {
        let plan = Plan::new(&samples, &batches)?;
        let (ends, work) = worker(producer(samples, batches, transform));
        let handle = Handle::Owned(builder().spawn(work)?);
        let source = Source::Thread { ends: Some(ends), handle: Some(handle) };
        Ok(Loader { source, batch: B::default(), plan, failed: false })
    }
}

impl<B> Loader<'_, B> {
    /// The next batch. After the last of an epoch comes the first of the following one.
    ///
    /// # Errors
    /// If gathering or the transform failed or panicked, now or before.
    pub fn next_batch(&mut self) -> Result<&mut B> {
        if self.failed {
            return Err(DataError::Loader { got: String::from("none, as an earlier batch failed") });
        }
        match self.source.next(&mut self.batch) {
            Ok(()) => {
                self.plan.next = self.plan.next.after(self.plan.per_epoch);
                Ok(&mut self.batch)
            }
            Err(error) => {
                self.failed = true;
                self.source.stop();
                Err(error)
            }
        }
    }

    /// The next batch if it belongs to this epoch, and otherwise none: the body of an epoch's loop.
    ///
    /// # Errors
    /// As [`Loader::next_batch`].
    pub fn next_in_epoch(&mut self, epoch: u64) -> Result<Option<&mut B>> {
        if self.plan.next.epoch == epoch { self.next_batch().map(Some) } else { Ok(None) }
    }

    /// The batch that comes next.
    pub fn position(&self) -> BatchPosition {
        self.plan.next
    }

    /// Batches in an epoch.
    pub fn per_epoch(&self) -> u64 {
        self.plan.per_epoch
    }
}

impl<B> Drop for Loader<'_, B> {
    fn drop(&mut self) {
        self.source.stop();
    }
}

impl<B> std::fmt::Debug for Loader<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let threaded = matches!(self.source, Source::Thread { .. });
        f.debug_struct("Loader")
            .field("position", &self.plan.next)
            .field("threaded", &threaded)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl Plan {
    fn new(samples: &impl Samples, batches: &Batches) -> Result<Self> {
        if samples.len() != batches.n_samples() {
            let expected = format!("batches of the {} samples of the set", samples.len());
            return Err(DataError::value("loader", expected, format!("batches of {}", batches.n_samples())));
        }
        Ok(Plan { next: batches.position(), per_epoch: batches.per_epoch() })
    }
}

impl<B> Source<'_, B> {
    /// Puts the next batch in the place of the last one, whose memory goes back to be used again.
    fn next(&mut self, batch: &mut B) -> Result<()> {
        match self {
            Source::Inline(produce) => produce(batch),
            Source::Thread { ends: Some((empty, ready)), .. } => {
                let ended = || DataError::Loader { got: String::from("none, as its thread ended") };
                let next = ready.recv().map_err(|_| ended())??;
                // The thread may have ended after this batch; then nobody needs the memory.
                let _ = empty.send(std::mem::replace(batch, next));
                Ok(())
            }
            Source::Thread { ends: None, .. } => {
                Err(DataError::Loader { got: String::from("none, as it was stopped") })
            }
        }
    }

    /// Ends the thread and waits for it.
    fn stop(&mut self) {
        let Source::Thread { ends, handle } = self else { return };
        *ends = None;
        // Panics are caught where they happen and come out as errors; the thread itself has none to tell.
        match handle.take() {
            Some(Handle::Scoped(handle)) => drop(handle.join()),
            Some(Handle::Owned(handle)) => drop(handle.join()),
            None => {}
        }
    }
}

fn builder() -> thread::Builder {
    thread::Builder::new().name(String::from("gradwise-loader"))
}

/// The closure that makes one batch after the other; a panic in it is an error.
fn producer<'scope, S, F>(samples: S, mut batches: Batches, mut transform: F) -> Producer<'scope, S::Batch>
where
    S: Samples + Send + 'scope,
    F: FnMut(&mut S::Batch, BatchPosition) -> Result<()> + Send + 'scope,
{
    Box::new(move |batch| {
        let mut make = || {
            let position = batches.position();
            samples.gather(batches.next_batch(), batch)?;
            transform(batch, position)
        };
        // Nothing is used after a panic but to be dropped, so no half-made state is ever seen.
        catch_unwind(AssertUnwindSafe(&mut make))
            .unwrap_or_else(|panic| Err(DataError::Loader { got: format!("a panic: {}", words(&*panic)) }))
    })
}

/// The thread's work, and the ends of its two channels: empty batches to it, ready ones from it.
///
/// As many batches circulate as the channels have places, so sending never waits, and the thread waits only for memory.
/// Channels of fixed size take theirs once.
fn worker<'scope, B: Default + Send + 'scope>(
    mut produce: Producer<'scope, B>,
) -> ((SyncSender<B>, Receiver<Result<B>>), impl FnOnce() + Send + 'scope) {
    let circulating = READY + 2;
    let (empty, empties) = sync_channel::<B>(circulating);
    let (sender, ready) = sync_channel(circulating);
    for _ in 0..READY + 1 {
        // There is a place for each, and the receiver is alive.
        let _ = empty.send(B::default());
    }
    let work = move || {
        while let Ok(mut batch) = empties.recv() {
            let made = produce(&mut batch).map(|()| batch);
            let failed = made.is_err();
            if sender.send(made).is_err() || failed {
                break;
            }
        }
    };
    ((empty, ready), work)
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("of no words")
}
