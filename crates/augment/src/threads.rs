//! Who does the work on a batch.

/// Threads that work on a batch. What comes out does not depend on how many there are.
///
/// Implement it for your own pool, so that augmentation shares its threads; a number of threads and, with the feature `rayon`, rayon's
/// pools are here.
pub trait Threads: Sync {
    /// How many there are, at least one.
    fn count(&self) -> usize;

    /// Calls `task` with every number below `n`, on any of the threads, and returns when all calls have.
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync));
}

/// The calling thread alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Threads for Serial {
    fn count(&self) -> usize {
        1
    }

    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..n).for_each(task);
    }
}

/// A number of threads, started for each batch: some 20 µs a thread.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub usize);

impl Threads for Count {
    fn count(&self) -> usize {
        self.0.max(1)
    }

    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            // The calling thread does the first part, and those for which the system starts no thread.
            let mut left: Vec<usize> = (0..n.min(1)).collect();
            for i in 1..n {
                if std::thread::Builder::new().spawn_scoped(scope, move || task(i)).is_err() {
                    left.push(i);
                }
            }
            left.into_iter().for_each(task);
        });
    }
}

#[cfg(feature = "rayon")]
impl Threads for rayon::ThreadPool {
    fn count(&self) -> usize {
        self.current_num_threads()
    }

    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        use rayon::prelude::*;
        self.install(|| (0..n).into_par_iter().for_each(task));
    }
}
