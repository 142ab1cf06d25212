//! Scalers against obvious two-pass references, in one body for both number types; whitening, shift tests, features and synthetic sets
//! beside it.

#[path = "statistics/features.rs"]
mod features;
#[path = "statistics/shift.rs"]
mod shift;
#[path = "statistics/whitening.rs"]
mod whitening;

use gradwise_core::{ArrayRefD, Real};
use gradwise_data::{MinMaxScaler, Per, StandardScaler};
use ndarray::{ArrayD, Axis, IxDyn, Slice, array};
use proptest::prelude::*;

const ALL: [Per; 3] = [Per::Feature, Per::Channel, Per::All];

/// The values of each group, found by index.
fn groups<T: Real>(per: Per, x: &ArrayRefD<T>) -> Vec<Vec<f64>> {
    let sample = &x.shape()[1..];
    let n = match per {
        Per::Feature => sample.iter().product(),
        Per::Channel => sample[0],
        Per::All => 1,
    };
    let mut groups = vec![Vec::new(); n];
    for (at, value) in x.indexed_iter() {
        let group = match per {
            Per::Feature => (1..x.ndim()).fold(0, |g, axis| g * x.shape()[axis] + at[axis]),
            Per::Channel => at[1],
            Per::All => 0,
        };
        groups[group].push(value.as_f64());
    }
    groups
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn std(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

fn check_standard<T: Real>(per: Per, x: &ArrayD<T>, cut: usize, tolerance: f64) {
    let mut scaler = StandardScaler::new(per);
    let mut parts = StandardScaler::new(per);
    scaler.partial_fit(x).unwrap();
    let (first, rest) = x.view().split_at(Axis(0), cut);
    for part in [first, rest].iter().filter(|part| !part.is_empty()) {
        parts.partial_fit(part).unwrap();
    }
    let expected = groups(per, x);
    assert_eq!(scaler.means().len(), expected.len());
    for (g, values) in expected.iter().enumerate() {
        let scale = if values.iter().all(|v| v == &values[0]) { 1.0 } else { std(values) };
        for fitted in [&scaler, &parts] {
            assert!(close(fitted.means()[g], mean(values), 1e-12));
            assert!(close(fitted.scales()[g], scale, 1e-9), "{} for {scale}", fitted.scales()[g]);
            assert_eq!(fitted.count(), values.len() as u64);
        }
    }
    let mut y = x.clone();
    scaler.transform(&mut y).unwrap();
    for (g, values) in groups(per, &y).iter().enumerate() {
        assert!(close(mean(values), 0.0, tolerance));
        let scale = std(&expected[g]);
        assert!(scaler.scales()[g] == 1.0 || close(std(values), 1.0, tolerance), "{} at {scale}", std(values));
    }
    // Arrays of other layouts are transformed alike.
    let mut reversed = x.clone();
    reversed.invert_axis(Axis(0));
    scaler.transform(&mut reversed).unwrap();
    reversed.invert_axis(Axis(0));
    assert_eq!(reversed, y);
    scaler.inverse_transform(&mut y).unwrap();
    assert!(y.iter().zip(x).all(|(a, b)| close(a.as_f64(), b.as_f64(), tolerance)));
}

fn check_min_max<T: Real>(per: Per, x: &ArrayD<T>, tolerance: f64) {
    let scaler = MinMaxScaler::fit(per, -1.0, 2.0, x).unwrap();
    let mut y = x.clone();
    scaler.transform(&mut y).unwrap();
    for (before, after) in groups(per, x).iter().zip(groups(per, &y)) {
        let smallest = after.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = after.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(smallest, -1.0);
        assert!(before.iter().all(|v| v == &before[0]) || close(largest, 2.0, tolerance));
    }
    scaler.inverse_transform(&mut y).unwrap();
    assert!(y.iter().zip(x).all(|(a, b)| close(a.as_f64(), b.as_f64(), tolerance)));
}

fn arrays() -> impl Strategy<Value = ArrayD<f64>> {
    (1_usize..7, 1_usize..4, prop::collection::vec(1_usize..4, 0..3), -1e3..1e3).prop_flat_map(|(n, c, rest, shift)| {
        let shape: Vec<usize> = [vec![n, c], rest].concat();
        let values = prop::collection::vec(-10.0..10.0, shape.iter().product::<usize>());
        values.prop_map(move |v| ArrayD::from_shape_vec(IxDyn(&shape), v).unwrap() + shift)
    })
}

proptest! {
    #[test]
    fn standard_equals_two_passes(x in arrays(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(x.shape()[0]);
        for per in ALL {
            check_standard(per, &x, cut, 1e-8);
            check_standard(per, &x.mapv(|v| v as f32), cut, 1e-3);
        }
    }

    #[test]
    fn min_max_spans_the_range(x in arrays()) {
        for per in ALL {
            check_min_max(per, &x, 1e-9);
            check_min_max(per, &x.mapv(|v| v as f32), 1e-3);
        }
    }

    #[test]
    fn constant_features_are_not_divided_by_zero(value in -1e6_f32..1e6, n in 1_usize..40, cut in any::<prop::sample::Index>()) {
        // The sum of n equal values over n is rarely the value itself; the difference must not be taken for a scale.
        let x = ArrayD::from_elem(IxDyn(&[n, 1]), value);
        let mut scaler = StandardScaler::new(Per::Feature);
        let (a, b) = x.view().split_at(Axis(0), cut.index(n));
        for part in [a, b].iter().filter(|part| !part.is_empty()) {
            scaler.partial_fit(part).unwrap();
        }
        prop_assert_eq!(scaler.scales(), &[1.0][..]);
        let mut y = x.clone();
        scaler.transform(&mut y).unwrap();
        prop_assert!(y.iter().all(|&v| v == 0.0));
    }
}

#[test]
fn large_means_do_not_swallow_small_differences() {
    let x = array![[1e9], [1e9 + 1.0], [1e9 + 2.0]].into_dyn();
    let scaler = StandardScaler::fit(Per::Feature, &x).unwrap();
    assert!((scaler.scales()[0] - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
}

#[test]
fn what_cannot_be_fitted_changes_nothing() {
    let x = array![[1.0, 2.0], [3.0, 5.0]].into_dyn();
    let mut scaler = StandardScaler::fit(Per::Feature, &x).unwrap();
    let mut min_max = MinMaxScaler::fit(Per::Feature, 0.0, 1.0, &x).unwrap();
    let (before, before_min_max) = (scaler.clone(), min_max.clone());
    let bad = [
        array![[1.0, f64::NAN]].into_dyn(),
        array![[1.0, f64::INFINITY]].into_dyn(),
        array![[1.0, 2.0, 3.0]].into_dyn(),
        ArrayD::zeros(IxDyn(&[0, 2])),
        array![[-1e308, 0.0], [1e308, 0.0]].into_dyn(),
        ArrayD::zeros(IxDyn(&[])),
    ];
    for x in &bad {
        assert!(scaler.partial_fit(x).is_err() && min_max.partial_fit(x).is_err(), "{x}");
    }
    assert_eq!((scaler, min_max), (before, before_min_max));
}

#[test]
fn errors_say_what_is_wrong() {
    let mut x = array![[1.0, 2.0]].into_dyn();
    let told = |result: Result<(), gradwise_data::DataError>| result.unwrap_err().to_string();
    assert_eq!(
        told(StandardScaler::new(Per::All).transform(&mut x)),
        "standard scaler: expected a scaler that was fitted, got one that has seen no sample"
    );
    let scaler = StandardScaler::fit(Per::Feature, &array![[1.0], [2.0]].into_dyn()).unwrap();
    assert_eq!(
        told(scaler.transform(&mut x)),
        "standard scaler: expected 1 values a sample, as it was fitted on, got shape [1, 2]"
    );
    assert_eq!(
        told(StandardScaler::fit(Per::Channel, &array![1.0].into_dyn()).map(drop)),
        "standard scaler: expected an axis of samples and one of channels, got shape [1]"
    );
    for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
        assert!(MinMaxScaler::new(Per::All, low, high).is_err());
    }
}

#[test]
fn views_with_steps_are_fitted_alike() {
    let x = ArrayD::from_shape_fn(IxDyn(&[6, 3, 4]), |at| ((at[0] * 7 + at[1] * 5 + at[2] * 3) % 11) as f64);
    let steps = x.slice_axis(Axis(2), Slice::new(0, None, 2));
    for per in ALL {
        let fitted = StandardScaler::fit(per, &steps).unwrap();
        assert_eq!(fitted, StandardScaler::fit(per, &steps.to_owned().as_standard_layout()).unwrap());
    }
}

#[test]
fn empty_batches_are_transformed_to_empty_ones() {
    let scaler = StandardScaler::fit(Per::All, &array![[1.0], [2.0]].into_dyn()).unwrap();
    scaler.transform(&mut ArrayD::<f64>::zeros(IxDyn(&[0, 1]))).unwrap();
}
