//! Norms, summed in `f64` whatever the numbers are.

use gradwise_core::{ArrayRefD, Real};

/// `Σ x²`, over eight independent partial sums so that the additions do not wait for each other.
pub(crate) fn sum_of_squares<T: Real>(array: &ArrayRefD<T>) -> f64 {
    match array.as_slice_memory_order() {
        Some(slice) => sum8(slice.len(), |i| slice[i].as_f64().powi(2)),
        None => array.iter().map(|x| x.as_f64().powi(2)).sum(),
    }
}

/// `√Σ (x − y)²` over the elements of two arrays in their logical order, the second given as a list.
pub(crate) fn distance<T: Real>(array: &ArrayRefD<T>, before: &[T]) -> f64 {
    let squares = match array.as_slice() {
        Some(slice) if slice.len() == before.len() => {
            sum8(slice.len(), |i| (slice[i].as_f64() - before[i].as_f64()).powi(2))
        }
        _ => array.iter().zip(before).map(|(x, y)| (x.as_f64() - y.as_f64()).powi(2)).sum(),
    };
    squares.sqrt()
}

#[inline(always)]
fn sum8(n: usize, term: impl Fn(usize) -> f64) -> f64 {
    let whole = n - n % 8;
    let mut partial = [0.0_f64; 8];
    for start in (0..whole).step_by(8) {
        for (lane, sum) in partial.iter_mut().enumerate() {
            *sum += term(start + lane);
        }
    }
    partial.iter().sum::<f64>() + (whole..n).map(term).sum::<f64>()
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
