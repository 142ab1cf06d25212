//! Sums of a matrix's rows: the gradient of what was added to each of them.

#![allow(unsafe_code)] // Disjoint columns of one sum go to different threads.

use crate::parallel::{Parts, n_tasks, run, share};
use gradwise_core::{Pool, Real};

/// Columns at a time: their sums stay in registers, and a row's part is a whole number of cache lines.
const COLUMNS: usize = 32;

/// `out ← Σ rows + β out`, in `f64`, with `β` 0 where `first`; cut by columns, each of which is summed by one task.
pub(crate) struct RowSums<'a, T> {
    rows: &'a [T],
    out: Parts<'a, T>,
    first: bool,
}

impl<'a, T: Real> RowSums<'a, T> {
    /// The sums of rows of the output's length.
    pub(crate) fn new(rows: &'a [T], out: &'a mut [T], first: bool) -> Self {
        RowSums { rows, out: Parts::new(out), first }
    }

    /// Sums on a pool.
    pub(crate) fn sum(&self, pool: &dyn Pool) {
        let n = n_tasks(pool, 2 * self.rows.len()).min(self.out.len().div_ceil(COLUMNS)).max(1);
        // SAFETY: each task runs once.
        let task = |i: usize| unsafe { self.part(i, n) };
        if n == 1 { task(0) } else { run(pool, n, &task) }
    }

    /// Sums the `i`-th of `n` parts.
    ///
    /// # Safety
    /// While this runs, no other call has the same `i`, or another `n`.
    pub(crate) unsafe fn part(&self, i: usize, n: usize) {
        let (columns, len) = (share(self.out.len(), COLUMNS, n, i), self.out.len());
        // SAFETY: the shares of one `n` do not overlap.
        let out = unsafe { self.out.part(columns.clone()) };
        crate::support::vectorize!(|| {
            for (i, out) in out.chunks_mut(COLUMNS).enumerate() {
                let start = columns.start + i * COLUMNS;
                let mut sums = [0.0; COLUMNS];
                for row in self.rows.chunks_exact(len) {
                    for (sum, &x) in sums.iter_mut().zip(&row[start..][..out.len()]) {
                        *sum += x.as_f64();
                    }
                }
                for (out, &sum) in out.iter_mut().zip(&sums) {
                    *out = T::of(if self.first { sum } else { out.as_f64() + sum });
                }
            }
        });
    }
}
