//! Whether a net is as often right as it says.

use crate::batch::{Weights, own_methods, scores};
use crate::binary::yes_or_no;
use crate::confusion::ratio;
use gradwise_core::{ArrayRefD, Error, Metric, Real, Result};

/// The expected calibration error: by how much confidence and accuracy differ, `Σ_b w_b |acc(b) − conf(b)| / Σ_b w_b` over bins of equal
/// width.
///
/// Use it where probabilities are acted upon. Predictions `[N, classes]` with class indices are judged by their most probable class: its
/// probability is the confidence, and it is right or wrong. Predictions `[N]` or `[N, 1]` with targets 0 and 1 are judged as the
/// probability of a yes, against the share of yeses. A confidence of `c` falls into bin `⌈c · n⌉` of `n`, so that bins are closed above
/// (and the first below, too). Source: Guo, Pleiss, Sun and Weinberger, *On calibration of modern neural networks*, ICML 2017 (15 bins).
/// The value depends on the number of bins, and with few samples it is too large on average: compare at equal numbers.
///
/// ```
/// use gradwise_metrics::{CalibrationError, Metric};
/// use ndarray::array;
///
/// let mut error = CalibrationError::on_probabilities(10)?;
/// // Four times 75 % sure, and right twice.
/// let sure = array![[0.75, 0.25], [0.75, 0.25], [0.75, 0.25], [0.25, 0.75]].into_dyn();
/// error.update(&sure, &[0, 1, 0, 0][..], None)?;
/// assert_eq!(error.value(), 0.25);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationError {
    logits: bool,
    largest: bool,
    bins: Vec<Bin>,
}

/// A bin of confidences.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
struct Bin {
    weight: f64,
    /// `Σ w · confidence`
    confidence: f64,
    /// `Σ w · right`
    right: f64,
}

/// A bin of a reliability diagram: see [`CalibrationError::bins`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationBin {
    /// The weight of the samples in it.
    pub weight: f64,
    /// Their mean confidence; NaN where there are none.
    pub confidence: f64,
    /// The share of them that is right; NaN where there are none.
    pub accuracy: f64,
}

const OP: &str = "calibration error";

impl CalibrationError {
    /// For predictions that are logits, over `n_bins` bins.
    ///
    /// # Errors
    /// If there are none.
    pub fn on_logits(n_bins: usize) -> Result<Self> {
        Self::new(n_bins, true)
    }

    /// For predictions that are probabilities, over `n_bins` bins.
    ///
    /// # Errors
    /// If there are none.
    pub fn on_probabilities(n_bins: usize) -> Result<Self> {
        Self::new(n_bins, false)
    }

    fn new(n_bins: usize, logits: bool) -> Result<Self> {
        if n_bins == 0 || n_bins > Self::MOST_BINS {
            let expected = format!("at least 1 and at most {}", Self::MOST_BINS);
            return Err(Error::value("calibration error: bins", expected, n_bins));
        }
        Ok(CalibrationError { logits, largest: false, bins: vec![Bin::default(); n_bins] })
    }

    /// The most bins there may be. With more, hardly a bin holds two samples.
    pub const MOST_BINS: usize = 1 << 16;

    /// The largest difference of a bin instead of the mean one: the maximum calibration error of Guo et al.
    #[must_use]
    pub fn largest(self) -> Self {
        CalibrationError { largest: true, ..self }
    }

    /// The error so far, in `[0, 1]`; NaN before the first sample, and where a logit is.
    pub fn value(&self) -> f64 {
        if self.bins.iter().any(|bin| bin.confidence.is_nan()) {
            return f64::NAN;
        }
        let gaps =
            self.bins.iter().filter(|bin| bin.weight > 0.0).map(|bin| (bin.right - bin.confidence).abs() / bin.weight);
        if self.largest {
            return gaps.fold(f64::NAN, f64::max);
        }
        let total: f64 = self.bins.iter().map(|bin| bin.weight).sum();
        ratio(self.bins.iter().map(|bin| (bin.right - bin.confidence).abs()).sum(), total)
    }

    /// The bins, from the least confidence to the greatest: a reliability diagram.
    pub fn bins(&self) -> impl Iterator<Item = CalibrationBin> {
        self.bins.iter().map(|bin| CalibrationBin {
            weight: bin.weight,
            confidence: ratio(bin.confidence, bin.weight),
            accuracy: ratio(bin.right, bin.weight),
        })
    }

    /// Its name in reports: `calibration_error`.
    pub fn name(&self) -> &str {
        if self.largest { "max_calibration_error" } else { "calibration_error" }
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.bins.fill(Bin::default());
    }

    fn add(&mut self, confidence: f64, right: bool, weight: f64) {
        if weight == 0.0 {
            return;
        }
        // The cast takes what is below 0, and NaN, to 0.
        let n = self.bins.len();
        let bin = (confidence * n as f64).ceil() as usize;
        let bin = &mut self.bins[bin.clamp(1, n) - 1];
        bin.weight += weight;
        bin.confidence += weight * confidence;
        bin.right += weight * f64::from(right);
    }
}

/// Refuses what is no probability, telling where it stands. A little above 1 is rounding.
fn check_probabilities<T: Real>(op: &'static str, predictions: &ArrayRefD<T>) -> Result<()> {
    let bad = predictions.iter().enumerate().find(|(_, p)| !(-1e-6..=1.0 + 1e-6).contains(&p.as_f64()));
    match bad {
        Some((i, p)) => Err(Error::value(op, "probabilities in [0, 1]", format!("{p} at position {i}"))),
        None => Ok(()),
    }
}

/// `1 / (1 + e⁻ᶻ)`.
fn sigmoid(z: f64) -> f64 {
    (1.0 + (-z).exp()).recip()
}

impl<T: Real> Metric<T, [usize]> for CalibrationError {
    own_methods!();

    /// Also refuses probabilities outside `[0, 1]`.
    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &[usize], weights: Option<&[f64]>) -> Result<()> {
        let n = targets.len();
        let weights = Weights::new(OP, n, weights)?;
        if matches!(predictions.shape(), [rows] | [rows, 1] if *rows == n) {
            yes_or_no(OP, targets)?;
            if !self.logits {
                check_probabilities(OP, predictions)?;
            }
            for (i, (p, &target)) in predictions.iter().zip(targets).enumerate() {
                let p = p.as_f64();
                self.add(if self.logits { sigmoid(p) } else { p }, target == 1, weights.of(i));
            }
            return Ok(());
        }
        let scores = scores(OP, predictions, targets)?;
        if !self.logits {
            check_probabilities(OP, predictions)?;
        }
        for (i, (row, &target)) in scores.outer_iter().zip(targets).enumerate() {
            let mut best = (0, f64::NEG_INFINITY);
            for (class, score) in row.iter().enumerate() {
                let score = score.as_f64();
                if score > best.1 {
                    best = (class, score);
                }
            }
            let confidence = if self.logits {
                // A NaN goes through the sum.
                row.iter().map(|z| (z.as_f64() - best.1).exp()).sum::<f64>().recip()
            } else {
                best.1
            };
            self.add(confidence, best.0 == target, weights.of(i));
        }
        Ok(())
    }
}
