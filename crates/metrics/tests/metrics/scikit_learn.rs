//! Metrics against scikit-learn's numbers; see `oracle/README.md` of the workspace.

#[path = "../../../../oracle/reader.rs"]
mod oracle;

use gradwise_core::{ArrayRefD, Metric, Real};
use gradwise_metrics::{
    Accuracy, Average, BinaryAccuracy, BinaryConfusion, CalibrationError, Confusion, FScore, LogLoss,
    MeanAbsoluteError, MeanSquaredError, PrAuc, Precision, R2, Recall, RocAuc, RootMeanSquaredError, TopK,
};
use ndarray::{ArrayD, Axis, Slice};
use oracle::{Case, for_each, tolerance};

const AVERAGES: [(&str, Average); 3] =
    [("micro", Average::Micro), ("macro", Average::Macro), ("weighted", Average::Weighted)];

/// A case's batch, cut in two.
struct Batch<'a, T> {
    case: &'a Case,
    scores: ArrayD<T>,
    weights: Vec<f64>,
}

impl<T: Real> Batch<'_, T> {
    fn parts(&self) -> [std::ops::Range<usize>; 2] {
        let n = self.weights.len();
        [0..n / 3, n / 3..n]
    }

    fn part(array: &ArrayD<T>, range: &std::ops::Range<usize>) -> ArrayD<T> {
        array.slice_axis(Axis(0), Slice::from(range.clone())).to_owned()
    }

    /// The value of an update by labels; an expected number that is NaN must be found as NaN.
    #[track_caller]
    fn labels<M: Metric<T, [usize]>>(&self, name: &str, mut metric: M) -> M {
        let (_, labels) = self.case.indices("labels");
        for range in self.parts() {
            let weights = Some(&self.weights[range.clone()]);
            metric.update(&Self::part(&self.scores, &range), &labels[range], weights).unwrap();
        }
        self.check(name, metric.value());
        metric
    }

    #[track_caller]
    fn numbers<M: Metric<T, ArrayRefD<T>>>(&self, name: &str, mut metric: M) {
        let targets = self.case.array("targets");
        for range in self.parts() {
            let weights = Some(&self.weights[range.clone()]);
            metric.update(&Self::part(&self.scores, &range), &Self::part(&targets, &range), weights).unwrap();
        }
        self.check(name, metric.value());
    }

    #[track_caller]
    fn check(&self, name: &str, got: f64) {
        let role = format!("expected.{name}");
        let expected = self.case.array::<f64>(&role).sum();
        let close = (got - expected).abs() <= tolerance::<T>() * expected.abs().max(1.0);
        assert!(close || (got.is_nan() && expected.is_nan()), "{}: {role}: {got} for {expected}", self.case.name);
    }
}

fn check<T: Real>(case: &Case) {
    let weights = case.array::<f64>("weights").into_iter().collect();
    let batch = Batch::<T> { case, scores: case.array("scores"), weights };
    let has = |name: &str| case.has(&format!("expected.{name}"));
    let number = |option: &str| case.required(option) as usize;
    match case.kind() {
        "classes" => {
            let k = number("classes");
            batch.labels("accuracy", Accuracy::new());
            batch.labels("log_loss", LogLoss::new());
            batch.labels("ece", CalibrationError::on_logits(number("bins")).unwrap());
            batch.labels("mce", CalibrationError::on_logits(number("bins")).unwrap().largest());
            if has("top_2") {
                batch.labels("top_2", TopK::new(2).unwrap());
            }
            for (name, average) in AVERAGES {
                batch.labels(&format!("precision.{name}"), Precision::new(k, average).unwrap());
                batch.labels(&format!("recall.{name}"), Recall::new(k, average).unwrap());
                batch.labels(&format!("f1.{name}"), FScore::new(k, average).unwrap());
                batch.labels(&format!("f2.{name}"), FScore::new(k, average).unwrap().with_beta(2.0).unwrap());
                for (name, metric) in [
                    (
                        format!("roc.{name}"),
                        Box::new(RocAuc::one_vs_rest(k, average).unwrap()) as Box<dyn Metric<T, [usize]>>,
                    ),
                    (format!("pr.{name}"), Box::new(PrAuc::one_vs_rest(k, average).unwrap())),
                ] {
                    if has(&name) {
                        batch.labels(&name, metric);
                    }
                }
            }
            let confusion = batch.labels("accuracy", Confusion::new(k).unwrap());
            for class in 0..k {
                batch.check(&format!("precision_{class}"), confusion.precision(class));
                batch.check(&format!("recall_{class}"), confusion.recall(class));
                batch.check(&format!("f1_{class}"), confusion.f_score(class, 1.0));
                batch.labels(&format!("precision_{class}"), Precision::of_class(k, class).unwrap());
                batch.labels(&format!("f1_{class}"), FScore::of_class(k, class).unwrap());
            }
        }
        "binary" => {
            batch.labels("accuracy", BinaryAccuracy::on_logits());
            batch.labels("roc", RocAuc::new());
            batch.labels("pr", PrAuc::new());
            batch.labels("pr_lines", PrAuc::new().with_lines());
            batch.labels("ece", CalibrationError::on_logits(number("bins")).unwrap());
            batch.labels("mce", CalibrationError::on_logits(number("bins")).unwrap().largest());
            let answers = batch.labels("f1", BinaryConfusion::on_logits());
            batch.check("precision", answers.precision());
            batch.check("recall", answers.recall());
            batch.check("specificity", answers.specificity());
            batch.check("f05", answers.f_score(0.5));
            batch.check("matthews", answers.matthews());
        }
        "several" => {
            let k = number("classes");
            batch.numbers("f1", BinaryConfusion::on_logits());
            batch.numbers("roc.micro", RocAuc::new());
            for (name, average) in AVERAGES {
                batch.numbers(&format!("roc.{name}"), RocAuc::one_vs_rest(k, average).unwrap());
                batch.numbers(&format!("pr.{name}"), PrAuc::one_vs_rest(k, average).unwrap());
            }
        }
        "numbers" => {
            batch.numbers("mse", MeanSquaredError::new());
            batch.numbers("rmse", RootMeanSquaredError::new());
            batch.numbers("mae", MeanAbsoluteError::new());
            batch.numbers("r2", R2::new());
        }
        other => panic!("{other}: no such kind of case"),
    }
}

#[test]
fn metrics_are_scikit_learns() {
    for_each("metrics/metrics.safetensors", 12, |case| {
        check::<f64>(case);
        check::<f32>(case);
    });
}
