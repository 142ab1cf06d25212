//! The four kinds of yes-or-no answers.

use crate::batch::own_methods;
use crate::binary::{of_labels, of_numbers};
use crate::confusion::{Counts, ratio};
use gradwise_core::{ArrayRefD, Error, Metric, Real, Result};

/// Counts of right and wrong answers to a yes-or-no question, where a prediction at or above a threshold is a yes: true and false
/// positives and negatives, and what is made of them. Its value as a [`Metric`] is the F₁ score.
///
/// Targets are 0 and 1: class indices for predictions of shape `[N]` or `[N, 1]`, or an array of the predictions' shape `N × …`, where
/// each entry is an answer of its own and all are counted together (the micro average of several labels). A NaN is a no, so that it is
/// never right where it should be a yes.
///
/// ```
/// use gradwise_metrics::{BinaryConfusion, Metric};
/// use ndarray::array;
///
/// let mut answers = BinaryConfusion::on_logits();
/// answers.update(&array![-2.0, 0.3, 1.0, 4.0].into_dyn(), &[0, 1, 0, 1][..], None)?;
/// assert_eq!((answers.precision(), answers.recall(), answers.specificity()), (2.0 / 3.0, 1.0, 0.5));
/// assert_eq!(answers.value(), 0.8);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BinaryConfusion {
    threshold: f64,
    counts: Counts,
    /// True negatives.
    rejected: f64,
}

const OP: &str = "binary confusion";

impl BinaryConfusion {
    /// For predictions that are logits: yes from 0 on, which is a probability of ½.
    pub fn on_logits() -> Self {
        BinaryConfusion { threshold: 0.0, counts: Counts::default(), rejected: 0.0 }
    }

    /// For predictions that are probabilities: yes from ½ on.
    pub fn on_probabilities() -> Self {
        BinaryConfusion { threshold: 0.5, ..Self::on_logits() }
    }

    /// With a threshold of one's own.
    ///
    /// # Errors
    /// If it is NaN.
    pub fn with_threshold(threshold: f64) -> Result<Self> {
        if threshold.is_nan() {
            return Err(Error::value("binary confusion: threshold", "a number", threshold));
        }
        Ok(BinaryConfusion { threshold, ..Self::on_logits() })
    }

    /// The weight of right yeses.
    pub fn true_positives(&self) -> f64 {
        self.counts.right
    }

    /// The weight of wrong yeses.
    pub fn false_positives(&self) -> f64 {
        self.counts.false_alarms
    }

    /// The weight of right noes.
    pub fn true_negatives(&self) -> f64 {
        self.rejected
    }

    /// The weight of wrong noes.
    pub fn false_negatives(&self) -> f64 {
        self.counts.missed
    }

    /// The share of yeses that are right, `TP / (TP + FP)`; NaN where there was none.
    pub fn precision(&self) -> f64 {
        self.counts.precision()
    }

    /// The share of what should be a yes that is one, `TP / (TP + FN)`; NaN where nothing should. Also called sensitivity.
    pub fn recall(&self) -> f64 {
        self.counts.recall()
    }

    /// The share of what should be a no that is one, `TN / (TN + FP)`; NaN where nothing should.
    pub fn specificity(&self) -> f64 {
        ratio(self.rejected, self.rejected + self.counts.false_alarms)
    }

    /// `F_β = (1 + β²) TP / ((1 + β²) TP + β² FN + FP)`; NaN where there is no positive of any kind.
    pub fn f_score(&self, beta: f64) -> f64 {
        self.counts.f_score(beta)
    }

    /// The correlation of answers and targets, in `[-1, 1]`: `(TP TN − FP FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN))`; 0 where a factor is
    /// (as scikit-learn has it), NaN before the first answer.
    ///
    /// It looks at all four counts, and so at classes of very different sizes fairly. Source: Matthews 1975.
    pub fn matthews(&self) -> f64 {
        let Counts { right, false_alarms, missed } = self.counts;
        let rejected = self.rejected;
        if right + false_alarms + missed + rejected == 0.0 {
            return f64::NAN;
        }
        let square = (right + false_alarms) * (right + missed) * (rejected + false_alarms) * (rejected + missed);
        if square == 0.0 { 0.0 } else { (right * rejected - false_alarms * missed) / square.sqrt() }
    }

    /// The F₁ score so far, in `[0, 1]`; NaN where it is not defined.
    pub fn value(&self) -> f64 {
        self.f_score(1.0)
    }

    /// Its name in reports: `f1`, which its value is.
    pub fn name(&self) -> &str {
        "f1"
    }

    /// Forgets all answers.
    pub fn reset(&mut self) {
        *self = BinaryConfusion { threshold: self.threshold, ..Self::on_logits() };
    }

    /// Takes another one's answers in, as from another thread.
    pub fn merge(&mut self, other: &BinaryConfusion) {
        self.counts.right += other.counts.right;
        self.counts.false_alarms += other.counts.false_alarms;
        self.counts.missed += other.counts.missed;
        self.rejected += other.rejected;
    }

    fn add(&mut self, prediction: f64, target: bool, weight: f64) {
        *match (prediction >= self.threshold, target) {
            (true, true) => &mut self.counts.right,
            (true, false) => &mut self.counts.false_alarms,
            (false, true) => &mut self.counts.missed,
            (false, false) => &mut self.rejected,
        } += weight;
    }
}

impl<T: Real> Metric<T, [usize]> for BinaryConfusion {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        of_labels(OP, predictions, targets, weights, |prediction, target, weight| self.add(prediction, target, weight))
    }
}

impl<T: Real> Metric<T, ArrayRefD<T>> for BinaryConfusion {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &ArrayRefD<T>, weights: Option<&[f64]>) -> Result<()> {
        of_numbers(OP, predictions, targets, weights, |prediction, target, weight| self.add(prediction, target, weight))
    }
}
