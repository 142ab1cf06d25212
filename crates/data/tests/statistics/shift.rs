//! Tests of two samples: false alarms at the stated level, alarms where there is something, and p-values of SciPy.

use gradwise_core::Key;
use gradwise_data::{
    Correction, DataError, LearningCurve, ShiftTest, benjamini_hochberg, chi_square_test, classifier_test,
    classifier_test_with, holm, ks_test, mmd_test,
};
use ndarray::{Array2, ArrayD, array};
use proptest::prelude::*;

const REPEATS: u64 = 200;
const LEVEL: f64 = 0.05;

/// At a level of 0.05, 200 tests raise 10 false alarms; three standard deviations more are 19.
fn check_false_alarms(name: &str, least: usize, test: impl Fn(Key) -> bool) {
    let alarms = (0..REPEATS).filter(|&seed| test(Key::new(seed))).count();
    assert!((least..=19).contains(&alarms), "{name}: {alarms} false alarms in {REPEATS}");
}

fn numbers(key: Key, n: usize) -> Vec<f64> {
    (0..n).map(|i| key.uniform(i as u64)).collect()
}

fn table(key: Key, n: usize, d: usize) -> ArrayD<f64> {
    Array2::from_shape_vec((n, d), numbers(key, n * d)).unwrap().into_dyn()
}

#[test]
fn false_alarms_stay_at_the_level() {
    check_false_alarms("ks", 3, |key| {
        ks_test(&numbers(key.with(0), 60), &numbers(key.with(1), 80)).unwrap().p_value < LEVEL
    });
    check_false_alarms("chi-square", 3, |key| {
        let counts = |key: Key| {
            let mut counts = [0_u64; 5];
            numbers(key, 150).iter().for_each(|u| counts[(u * 5.0) as usize] += 1);
            counts
        };
        chi_square_test(&counts(key.with(0)), &counts(key.with(1))).unwrap().p_value < LEVEL
    });
    for correction in [Correction::Holm, Correction::BenjaminiHochberg] {
        let test = ShiftTest::new(LEVEL, correction).unwrap();
        check_false_alarms("all features", 1, |key| {
            test.compare(&table(key.with(0), 60, 20), &table(key.with(1), 60, 20)).unwrap().is_shift()
        });
    }
    check_false_alarms("mmd", 3, |key| {
        let (a, b) = (table(key.with(0), 15, 3), table(key.with(1), 20, 3));
        mmd_test(&a, &b, 99, 7).unwrap().p_value <= LEVEL
    });
    check_false_alarms("classifier", 1, |key| {
        let (a, b) = (table(key.with(0), 60, 3), table(key.with(1), 80, 3));
        classifier_test(&a, &b, 7).unwrap().p_value <= LEVEL
    });
    // Without a correction, twenty features raise one false alarm in most comparisons.
    let test = ShiftTest::new(LEVEL, Correction::None).unwrap();
    let alarms = (0..REPEATS)
        .map(Key::new)
        .filter(|key| test.compare(&table(key.with(0), 60, 20), &table(key.with(1), 60, 20)).unwrap().is_shift());
    assert!(alarms.count() > 70);
}

#[test]
fn shifts_are_found() {
    let key = Key::new(1);
    let (a, mut b) = (table(key.with(0), 200, 6), table(key.with(1), 200, 6));
    b.column_mut_of(2, |x| x * 0.5);
    b.column_mut_of(5, |x| x + 0.25);
    for correction in [Correction::Holm, Correction::BenjaminiHochberg] {
        let report = ShiftTest::new(LEVEL, correction).unwrap().compare(&a, &b).unwrap();
        let mut shifted: Vec<usize> = report.shifted().collect();
        shifted.sort_unstable();
        assert_eq!(shifted, [2, 5], "{:?}", report.adjusted);
    }
    assert!(mmd_test(&a, &b, 99, 0).unwrap().p_value <= 0.01 + 1e-12);
    assert!(chi_square_test(&[30, 30, 40], &[60, 20, 20]).unwrap().p_value < 0.01);
    let test = classifier_test(&a, &b, 0).unwrap();
    assert!(test.p_value < 1e-3 && test.statistic > 0.65, "{test:?}");
    assert_eq!(test, classifier_test(&a, &b, 0).unwrap());
    assert_ne!(test.statistic, classifier_test(&a, &b, 1).unwrap().statistic);
}

#[test]
fn a_classifier_of_ones_own_is_taken_at_its_word() {
    let set = |x: f64| ArrayD::from_elem(vec![10, 1], x);
    let by = |classes: &dyn Fn(f64) -> usize| {
        classifier_test_with(&set(0.0), &set(1.0), 0, |train, inputs| {
            assert_eq!((train.class_counts(), inputs.shape()), (vec![5, 5], &[10, 1][..]));
            Ok(inputs.iter().map(|&x| classes(x)).collect())
        })
    };
    let right = by(&|x| x as usize).unwrap();
    // One of the 252 ways to name ten samples.
    assert_eq!(right.statistic, 1.0);
    assert!((right.p_value - 1.0 / 252.0).abs() < 1e-12);
    let wrong = by(&|x| 1 - x as usize).unwrap();
    assert!(wrong.statistic == 0.0 && (wrong.p_value - 1.0).abs() < 1e-12);
    assert_eq!(by(&|_| 0).unwrap().statistic, 0.5);
    let error = by(&|_| 2).unwrap_err().to_string();
    assert_eq!(error, "classifier test: expected a class, 0 or 1, for each of 10 inputs, got 10 classes");
    let error = classifier_test(&set(0.0), &ArrayD::zeros(vec![3, 1]), 0).unwrap_err().to_string();
    assert_eq!(error, "classifier test: expected at least 4 samples in each set, got 10 and 3");
    assert!(classifier_test(&set(0.0), &set(f64::NAN), 0).is_err());
    assert!(classifier_test(&set(0.0), &ArrayD::zeros(vec![10, 2]), 0).is_err());
    assert!(classifier_test::<f64>(&ArrayD::zeros(vec![10, 0]), &ArrayD::zeros(vec![10, 0]), 0).is_err());
}

trait Columns {
    fn column_mut_of(&mut self, column: usize, f: impl Fn(f64) -> f64);
}

impl Columns for ArrayD<f64> {
    fn column_mut_of(&mut self, column: usize, f: impl Fn(f64) -> f64) {
        self.index_axis_mut(ndarray::Axis(1), column).mapv_inplace(f);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_gap_is_the_largest_of_all_places(a in prop::collection::vec(0_i8..9, 1..20), b in prop::collection::vec(0_i8..9, 1..20)) {
        let (a, b): (Vec<f64>, Vec<f64>) = (a.into_iter().map(f64::from).collect(), b.into_iter().map(f64::from).collect());
        let share = |values: &[f64], x: f64| values.iter().filter(|v| **v <= x).count() as f64 / values.len() as f64;
        let gaps = a.iter().chain(&b).map(|&x| (share(&a, x) - share(&b, x)).abs());
        let test = ks_test(&a, &b).unwrap();
        prop_assert!((test.statistic - gaps.fold(0.0, f64::max)).abs() < 1e-12);
        prop_assert_eq!(test, ks_test(&b, &a).unwrap());
    }

    #[test]
    fn corrections_are_their_definitions(p in prop::collection::vec(0.0_f64..1.0, 0..12)) {
        let n = p.len() as f64;
        for (i, (h, b)) in holm(&p).into_iter().zip(benjamini_hochberg(&p)).enumerate() {
            // How many are smaller, or as small.
            let before = |q: f64| p.iter().filter(|r| **r < q).count() as f64;
            let up_to = |q: f64| p.iter().filter(|r| **r <= q).count() as f64;
            let down = p.iter().filter(|q| **q <= p[i]).map(|&q| (n - before(q)) * q).fold(0.0, f64::max).min(1.0);
            let up = p.iter().filter(|q| **q >= p[i]).map(|&q| n * q / up_to(q)).fold(1.0, f64::min);
            prop_assert!((h - down).abs() < 1e-12 && (b - up).abs() < 1e-12, "{h} {down} {b} {up}");
            prop_assert!(p[i] <= b + 1e-12 && b <= h + 1e-12);
        }
    }
}

#[test]
fn what_the_tests_refuse() {
    let told = |result: Result<(), DataError>| result.unwrap_err().to_string();
    assert_eq!(told(ks_test(&[], &[1.0]).map(drop)), "ks test: expected at least one value in each sample, got none");
    assert_eq!(told(ks_test(&[1.0], &[1.0, f64::NAN]).map(drop)), "ks test: expected numbers, got NaN at position 1");
    assert_eq!(
        told(chi_square_test(&[1, 2], &[1]).map(drop)),
        "chi-square test: expected 2 counts, as of the first sample, got shape [1]"
    );
    assert!(chi_square_test(&[0, 0], &[1, 2]).is_err());
    assert_eq!(chi_square_test(&[5, 0], &[9, 0]).unwrap().p_value, 1.0);
    let (a, b) = (array![[1.0], [2.0]].into_dyn(), array![[1.0, 2.0]].into_dyn());
    assert_eq!(
        told(mmd_test(&a, &b, 9, 0).map(drop)),
        "mmd test: expected 1 values a sample, as it was fitted on, got shape [1, 2]"
    );
    assert_eq!(
        told(mmd_test(&a, &array![[1.0]].into_dyn(), 9, 0).map(drop)),
        "mmd test: expected at least 2 samples in each set, and at most 2048 in both, got 2 and 1"
    );
    assert!(mmd_test(&a, &a, 0, 0).is_err() && mmd_test(&a, &array![[1.0], [f64::NAN]].into_dyn(), 9, 0).is_err());
    // Samples that are all the same.
    assert_eq!(
        mmd_test(&array![[1.0], [1.0]].into_dyn(), &array![[1.0], [1.0]].into_dyn(), 9, 0).unwrap().p_value,
        1.0
    );
    assert!(ShiftTest::new(1.0, Correction::Holm).is_err());
    assert!(ShiftTest::new(0.1, Correction::Holm).unwrap().compare(&a, &b).is_err());
}

/// Of curves with noise that is known, nine tenths of the 90 % intervals hold the truth.
#[test]
fn predicted_errors_hold_the_truth_as_often_as_they_say() {
    let truth = |n: f64| 0.04 + 1.5 * n.powf(-0.6);
    let (mut held, mut width) = (0, 0.0);
    for seed in 0..40 {
        let key = Key::new(seed);
        let spread = 0.004;
        // Nearly normal: a sum of twelve uniform numbers.
        let noise = |i: u64| (0..12).map(|k| key.uniform(i * 12 + k)).sum::<f64>() - 6.0;
        let points: Vec<(f64, f64)> = (0..8_u64)
            .map(|i| {
                let n = 50.0 * 2_f64.powi(i as i32 / 2);
                (n, truth(n) + spread * noise(i))
            })
            .collect();
        let curve = LearningCurve::fit(&points, Some(&[spread; 8])).unwrap();
        let prediction = curve.predict(1600.0, 0.9, 100, seed).unwrap();
        held += i32::from((prediction.low..=prediction.high).contains(&truth(1600.0)));
        width += prediction.high - prediction.low;
        assert!(prediction.low <= prediction.error + 1e-9 && prediction.error <= prediction.high + 1e-9);
    }
    // Of 40, 36 on average; three standard deviations less are 30.
    assert!(held >= 30, "{held} of 40, {} wide", width / 40.0);
    assert!(width / 40.0 < 0.1);
}

#[test]
fn curves_are_fitted_within_their_bounds() {
    let points = |f: &dyn Fn(f64) -> f64| [10.0, 100.0, 1000.0, 10_000.0].map(|n| (n, f(n))).to_vec();
    let exact = LearningCurve::fit(&points(&|n| 3.0 * n.powf(-0.3)), None).unwrap();
    assert!(exact.floor() < 1e-4 && (exact.exponent() - 0.3).abs() < 1e-3 && (exact.scale() - 3.0).abs() < 1e-2);
    let again = exact.predict(1e5, 0.9, 50, 1).unwrap();
    assert_eq!(again, exact.predict(1e5, 0.9, 50, 1).unwrap());
    // Errors that do not fall: nothing is to be had.
    let flat = LearningCurve::fit(&points(&|_| 0.3), None).unwrap();
    assert!((flat.at(1e6) - 0.3).abs() < 1e-9);
    let rising = LearningCurve::fit(&points(&|n| 0.1 + n * 1e-5), None).unwrap();
    assert!(rising.scale() == 0.0 && (rising.floor() - rising.at(1.0)).abs() < 1e-12);

    let told = |result: Result<(), DataError>| result.unwrap_err().to_string();
    let few = [(10.0, 0.5), (20.0, 0.4), (40.0, 0.3)];
    assert_eq!(
        told(LearningCurve::fit(&few, None).map(drop)),
        "learning curve: expected at least 4 points with 3 different numbers of samples, got 3 with 3"
    );
    assert!(LearningCurve::fit(&few, Some(&[0.1; 3])).is_ok());
    assert!(LearningCurve::fit(&few, Some(&[0.1; 2])).is_err() && LearningCurve::fit(&few, Some(&[0.0; 3])).is_err());
    assert_eq!(
        told(LearningCurve::fit(&[(0.0, 0.5); 4], None).map(drop)),
        "learning curve: expected positive numbers of samples and errors from 0, got an error of 0.5 for 0 samples"
    );
    for (n, level, repeats) in [(0.0, 0.9, 10), (10.0, 1.0, 10), (10.0, 0.9, 0), (f64::NAN, 0.9, 10)] {
        assert!(exact.predict(n, level, repeats, 0).is_err());
    }
}
