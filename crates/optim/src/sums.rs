//! Norms, summed in `f64` whatever the numbers are.

use gradwise_core::{ArrayRefD, Real};

/// Independent partial sums: additions do not wait for each other, and the compiler makes vectors of them.
const LANES: usize = 8;

/// `Σ x²`.
pub(crate) fn sum_of_squares<T: Real>(array: &ArrayRefD<T>) -> f64 {
    let Some(slice) = array.as_slice_memory_order() else {
        return array.iter().map(|x| x.as_f64().powi(2)).sum();
    };
    let (chunks, rest) = slice.as_chunks::<LANES>();
    let mut partial = [0.0_f64; LANES];
    for chunk in chunks {
        for (sum, x) in partial.iter_mut().zip(chunk) {
            *sum += x.as_f64().powi(2);
        }
    }
    partial.iter().sum::<f64>() + rest.iter().map(|x| x.as_f64().powi(2)).sum::<f64>()
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
    use gradwise_core::ndarray::{Array, Array2};

    #[test]
    fn sums_agree_for_every_length_and_layout() {
        for n in 0..40 {
            let array = Array::from_iter((0..n).map(|i| i as f32 * 0.5 - 3.0)).into_dyn();
            let expected: f64 = array.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            assert!((sum_of_squares(&array) - expected).abs() <= 1e-12 * expected);
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
        assert_eq!(sum_of_squares(&every_second), expected);
    }
}
