//! Whitened covariances are the identity; robust and per-sample scales are what they say.

use gradwise_core::{ArrayRefD, Key, Real};
use gradwise_data::{Covariance, DataError, Per, RobustScaler, SampleScaler, Whitener, Whitening};
use ndarray::{Array1, Array2, ArrayD, Axis, IxDyn, array};
use proptest::prelude::*;

/// Numbers of which each mixes a few random ones.
fn mixed(n: usize, d: usize, seed: u64) -> Array2<f64> {
    let key = Key::new(seed);
    let (x, m) = (key.with(0), key.with(1));
    let x = Array2::from_shape_fn((n, d), |(i, j)| x.uniform((i * d + j) as u64) - 0.5);
    x.dot(&Array2::from_shape_fn((d, d), |(i, j)| m.uniform((i * d + j) as u64) - 0.3)) + 3.0
}

fn covariance<T: Real>(x: &ArrayRefD<T>) -> Array2<f64> {
    let n = x.shape()[0];
    let x = Array2::from_shape_vec((n, x.len() / n), x.iter().map(|v| v.as_f64()).collect()).unwrap();
    let centred = &x - &x.mean_axis(Axis(0)).unwrap();
    centred.t().dot(&centred) / n as f64
}

fn near(a: &Array2<f64>, b: &Array2<f64>, tolerance: f64) -> bool {
    a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance)
}

fn check<T: Real>(x: &Array2<f64>, shape: &[usize], tolerance: f64) {
    let x = x.mapv(T::of).into_shape_with_order(IxDyn(shape)).unwrap();
    let d = x.len() / x.shape()[0];
    for kind in [Whitening::Pca, Whitening::Zca, Whitening::Rotate] {
        let whitener = Whitener::fit(kind, 0.0, &x).unwrap();
        let white = whitener.transform(&x).unwrap();
        assert_eq!(white.shape(), x.shape());
        let expected = match kind {
            Whitening::Rotate => Array2::from_diag(&Array1::from(whitener.variances().to_vec())),
            _ => Array2::eye(d),
        };
        assert!(near(&covariance(&white), &expected, tolerance), "{kind:?}: {}", covariance(&white));
        let means = white.to_shape((x.shape()[0], d)).unwrap().mean_axis(Axis(0)).unwrap();
        assert!(means.iter().all(|m| m.as_f64().abs() < tolerance));
        let back = whitener.inverse_transform(&white).unwrap();
        assert!(back.iter().zip(&x).all(|(a, b)| (a.as_f64() - b.as_f64()).abs() < tolerance));
    }
}

#[test]
fn whitened_covariance_is_the_identity() {
    check::<f64>(&mixed(300, 12, 1), &[300, 12], 1e-9);
    check::<f64>(&mixed(300, 12, 2), &[300, 3, 2, 2], 1e-9);
    check::<f32>(&mixed(300, 6, 3), &[300, 6], 1e-3);
    check::<f64>(&mixed(40, 1, 4), &[40, 1], 1e-9);
}

#[test]
fn zca_is_the_nearest_and_pca_is_in_order() {
    let x = mixed(200, 5, 5).into_dyn();
    let whitener = Whitener::fit(Whitening::Zca, 0.0, &x).unwrap();
    // ZCA's matrix is symmetric, which makes it the nearest: moving an input moves the same output most alike.
    let unit = |i: usize| ArrayD::from_shape_fn(IxDyn(&[1, 5]), |at| whitener.means()[at[1]] + f64::from(at[1] == i));
    let moved = |i: usize| whitener.transform(&unit(i)).unwrap();
    for i in 0..5 {
        for j in 0..5 {
            assert!((moved(i)[[0, j]] - moved(j)[[0, i]]).abs() < 1e-9);
        }
    }
    assert!(whitener.variances().windows(2).all(|pair| pair[0] >= pair[1]));
    let components = whitener.principal_components();
    assert!(near(&components.dot(&components.t()), &Array2::eye(5), 1e-12));
    assert!(near(
        &components.dot(&covariance(&x)).dot(&components.t()),
        &Array2::from_diag(&Array1::from(whitener.variances().to_vec())),
        1e-9
    ));
    // ε damps what varies little, and is taken into account on the way back.
    let damped = Whitener::fit(Whitening::Pca, 0.5, &x).unwrap();
    let white = damped.transform(&x).unwrap();
    for (c, variance) in damped.variances().iter().enumerate() {
        assert!((covariance(&white)[[c, c]] - variance / (variance + 0.5)).abs() < 1e-9);
    }
    let back = damped.inverse_transform(&white).unwrap();
    assert!((back - &x).iter().all(|d| d.abs() < 1e-9));
}

#[test]
fn components_and_flat_directions_are_left_out() {
    // Three features, of which the third is the sum of the others, and a fourth that is constant.
    let x = mixed(100, 2, 6);
    let x = Array2::from_shape_fn((100, 4), |(i, j)| match j {
        0 | 1 => x[[i, j]],
        2 => x[[i, 0]] + x[[i, 1]],
        _ => 7.0,
    })
    .into_dyn();
    for kind in [Whitening::Pca, Whitening::Zca] {
        let whitener = Whitener::fit(kind, 0.0, &x).unwrap();
        assert_eq!(whitener.variances()[2..], [0.0, 0.0]);
        let white = whitener.transform(&x).unwrap();
        assert!(white.iter().all(|v| v.is_finite()));
        assert!((whitener.inverse_transform(&white).unwrap() - &x).iter().all(|d| d.abs() < 1e-9));
        let trace = covariance(&white).diag().sum();
        assert!((trace - 2.0).abs() < 1e-9, "{kind:?}: {trace}");
    }
    let pca = Whitener::fit(Whitening::Rotate, 0.0, &x).unwrap().components(2).unwrap();
    let two = pca.transform(&x).unwrap();
    assert_eq!(two.shape(), [100, 2]);
    assert!((pca.inverse_transform(&two).unwrap() - &x).iter().all(|d| d.abs() < 1e-9));
    let one = pca.components(1).unwrap().transform(&x).unwrap();
    assert!((&one - &two.slice_axis(Axis(1), (0..1).into())).iter().all(|d: &f64| d.abs() < 1e-12));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn covariances_come_in_pieces(cuts in prop::collection::vec(0_usize..600, 0..4), d in 1_usize..5, shift in -1e6_f64..1e6) {
        let x = (mixed(600, d, 7) + shift).into_dyn();
        let mut covariance_ = Covariance::new();
        let mut cuts = [cuts, vec![0, 600]].concat();
        cuts.sort_unstable();
        for pair in cuts.windows(2).filter(|pair| pair[0] < pair[1]) {
            covariance_.add(&x.slice_axis(Axis(0), (pair[0]..pair[1]).into())).unwrap();
        }
        prop_assert_eq!(covariance_.count(), 600);
        prop_assert!(near(&covariance_.matrix(), &covariance(&x), 1e-7));
    }

    #[test]
    fn robust_scales_are_quartiles(values in prop::collection::vec(-100.0_f64..100.0, 1..60), cut in any::<prop::sample::Index>()) {
        let n = values.len();
        let x = ArrayD::from_shape_vec(IxDyn(&[n, 1]), values.clone()).unwrap();
        let mut scaler = RobustScaler::new(Per::Feature);
        let (a, b) = x.view().split_at(Axis(0), cut.index(n));
        for part in [a, b].iter().filter(|part| !part.is_empty()) {
            scaler.partial_fit(part).unwrap();
        }
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        let quantile = |q: f64| {
            let at = q * (n - 1) as f64;
            sorted[at.floor() as usize] * (1.0 - at.fract()) + sorted[at.ceil() as usize] * at.fract()
        };
        prop_assert!((scaler.medians()[0] - quantile(0.5)).abs() < 1e-9);
        let range = quantile(0.75) - quantile(0.25);
        let scale = if range > 0.0 { range } else { 1.0 };
        prop_assert!((scaler.scales()[0] - scale).abs() < 1e-9);
        let mut y = x.clone();
        scaler.transform(&mut y).unwrap();
        scaler.inverse_transform(&mut y).unwrap();
        prop_assert!((y - x).iter().all(|d| d.abs() < 1e-9));
    }

    #[test]
    fn samples_are_scaled_alike(values in prop::collection::vec(-100.0_f64..100.0, 24), gain in 0.5_f64..20.0, shift in -50.0_f64..50.0) {
        let x = ArrayD::from_shape_vec(IxDyn(&[2, 3, 4]), values).unwrap();
        let (mut a, mut b) = (x.clone(), (&x * gain + shift).mapv(|v| v as f32));
        SampleScaler::new().transform(&mut a).unwrap();
        let statistics = SampleScaler::new().transform(&mut b).unwrap();
        prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - f64::from(*b)).abs() < 1e-3));
        for (sample, (mean, scale)) in x.outer_iter().zip(statistics) {
            prop_assert!((sample.mean().unwrap() * gain + shift - mean).abs() < 1e-3);
            prop_assert!((sample.std(0.0) * gain - scale).abs() < 1e-2);
        }
        for sample in a.outer_iter() {
            prop_assert!(sample.mean().unwrap().abs() < 1e-9 && (sample.std(0.0) - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn many_values_are_sampled_and_outliers_do_not_matter() {
    let key = Key::new(8);
    let x = ArrayD::from_shape_fn(IxDyn(&[30_000, 1]), |at| {
        let u = key.uniform(at[0] as u64);
        if u > 0.99 { 1e9 } else { u }
    });
    let scaler = RobustScaler::fit(Per::All, &x).unwrap();
    assert!((scaler.medians()[0] - 0.5).abs() < 0.04 && (scaler.scales()[0] - 0.5).abs() < 0.05);
    assert_eq!(scaler, RobustScaler::fit(Per::All, &x).unwrap());
    assert_eq!(scaler.count(), 30_000);
    // The last values count as much as the first.
    let late = ArrayD::from_shape_fn(IxDyn(&[30_000, 1]), |at| f64::from(at[0] >= 15_000));
    let mut scaler = RobustScaler::new(Per::All).quantiles(0.4, 0.6).unwrap();
    scaler.partial_fit(&late).unwrap();
    assert_eq!(scaler.scales(), [1.0]);
}

#[test]
fn what_is_refused() {
    let told = |result: Result<(), DataError>| result.unwrap_err().to_string();
    let x = array![[1.0, 2.0], [3.0, 5.0]].into_dyn();
    assert_eq!(
        told(RobustScaler::new(Per::All).quantiles(0.7, 0.3).map(drop)),
        "robust scaler: expected quantiles in [0, 1] in order, got 0.7 and 0.3"
    );
    assert!(RobustScaler::fit(Per::All, &x).unwrap().quantiles(0.1, 0.9).is_err());
    assert!(RobustScaler::fit(Per::Feature, &array![[1.0, f64::NAN]].into_dyn()).is_err());
    let mut wide = array![[1.0, 2.0, 3.0]].into_dyn();
    let mut scaler = RobustScaler::fit(Per::Feature, &x).unwrap();
    let before = scaler.clone();
    assert_eq!(
        told(scaler.transform(&mut wide)),
        "robust scaler: expected 2 values a sample, as it was fitted on, got shape [1, 3]"
    );
    assert!(scaler.partial_fit(&wide).is_err() && scaler == before);
    let whitener = Whitener::fit(Whitening::Pca, 0.1, &x).unwrap();
    assert_eq!(
        told(whitener.transform(&wide).map(drop)),
        "whitener: expected 2 values a sample, as it was fitted on, got shape [1, 3]"
    );
    assert_eq!(
        told(Whitener::fit(Whitening::Pca, -0.1, &x).map(drop)),
        "whitener: epsilon: expected a finite number of at least 0, got -0.1"
    );
    assert_eq!(
        told(whitener.clone().components(3).map(drop)),
        "whitener: components: expected at least 1 and at most 2, got 3"
    );
    assert!(whitener.components(0).is_err());
    assert!(Whitener::from_covariance(Whitening::Zca, 0.0, &Covariance::new()).is_err());
    assert!(Whitener::fit(Whitening::Zca, 0.0, &array![[1e200], [-1e200]].into_dyn()).is_err());
    let mut covariance = Covariance::new();
    covariance.add(&x).unwrap();
    let before = covariance.clone();
    assert!(covariance.add(&wide).is_err() && covariance.add(&array![[f64::NAN, 0.0]].into_dyn()).is_err());
    assert_eq!(covariance, before);
    assert_eq!(
        told(SampleScaler::new().least_deviation(0.0).map(drop)),
        "sample scaler: least deviation: expected a positive number, got 0"
    );
    assert!(SampleScaler::new().transform(&mut ArrayD::<f32>::zeros(IxDyn(&[]))).is_err());
}
