//! Areas and calibration against their definitions, and what they make of scores that are none.

use gradwise_core::{Error, Metric};
use gradwise_metrics::{Average, BinaryConfusion, CalibrationError, FScore, PrAuc, Precision, Recall, RocAuc};
use ndarray::{Array1, Array2, ArrayD, Axis, array};
use proptest::prelude::*;

/// The chance that a positive is above a negative, over all pairs.
fn roc(answers: &[(f64, bool, f64)]) -> f64 {
    let (mut won, mut all) = (0.0, 0.0);
    for &(p, _, w) in answers.iter().filter(|a| a.1) {
        for &(n, _, v) in answers.iter().filter(|a| !a.1) {
            won += w
                * v
                * if p > n {
                    1.0
                } else if p == n {
                    0.5
                } else {
                    0.0
                };
            all += w * v;
        }
    }
    if all == 0.0 { f64::NAN } else { won / all }
}

/// The precision at each positive's own score, averaged.
fn average_precision(answers: &[(f64, bool, f64)]) -> f64 {
    let positives = || answers.iter().filter(|a| a.1);
    let precision = |score: f64| {
        let yes = || answers.iter().filter(|a| a.0 >= score);
        yes().filter(|a| a.1).map(|a| a.2).sum::<f64>() / yes().map(|a| a.2).sum::<f64>()
    };
    let weight: f64 = positives().map(|a| a.2).sum();
    if weight == 0.0 {
        f64::NAN
    } else {
        positives().filter(|a| a.2 > 0.0).map(|a| a.2 * precision(a.0)).sum::<f64>() / weight
    }
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12 || (a.is_nan() && b.is_nan())
}

proptest! {
    #[test]
    fn areas_are_those_of_the_definitions(
        answers in prop::collection::vec((-3_i8..4, any::<bool>(), prop_oneof![Just(0.0), 0.1..2.0]), 0..25), cut in 0_usize..25,
    ) {
        let answers: Vec<(f64, bool, f64)> = answers.into_iter().map(|(s, p, w)| (f64::from(s) / 2.0, p, w)).collect();
        let cut = cut.min(answers.len());
        let mut areas: [Box<dyn Metric<f64, [usize]>>; 3] =
            [Box::new(RocAuc::new()), Box::new(PrAuc::new()), Box::new(RocAuc::one_vs_rest(2, Average::Macro).unwrap())];
        for part in [&answers[..cut], &answers[cut..]] {
            let labels: Vec<usize> = part.iter().map(|a| usize::from(a.1)).collect();
            let weights: Vec<f64> = part.iter().map(|a| a.2).collect();
            let one: ArrayD<f64> = part.iter().map(|a| a.0).collect::<Array1<f64>>().into_dyn();
            // Two columns, of which the difference counts; as classes of their own they mirror each other.
            let two = Array2::from_shape_fn((part.len(), 2), |(i, c)| part[i].0 * (c as f64 - 0.5)).into_dyn();
            areas[0].update(&one, &labels, Some(&weights)).unwrap();
            areas[1].update(&two, &labels, Some(&weights)).unwrap();
            areas[2].update(&two, &labels, Some(&weights)).unwrap();
        }
        prop_assert!(same(areas[0].value(), roc(&answers)), "{} for {}", areas[0].value(), roc(&answers));
        prop_assert!(same(areas[1].value(), average_precision(&answers)));
        prop_assert!(same(areas[2].value(), roc(&answers)));
        for area in &mut areas {
            area.reset();
            prop_assert!(area.value().is_nan());
        }
    }
}

#[test]
fn curves_hold_each_threshold_once() {
    let mut auc = RocAuc::new();
    auc.update(&array![0.5, 0.5, 0.9, 0.1, 0.0, -0.0].into_dyn(), &[0, 1, 1, 0, 1, 0][..], None).unwrap();
    let points: Vec<_> = auc.curve(0).iter().map(|p| (p.threshold, p.true_positives, p.false_positives)).collect();
    let expected = [(f64::INFINITY, 0.0, 0.0), (0.9, 1.0, 0.0), (0.5, 2.0, 1.0), (0.1, 2.0, 2.0), (0.0, 3.0, 3.0)];
    assert_eq!(points, expected);
    assert!(auc.curve(1).is_empty());
    auc.update(&array![f64::NAN].into_dyn(), &[1][..], None).unwrap();
    assert!(auc.value().is_nan() && auc.curve(0).is_empty());
    assert_eq!(
        (auc.name(), PrAuc::default().name(), PrAuc::new().with_lines().name()),
        ("roc_auc", "average_precision", "pr_auc")
    );
}

#[test]
fn calibrated_answers_have_no_error() {
    // Bins are closed above: 0.5 belongs to the lower of two.
    let mut error = CalibrationError::on_probabilities(2).unwrap();
    error.update(&array![0.0, 0.5, 0.5, 1.0].into_dyn(), &[0, 1, 0, 1][..], Some(&[1.0, 1.0, 1.0, 3.0])).unwrap();
    let bins: Vec<_> = error.bins().map(|bin| (bin.weight, bin.confidence, bin.accuracy)).collect();
    assert_eq!(bins, [(3.0, 1.0 / 3.0, 1.0 / 3.0), (3.0, 1.0, 1.0)]);
    assert_eq!((error.value(), error.clone().largest().value()), (0.0, 0.0));
    error.update(&array![[0.0, 1.0]].into_dyn(), &[0][..], Some(&[3.0])).unwrap();
    assert_eq!((error.value(), error.clone().largest().value()), (3.0 / 9.0, 0.5));
    // Logits of any size.
    let mut error = CalibrationError::on_logits(15).unwrap();
    error.update(&array![[3e38_f32, -3e38], [0.0, 0.0]].into_dyn(), &[0, 1][..], None).unwrap();
    assert!((error.value() - 0.25).abs() < 1e-12, "{}", error.value());
    error.update(&array![[f32::NAN, 0.0]].into_dyn(), &[1][..], None).unwrap();
    assert!(error.value().is_nan());
    error.reset();
    assert!(error.value().is_nan() && error.bins().all(|bin| bin.accuracy.is_nan()));
}

#[test]
fn rankings_and_scores_refuse_in_words() {
    let told = |result: Result<(), Error>| result.unwrap_err().to_string();
    let x = array![[0.1, 0.9, 0.3], [0.8, 0.2, 0.3]].into_dyn();
    assert_eq!(
        told(RocAuc::new().update(&x, &[0, 1][..], None)),
        "roc auc: expected [2], [2, 1] or [2, 2], got shape [2, 3]"
    );
    assert_eq!(
        told(RocAuc::new().update(&array![0.1, 0.2].into_dyn(), &[0, 2][..], None)),
        "roc auc: expected an index below 2, got 2 at position 1"
    );
    let rest = || PrAuc::one_vs_rest(2, Average::Micro).unwrap();
    assert_eq!(told(rest().update(&x, &[0, 1][..], None)), "pr auc: expected [2, 2], got shape [2, 3]");
    assert_eq!(told(rest().update(&x, &*x, None)), "pr auc: expected [N, 2], got shape [2, 3]");
    assert_eq!(told(RocAuc::one_vs_rest(1, Average::Micro).map(drop)), "roc auc: expected at least 2 classes, got 1");
    assert_eq!(
        told(CalibrationError::on_logits(0).map(drop)),
        "calibration error: bins: expected at least 1 and at most 65536, got 0"
    );
    let mut probabilities = CalibrationError::on_probabilities(5).unwrap();
    assert_eq!(
        told(probabilities.update(&array![[0.5, 1.5]].into_dyn(), &[0][..], None)),
        "calibration error: expected probabilities in [0, 1], got 1.5 at position 1"
    );
    assert_eq!(
        told(probabilities.update(&array![f64::NAN].into_dyn(), &[0][..], None)),
        "calibration error: expected probabilities in [0, 1], got NaN at position 0"
    );
    assert!(probabilities.update(&x.index_axis(Axis(0), 0), &[0][..], None).is_err());
    assert_eq!(probabilities, CalibrationError::on_probabilities(5).unwrap());
    assert_eq!(
        told(FScore::new(2, Average::Macro).unwrap().with_beta(f64::NAN).map(drop)),
        "f score: beta: expected a finite number of at least 0, got NaN"
    );
    assert_eq!(told(Precision::of_class(2, 2).map(drop)), "confusion: expected an index below 2, got 2 at position 0");
    assert!(Recall::new(0, Average::Macro).is_err() && BinaryConfusion::with_threshold(f64::NAN).is_err());
    let mut recall = Recall::new(3, Average::Micro).unwrap();
    assert!(recall.update(&x, &[0, 3][..], None).is_err());
    assert!(recall.value().is_nan() && recall.confusion().weight() == 0.0);
}

#[test]
fn what_nobody_says_and_nothing_is_counts_for_nothing() {
    let mut answers = BinaryConfusion::on_probabilities();
    assert!(answers.value().is_nan() && answers.matthews().is_nan() && answers.specificity().is_nan());
    answers.update(&array![0.1, f64::NAN, 0.2].into_dyn(), &[0, 1, 0][..], None).unwrap();
    assert_eq!((answers.recall(), answers.specificity(), answers.value(), answers.matthews()), (0.0, 1.0, 0.0, 0.0));
    assert!(answers.precision().is_nan());
    let mut merged = answers.clone();
    merged.merge(&answers);
    let counts = (merged.true_positives(), merged.false_positives(), merged.true_negatives(), merged.false_negatives());
    assert_eq!(counts, (0.0, 0.0, 4.0, 2.0));
    merged.reset();
    assert_eq!(merged, BinaryConfusion::on_probabilities());
}
