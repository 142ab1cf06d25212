//! The threads of a training run.
//!
//! A training step is hundreds of short jobs with little between them, so what counts is how soon a second thread starts on a job. A
//! worker therefore watches for the next job for a while before it sleeps, the caller works along, and handing out a task is one
//! compare-and-swap: no queue, no allocation, no lock. (rayon, which the data side uses, allocates a job and wakes a sleeper each time.)

#![allow(unsafe_code)] // A job is borrowed by the workers for as long as `run` waits for them; the type system cannot see that.

use crate::{Result, TrainError};
use gradwise_core::{Pool, Serial};
use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;

/// How often a worker looks for the next job before it sleeps: some 50 µs on current processors, longer than the serial stretches of a
/// training step, shorter than anybody would notice a core being busy.
const SPINS: u32 = 4_000;

/// Most tasks of one job, as they are counted in 16 bits.
const MOST_TASKS: usize = u16::MAX as usize;

/// A pool of threads for the jobs of a training step.
///
/// `threads` counts the caller, who works along. Results of gradwise's operations do not depend on the number, to the bit.
///
/// ```
/// use gradwise_train::threads;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let pool = threads(2)?;
/// let sum = AtomicUsize::new(0);
/// pool.run(10, &|i| { sum.fetch_add(i, Ordering::Relaxed); });
/// assert_eq!(sum.into_inner(), 45);
/// # Ok::<(), gradwise_train::TrainError>(())
/// ```
///
/// # Errors
/// If `threads` is 0, more than 1024, or the system has no thread left.
pub fn threads(threads: usize) -> Result<Arc<dyn Pool + Send + Sync>> {
    match threads {
        0 | 1025.. => Err(TrainError::value("threads", "from 1 to 1024", threads)),
        1 => Ok(Arc::new(Serial)),
        _ => Ok(Arc::new(Workers::new(threads)?)),
    }
}

/// As many threads as the system says can run at once.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

type Task<'a> = &'a (dyn Fn(usize) + Sync);

struct Workers {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
    /// Held by whoever runs a job; another caller meanwhile runs its job alone.
    busy: Mutex<()>,
}

struct Shared {
    /// The job's number (32 bits), its tasks handed out so far (16) and its tasks in all (16), in one word, so that one
    /// compare-and-swap claims a task of this very job.
    state: AtomicU64,
    /// Tasks of the job that are done.
    done: AtomicUsize,
    /// The job. Written by the caller of `run` before `state` announces it; read by whoever has claimed a task of it.
    task: UnsafeCell<Task<'static>>,
    /// The first panic of a task.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    stopping: AtomicBool,
    asleep: Vec<AtomicBool>,
}

// SAFETY: `task` is the only field that is not `Sync` by itself. It is written only between jobs, when no task of the last job is
// claimed and not done, and read only with a claimed task in hand; `state` orders the two (release, acquire).
unsafe impl Sync for Shared {}

const fn pack(job: u64, next: u64, n: u64) -> u64 {
    job << 32 | next << 16 | n
}

thread_local! {
    /// Whether this thread is inside a task; a job started there is run in place.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

impl Shared {
    /// Claims and runs tasks of the present job until none is left.
    fn work(&self) {
        loop {
            let state = self.state.load(Ordering::Acquire);
            let (next, n) = (state >> 16 & 0xffff, state & 0xffff);
            if next >= n {
                return;
            }
            let claimed =
                self.state.compare_exchange_weak(state, state + (1 << 16), Ordering::AcqRel, Ordering::Relaxed);
            if claimed.is_err() {
                continue;
            }
            // SAFETY: a task of the job that `state` announced is claimed and not yet done, so `run` has not returned and the job is
            // still borrowed by it; and nobody writes `task` before that task is done.
            let task = unsafe { *self.task.get() };
            INSIDE.set(true);
            let result = catch_unwind(AssertUnwindSafe(|| task(next as usize)));
            INSIDE.set(false);
            if let Err(panic) = result {
                let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
                // The first panic counts. A second one is forgotten, not dropped: dropping it could panic again, here of all places.
                if first.is_some() { std::mem::forget(panic) } else { *first = Some(panic) }
            }
            self.done.fetch_add(1, Ordering::Release);
        }
    }

    fn has_work(&self) -> bool {
        let state = self.state.load(Ordering::Acquire);
        (state >> 16 & 0xffff) < (state & 0xffff) || self.stopping.load(Ordering::Relaxed)
    }

    /// The life of a worker.
    fn serve(&self, me: usize) {
        while !self.stopping.load(Ordering::Acquire) {
            self.work();
            let mut spins = 0;
            while !self.has_work() {
                if spins < SPINS {
                    spins += 1;
                    std::hint::spin_loop();
                    continue;
                }
                // Announce the sleep, then look once more: whoever starts a job does the two in the other order, so one of us notices.
                self.asleep[me].store(true, Ordering::SeqCst);
                if self.state_seq_cst() {
                    break;
                }
                std::thread::park();
            }
            self.asleep[me].store(false, Ordering::Relaxed);
        }
    }

    fn state_seq_cst(&self) -> bool {
        let state = self.state.load(Ordering::SeqCst);
        (state >> 16 & 0xffff) < (state & 0xffff) || self.stopping.load(Ordering::SeqCst)
    }
}

impl Workers {
    fn new(threads: usize) -> Result<Self> {
        let nothing: Task<'static> = &|_| {};
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            done: AtomicUsize::new(0),
            task: UnsafeCell::new(nothing),
            panic: Mutex::new(None),
            stopping: AtomicBool::new(false),
            asleep: (1..threads).map(|_| AtomicBool::new(false)).collect(),
        });
        let mut workers = Workers { shared, handles: Vec::new(), busy: Mutex::new(()) };
        for me in 0..threads - 1 {
            let shared = Arc::clone(&workers.shared);
            let handle = std::thread::Builder::new()
                .name(format!("gradwise-{}", me + 1))
                .spawn(move || shared.serve(me))
                .map_err(|error| TrainError::value("threads", "as many as the system allows", error))?;
            workers.handles.push(handle);
        }
        Ok(workers)
    }

    fn wake(&self) {
        for (asleep, handle) in self.shared.asleep.iter().zip(&self.handles) {
            if asleep.load(Ordering::SeqCst) {
                handle.thread().unpark();
            }
        }
    }
}

impl Pool for Workers {
    fn threads(&self) -> usize {
        self.handles.len() + 1
    }

    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        if n <= 1 || n > MOST_TASKS || INSIDE.get() {
            return (0..n).for_each(task);
        }
        let guard = match self.busy.try_lock() {
            Ok(guard) => guard,
            // Nothing is left half done under the lock; a panic passed through it, no more.
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return (0..n).for_each(task),
        };
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. The job is used by workers that have claimed a task of it, and this function does not
        // return, nor unwind, before all its tasks are done.
        let task: Task<'static> = unsafe { std::mem::transmute::<Task<'_>, Task<'static>>(task) };
        // SAFETY: all tasks of the last job are done, `busy` keeps other callers out, and workers read this only after `state` below.
        unsafe { *shared.task.get() = task };
        shared.done.store(0, Ordering::Relaxed);
        let job = (shared.state.load(Ordering::Relaxed) >> 32).wrapping_add(1) & 0xffff_ffff;
        shared.state.store(pack(job, 0, n as u64), Ordering::SeqCst);
        self.wake();
        shared.work();
        let mut spins = 0_u32;
        while shared.done.load(Ordering::Acquire) < n {
            spins += 1;
            // A task is on another thread. If it takes long, that thread may be waiting for this core.
            if spins.is_multiple_of(1024) { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
        // Taken before the next caller can start a job: the panic is this one's.
        let panic = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(guard);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.handles.iter().for_each(|h| h.thread().unpark());
        for handle in self.handles.drain(..) {
            // Panics of tasks were caught where they happened.
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once() {
        for n_threads in [1, 2, 4] {
            let pool = threads(n_threads).unwrap();
            assert_eq!(pool.threads(), n_threads);
            for n in [0, 1, 2, 3, 17, 1000] {
                for _ in 0..50 {
                    let counts: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
                    pool.run(n, &|i| {
                        counts[i].fetch_add(1, Ordering::Relaxed);
                    });
                    assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1));
                }
            }
        }
    }

    #[test]
    fn workers_wake_from_sleep() {
        let pool = threads(2).unwrap();
        for _ in 0..5 {
            std::thread::sleep(std::time::Duration::from_millis(5));
            let sum = AtomicUsize::new(0);
            pool.run(100, &|i| {
                sum.fetch_add(i, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 4950);
        }
    }

    #[test]
    fn a_job_within_a_task_runs_in_place() {
        let pool = threads(3).unwrap();
        let sum = AtomicUsize::new(0);
        pool.run(4, &|_| {
            pool.run(5, &|i| {
                sum.fetch_add(i, Ordering::Relaxed);
            });
        });
        assert_eq!(sum.into_inner(), 40);
    }

    #[test]
    fn a_panic_comes_out_where_the_job_was_started() {
        let pool = threads(2).unwrap();
        let done = AtomicUsize::new(0);
        let result = catch_unwind(AssertUnwindSafe(|| {
            pool.run(8, &|i| {
                assert!(i != 3, "task three");
                done.fetch_add(1, Ordering::Relaxed);
            });
        }));
        assert!(result.is_err());
        assert_eq!(done.into_inner(), 7, "the others are done all the same");
        // And the pool lives on, with all its threads.
        let callers = Mutex::new(std::collections::HashSet::new());
        for _ in 0..1000 {
            pool.run(8, &|_| {
                callers.lock().unwrap().insert(std::thread::current().id());
                std::thread::yield_now();
            });
        }
        assert_eq!(callers.into_inner().unwrap().len(), 2);
    }

    #[test]
    fn two_callers_do_not_disturb_each_other() {
        let pool = threads(2).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let sum = AtomicUsize::new(0);
                        pool.run(20, &|i| {
                            sum.fetch_add(i, Ordering::Relaxed);
                        });
                        assert_eq!(sum.into_inner(), 190);
                    }
                });
            }
        });
    }

    #[test]
    fn unreasonable_numbers_are_refused() {
        assert_eq!(threads(0).err().unwrap().to_string(), "threads: expected from 1 to 1024, got 0");
        assert!(threads(1 << 40).is_err());
    }
}
