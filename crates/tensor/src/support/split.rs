//! Two outputs split over threads by the same rows.

#![allow(unsafe_code)] // Disjoint rows of two slices go to different threads.

use crate::parallel::{Parts, n_tasks, share};
use gradwise_core::Pool;
use std::ops::Range;

/// Runs `f(rows, part of a, part of b)` on consecutive ranges of rows that cover both outputs, whose rows have the given lengths. A
/// length of 0 leaves that output out.
pub(crate) fn rows2<A: Send, B: Send>(
    pool: &dyn Pool,
    work: usize,
    n_rows: usize,
    (a, a_len): (&mut [A], usize),
    (b, b_len): (&mut [B], usize),
    f: &(dyn Fn(Range<usize>, &mut [A], &mut [B]) + Sync),
) {
    let n = n_tasks(pool, work).min(n_rows.max(1));
    if n == 1 {
        return f(0..n_rows, &mut a[..n_rows * a_len], &mut b[..n_rows * b_len]);
    }
    let (a, b) = (Parts::new(a), Parts::new(b));
    crate::parallel::run(pool, n, &|i| {
        let rows = share(n_rows, 1, n, i);
        // SAFETY: the shares of different tasks do not overlap, and each task runs once.
        let part_a = unsafe { a.part(rows.start * a_len..rows.end * a_len) };
        // SAFETY: as above.
        let part_b = unsafe { b.part(rows.start * b_len..rows.end * b_len) };
        f(rows, part_a, part_b);
    });
}
