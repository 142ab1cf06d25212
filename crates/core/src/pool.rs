//! Threads, as far as an operation needs to know of them.

#![allow(unsafe_code)] // The declaration of a promise that unsafe code elsewhere relies on; none is run here.

use crate::Result;
use std::sync::Arc;

/// A fixed number of threads that run the parts of one job.
///
/// # Contract
/// - [`Pool::run`] calls `task(0)`, …, `task(n - 1)`, each exactly once, on any threads in any order, and returns when all are done.
///   If a task panics, `run` panics, after the others are done.
/// - A task never calls `run` again; a pool may run the inner tasks in place if it does.
/// - An operation splits its *output* between tasks, so that every number is computed by one task in one order; where it must
///   split a sum, it does so into parts whose number depends on shapes alone, and adds them in order. Results are then bit-identical
///   for any number of threads.
/// - The samples of a batch may be dealt out to several pools, in shards: each runs the same operations on its own samples. An operation
///   whose result for one sample depends on others combines what it knows of them by [`Pool::gather`]; whoever owns the pools adds up
///   the parameters' gradients.
pub trait Pool: Sync {
    /// How many threads run tasks at once, at least 1.
    fn threads(&self) -> usize;

    /// Runs `task(0..n)` and waits for all of them.
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync));

    /// Elementary operations (additions, loads) that a task should have at least, to pay for waking a thread: 2¹⁵ unless said otherwise,
    /// about 10 µs of work.
    ///
    /// Whoever splits a job makes no more tasks than that. A pool that says 1 has even the smallest jobs split, which tests want.
    fn min_work(&self) -> usize {
        1 << 15
    }

    /// The same pool as one whose word unsafe code may take for it that each task runs once. `None`, unless whoever wrote the pool gave
    /// that word with an `unsafe impl`: whoever hands disjoint parts of memory to tasks then keeps account of them, which costs some
    /// messages between cores a job.
    fn runs_once(&self) -> Option<&dyn RunsOnce> {
        None
    }

    /// In how many shards the batch is worked on: 1, unless this pool has only a part of it.
    fn shards(&self) -> usize {
        1
    }

    /// Shows the numbers that each shard of the batch brings, in the shards' order, once all of them have come here. With one shard
    /// these are one's own. An operation calls it outside of tasks, and as often and with as many numbers in every shard.
    ///
    /// # Errors
    /// If another shard failed, or does not come.
    fn gather(&self, mine: &[f64], each: &mut dyn FnMut(&[f64])) -> Result<()> {
        each(mine);
        Ok(())
    }
}

/// A pool that unsafe code may rely on. [`Pool`] promises the same, but a safe trait's promise must not be what soundness hangs on: see
/// [`Pool::runs_once`].
///
/// # Safety
/// `run_once(n, task)` calls `task(0)`, …, `task(n - 1)`, each exactly once, and neither returns nor unwinds before all of these calls are
/// over. After a panic of a task, those that have not begun may be left out, if it unwinds.
pub unsafe trait RunsOnce: Sync {
    /// Runs `task(0..n)`, each once, and waits for all of them.
    fn run_once(&self, n: usize, task: &(dyn Fn(usize) + Sync));
}

/// The pool of one thread: the caller's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Pool for Serial {
    fn threads(&self) -> usize {
        1
    }
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..n).for_each(task);
    }
}

macro_rules! forward_pool {
    ($($name:ty: $bound:ident),*) => {$(
        impl<P: Pool + $bound + ?Sized> Pool for $name {
            fn threads(&self) -> usize {
                (**self).threads()
            }
            fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
                (**self).run(n, task);
            }
            fn min_work(&self) -> usize {
                (**self).min_work()
            }
            fn runs_once(&self) -> Option<&dyn RunsOnce> {
                (**self).runs_once()
            }
            fn shards(&self) -> usize {
                (**self).shards()
            }
            fn gather(&self, mine: &[f64], each: &mut dyn FnMut(&[f64])) -> Result<()> {
                (**self).gather(mine, each)
            }
        }
    )*};
}
forward_pool!(&P: Sync, &mut P: Sync, Box<P>: Sync, Arc<P>: Send);
