//! Metrics against plain formulas over all samples at once, in one body for both number types; rankings, and scikit-learn's
//! numbers, beside it.

#[path = "metrics/ranking.rs"]
mod ranking;
#[path = "metrics/scikit_learn.rs"]
mod scikit_learn;

use gradwise_core::{ArrayRefD, Error, Metric, Real};
use gradwise_metrics::{
    Accuracy, Average, BinaryAccuracy, BinaryConfusion, Confusion, LogLoss, Mean, MeanAbsoluteError, MeanSquaredError,
    PrAuc, Precision, R2, RocAuc, RootMeanSquaredError, TopK,
};
use ndarray::{Array2, ArrayD, Axis, IxDyn, Slice, array, s};
use proptest::prelude::*;

/// What was drawn for a test: scores, classes, numbers and weights of the same samples, and where to cut them into batches.
#[derive(Clone, Debug)]
struct Case {
    scores: Array2<f64>,
    targets: Array2<f64>,
    labels: Vec<usize>,
    weights: Option<Vec<f64>>,
    cut: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    (1_usize..20, 1_usize..6).prop_flat_map(|(n, classes)| {
        // Few different values, so that equal scores occur.
        let numbers = || {
            prop::collection::vec((-8_i32..8).prop_map(|x| f64::from(x) / 4.0), n * classes)
                .prop_map(move |v| Array2::from_shape_vec([n, classes], v).unwrap())
        };
        let labels = prop::collection::vec(0..classes, n);
        let weights = prop::option::of(prop::collection::vec(prop_oneof![Just(0.0), 0.0..3.0], n));
        (numbers(), numbers(), labels, weights, 0..=n).prop_map(|(scores, targets, labels, weights, cut)| Case {
            scores,
            targets,
            labels,
            weights,
            cut,
        })
    })
}

impl Case {
    fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[i])
    }

    /// `Σ wᵢ xᵢ / Σ wᵢ`.
    fn mean(&self, x: impl Fn(usize) -> f64) -> f64 {
        let n = self.labels.len();
        let total: f64 = (0..n).map(|i| self.weight(i)).sum();
        if total == 0.0 { f64::NAN } else { (0..n).map(|i| self.weight(i) * x(i)).sum::<f64>() / total }
    }

    /// The rank of the right class, from 0, by sorting.
    fn rank(&self, i: usize) -> usize {
        let row = self.scores.row(i);
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
        order.iter().position(|&class| class == self.labels[i]).unwrap()
    }

    /// Feeds two batches of classes, the second in a layout of its own, and compares.
    fn check_classes<T: Real>(&self, mut metric: impl Metric<T, [usize]>, expected: f64) {
        let scores = self.scores.mapv(T::of).into_dyn();
        for range in [0..self.cut, self.cut..self.labels.len()] {
            let batch = scores.slice_axis(Axis(0), Slice::from(range.clone()));
            let turned = batch.t().to_owned();
            let weights = self.weights.as_ref().map(|w| &w[range.clone()]);
            metric.update(&turned.t(), &self.labels[range], weights).unwrap();
        }
        assert_close(metric.value(), expected, metric.name());
        metric.reset();
        assert!(metric.value().is_nan());
    }

    fn check_numbers<T: Real>(&self, mut metric: impl Metric<T, ArrayRefD<T>>, expected: f64) {
        let (predictions, targets) = (self.scores.mapv(T::of).into_dyn(), self.targets.mapv(T::of).into_dyn());
        for range in [0..self.cut, self.cut..self.labels.len()] {
            let batch = |x: &ArrayD<T>| x.slice_axis(Axis(0), Slice::from(range.clone())).to_owned();
            let weights = self.weights.as_ref().map(|w| &w[range.clone()]);
            metric.update(&batch(&predictions), &batch(&targets), weights).unwrap();
        }
        assert_close(metric.value(), expected, metric.name());
        metric.reset();
        assert!(metric.value().is_nan());
    }

    fn check<T: Real>(&self) {
        let classes = self.scores.ncols();
        let accuracy = self.mean(|i| f64::from(self.rank(i) == 0));
        self.check_classes::<T>(Accuracy::new(), accuracy);
        self.check_classes::<T>(Confusion::new(classes).unwrap(), accuracy);
        self.check_classes::<T>(Box::new(Accuracy::new()) as Box<dyn Metric<T, [usize]>>, accuracy);
        for k in 1..=classes {
            self.check_classes::<T>(TopK::new(k).unwrap(), self.mean(|i| f64::from(self.rank(i) < k)));
        }
        let nll = |i: usize| {
            let row = self.scores.row(i);
            -(row[self.labels[i]].exp() / row.iter().map(|z| z.exp()).sum::<f64>()).ln()
        };
        self.check_classes::<T>(LogLoss::new(), self.mean(nll));
        self.check_classes::<T>(Mean::new(), self.mean(|i| self.scores.row(i).mean().unwrap()));

        let gap =
            |i: usize, error: fn(f64) -> f64| (&self.scores.row(i) - &self.targets.row(i)).mapv(error).mean().unwrap();
        let mse = self.mean(|i| gap(i, |d| d * d));
        self.check_numbers::<T>(MeanSquaredError::new(), mse);
        self.check_numbers::<T>(RootMeanSquaredError::new(), mse.sqrt());
        self.check_numbers::<T>(MeanAbsoluteError::new(), self.mean(|i| gap(i, f64::abs)));
        let r2 = |c: usize| {
            let (p, y) = (self.scores.column(c), self.targets.column(c));
            let mean = self.mean(|i| y[i]);
            let counted: Vec<f64> = (0..y.len()).filter(|&i| self.weight(i) > 0.0).map(|i| y[i]).collect();
            if counted.iter().all(|v| *v == counted[0]) {
                return f64::NAN;
            }
            1.0 - self.mean(|i| (y[i] - p[i]).powi(2)) / self.mean(|i| (y[i] - mean).powi(2))
        };
        self.check_numbers::<T>(R2::new(), (0..classes).map(r2).sum::<f64>() / classes as f64);

        let binary = Case { targets: self.targets.mapv(|y| f64::from(y > 0.0)), ..self.clone() };
        let right = |i: usize| {
            let pairs = binary.scores.row(i).into_iter().zip(binary.targets.row(i));
            pairs.filter(|(z, y)| (**z >= 0.0) == (**y == 1.0)).count() as f64 / classes as f64
        };
        binary.check_numbers::<T>(BinaryAccuracy::on_logits(), self.mean(right));
    }
}

fn assert_close(got: f64, expected: f64, name: &str) {
    let close = (got - expected).abs() <= 1e-9 * (1.0 + expected.abs()) || (got.is_nan() && expected.is_nan());
    assert!(close, "{name}: {got} for {expected}");
}

proptest! {
    #[test]
    fn batches_together_equal_the_formula(case in cases()) {
        case.check::<f64>();
        // Scores are quarters, so f32 holds them exactly.
        case.check::<f32>();
    }

    #[test]
    fn confusion_counts_every_sample_once(case in cases()) {
        let classes = case.scores.ncols();
        let mut confusion = Confusion::new(classes).unwrap();
        let scores = case.scores.clone().into_dyn();
        confusion.update(&scores, &case.labels[..], None).unwrap();
        prop_assert_eq!(confusion.weight(), case.labels.len() as f64);
        for class in 0..classes {
            let size = case.labels.iter().filter(|&&label| label == class).count() as f64;
            prop_assert_eq!(confusion.matrix().row(class).sum(), size);
        }
        // Halves merged are the whole.
        let mut merged = Confusion::new(classes).unwrap();
        for range in [0..case.cut, case.cut..case.labels.len()] {
            let mut part = Confusion::new(classes).unwrap();
            let batch = case.scores.slice(s![range.clone(), ..]).to_owned().into_dyn();
            part.update(&batch, &case.labels[range], None).unwrap();
            merged.merge(&part).unwrap();
        }
        prop_assert_eq!(merged, confusion);
    }
}

/// An update with each kind of mistake: all are errors, and none leaves a trace.
fn refuses<M: Metric<f64, [usize]> + PartialEq + Clone + std::fmt::Debug>(mut metric: M) {
    let x = array![[0.1, 0.9], [0.8, 0.2]].into_dyn();
    metric.update(&x, &[1, 1][..], Some(&[1.0, 0.5])).unwrap();
    let before = metric.clone();
    let mistakes: [(&ArrayD<f64>, &[usize], Option<&[f64]>); 8] = [
        (&x, &[1], None),
        (&x, &[1, 2], None),
        (&x, &[1, 1], Some(&[1.0])),
        (&x, &[1, 1], Some(&[1.0, -1.0])),
        (&x, &[1, 1], Some(&[1.0, f64::NAN])),
        (&x, &[1, 1], Some(&[1.0, f64::INFINITY])),
        (&array![0.1, 0.9].into_dyn(), &[1, 1], None),
        (&ArrayD::zeros(IxDyn(&[])), &[], None),
    ];
    for (predictions, targets, weights) in mistakes {
        let result = metric.update(predictions, targets, weights);
        assert!(result.is_err(), "{}: {targets:?} {weights:?}", metric.name());
        assert_eq!(metric, before);
    }
    // An empty batch is one.
    metric.update(&ArrayD::zeros(IxDyn(&[0, 2])), &[][..], None).unwrap();
    assert_eq!(metric, before);
}

#[test]
fn mistakes_change_nothing() {
    refuses(Accuracy::new());
    refuses(TopK::new(1).unwrap());
    refuses(LogLoss::new());
    refuses(Confusion::new(2).unwrap());
    refuses(Precision::new(2, Average::Macro).unwrap());
    refuses(RocAuc::one_vs_rest(2, Average::Macro).unwrap());
    refuses(PrAuc::one_vs_rest(2, Average::Macro).unwrap());

    let (x, y) = (array![[1.0], [2.0]].into_dyn(), array![[1.0], [4.0]].into_dyn());
    macro_rules! refuses_numbers {
        ($($metric:expr),*) => {$(
            let mut metric = $metric;
            metric.update(&x, &*y.mapv(|v: f64| f64::from(v > 1.0)), None).unwrap();
            let before = metric.clone();
            assert!(metric.update(&x, &*array![1.0, 1.0].into_dyn(), None).is_err());
            assert!(metric.update(&x, &*array![[1.0, 1.0], [1.0, 1.0]].into_dyn(), None).is_err());
            assert!(metric.update(&array![[1.0, 1.0], [1.0, 1.0]].into_dyn(), &*y, None).is_err());
            assert!(metric.update(&x, &*x, Some(&[1.0])).is_err());
            assert!(metric.update(&x, &*x, Some(&[1.0, -1.0])).is_err());
            let scalar = ArrayD::<f64>::zeros(IxDyn(&[]));
            assert!(metric.update(&scalar, &*scalar, None).is_err());
            assert_eq!(metric, before);
        )*};
    }
    refuses_numbers!(
        MeanSquaredError::new(),
        RootMeanSquaredError::new(),
        MeanAbsoluteError::new(),
        R2::new(),
        BinaryAccuracy::on_logits(),
        BinaryConfusion::on_logits(),
        RocAuc::new()
    );
}

#[test]
fn mistakes_are_told_in_words() {
    let told = |result: Result<(), Error>| result.unwrap_err().to_string();
    let x = array![[0.1, 0.9], [0.8, 0.2]].into_dyn();
    let mut accuracy = Accuracy::new();
    assert_eq!(told(accuracy.update(&x, &[0][..], None)), "accuracy: expected [1, classes], got shape [2, 2]");
    assert_eq!(
        told(accuracy.update(&x, &[0, 7][..], None)),
        "accuracy: expected an index below 2, got 7 at position 1"
    );
    assert_eq!(
        told(accuracy.update(&x, &[0, 1][..], Some(&[1.0, -2.0]))),
        "accuracy: expected weights that are finite and not negative, got -2 at position 1"
    );
    assert_eq!(told(TopK::new(0).map(drop)), "top-k accuracy: k: expected at least 1, got 0");
    assert_eq!(
        told(TopK::new(3).unwrap().update(&x, &[0, 1][..], None)),
        "top-k accuracy: expected [2, classes] with at least 3 classes, got shape [2, 2]"
    );
    for n in [0, Confusion::MOST_CLASSES + 1, usize::MAX] {
        let expected = format!("confusion: classes: expected at least 1 and at most 8192, got {n}");
        assert_eq!(told(Confusion::new(n).map(drop)), expected);
    }
    assert_eq!(
        told(Confusion::new(3).unwrap().update(&x, &[0, 1][..], None)),
        "confusion: expected [2, 3], got shape [2, 2]"
    );
    assert_eq!(
        told(MeanSquaredError::new().update(&x, &*array![1.0, 2.0].into_dyn(), None)),
        "mse: expected [2], the shape of the targets, got shape [2, 2]"
    );
    assert_eq!(
        told(BinaryAccuracy::on_logits().update(&x, &*array![[0.0, 1.0], [1.0, 0.5]].into_dyn(), None)),
        "binary accuracy: expected targets of 0 and 1, got 0.5 at position 3"
    );
    assert!(BinaryAccuracy::with_threshold(f64::NAN).is_err());
    let mut confusion = Confusion::new(2).unwrap();
    assert!(confusion.update_classes(&[0], &[0, 1], None).is_err());
    assert!(confusion.update_classes(&[0, 2], &[0, 1], None).is_err());
    assert!(confusion.update_classes(&[0, 1], &[2, 1], None).is_err());
    assert!(confusion.merge(&Confusion::new(3).unwrap()).is_err());
    assert_eq!(confusion, Confusion::new(2).unwrap());
}

#[test]
fn a_score_that_is_nan_is_never_right() {
    let x = array![[f64::NAN, 0.0], [1.0, f64::NAN], [1.0, 0.0]].into_dyn();
    let mut metrics: Vec<Box<dyn Metric<f64, [usize]>>> =
        vec![Box::new(Accuracy::new()), Box::new(TopK::new(2).unwrap()), Box::new(Confusion::new(2).unwrap())];
    for metric in &mut metrics {
        metric.update(&x, &[0, 0, 0], None).unwrap();
        assert_eq!(metric.value(), 1.0 / 3.0, "{}", metric.name());
    }
    let mut confusion = Confusion::new(2).unwrap();
    confusion.update(&x, &[0, 1, 0][..], None).unwrap();
    assert_eq!(confusion.undecided(), [1.0, 1.0]);
    assert_eq!((confusion.recall(0), confusion.recall(1), confusion.precision(0)), (0.5, 0.0, 1.0));
    assert!(confusion.precision(1).is_nan() && confusion.precision(9).is_nan() && confusion.recall(9).is_nan());
    assert_eq!(confusion.to_string(), "true\\predicted 0 1 none\n             0 1 0    1\n             1 0 0    1\n");
    let mut binary = BinaryAccuracy::on_probabilities();
    binary.update(&array![f64::NAN, f64::NAN, 0.6, 0.4].into_dyn(), &[0, 1, 1, 0][..], None).unwrap();
    assert_eq!(binary.value(), 0.5);
}

#[test]
fn large_logits_do_not_overflow() {
    let mut loss = LogLoss::new();
    loss.update(&array![[3e38_f32, -3e38], [-3e38, 3e38]].into_dyn(), &[0, 1][..], None).unwrap();
    assert_eq!(loss.value(), 0.0);
    loss.update(&array![[f32::NAN, 0.0]].into_dyn(), &[1][..], None).unwrap();
    assert!(loss.value().is_nan());
}

#[test]
fn small_additions_to_large_sums_are_not_lost() {
    let mut mse = MeanSquaredError::new();
    for _ in 0..200 {
        mse.update(&ArrayD::from_elem(IxDyn(&[1000, 10]), 0.1_f32), &*ArrayD::zeros(IxDyn(&[1000, 10])), None).unwrap();
    }
    let exact = f64::from(0.1_f32).powi(2);
    assert!((mse.value() / exact - 1.0).abs() < 1e-10);
    // Nor does a large mean of the targets swallow their variance.
    let mut r2 = R2::new();
    let y = array![1e8, 1e8 + 1.0, 1e8 + 2.0].into_dyn();
    r2.update(&(&y + 0.5), &*y, None).unwrap();
    assert!((r2.value() - (1.0 - 0.75 / 2.0)).abs() < 1e-6, "{}", r2.value());
}

#[test]
fn means_merge() {
    let (mut a, mut b) = (Mean::new(), Mean::named("b"));
    a.add(1.0, 1.0);
    b.add(4.0, 2.0);
    b.add(f64::NAN, 0.0);
    a.merge(&b);
    assert_eq!((a.value(), a.weight(), a.name()), (3.0, 3.0, "mean"));
    assert_eq!(Mean::default().value().to_bits(), f64::NAN.to_bits());
}
