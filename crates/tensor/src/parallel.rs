//! Splitting an output over a pool's threads.
//!
//! Every function here hands each part of the output to exactly one task, so results do not depend on the number of threads. Work that
//! is too small to pay for waking a thread stays on the caller's: whether it does depends on its size alone.

#![allow(unsafe_code)] // Disjoint parts of one slice go to different threads.

use gradwise_core::Pool;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A mutable slice whose disjoint parts may be taken from several threads.
#[derive(Debug)]
pub struct Parts<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: a `Parts` only gives out parts under the contract of `Parts::part`, that no two overlap; each is then a `&mut [T]` that may
// move to another thread if `T` may.
unsafe impl<T: Send> Send for Parts<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Parts<'_, T> {}

impl<'a, T> Parts<'a, T> {
    /// The parts of a slice.
    pub fn new(slice: &'a mut [T]) -> Self {
        Parts { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The slice's length.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The slice's first element, for kernels that write parts in several pieces. What holds for [`Parts::part`] holds for them.
    pub(crate) fn as_mut_ptr(&self) -> *mut T {
        self.start
    }

    /// One part.
    ///
    /// # Panics
    /// If the range is not within the slice.
    ///
    /// # Safety
    /// While the returned part is alive, no part that overlaps it is taken.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "part {range:?} of {} elements", self.len);
        // SAFETY: within the slice, which is borrowed for `'a`; the caller sees to it that parts do not overlap.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

/// The `i`-th of `n` nearly equal ranges of `0..len`, each a multiple of `unit` but the last.
///
/// # Panics
/// If `n` is 0.
pub fn share(len: usize, unit: usize, n: usize, i: usize) -> Range<usize> {
    if n == 1 {
        return 0..len; // without divisions, which small products would notice
    }
    let units = len.div_ceil(unit.max(1));
    // That is ⌊units i / n⌋, in numbers that are not larger than need be.
    let at = |i: usize| (units / n * i + units % n * i / n).saturating_mul(unit.max(1)).min(len);
    at(i)..at(i + 1)
}

/// How many tasks a job of `work` elementary operations is split into: one a thread, and none of less than [`Pool::min_work`].
pub fn n_tasks(pool: &dyn Pool, work: usize) -> usize {
    let threads = pool.threads();
    if threads <= 1 { 1 } else { threads.min(work / pool.min_work().max(1)).max(1) }
}

/// Runs `task(0)`, …, `task(n - 1)` on a pool, each exactly once, whatever the pool does.
///
/// Code that hands disjoint parts of memory to tasks is sound only if no task runs twice. A pool promises that, but anybody may write
/// one, without `unsafe`; so it is seen to here, and a pool that forgets tasks is found out, unless the pool gives its word
/// ([`Pool::runs_once`]). A pool that keeps its promise has each task run where it wants it, as the data of a task may be where it ran the
/// last time.
///
/// # Panics
/// If the pool returns before it has run `n` tasks.
pub fn run(pool: &dyn Pool, n: usize, task: &(dyn Fn(usize) + Sync)) {
    if let Some(pool) = pool.runs_once() {
        return pool.run_once(n, task);
    }
    let (left, drawn, done) = (AtomicU64::new(u64::MAX), AtomicUsize::new(0), AtomicUsize::new(0));
    // The first tasks are crossed off a list; those that do not fit on it are drawn in order.
    let listed = n.min(u64::BITS as usize);
    let take = |i: usize| i < listed && left.fetch_and(!(1 << i), Ordering::Relaxed) & 1 << i != 0;
    pool.run(n, &|i| {
        let mine = if take(i) {
            Some(i)
        } else {
            let i = listed + drawn.fetch_add(1, Ordering::Relaxed);
            if i < n { Some(i) } else { (0..listed).find(|&i| take(i)) }
        };
        if let Some(i) = mine {
            task(i);
            done.fetch_add(1, Ordering::Release);
        }
    });
    assert!(done.load(Ordering::Acquire) == n, "the pool did not run all of {n} tasks");
}

/// Runs `f(rows, part of out)` on consecutive ranges of rows that cover `out`, one a thread, where `out` has rows of `row_len`. What is
/// left behind the last whole row is nobody's.
///
/// `unit` is the number of rows that must stay together; `work` is the cost of the whole job in elementary operations.
///
/// ```
/// use gradwise_core::Serial;
///
/// let mut out = vec![0; 12];
/// gradwise_tensor::parallel::rows(&Serial, &mut out, 4, 1, 12, &|rows, part| {
///     for (row, values) in rows.zip(part.chunks_mut(4)) {
///         values.fill(row);
///     }
/// });
/// assert_eq!(out, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
/// ```
pub fn rows<T: Send>(
    pool: &dyn Pool,
    out: &mut [T],
    row_len: usize,
    unit: usize,
    work: usize,
    f: &(dyn Fn(Range<usize>, &mut [T]) + Sync),
) {
    let n_rows = out.len().checked_div(row_len).unwrap_or(0);
    let n = n_tasks(pool, work).min(n_rows.div_ceil(unit.max(1)));
    if n <= 1 {
        return f(0..n_rows, &mut out[..n_rows * row_len]);
    }
    let parts = Parts::new(out);
    run(pool, n, &|i| {
        let rows = share(n_rows, unit, n, i);
        // SAFETY: the shares of different tasks do not overlap, and each task runs once.
        let part = unsafe { parts.part(rows.start * row_len..rows.end * row_len) };
        f(rows, part);
    });
}

/// Runs `f(row, columns, part of out)` for each row of `out`, which has rows of `row_len`, in parts of consecutive columns, the same ones of
/// all rows a thread.
///
/// A layer's outputs are split between threads by columns, which are rows of its weight; what follows finds them where they are.
pub(crate) fn columns<T: Send>(
    pool: &dyn Pool,
    out: &mut [T],
    row_len: usize,
    unit: usize,
    work: usize,
    f: &(dyn Fn(usize, Range<usize>, &mut [T]) + Sync),
) {
    let n = n_tasks(pool, work).min(row_len.div_ceil(unit.max(1)));
    if n <= 1 {
        return out.chunks_exact_mut(row_len.max(1)).enumerate().for_each(|(row, part)| f(row, 0..row_len, part));
    }
    let n_rows = out.len().checked_div(row_len).unwrap_or(0);
    let parts = Parts::new(out);
    run(pool, n, &|i| {
        let columns = share(row_len, unit, n, i);
        for row in 0..n_rows {
            // SAFETY: the shares of different tasks do not overlap, and each task runs once.
            let part = unsafe { parts.part(row * row_len + columns.start..row * row_len + columns.end) };
            f(row, columns.clone(), part);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_core::Serial;

    /// Runs every task twice, and all under the first number.
    struct Careless;

    impl Pool for Careless {
        fn threads(&self) -> usize {
            2
        }
        fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
            (0..2 * n).for_each(|_| task(0));
        }
    }

    #[test]
    fn tasks_run_once_whatever_the_pool_does() {
        for n in [1, 5, 64, 65, 200] {
            let counts: Vec<AtomicUsize> = (0..n).map(|_| AtomicUsize::new(0)).collect();
            let count = |i: usize| {
                counts[i].fetch_add(1, Ordering::Relaxed);
            };
            run(&Careless, n, &count);
            assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1));
            run(&Serial, n, &count);
            assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 2));
        }
    }

    #[test]
    fn columns_cover_every_row_once() {
        struct Two;
        impl Pool for Two {
            fn threads(&self) -> usize {
                2
            }
            fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
                (0..n).rev().for_each(task);
            }
        }
        for pool in [&Two as &dyn Pool, &Serial] {
            let mut out = vec![0; 3 * 37];
            columns(pool, &mut out, 37, 16, usize::MAX, &|row, columns, part| {
                assert_eq!(columns.len(), part.len());
                part.iter_mut().zip(columns).for_each(|(x, column)| *x += 1 + row * 37 + column);
            });
            assert!(out.iter().enumerate().all(|(i, &x)| x == i + 1));
        }
    }

    #[test]
    fn a_pool_may_claim_as_many_threads_as_it_likes() {
        struct Endless;
        impl Pool for Endless {
            fn threads(&self) -> usize {
                usize::MAX
            }
            fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
                (0..n).for_each(task);
            }
        }
        let mut out = vec![0; 3 * 37 + 5];
        rows(&Endless, &mut out, 37, 2, usize::MAX, &|rows, part| {
            assert_eq!(rows.len() * 37, part.len());
            part.iter_mut().for_each(|x| *x += 1 + rows.start);
        });
        assert!(out[..74].iter().all(|&x| x == 1) && out[74..111].iter().all(|&x| x == 3));
        assert!(out[111..].iter().all(|&x| x == 0), "less than a row is no row");
        columns(&Endless, &mut out, 37, 1, usize::MAX, &|_, _, part| part.fill(7));
        assert!(out[..111].iter().all(|&x| x == 7));
    }

    #[test]
    fn shares_cover_everything_once() {
        for (len, unit, n) in [(0, 1, 3), (7, 1, 2), (7, 4, 2), (64, 16, 3), (5, 8, 4)] {
            let mut end = 0;
            for i in 0..n {
                let range = share(len, unit, n, i);
                assert_eq!(range.start, end);
                assert!(i + 1 == n || range.end == len || range.end.is_multiple_of(unit));
                end = range.end;
            }
            assert_eq!(end, len);
        }
    }
}
