//! Feature expansions, synthetic sets, and balancing.

use gradwise_data::{
    Batches, ClassWeighting, DataError, FourierFeatures, PolynomialFeatures, RadialBasis, Samples, balanced_order,
    blobs, circles, class_weights, moons, multilabel, positional_encoding, sample_weights, spirals, with_coordinates,
};
use ndarray::{Array2, ArrayD, Axis, IxDyn, array};
use proptest::prelude::*;

fn told<X>(result: Result<X, DataError>) -> String {
    result.map(drop).unwrap_err().to_string()
}

#[test]
fn products_are_those_of_scikit_learn() {
    // PolynomialFeatures(3).fit_transform([[2, 3, 5]]) and the like.
    let x = array![[2.0, 3.0, 5.0]].into_dyn();
    let all = PolynomialFeatures::new(3, 3).unwrap();
    let expected = [1., 2., 3., 5., 4., 6., 10., 9., 15., 25., 8., 12., 20., 18., 30., 50., 27., 45., 75., 125.];
    assert_eq!(all.transform(&x).unwrap().as_slice().unwrap(), expected);
    let products = all.clone().interactions_only();
    assert_eq!(products.transform(&x).unwrap().as_slice().unwrap(), [1., 2., 3., 5., 6., 10., 15., 30.]);
    assert_eq!((all.n_features(), all.name(0, &[]), all.name(12, &["a", "b"])), (20, "1".into(), "a a 2".into()));
    assert_eq!(PolynomialFeatures::new(4, 0).unwrap().n_features(), 1);
    assert_eq!(PolynomialFeatures::new(0, 5).unwrap().n_features(), 1);
    assert_eq!(
        told(PolynomialFeatures::new(1000, 5)),
        "polynomial features: expected at most 1048576 products, got more, of 1000 features up to degree 5"
    );
    assert_eq!(
        told(all.transform(&array![[1.0, 2.0]].into_dyn())),
        "polynomial features: expected [N, 3], got shape [1, 2]"
    );
}

#[test]
fn waves_approximate_a_gaussian_kernel() {
    let (gamma, n) = (2.0_f64, 4000);
    let features = FourierFeatures::new(2, n, (2.0 * gamma).sqrt() / (2.0 * std::f64::consts::PI), 3).unwrap();
    let x = array![[0.1, 0.4], [0.5, 0.2], [-0.3, 0.9]].into_dyn();
    let waves = features.transform(&x).unwrap().into_dimensionality::<ndarray::Ix2>().unwrap();
    let products = waves.dot(&waves.t()) / n as f64;
    let basis = RadialBasis::new(x.clone(), gamma).unwrap().transform(&x).unwrap();
    assert!(products.iter().zip(&basis).all(|(a, b): (&f64, &f64)| (a - b).abs() < 0.05), "{products} {basis}");
    assert_ne!(features, FourierFeatures::new(2, n, 1.0, 4).unwrap());
    assert_eq!(told(FourierFeatures::new(2, 0, 1.0, 0)), "Fourier features: waves: expected at least 1, got 0");
    assert_eq!(told(FourierFeatures::new(2, 1, 0.0, 0)), "Fourier features: sigma: expected a positive number, got 0");
    assert!(features.transform(&array![[1.0]].into_dyn()).is_err());
}

#[test]
fn centres_are_samples() {
    let x = Array2::from_shape_fn((30, 2), |(i, j)| ((i * 7 + j * 3) % 11) as f64).into_dyn();
    let basis = RadialBasis::fit(&x, 5, 1).unwrap();
    let near = basis.transform(&x).unwrap();
    assert_eq!((near.shape(), basis.n_features()), (&[30, 5][..], 5));
    // Each centre is a sample, to which it is as near as can be; the median distance has nearness exp(-1/2).
    assert!(near.axis_iter(Axis(1)).all(|column| column.iter().any(|&v| v == 1.0)));
    assert!(basis.gamma() > 0.0);
    assert_eq!(RadialBasis::fit(&x, 1, 1).unwrap().gamma(), 1.0);
    assert_eq!(
        told(RadialBasis::fit(&x, 31, 1)),
        "radial basis: centres: expected at least 1 and at most the 30 samples, got 31"
    );
    assert_eq!(told(RadialBasis::new(x.clone(), -1.0)), "radial basis: gamma: expected a positive number, got -1");
    assert!(RadialBasis::new(array![[f64::NAN]].into_dyn(), 1.0).is_err() && RadialBasis::fit(&x, 0, 1).is_err());
    assert!(RadialBasis::new(ArrayD::<f64>::zeros(IxDyn(&[0, 2])), 1.0).is_err());
}

#[test]
fn coordinates_are_appended() {
    let images = ArrayD::from_shape_fn(IxDyn(&[2, 3, 4, 1]), |at| (at[0] * 100 + at[1] * 10 + at[2]) as f64);
    let with = with_coordinates(&images).unwrap();
    assert_eq!(with.shape(), [2, 5, 4, 1]);
    assert_eq!(with.slice_axis(Axis(1), (0..3).into()), images);
    assert!(with.index_axis(Axis(1), 3).iter().all(|&x| x == 0.0));
    let y: Vec<f64> = with.index_axis(Axis(1), 4).index_axis(Axis(0), 1).iter().copied().collect();
    assert!(y.iter().zip([-1.0, -1.0 / 3.0, 1.0 / 3.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    assert_eq!(
        told(with_coordinates(&array![[1.0]].into_dyn())),
        "coordinates: expected [N, channels, places…], got shape [1, 1]"
    );
    assert!(with_coordinates(&array![1.0].into_dyn()).is_err());
    let x = positional_encoding(&array![[0.5, -1.0], [0.25, 0.0]].into_dyn(), 3).unwrap();
    assert_eq!(x.shape(), [2, 14]);
    for (i, v) in [(0, 0.5), (1, 0.25_f64)] {
        for octave in 0..3 {
            let phase = std::f64::consts::PI * 2_f64.powi(octave) * v;
            let at = 2 + 4 * octave as usize;
            assert!((x[[i, at]] - phase.sin()).abs() < 1e-12 && (x[[i, at + 2]] - phase.cos()).abs() < 1e-12);
        }
    }
    assert!(
        positional_encoding(&array![[0.5]].into_dyn(), 53).is_err()
            && positional_encoding(&array![0.5].into_dyn(), 1).is_err()
    );
    assert_eq!(positional_encoding(&ArrayD::<f32>::zeros(IxDyn(&[3, 0])), 2).unwrap().shape(), [3, 0]);
}

#[test]
fn synthetic_sets_are_what_they_are_called() {
    let set = circles::<f64>(101, 0.3, 0.0, 1).unwrap();
    assert_eq!(set.class_counts(), [51, 50]);
    assert_eq!(set, circles(101, 0.3, 0.0, 1).unwrap());
    assert_ne!(set, circles(101, 0.3, 0.0, 2).unwrap());
    assert!(set.labels()[..20].contains(&0) && set.labels()[..20].contains(&1));
    let noisy = circles::<f64>(2000, 0.3, 0.1, 1).unwrap();
    let radii: Vec<f64> = (0..2000)
        .map(|i| noisy.inputs()[[i, 0]].hypot(noisy.inputs()[[i, 1]]) - [1.0, 0.3][noisy.labels()[i]])
        .collect();
    let spread = (radii.iter().map(|r| r * r).sum::<f64>() / 2000.0).sqrt();
    assert!((0.09..0.13).contains(&spread), "{spread}");

    let set = moons::<f64>(50, 0.0, 1).unwrap();
    for i in 0..50 {
        let (x, y) = (set.inputs()[[i, 0]], set.inputs()[[i, 1]]);
        let (dx, dy) = if set.labels()[i] == 0 { (x, y) } else { (1.0 - x, 0.5 - y) };
        assert!((dx.hypot(dy) - 1.0).abs() < 1e-12 && dy > -1e-12);
    }
    let set = spirals::<f32>(60, 2, 1.5, 0.0, 1).unwrap();
    // Opposite each point of one spiral is one of the other.
    for i in 0..60 {
        let other = (0..60).filter(|&j| set.labels()[j] != set.labels()[i]);
        let nearest = other
            .map(|j| (set.inputs()[[i, 0]] + set.inputs()[[j, 0]]).hypot(set.inputs()[[i, 1]] + set.inputs()[[j, 1]]));
        assert!(nearest.fold(f32::INFINITY, f32::min) < 1e-5);
    }
    let set = blobs::<f64>(300, 3, 2, 0.5, 1).unwrap();
    for class in 0..3 {
        let rows: Vec<usize> = (0..300).filter(|&i| set.labels()[i] == class).collect();
        let part = set.inputs().select(Axis(0), &rows);
        assert!((part.std_axis(Axis(0), 0.0) - 0.5).iter().all(|d| d.abs() < 0.15));
    }
    let set = multilabel::<f64>(400, 20, 5, 2.0, 1).unwrap();
    assert!(set.targets().iter().all(|&y| y == 0.0 || y == 1.0));
    let (words, labels) = (set.inputs().sum() / 400.0, set.targets().sum() / 400.0);
    assert!((words - 50.0).abs() < 1.5 && (1.6..2.2).contains(&labels), "{words} words, {labels} labels");
    assert_eq!(set.len(), 400);

    assert_eq!(told(circles::<f32>(10, 1.0, 0.0, 0)), "circles: factor: expected a number above 0 and below 1, got 1");
    assert_eq!(told(moons::<f32>(1, 0.0, 0)), "moons: expected at least one class, and one point of each, got 2 and 1");
    assert_eq!(
        told(moons::<f32>(9, f64::NAN, 0)),
        "moons: expected noise that is a finite number of at least 0, got NaN"
    );
    assert_eq!(
        told(spirals::<f32>(9, 2, -1.0, 0.0, 0)),
        "spirals: turns: expected a finite number of at least 0, got -1"
    );
    assert!(blobs::<f32>(2, 3, 2, 1.0, 0).is_err() && blobs::<f32>(9, 3, 2, -1.0, 0).is_err());
    assert!(multilabel::<f32>(9, 0, 2, 1.0, 0).is_err() && multilabel::<f32>(9, 2, 2, f64::NAN, 0).is_err());
}

#[test]
fn weights_make_up_for_sizes() {
    let labels = [0, 0, 0, 0, 0, 0, 1, 1, 2, 2];
    let balanced = class_weights(&labels, 3, ClassWeighting::Balanced).unwrap();
    let samples = sample_weights(&labels, &balanced).unwrap();
    assert!((samples.iter().sum::<f64>() - 10.0).abs() < 1e-12);
    for class in 0..3 {
        let sum: f64 = (0..10).filter(|&i| labels[i] == class).map(|i| samples[i]).sum();
        assert!((sum - 10.0 / 3.0).abs() < 1e-12);
    }
    let effective = |beta| class_weights(&labels, 3, ClassWeighting::Effective { beta }).unwrap();
    assert!(effective(0.0).iter().all(|w| (w - 1.0).abs() < 1e-12));
    let w = effective(0.9);
    assert!(
        (w[0] / w[1] - (1.0 - 0.9_f64.powi(2)) / (1.0 - 0.9_f64.powi(6))).abs() < 1e-12
            && (w.iter().sum::<f64>() - 3.0).abs() < 1e-12
    );
    let w = effective(1.0 - 1e-12);
    assert!((w[1] / w[0] - 3.0).abs() < 1e-6);
    assert!(class_weights(&labels, 3, ClassWeighting::Effective { beta: 1.0 }).is_err());
    assert_eq!(
        told(class_weights(&labels, 4, ClassWeighting::Balanced)),
        "class weights: expected samples of every class, got none of class 3"
    );
    assert_eq!(
        told(class_weights(&labels, 2, ClassWeighting::Balanced)),
        "class weights: expected an index below 2, got 2 at position 8"
    );
    assert_eq!(
        told(class_weights(&[], usize::MAX, ClassWeighting::Balanced)),
        format!("class weights: expected samples of every class, got {} classes, 0 samples", usize::MAX)
    );
    assert_eq!(
        told(sample_weights(&labels, &[1.0, 1.0])),
        "sample weights: expected an index below 2, got 2 at position 8"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn balanced_epochs_have_as_many_of_each_class(
        sizes in prop::collection::vec(1_usize..12, 1..5), n in 0_usize..60, seed: u64, epoch in 0_u64..5,
    ) {
        let labels: Vec<usize> = sizes.iter().enumerate().flat_map(|(class, &size)| vec![class; size]).collect();
        let order = balanced_order(&labels, sizes.len(), n, seed, epoch).unwrap();
        prop_assert_eq!(&order, &balanced_order(&labels, sizes.len(), n, seed, epoch).unwrap());
        prop_assert_eq!(order.len(), n);
        for (class, size) in sizes.iter().enumerate() {
            let drawn: Vec<usize> = order.iter().copied().filter(|&i| labels[i] == class).collect();
            prop_assert!(drawn.len() == n / sizes.len() || drawn.len() == n.div_ceil(sizes.len()));
            // All samples of a class come before one comes again.
            for pass in drawn.chunks(*size) {
                let n_drawn = pass.len();
                let mut pass = pass.to_vec();
                pass.sort_unstable();
                pass.dedup();
                prop_assert_eq!(pass.len(), n_drawn);
            }
        }
    }
}

#[test]
fn balanced_batches_resume_and_refuse() {
    let labels: Vec<usize> = (0..40).map(|i| usize::from(i % 10 == 0)).collect();
    let new = || Batches::new(40, 8).unwrap().balanced(&labels, 2, 5).unwrap();
    let mut batches = new();
    let epochs: Vec<Vec<usize>> = (0..2).map(|epoch| batches.epoch(epoch).flatten().copied().collect()).collect();
    assert_ne!(epochs[0], epochs[1]);
    assert!(batches.epoch(1).all(|batch| batch.iter().filter(|&&i| labels[i] == 1).count() == 4));
    for _ in 0..7 {
        batches.next_batch();
    }
    let mut other = new();
    other.seek(batches.position()).unwrap();
    assert_eq!(other.next_batch(), batches.next_batch());
    assert_eq!(
        told(Batches::new(3, 1).unwrap().balanced(&[0, 1], 2, 0)),
        "batches: expected 3 labels, one a sample, got shape [2]"
    );
    assert_eq!(
        told(Batches::new(2, 1).unwrap().balanced(&[0, 0], 2, 0)),
        "batches: expected samples of every class, got none of class 1"
    );
}
