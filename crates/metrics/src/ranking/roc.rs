//! The receiver operating characteristic.

use super::CurvePoint;
use super::curve::roc_area;
use super::ranked::Ranked;
use crate::Average;
use crate::batch::own_methods;
use gradwise_core::{ArrayRefD, Metric, Real, Result};

/// The area under the receiver operating characteristic: the chance that a positive gets a higher score than a negative, where equal
/// scores are half a chance. It is ½ for scores that say nothing, and no threshold is chosen.
///
/// Use it to compare scores where the threshold is set later; where positives are rare, [`PrAuc`](crate::PrAuc) tells more. Predictions
/// are any scores that rise with the belief in a yes: `[N]`, `[N, 1]`, or `[N, 2]` (of which the second less the first), with targets 0
/// and 1; or an array of the targets' shape `N × …`, whose answers are all counted together. With [`RocAuc::one_vs_rest`] they are
/// `[N, classes]` with class indices, or with an array of zeros and ones for several labels at once. The value is exact, ties included;
/// it is NaN while positives or negatives are missing, and where a score is NaN. Source: Hanley and McNeil, *The meaning and use of the
/// area under a receiver operating characteristic curve*, 1982.
///
/// Ranks are known only when all samples are there, so all scores are kept (24 bytes each), and sorted whenever the value is asked for:
/// `n log n`.
///
/// ```
/// use gradwise_metrics::{Metric, RocAuc};
/// use ndarray::array;
///
/// let mut auc = RocAuc::new();
/// auc.update(&array![0.1, 0.4, 0.35, 0.8].into_dyn(), &[0, 0, 1, 1][..], None)?;
/// assert_eq!(auc.value(), 0.75);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RocAuc(Ranked);

impl RocAuc {
    /// Of one yes-or-no question.
    pub fn new() -> Self {
        RocAuc(Ranked::binary("roc auc"))
    }

    /// Of one question for each of `n_classes` classes, averaged; classes that lack positives or negatives are left out.
    ///
    /// scikit-learn's `roc_auc_score(…, multi_class="ovr")` is this.
    ///
    /// # Errors
    /// If there are fewer than two classes.
    pub fn one_vs_rest(n_classes: usize, average: Average) -> Result<Self> {
        Ok(RocAuc(Ranked::one_vs_rest("roc auc", n_classes, average)?))
    }

    /// The area so far, in `[0, 1]`; NaN where it is not defined.
    pub fn value(&self) -> f64 {
        self.0.value(roc_area)
    }

    /// The points of the curve, from the highest threshold on: the rates are `true_positives` and `false_positives` over those of the
    /// last point. `class` is 0 for one question. Empty for a class there is not, and where a score is NaN.
    pub fn curve(&self, class: usize) -> Vec<CurvePoint> {
        self.0.curve(class)
    }

    /// Its name in reports: `roc_auc`.
    pub fn name(&self) -> &str {
        "roc_auc"
    }

    /// Forgets all samples, and keeps the memory.
    pub fn reset(&mut self) {
        self.0.reset();
    }
}

impl Default for RocAuc {
    fn default() -> Self {
        RocAuc::new()
    }
}

impl<T: Real> Metric<T, [usize]> for RocAuc {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        self.0.update_labels(predictions, targets, weights)
    }
}

impl<T: Real> Metric<T, ArrayRefD<T>> for RocAuc {
    own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &ArrayRefD<T>, weights: Option<&[f64]>) -> Result<()> {
        self.0.update_numbers(predictions, targets, weights)
    }
}
