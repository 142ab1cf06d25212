//! Normally distributed numbers from a key.

use crate::parts::each_part;
use gradwise_core::{ArrayRefD, Key, Pool, Real};

/// Two independent numbers of the standard normal distribution (Box and Muller 1958): those of an even counter and the one after it.
pub(crate) fn normals(key: Key, pair: u64) -> (f64, f64) {
    // In (0, 1], so that the logarithm is finite.
    let radius = (-2.0 * (1.0 - key.uniform(2 * pair)).ln()).sqrt();
    let (sin, cos) = (std::f64::consts::TAU * key.uniform(2 * pair + 1)).sin_cos();
    (radius * cos, radius * sin)
}

/// Adds normal noise to each number: what a number gets depends on the key and its place alone.
pub(crate) fn add_normal<T: Real>(pool: &dyn Pool, array: &mut ArrayRefD<T>, key: Key, deviation: f64) {
    if deviation == 0.0 {
        return;
    }
    let add = |first: usize, part: &mut [T]| {
        for (i, pair) in part.chunks_mut(2).enumerate() {
            let (a, b) = normals(key, (first / 2 + i) as u64);
            for (x, noise) in pair.iter_mut().zip([a, b]) {
                *x += T::of(deviation * noise);
            }
        }
    };
    // A draw takes as long as some tens of additions.
    match array.as_slice_mut() {
        Some(slice) => each_part(pool, slice, 2, 32, add),
        None => {
            for (i, x) in array.iter_mut().enumerate() {
                let (a, b) = normals(key, (i / 2) as u64);
                *x += T::of(deviation * if i % 2 == 0 { a } else { b });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_core::{
        Serial,
        ndarray::{Array2, ArrayD, IxDyn},
    };

    #[test]
    fn numbers_are_normal() {
        let mut array = ArrayD::<f64>::zeros(IxDyn(&[100_001]));
        add_normal(&Serial, &mut array, Key::new(5), 2.0);
        let n = array.len() as f64;
        let moment = |k: i32| array.iter().map(|x| (x / 2.0).powi(k)).sum::<f64>() / n;
        // Four standard errors of each moment.
        for (k, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let error: f64 = moment(k) - expected;
            assert!(error.abs() < 4.0 * f64::sqrt(variance / n), "moment {k} is off by {error}");
        }
    }

    #[test]
    fn layouts_make_no_difference() {
        let mut rows = Array2::<f32>::zeros((3, 5)).into_dyn();
        let mut columns = Array2::<f32>::zeros((5, 3)).reversed_axes().into_dyn();
        add_normal(&Serial, &mut rows, Key::new(1), 1.0);
        add_normal(&Serial, &mut columns, Key::new(1), 1.0);
        assert_eq!(rows, columns);
    }
}
