//! Which class is taken for which.

use crate::Average;
use crate::batch::{Weights, largest, own_methods, scores};
use gradwise_core::{ArrayRefD, Error, Metric, Real, Result};
use ndarray::{Array2, ArrayView2};
use std::fmt;

/// The confusion matrix: entry `[t, p]` is the weight of the samples of class `t` that were taken for class `p`.
///
/// Its value as a [`Metric`] is the accuracy, `Σ_c M[c, c] / Σ w`. Predictions are scores of shape `[N, classes]`, of which
/// the largest decides (the first of several); predicted classes are taken by [`Confusion::update_classes`]. Samples with a
/// NaN among their scores are taken for no class: they stand apart in [`Confusion::undecided`] and count as wrong.
///
/// ```
/// use gradwise_metrics::Confusion;
///
/// let mut confusion = Confusion::new(2)?;
/// confusion.update_classes(&[0, 1, 1, 1], &[0, 0, 1, 1], None)?;
/// assert_eq!(confusion.matrix(), ndarray::array![[1.0, 1.0], [0.0, 2.0]]);
/// assert_eq!((confusion.value(), confusion.recall(0), confusion.precision(1)), (0.75, 0.5, 2.0 / 3.0));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    matrix: Array2<f64>,
    undecided: Vec<f64>,
}

const OP: &str = "confusion";

impl Confusion {
    /// The most classes a matrix is made for. It takes `8 · classes²` bytes, 512 MiB here; whoever asks for more has mistaken
    /// something for a number of classes, or wants [`Accuracy`](crate::Accuracy), which needs no matrix.
    pub const MOST_CLASSES: usize = 8192;

    /// An empty matrix of `n_classes` classes.
    ///
    /// # Errors
    /// If there are none, or more than [`Confusion::MOST_CLASSES`].
    pub fn new(n_classes: usize) -> Result<Self> {
        if n_classes == 0 || n_classes > Self::MOST_CLASSES {
            let expected = format!("at least 1 and at most {}", Self::MOST_CLASSES);
            return Err(Error::value("confusion: classes", expected, n_classes));
        }
        Ok(Confusion { matrix: Array2::zeros([n_classes, n_classes]), undecided: vec![0.0; n_classes] })
    }

    /// Takes a batch of predicted classes in.
    ///
    /// # Errors
    /// If a class is not one of the matrix, or predictions, targets and weights are not of one batch. The matrix is then as
    /// it was.
    pub fn update_classes(&mut self, predictions: &[usize], targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        if predictions.len() != targets.len() {
            let expected = format!("{} predictions, one a target", targets.len());
            return Err(Error::shape(OP, expected, &[predictions.len()]));
        }
        let weights = Weights::new(OP, targets.len(), weights)?;
        self.check(predictions)?;
        self.check(targets)?;
        for (i, (&prediction, &target)) in predictions.iter().zip(targets).enumerate() {
            self.matrix[[target, prediction]] += weights.of(i);
        }
        Ok(())
    }

    /// The matrix: a row a true class, a column a predicted one.
    pub fn matrix(&self) -> ArrayView2<'_, f64> {
        self.matrix.view()
    }

    /// For each true class, the weight of samples that were taken for none.
    pub fn undecided(&self) -> &[f64] {
        &self.undecided
    }

    /// The accuracy so far, in `[0, 1]`; NaN before the first sample.
    pub fn value(&self) -> f64 {
        ratio(self.matrix.diag().sum(), self.weight())
    }

    /// The weight of all samples so far: without weights, their number.
    pub fn weight(&self) -> f64 {
        self.matrix.sum() + self.undecided.iter().sum::<f64>()
    }

    /// The share of a class's samples that were recognized: `M[c, c] / Σ_p M[c, p]`; NaN for a class without samples, or for
    /// none of the matrix.
    pub fn recall(&self, class: usize) -> f64 {
        if class >= self.undecided.len() {
            return f64::NAN;
        }
        ratio(self.matrix[[class, class]], self.matrix.row(class).sum() + self.undecided[class])
    }

    /// The share of the samples taken for a class that are of it: `M[c, c] / Σ_t M[t, c]`; NaN for a class never predicted,
    /// or for none of the matrix.
    pub fn precision(&self, class: usize) -> f64 {
        if class >= self.undecided.len() {
            return f64::NAN;
        }
        ratio(self.matrix[[class, class]], self.matrix.column(class).sum())
    }

    /// The F score of a class, `(1 + β²) TP / ((1 + β²) TP + β² FN + FP)`; NaN for a class without samples that was never predicted, or for
    /// none of the matrix.
    pub fn f_score(&self, class: usize, beta: f64) -> f64 {
        if class >= self.undecided.len() {
            return f64::NAN;
        }
        self.counts(class).f_score(beta)
    }

    /// The precision of all classes, averaged: see [`Confusion::f_score_by`].
    pub fn precision_by(&self, average: Average) -> f64 {
        self.averaged(average, Counts::precision)
    }

    /// The recall of all classes, averaged: see [`Confusion::f_score_by`].
    pub fn recall_by(&self, average: Average) -> f64 {
        self.averaged(average, Counts::recall)
    }

    /// The F score of all classes, averaged.
    ///
    /// A class without samples that was never predicted is left out; where the score of another is not defined, as the precision of a
    /// class that was never predicted, it counts 0 (scikit-learn's `zero_division=0`, its default). NaN before the first sample.
    pub fn f_score_by(&self, average: Average, beta: f64) -> f64 {
        self.averaged(average, |counts| counts.f_score(beta))
    }

    fn averaged(&self, average: Average, score: impl Fn(Counts) -> f64) -> f64 {
        let classes = (0..self.undecided.len()).map(|class| self.counts(class));
        if average == Average::Micro {
            let sum = |sum: Counts, counts: Counts| Counts {
                right: sum.right + counts.right,
                false_alarms: sum.false_alarms + counts.false_alarms,
                missed: sum.missed + counts.missed,
            };
            return score(classes.fold(Counts::default(), sum));
        }
        let (mut total, mut weights) = (0.0, 0.0);
        for counts in classes.filter(|counts| counts.right + counts.false_alarms + counts.missed > 0.0) {
            let weight = if average == Average::Weighted { counts.right + counts.missed } else { 1.0 };
            let score = score(counts);
            total += weight * if score.is_nan() { 0.0 } else { score };
            weights += weight;
        }
        ratio(total, weights)
    }

    fn counts(&self, class: usize) -> Counts {
        let right = self.matrix[[class, class]];
        Counts {
            right,
            false_alarms: self.matrix.column(class).sum() - right,
            missed: self.matrix.row(class).sum() + self.undecided[class] - right,
        }
    }

    /// Its name in reports: `accuracy`, which its value is.
    pub fn name(&self) -> &str {
        "accuracy"
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.matrix.fill(0.0);
        self.undecided.fill(0.0);
    }

    /// Takes another matrix's samples in, as from another thread.
    ///
    /// # Errors
    /// If it has another number of classes.
    pub fn merge(&mut self, other: &Confusion) -> Result<()> {
        if other.matrix.shape() != self.matrix.shape() {
            return Err(Error::shape(OP, format!("{:?}", self.matrix.shape()), other.matrix.shape()));
        }
        self.matrix += &other.matrix;
        self.undecided.iter_mut().zip(&other.undecided).for_each(|(sum, more)| *sum += more);
        Ok(())
    }

    fn check(&self, classes: &[usize]) -> Result<()> {
        let bound = self.undecided.len();
        match classes.iter().position(|&class| class >= bound) {
            Some(position) => Err(Error::Index { op: OP, index: classes[position], bound, position }),
            None => Ok(()),
        }
    }
}

pub(crate) fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { f64::NAN } else { part / whole }
}

/// What the scores of a class, or of a yes, are made of: weights of samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    /// Of the class and taken for it: true positives.
    pub(crate) right: f64,
    /// Taken for the class and not of it: false positives.
    pub(crate) false_alarms: f64,
    /// Of the class and not taken for it: false negatives.
    pub(crate) missed: f64,
}

impl Counts {
    pub(crate) fn precision(self) -> f64 {
        ratio(self.right, self.right + self.false_alarms)
    }

    pub(crate) fn recall(self) -> f64 {
        ratio(self.right, self.right + self.missed)
    }

    pub(crate) fn f_score(self, beta: f64) -> f64 {
        let square = beta * beta;
        let twice = (1.0 + square) * self.right;
        ratio(twice, twice + square * self.missed + self.false_alarms)
    }
}

impl<T: Real> Metric<T, [usize]> for Confusion {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        let scores = scores(OP, predictions, targets)?;
        let weights = Weights::new(OP, targets.len(), weights)?;
        if scores.ncols() != self.undecided.len() {
            let expected = format!("[{}, {}]", targets.len(), self.undecided.len());
            return Err(Error::shape(OP, expected, predictions.shape()));
        }
        for (i, (row, &target)) in scores.outer_iter().zip(targets).enumerate() {
            match largest(row) {
                Some(class) => self.matrix[[target, class]] += weights.of(i),
                None => self.undecided[target] += weights.of(i),
            }
        }
        Ok(())
    }
}

/// A table in plain text: true classes downwards, predicted ones to the right.
///
/// ```
/// let mut confusion = gradwise_metrics::Confusion::new(2)?;
/// confusion.update_classes(&[0, 1, 1], &[0, 0, 1], None)?;
/// assert_eq!(confusion.to_string(), "true\\predicted 0 1\n             0 1 1\n             1 0 1\n");
/// # Ok::<(), gradwise_core::Error>(())
/// ```
impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CORNER: &str = "true\\predicted";
        let undecided = self.undecided.iter().any(|&w| w > 0.0);
        let widest = self.matrix.iter().map(|count| count.to_string().len()).max().unwrap_or(1);
        let width = widest.max((self.undecided.len() - 1).to_string().len());
        write!(f, "{CORNER}")?;
        (0..self.undecided.len()).try_for_each(|class| write!(f, " {class:>width$}"))?;
        writeln!(f, "{}", if undecided { " none" } else { "" })?;
        for (class, row) in self.matrix.outer_iter().enumerate() {
            write!(f, "{class:>corner$}", corner = CORNER.len())?;
            row.iter().try_for_each(|count| write!(f, " {count:>width$}"))?;
            if undecided {
                write!(f, " {:>4}", self.undecided[class])?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
