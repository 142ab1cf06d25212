//! Work in parts whose number depends on sizes alone, so that threads change no bit of a sum.

use gradwise_core::Pool;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The most parts of one job.
const MOST: usize = 16;

/// Elements that are worth a part.
const WORTH: usize = 1 << 14;

/// In the place of a sum: a NaN that no arithmetic makes, for a task that a pool has forgotten.
const MISSING: u64 = u64::MAX;

/// How many items of so many elements make a part.
fn share(items: usize, elements: usize) -> usize {
    items.div_ceil(MOST).max(WORTH.div_ceil(elements.max(1))).max(1)
}

/// Runs `f(first, part)` on parts of a slice by the threads of a pool. Rows of `unit` numbers stay together, and `elements` is the work
/// that each number takes.
pub(crate) fn each_part<T: Send>(
    pool: &dyn Pool,
    slice: &mut [T],
    unit: usize,
    elements: usize,
    f: impl Fn(usize, &mut [T]) + Sync,
) {
    let len = share(slice.len(), elements).next_multiple_of(unit.max(1));
    if slice.len() <= len {
        return f(0, slice);
    }
    let mut chunks = slice.chunks_mut(len);
    let n = chunks.len();
    // Each task takes its part out of the lock, which is never contended.
    let parts: [_; MOST] = std::array::from_fn(|_| Mutex::new(chunks.next()));
    let task = |i: usize| {
        if let Some(part) = parts[i].lock().unwrap_or_else(PoisonError::into_inner).take() {
            f(i * len, part);
        }
    };
    pool.run(n, &task);
    // What a pool has forgotten, which promises to forget nothing.
    (0..n).for_each(task);
}

/// The sum of `f` over parts of `0..items`, in their order.
pub(crate) fn sum_parts(pool: &dyn Pool, items: usize, elements: usize, f: impl Fn(Range<usize>) -> f64 + Sync) -> f64 {
    let len = share(items, elements);
    if items <= len {
        return f(0..items);
    }
    let sums = [const { AtomicU64::new(MISSING) }; MOST];
    let sum_of = |i: usize| f(i * len..((i + 1) * len).min(items));
    let n = items.div_ceil(len);
    pool.run(n, &|i| sums[i].store(sum_of(i).to_bits(), Ordering::Relaxed));
    let sums = sums[..n].iter().map(|sum| sum.load(Ordering::Relaxed)).enumerate();
    sums.map(|(i, sum)| if sum == MISSING { sum_of(i) } else { f64::from_bits(sum) }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_core::Serial;

    #[test]
    fn every_item_is_in_one_part() {
        for (items, elements) in [(0, 1), (1, 1), (5, 1 << 14), (17, 1 << 20), (100_000, 1), (1000, 100)] {
            let mut seen = vec![0; items];
            each_part(&Serial, &mut seen, 3, elements, |first, part| {
                assert_eq!(first % 3, 0);
                part.iter_mut().enumerate().for_each(|(i, x)| *x += first + i);
            });
            assert!(seen.iter().enumerate().all(|(i, &x)| i == x), "{items} items of {elements}");
            let sum = sum_parts(&Serial, items, elements, |range| range.map(|i| i as f64).sum());
            assert_eq!(sum, (items * items.saturating_sub(1) / 2) as f64);
        }
    }
}
