//! Threads, as far as an operation needs to know of them.

/// A fixed number of threads that run the parts of one job.
///
/// # Contract
/// - [`Pool::run`] calls `task(0)`, …, `task(n - 1)`, each exactly once, on any threads in any order, and returns when all are done.
///   If a task panics, `run` panics, after the others are done.
/// - A task never calls `run` again; a pool may run the inner tasks in place if it does.
/// - An operation splits its *output* between tasks, so that every number is computed by one task in one order; where it must
///   split a sum, it does so into parts whose number depends on shapes alone, and adds them in order. Results are then bit-identical
///   for any number of threads.
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

impl<P: Pool + Send + ?Sized> Pool for std::sync::Arc<P> {
    fn threads(&self) -> usize {
        (**self).threads()
    }
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        (**self).run(n, task);
    }
    fn min_work(&self) -> usize {
        (**self).min_work()
    }
}

impl<P: Pool + ?Sized> Pool for &P {
    fn threads(&self) -> usize {
        (**self).threads()
    }
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        (**self).run(n, task);
    }
    fn min_work(&self) -> usize {
        (**self).min_work()
    }
}
