//! Where the shards of a batch meet.

use super::lock;
use gradwise_core::{Error, Pool, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How often a shard that is early looks whether the others have come, before it sleeps: some 50 µs.
const SPINS: u32 = 4_000;

/// A place to which every shard brings some numbers, and leaves with everybody's.
///
/// A shard that fails does not come any more; then nobody waits, and the others leave with its error.
pub(super) struct Rendezvous {
    shards: usize,
    /// Shards that may run at once; others wait until one of those waits or is done.
    threads: usize,
    state: Mutex<State>,
    /// Told of whatever others may wait for.
    changed: Condvar,
    /// Rounds that are complete, or a number past them after an error: for who looks without the lock.
    turn: AtomicUsize,
}

struct State {
    running: usize,
    /// Shards that have come in this round.
    arrived: usize,
    /// Shards that are done with the batch.
    left: usize,
    round: usize,
    /// The numbers of this round and of the last one, shard by shard: a shard may come again before the others have read.
    numbers: [Vec<f64>; 2],
    len: usize,
    error: Option<Error>,
}

impl Rendezvous {
    pub(super) fn new(shards: usize, threads: usize) -> Self {
        let numbers = [Vec::new(), Vec::new()];
        let state = State { running: 0, arrived: 0, left: 0, round: 0, numbers, len: 0, error: None };
        let (state, changed, turn) = (Mutex::new(state), Condvar::new(), AtomicUsize::new(0));
        Rendezvous { shards, threads, state, changed, turn }
    }

    /// Before any shard of a batch comes.
    pub(super) fn begin(&self) {
        let mut state = lock(&self.state);
        (state.arrived, state.left, state.error) = (0, 0, None);
    }

    /// Runs a shard's part of a batch, and tells the others if it fails, by an error or a panic.
    pub(super) fn attend(&self, part: impl FnOnce() -> Result<()>) -> Result<()> {
        struct Leave<'a>(&'a Rendezvous, Option<Error>);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                let mut state = lock(&self.0.state);
                (state.running, state.left) = (state.running - 1, state.left + 1);
                match self.1.take() {
                    Some(error) => self.0.fail(&mut state, error),
                    None if state.arrived > 0 => self.0.fail(&mut state, astray()),
                    None => self.0.changed.notify_all(),
                }
            }
        }
        drop(self.run(lock(&self.state)));
        let mut leave = Leave(self, Some(Error::Other("shards: one of them panicked".into())));
        let result = part();
        leave.1 = result.as_ref().err().cloned();
        result
    }

    /// Brings numbers, waits for those of the others, and shows all.
    fn gather(&self, shard: usize, mine: &[f64], each: &mut dyn FnMut(&[f64])) -> Result<()> {
        let mut state = lock(&self.state);
        let round = state.round;
        if state.arrived == 0 {
            state.len = mine.len();
            state.numbers[round % 2].resize(self.shards * mine.len(), 0.0);
        }
        if let Some(error) = &state.error {
            return Err(error.clone());
        }
        if state.left > 0 || state.len != mine.len() {
            self.fail(&mut state, astray());
            return Err(astray());
        }
        state.numbers[round % 2][shard * mine.len()..][..mine.len()].copy_from_slice(mine);
        state.arrived += 1;
        if state.arrived == self.shards {
            (state.arrived, state.round) = (0, round + 1);
            self.turn.store(round + 1, Ordering::Release);
            self.changed.notify_all();
        } else {
            state.running -= 1;
            self.changed.notify_all();
            if self.threads >= self.shards {
                drop(state);
                let mut spins = 0;
                while self.turn.load(Ordering::Acquire) == round && spins < SPINS {
                    spins += 1;
                    std::hint::spin_loop();
                }
                state = lock(&self.state);
            }
            while state.round == round && state.error.is_none() {
                state = self.wait(state);
            }
            state = self.run(state);
            if let (true, Some(error)) = (state.round == round, &state.error) {
                return Err(error.clone());
            }
        }
        if !mine.is_empty() {
            state.numbers[round % 2].chunks(mine.len()).for_each(each);
        }
        Ok(())
    }

    /// Waits until there is a thread to run on.
    fn run<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while state.running >= self.threads {
            state = self.wait(state);
        }
        state.running += 1;
        state
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, state: &mut State, error: Error) {
        state.error.get_or_insert(error);
        // Whoever spins sees a change, and then the error; the next complete round sets it right.
        self.turn.store(usize::MAX, Ordering::Release);
        self.changed.notify_all();
    }
}

/// The error of shards that do not run the same operations.
fn astray() -> Error {
    Error::Other("shards: expected all to run the same operations, got one that did not come".into())
}

/// A shard's place at the rendezvous, and its pool: operations within a shard run on its own thread.
pub(super) struct Place {
    rendezvous: Arc<Rendezvous>,
    shard: usize,
}

impl Place {
    pub(super) fn new(rendezvous: &Arc<Rendezvous>, shard: usize) -> Self {
        Place { rendezvous: Arc::clone(rendezvous), shard }
    }
}

impl Pool for Place {
    fn threads(&self) -> usize {
        1
    }
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..n).for_each(task);
    }
    fn shards(&self) -> usize {
        self.rendezvous.shards
    }
    fn gather(&self, mine: &[f64], each: &mut dyn FnMut(&[f64])) -> Result<()> {
        self.rendezvous.gather(self.shard, mine, each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// What becomes of each shard that runs `part`, on as many threads of the system.
    fn attend(
        rendezvous: &Arc<Rendezvous>,
        part: impl Fn(usize, &Place) -> Result<Vec<f64>> + Sync,
    ) -> Vec<Result<Vec<f64>>> {
        rendezvous.begin();
        std::thread::scope(|scope| {
            let shard = |i| {
                let (part, place) = (&part, Place::new(rendezvous, i));
                scope.spawn(move || {
                    let mut got = Ok(vec![]);
                    let attended = catch_unwind(AssertUnwindSafe(|| {
                        rendezvous.attend(|| {
                            got = part(i, &place);
                            got.as_ref().map(drop).map_err(Clone::clone)
                        })
                    }));
                    if attended.is_err() { Err(Error::Other("panic".into())) } else { got }
                })
            };
            let handles: Vec<_> = (0..rendezvous.shards).map(shard).collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        })
    }

    /// Two rounds; what a shard sees in the second, which depends on all that it saw in the first.
    fn two_rounds(i: usize, place: &Place) -> Result<Vec<f64>> {
        let (mut sum, mut seen) = (0.0, vec![]);
        place.gather(&[i as f64, 1.0], &mut |x| sum = sum * 10.0 + x[0] + x[1])?;
        place.gather(&[sum, -(i as f64), 0.5], &mut |x| seen.extend_from_slice(x))?;
        Ok(seen)
    }

    #[test]
    fn all_see_all_in_order_on_any_number_of_threads() {
        for threads in 1..4 {
            let rendezvous = Arc::new(Rendezvous::new(3, threads));
            for _ in 0..100 {
                let expected = Ok(vec![123.0, 0.0, 0.5, 123.0, -1.0, 0.5, 123.0, -2.0, 0.5]);
                assert!(attend(&rendezvous, two_rounds).iter().all(|got| *got == expected));
            }
        }
    }

    #[test]
    fn who_does_not_come_keeps_nobody_waiting() {
        for threads in 1..4 {
            let rendezvous = Arc::new(Rendezvous::new(3, threads));
            let broken = Error::Other("broken".into());
            for stage in 0..2 {
                let gather = |place: &Place| place.gather(&[1.0], &mut |_| {});
                // It fails, before or after it came once: its error is everybody's.
                let results = attend(&rendezvous, |i, place| {
                    (0..stage).try_for_each(|_| gather(place))?;
                    if i == 1 { Err(broken.clone()) } else { two_rounds(i, place) }
                });
                assert!(results.iter().all(|got| *got == Err(broken.clone())), "{results:?}");
                // It is done while the others are not.
                let results = attend(&rendezvous, |i, place| {
                    (0..stage).try_for_each(|_| gather(place))?;
                    if i == 1 { Ok(vec![]) } else { two_rounds(i, place) }
                });
                assert!(results[0] == Err(astray()) && results[1].is_ok() && results[2] == Err(astray()));
                let results = attend(&rendezvous, |i, place| {
                    assert!(i != 1, "shard one");
                    two_rounds(i, place)
                });
                assert!(results.iter().all(Result::is_err));
                // Another number of numbers.
                let results = attend(&rendezvous, |i, place| {
                    place.gather(&[1.0, 2.0][..1 + i / 2], &mut |_| {})?;
                    Ok(vec![])
                });
                assert!(results.iter().all(Result::is_err));
                assert!(attend(&rendezvous, two_rounds).iter().all(Result::is_ok));
            }
        }
    }
}
