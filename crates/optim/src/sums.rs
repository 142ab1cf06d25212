//! Norms, summed in `f64` whatever the numbers are.

use gradwise_core::{ArrayRefD, Pool, Real};
use std::sync::atomic::{AtomicU64, Ordering};

/// Independent partial sums: additions do not wait for each other, and the compiler makes vectors of them.
const LANES: usize = 8;

/// Parts of a long sum, at most: threads sum them, and they are added in order. They depend on the length alone.
const PARTS: usize = 64;

/// Terms of a partial sum before it goes into an `f64`.
const TERMS: usize = 64;

/// Independent partial sums in the numbers' own type.
const OWN_LANES: usize = 16;

/// Elements of a part, at least: so many are worth a thread.
const BLOCK: usize = 1 << 15;

/// `Σ x²`, by the threads of a pool where there is much to sum; the same bits for any number of them.
pub(crate) fn sum_of_squares<T: Real>(array: &ArrayRefD<T>, pool: &dyn Pool) -> f64 {
    let Some(slice) = array.as_slice_memory_order() else {
        return array.iter().map(|x| x.as_f64().powi(2)).sum();
    };
    if slice.len() <= BLOCK {
        return squares(slice);
    }
    let len = slice.len().div_ceil(PARTS).next_multiple_of(BLOCK);
    let parts = [const { AtomicU64::new(0) }; PARTS];
    let task = |i: usize| {
        let part = slice.chunks(len).nth(i).unwrap_or_default();
        parts[i].store(squares(part).to_bits(), Ordering::Relaxed);
    };
    pool.run(slice.len().div_ceil(len), &task);
    parts.iter().map(|part| f64::from_bits(part.load(Ordering::Relaxed))).sum()
}

fn squares<T: Real>(slice: &[T]) -> f64 {
    let mut total = 0.0;
    for block in slice.chunks(OWN_LANES * TERMS) {
        let mut lanes = [T::zero(); OWN_LANES];
        let (chunks, rest) = block.as_chunks::<OWN_LANES>();
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
        total += if sum > 1e-24 && sum < 1e36 { sum } else { block.iter().map(|x| x.as_f64().powi(2)).sum() };
    }
    total
}

/// `√Σ (x − y)²` over the elements of two arrays in their logical order, the second given as a list.
pub(crate) fn distance<T: Real>(array: &ArrayRefD<T>, before: &[T]) -> f64 {
    let square = |x: &T, y: &T| (x.as_f64() - y.as_f64()).powi(2);
    let Some(slice) = array.as_slice() else {
        return array.iter().zip(before).map(|(x, y)| square(x, y)).sum::<f64>().sqrt();
    };
    let ((chunks, rest), (before, rest_before)) = (slice.as_chunks::<LANES>(), before.as_chunks::<LANES>());
    let mut partial = [0.0_f64; LANES];
    for (chunk, before) in chunks.iter().zip(before) {
        for ((sum, x), y) in partial.iter_mut().zip(chunk).zip(before) {
            *sum += square(x, y);
        }
    }
    let rest: f64 = rest.iter().zip(rest_before).map(|(x, y)| square(x, y)).sum();
    (partial.iter().sum::<f64>() + rest).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_core::Serial;
    use gradwise_core::ndarray::{Array, Array2};

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

    #[test]
    fn sums_agree_for_every_length_and_layout() {
        for n in 0..40 {
            let array = Array::from_iter((0..n).map(|i| i as f32 * 0.5 - 3.0)).into_dyn();
            let expected: f64 = array.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            assert!((sum_of_squares(&array, &Serial) - expected).abs() <= 1e-12 * expected);
            let moved: Vec<f32> = array.iter().map(|x| x + 0.25).collect();
            assert!((distance(&array, &moved) - 0.25 * f64::from(n).sqrt()).abs() < 1e-12);
        }
        let columns = Array2::from_shape_fn((3, 5), |(i, j)| (i * 5 + j) as f64).reversed_axes().into_dyn();
        let before: Vec<f64> = columns.iter().map(|x| x + 1.0).collect();
        assert_eq!(distance(&columns, &before), 15f64.sqrt());
        let every_second = columns.slice_each_axis(|axis| gradwise_core::ndarray::Slice {
            start: 0,
            end: None,
            step: if axis.axis.index() == 0 { 2 } else { 1 },
        });
        let expected: f64 = every_second.iter().map(|x| x * x).sum();
        assert_eq!(sum_of_squares(&every_second, &Serial), expected);
    }
}
