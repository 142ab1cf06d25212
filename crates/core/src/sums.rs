//! Sums of squares, which norms are made of: in `f64` whatever the numbers are.

use crate::{ArrayRefD, Pool, Real, simd};
use std::sync::atomic::{AtomicU64, Ordering};

/// Parts of a long sum, at most: threads sum them, and they are added in order. They depend on the length alone.
const PARTS: usize = 64;

/// Elements of a part, at least: so many are worth a thread that has written them.
const BLOCK: usize = 1 << 13;

/// Independent partial sums in the numbers' own type: additions do not wait for each other.
const LANES: usize = 32;

/// Terms of a partial sum before it goes into an `f64`.
const TERMS: usize = 64;

/// `Σ x²`, by the threads of a pool where there is much to sum; the same bits for any number of them.
///
/// It is not finite if an element is not; otherwise it is, unless the sum is too large for an `f64`.
///
/// ```
/// use gradwise_core::{Serial, sum_of_squares};
/// use ndarray::arr1;
///
/// assert_eq!(sum_of_squares(&arr1(&[3.0_f32, 4.0]).into_dyn(), &Serial), 25.0);
/// // Squares that `f32` cannot hold.
/// assert_eq!(sum_of_squares(&arr1(&[2_f32.powi(100)]).into_dyn(), &Serial), 2_f64.powi(200));
/// ```
pub fn sum_of_squares<T: Real>(array: &ArrayRefD<T>, pool: &dyn Pool) -> f64 {
    let Some(slice) = array.as_slice_memory_order() else {
        return array.iter().map(|x| x.as_f64().powi(2)).sum();
    };
    if slice.len() <= BLOCK {
        return squares(slice);
    }
    let len = slice.len().div_ceil(PARTS).next_multiple_of(BLOCK);
    // A part that no task has summed is negative, which no sum of squares is.
    let parts = [const { AtomicU64::new((-1.0_f64).to_bits()) }; PARTS];
    let sum_of = |i: usize| slice.chunks(len).nth(i).map_or(0.0, squares);
    let task = |i: usize| {
        if let Some(part) = parts.get(i) {
            part.store(sum_of(i).to_bits(), Ordering::Relaxed);
        }
    };
    let n = slice.len().div_ceil(len);
    pool.run(n, &task);
    let sums = parts[..n].iter().map(|part| f64::from_bits(part.load(Ordering::Relaxed)));
    sums.enumerate().map(|(i, sum)| if sum < 0.0 { sum_of(i) } else { sum }).sum()
}

fn squares<T: Real>(slice: &[T]) -> f64 {
    simd::vectorize(
        #[inline(always)]
        || {
            let mut total = 0.0;
            for block in slice.chunks(LANES * TERMS) {
                let mut lanes = [T::zero(); LANES];
                let (chunks, rest) = block.as_chunks::<LANES>();
                for chunk in chunks {
                    for (sum, &x) in lanes.iter_mut().zip(chunk) {
                        *sum += x * x;
                    }
                }
                for (sum, &x) in lanes.iter_mut().zip(rest) {
                    *sum += x * x;
                }
                let sum: f64 = lanes.iter().map(|sum| sum.as_f64()).sum();
                // Squares that leave the range of the type do not leave that of `f64`: not the large ones, nor those that would be lost.
                total += if sum > 1e-24 && sum < 1e36 { sum } else { wide(block) };
            }
            total
        },
    )
}

/// In `f64` from the first square on.
#[inline(always)]
fn wide<T: Real>(block: &[T]) -> f64 {
    let mut lanes = [0.0; 8];
    for chunk in block.chunks(8) {
        for (sum, x) in lanes.iter_mut().zip(chunk) {
            *sum += x.as_f64() * x.as_f64();
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Serial;
    use ndarray::{Array, Array2, Slice};

    #[test]
    fn squares_beyond_the_range_of_the_type_are_summed() {
        for (x, expected) in [(1e25_f32, 1e50), (1e-30, 1e-60), (f32::MAX, 1.157_920_750_3e77)] {
            let array = Array::from_elem(3000, x).into_dyn();
            assert!((sum_of_squares(&array, &Serial) / (3000.0 * expected) - 1.0).abs() < 1e-6);
        }
        let mut array = Array::zeros(100_000).into_dyn();
        array[[77_777]] = f32::NAN;
        assert!(sum_of_squares(&array, &Serial).is_nan());
    }

    /// Runs the last task first, twice, and forgets every third.
    struct Careless;

    impl Pool for Careless {
        fn threads(&self) -> usize {
            3
        }
        fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
            (0..n).rev().filter(|i| i % 3 != 1).for_each(|i| [i, i].into_iter().for_each(task));
        }
    }

    #[test]
    fn long_sums_have_the_same_bits_whatever_the_pool_does() {
        for len in [BLOCK + 1, 5 * BLOCK, PARTS * BLOCK + 7] {
            let array = Array::from_iter((0..len).map(|i| (i as f32 * 0.37).sin())).into_dyn();
            let sum = sum_of_squares(&array, &Serial);
            assert_eq!(sum_of_squares(&array, &Careless), sum);
            let expected: f64 = array.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            assert!((sum - expected).abs() <= 1e-6 * expected, "{sum} in place of {expected}");
        }
    }

    #[test]
    fn sums_agree_for_every_length_and_layout() {
        for n in 0..70 {
            let array = Array::from_iter((0..n).map(|i| i as f32 * 0.5 - 3.0)).into_dyn();
            let expected: f64 = array.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            assert!((sum_of_squares(&array, &Serial) - expected).abs() <= 1e-12 * expected);
        }
        let columns = Array2::from_shape_fn((3, 5), |(i, j)| (i * 5 + j) as f64).reversed_axes().into_dyn();
        let every_second = columns.slice_each_axis(|axis| Slice {
            start: 0,
            end: None,
            step: if axis.axis.index() == 0 { 2 } else { 1 },
        });
        let expected: f64 = every_second.iter().map(|x| x * x).sum();
        assert_eq!(sum_of_squares(&every_second, &Serial), expected);
    }
}
