//! The threads of a training run.
//!
//! A training step is hundreds of short jobs with little between them, so what counts is how soon a second thread starts on a job. A
//! worker therefore watches for the next job for a while before it sleeps, the caller works along, and handing out a task is one
//! atomic operation: no queue, no allocation, no lock. (rayon, which the data side uses, allocates a job and wakes a sleeper each time.)
//!
//! And what counts is where data lie. Jobs of one size are cut alike, so each thread first takes the same tasks of every job, as long as
//! it is there in time: the part of a gradient that it has written is then the part that it sums up, and the part of the weights that it
//! has updated is the part that it multiplies by in the next step. Cores that share no cache get from each other only a third of what
//! they get from their own.

#![allow(unsafe_code)] // A job is borrowed by the workers for as long as `run` waits for them; the type system cannot see that.

use crate::{Result, TrainError};
use gradwise_core::{Pool, RunsOnce, Serial};
use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;

/// How often a worker looks for the next job before it sleeps: some 50 µs on current processors, longer than the serial stretches of a
/// training step, shorter than anybody would notice a core being busy.
const SPINS: u32 = 4_000;

/// Most lots of tasks that are handed out by themselves, as each is a bit of a word; and so the most threads that work on one job.
const MOST_LOTS: usize = u64::BITS as usize;

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
    call: Lines<Call>,
    /// Lots of the job that workers have done.
    done: Lines<AtomicUsize>,
    /// The first panic of a task.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    stopping: AtomicBool,
    asleep: Vec<AtomicBool>,
}

/// Cache lines of its own: to send one from one core to another takes as long as hundreds of instructions, so none should go because of
/// what else is in it. Two, as processors fetch them in pairs.
#[repr(align(128))]
struct Lines<X>(X);

/// All that a worker must see to begin.
struct Call {
    /// A bit for each lot of the job's tasks that nobody has taken yet.
    left: AtomicU64,
    /// How many lots there were, for choosing among them.
    lots: AtomicUsize,
    /// The job. Written by the caller of `run` before `left` announces it; read by whoever has taken a lot of it.
    job: UnsafeCell<Job<'static>>,
}

#[derive(Clone, Copy)]
struct Job<'a> {
    task: Task<'a>,
    /// How many tasks there are.
    n: usize,
    /// In how many lots.
    lots: usize,
}

// SAFETY: the `job` of `call` is the only thing in it that is not `Sync` by itself. It is written only between jobs, when no lot of the
// last job is taken and not done, and read only with a lot in hand; `left` orders the two (release, acquire).
unsafe impl Sync for Shared {}

/// The lots, as bits, that a thread of several takes first.
fn own_lots(thread: usize, threads: usize, lots: usize) -> u64 {
    let below = |n: usize| if n >= MOST_LOTS { u64::MAX } else { (1 << n) - 1 };
    below(lots * (thread + 1) / threads) & !below(lots * thread / threads)
}

thread_local! {
    /// Whether this thread is inside a task; a job started there is run in place.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

impl Shared {
    /// Takes a lot of the present job and runs it: the first of this thread's, or, if none of those is left, the last of what others have
    /// not come to. `false` if there is none.
    fn work(&self, thread: usize) -> bool {
        let threads = self.asleep.len() + 1;
        let Lines(call) = &self.call;
        loop {
            let left = call.left.load(Ordering::Acquire);
            if left == 0 {
                return false;
            }
            let own = left & own_lots(thread, threads, call.lots.load(Ordering::Relaxed));
            let bit = if own == 0 { 1 << left.ilog2() } else { 1 << own.trailing_zeros() };
            // Whether it is a lot of the job that was seen or of the next one does not matter: it is taken, and the job is read after.
            if call.left.fetch_and(!bit, Ordering::AcqRel) & bit == 0 {
                continue;
            }
            // SAFETY: a lot of the job that `left` announced is taken and not yet done, so `run` has not returned and the job is still
            // borrowed by it; and nobody writes `job` before that lot is done.
            let Job { task, n, lots } = unsafe { *call.job.get() };
            let lot = bit.trailing_zeros() as usize;
            INSIDE.set(true);
            for i in n * lot / lots..n * (lot + 1) / lots {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| task(i))) {
                    let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
                    // The first panic counts. A second one is forgotten, not dropped: dropping it could panic again, here of all places.
                    if first.is_some() { std::mem::forget(panic) } else { *first = Some(panic) }
                }
            }
            INSIDE.set(false);
            return true;
        }
    }

    fn has_work(&self) -> bool {
        self.call.0.left.load(Ordering::Acquire) != 0 || self.stopping.load(Ordering::Relaxed)
    }

    /// The life of a worker.
    fn serve(&self, me: usize) {
        while !self.stopping.load(Ordering::Acquire) {
            // Told once and not after each lot: the caller's line would come and go each time.
            let mut done = 0;
            while self.work(me + 1) {
                done += 1;
            }
            if done > 0 {
                self.done.0.fetch_add(done, Ordering::Release);
            }
            let (mut spins, mut slept) = (0, false);
            while !self.has_work() {
                if spins < SPINS {
                    spins += 1;
                    std::hint::spin_loop();
                    continue;
                }
                // Announce the sleep, then look once more: whoever starts a job does the two in the other order, so one of us notices.
                self.asleep[me].store(true, Ordering::SeqCst);
                slept = true;
                if self.has_work_seq_cst() {
                    break;
                }
                std::thread::park();
            }
            // Not at every job: the caller reads it in each, and has it in its cache for as long as nobody writes.
            if slept {
                self.asleep[me].store(false, Ordering::Relaxed);
            }
        }
    }

    fn has_work_seq_cst(&self) -> bool {
        self.call.0.left.load(Ordering::SeqCst) != 0 || self.stopping.load(Ordering::SeqCst)
    }
}

impl Workers {
    fn new(threads: usize) -> Result<Self> {
        let nothing = Job { task: &|_| {}, n: 0, lots: 1 };
        let shared = Arc::new(Shared {
            call: Lines(Call { left: AtomicU64::new(0), lots: AtomicUsize::new(0), job: UnsafeCell::new(nothing) }),
            done: Lines(AtomicUsize::new(0)),
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

    /// A quarter of what is usual: threads that are awake meet in half a microsecond, and what another core has written costs more.
    fn min_work(&self) -> usize {
        1 << 13
    }

    fn runs_once(&self) -> Option<&dyn RunsOnce> {
        Some(self)
    }

    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        self.run_once(n, task);
    }
}

// SAFETY: a task runs when the bit of its lot is cleared in `left`, which one thread alone does, or in place; and `run_once` waits for
// every lot, as panics of tasks are caught and raised again at the end.
unsafe impl RunsOnce for Workers {
    fn run_once(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        if n <= 1 || INSIDE.get() {
            return (0..n).for_each(task);
        }
        let guard = match self.busy.try_lock() {
            Ok(guard) => guard,
            // Nothing is left half done under the lock; a panic passed through it, no more.
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return (0..n).for_each(task),
        };
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. The job is used by threads that have taken a lot of it, and this function does not
        // return, nor unwind, before all its lots are done.
        let task: Task<'static> = unsafe { std::mem::transmute::<Task<'_>, Task<'static>>(task) };
        let lots = n.min(MOST_LOTS);
        let (Lines(call), Lines(done)) = (&shared.call, &shared.done);
        // SAFETY: all lots of the last job are done, `busy` keeps other callers out, and workers read this only after `left` below.
        unsafe { *call.job.get() = Job { task, n, lots } };
        done.store(0, Ordering::Relaxed);
        call.lots.store(lots, Ordering::Relaxed);
        call.left.store(own_lots(0, 1, lots), Ordering::SeqCst);
        self.wake();
        let (mut own, mut spins) = (0, 0_u32);
        let mine = own_lots(0, self.threads(), lots).count_ones() as usize;
        // One's own first. Then most often all is done, so that is looked at before what is left.
        let is_done = |own: usize| done.load(Ordering::Acquire) + own == lots;
        while own < mine || !is_done(own) {
            if shared.work(0) {
                own += 1;
                continue;
            }
            if is_done(own) {
                break; // and some of one's own were done by whoever was early
            }
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
    fn threads_have_lots_of_their_own() {
        for threads in [1, 2, 3, 5, 64, 100] {
            for lots in [1, 2, 3, 13, 63, 64] {
                let own: Vec<u64> = (0..threads).map(|thread| own_lots(thread, threads, lots)).collect();
                assert_eq!(own.iter().map(|lots| lots.count_ones()).sum::<u32>(), lots as u32);
                assert_eq!(own.iter().fold(0, |all, lots| all | lots).count_ones(), lots as u32);
            }
        }
        assert_eq!((own_lots(0, 2, 13), own_lots(1, 2, 13)), (0b11_1111, 0b1_1111_1100_0000));
    }

    #[test]
    fn a_thread_gets_the_same_tasks_of_every_job() {
        let pool = threads(2).unwrap();
        let caller = std::thread::current().id();
        // Each task waits for the other, so that both threads are there in time.
        for _ in 0..20 {
            let (begun, caller_ran) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
            pool.run(2, &|i| {
                begun.fetch_add(1, Ordering::AcqRel);
                if std::thread::current().id() == caller {
                    caller_ran.store(i, Ordering::Relaxed);
                }
                while begun.load(Ordering::Acquire) < 2 {
                    std::thread::yield_now();
                }
            });
            assert_eq!(caller_ran.into_inner(), 0);
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
