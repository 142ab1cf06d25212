//! Precision against recall.

use super::CurvePoint;
use super::curve::pr_area;
use super::ranked::Ranked;
use crate::Average;
use crate::batch::own_methods;
use gradwise_core::{ArrayRefD, Metric, Real, Result};

/// The area under precision against recall: the mean precision over all positives, each at the threshold that just finds it.
///
/// Use it where positives are rare and matter. [`PrAuc::new`] sums steps, `Σ (Rₙ − Rₙ₋₁) Pₙ`, which is called average precision
/// (scikit-learn's `average_precision_score`); [`PrAuc::with_lines`] joins the points by straight lines (its `auc(recall, precision)`),
/// which is too optimistic, since precision does not change along a line (Davis and Goadrich, *The relationship between precision-recall
/// and ROC curves*, ICML 2006).
///
/// What it takes and keeps is what [`RocAuc`](crate::RocAuc) does. The value is NaN while there are no positives, and where a score is
/// NaN. Scores that say nothing have the share of positives for a value.
///
/// ```
/// use gradwise_metrics::{Metric, PrAuc};
/// use ndarray::array;
///
/// let mut auc = PrAuc::new();
/// auc.update(&array![0.1, 0.4, 0.35, 0.8].into_dyn(), &[0, 0, 1, 1][..], None)?;
/// assert!((auc.value() - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PrAuc {
    ranked: Ranked,
    lines: bool,
}

impl PrAuc {
    /// Of one yes-or-no question, by steps: average precision.
    pub fn new() -> Self {
        PrAuc { ranked: Ranked::binary("pr auc"), lines: false }
    }

    /// Of one question for each of `n_classes` classes, averaged; classes without positives are left out.
    ///
    /// # Errors
    /// If there are fewer than two classes.
    pub fn one_vs_rest(n_classes: usize, average: Average) -> Result<Self> {
        Ok(PrAuc { ranked: Ranked::one_vs_rest("pr auc", n_classes, average)?, lines: false })
    }

    /// By straight lines between the points.
    #[must_use]
    pub fn with_lines(self) -> Self {
        PrAuc { lines: true, ..self }
    }

    /// The area so far, in `[0, 1]`; NaN where it is not defined.
    pub fn value(&self) -> f64 {
        self.ranked.value(|points| pr_area(points, self.lines))
    }

    /// The points of the curve, from the highest threshold on: precision is `true_positives` over all positives of the point, recall over
    /// `true_positives` of the last point. `class` is 0 for one question. Empty for a class there is not, and where a score is NaN.
    pub fn curve(&self, class: usize) -> Vec<CurvePoint> {
        self.ranked.curve(class)
    }

    /// Its name in reports: `average_precision`, or `pr_auc` with lines.
    pub fn name(&self) -> &str {
        if self.lines { "pr_auc" } else { "average_precision" }
    }

    /// Forgets all samples, and keeps the memory.
    pub fn reset(&mut self) {
        self.ranked.reset();
    }
}

impl Default for PrAuc {
    fn default() -> Self {
        PrAuc::new()
    }
}

impl<T: Real> Metric<T, [usize]> for PrAuc {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        self.ranked.update_labels(predictions, targets, weights)
    }
}

impl<T: Real> Metric<T, ArrayRefD<T>> for PrAuc {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &ArrayRefD<T>, weights: Option<&[f64]>) -> Result<()> {
        self.ranked.update_numbers(predictions, targets, weights)
    }
}
