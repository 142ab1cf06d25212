//! What is gained and paid as the threshold falls.

/// What is a yes at or above a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// The threshold: one of the scores; infinite for the first point, where nothing is a yes.
    pub threshold: f64,
    /// The weight of yeses that are right.
    pub true_positives: f64,
    /// The weight of yeses that are wrong.
    pub false_positives: f64,
}

/// One answer: its score, whether it should be a yes, and its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) score: f64,
    pub(super) positive: bool,
    pub(super) weight: f64,
}

/// The points of all thresholds that differ, from the highest on; none if a score is NaN. Answers of one score come in together: their
/// order says nothing.
pub(super) fn curve(mut answers: Vec<Answer>) -> Vec<CurvePoint> {
    if answers.iter().any(|answer| answer.score.is_nan()) {
        return Vec::new();
    }
    answers.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    let mut points = vec![CurvePoint { threshold: f64::INFINITY, true_positives: 0.0, false_positives: 0.0 }];
    let (mut true_positives, mut false_positives) = (0.0, 0.0);
    // By `==`, which takes 0 and -0 for one threshold, though the order does not.
    for same in answers.chunk_by(|a, b| a.score == b.score) {
        // Sums of positives and negatives apart, so that equal scores may stand in any order.
        let sum = |positive| same.iter().filter(|a| a.positive == positive).map(|a| a.weight).sum::<f64>();
        true_positives += sum(true);
        false_positives += sum(false);
        points.push(CurvePoint { threshold: same[0].score, true_positives, false_positives });
    }
    points
}

/// The area under the receiver operating characteristic; NaN where there are no positives, or no negatives.
pub(super) fn roc_area(points: &[CurvePoint]) -> f64 {
    let area = |pair: &[CurvePoint]| {
        let [a, b] = [pair[0], pair[1]];
        (b.false_positives - a.false_positives) * 0.5 * (a.true_positives + b.true_positives)
    };
    let area: f64 = points.windows(2).map(area).sum();
    points.last().map_or(f64::NAN, |last| area / (last.true_positives * last.false_positives))
}

/// The area under precision against recall: by steps (average precision), or by straight lines. NaN where there are no positives.
pub(super) fn pr_area(points: &[CurvePoint], lines: bool) -> f64 {
    // Before the first yes, precision has no value; it is taken for 1.
    let precision = |p: &CurvePoint| {
        let yeses = p.true_positives + p.false_positives;
        if yeses == 0.0 { 1.0 } else { p.true_positives / yeses }
    };
    let area = |pair: &[CurvePoint]| {
        let height = if lines { 0.5 * (precision(&pair[0]) + precision(&pair[1])) } else { precision(&pair[1]) };
        (pair[1].true_positives - pair[0].true_positives) * height
    };
    let area: f64 = points.windows(2).map(area).sum();
    points.last().map_or(f64::NAN, |last| area / last.true_positives)
}
