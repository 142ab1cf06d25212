//! Prechelt's three classes of stopping criteria.
//!
//! All judge the loss on held-out data against what it was before. Source: Prechelt, *Early stopping - but when?*, 1998; how to choose
//! among them: *Automatic early stopping using cross validation: quantifying the criteria*, 1998. Slower criteria (a larger α, more
//! strips) find slightly better minima on average and take much longer.

use super::{Criterion, Decision, Progress};
use crate::check;
use gradwise_core::{Error, Result};

/// `100 (loss / best − 1)`: by how many per cent a loss is above the best. Infinite for one that is not finite, or where the best is not
/// above 0, of which there are no per cents.
fn generalization_loss(best: Option<f64>, loss: f64) -> f64 {
    match best {
        Some(best) if loss <= best => 0.0,
        Some(best) if best > 0.0 && loss.is_finite() => 100.0 * (loss / best - 1.0),
        Some(_) => f64::INFINITY,
        None => 0.0,
    }
}

/// GL_α: stops as soon as the held-out loss is more than α per cent above its minimum:
/// `GL(t) = 100 (E_va(t) / min_{t' ≤ t} E_va(t') − 1) > α`.
///
/// Use it where the held-out loss is smooth and time matters; α is 1 to 5 in the paper. Losses must be positive.
///
/// ```
/// use gradwise_regularize::{Decision::*, GeneralizationLoss};
///
/// let mut criterion = GeneralizationLoss::new(5.0)?;
/// let decisions = [2.0, 1.0, 1.04, 1.06].map(|loss| criterion.update(loss));
/// assert_eq!(decisions, [Improved, Improved, Wait(1), Stop]);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct GeneralizationLoss {
    alpha: f64,
    progress: Progress,
}

impl GeneralizationLoss {
    /// Stops at more than `alpha` per cent above the minimum.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(alpha: f64) -> Result<Self> {
        let alpha = check::not_negative("generalization loss: alpha", alpha)?;
        Ok(GeneralizationLoss { alpha, progress: Progress::default() })
    }

    /// Takes a loss on held-out data in.
    pub fn update(&mut self, held_out: f64) -> Decision {
        if self.progress.note(held_out) {
            Decision::Improved
        } else if generalization_loss(self.progress.best, held_out) > self.alpha {
            Decision::Stop
        } else {
            Decision::Wait(self.progress.waited)
        }
    }

    /// Where it stands.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Goes on from where another one, with the same options, stood.
    pub fn resume(&mut self, progress: Progress) {
        self.progress = progress;
    }
}

/// The losses of an epoch on both parts of the data.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Losses {
    /// On the held-out part.
    pub held_out: f64,
    /// On the training part.
    pub train: f64,
}

/// Where a criterion that judges strips of `k` epochs stands.
#[derive(Clone, PartialEq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StripProgress {
    /// Over all epochs.
    pub progress: Progress,
    /// The losses of the present strip: training losses for [`ProgressQuotient`], held-out ones for [`RisingStrips`].
    pub strip: Vec<f64>,
    /// The held-out loss at the end of the strip before, if there was one.
    pub last: Option<f64>,
    /// How many strips in a row have ended higher than the one before.
    pub rises: u64,
}

/// PQ_α: stops at the end of a strip of `k` epochs if the held-out loss has risen much for how little the training loss still falls:
/// `GL(t) / P_k(t) > α`, where `P_k(t) = 1000 (Σ_strip E_tr / (k · min_strip E_tr) − 1)`.
///
/// Use it where overfitting begins while the net still learns fast, and may turn back; α is 0.5 to 3 and `k` is 5 in the paper. Losses
/// must be positive. Training that stands still (`P_k = 0`) stops as soon as the held-out loss is above its minimum.
///
/// ```
/// use gradwise_regularize::{Decision::*, Losses, ProgressQuotient};
///
/// let mut criterion = ProgressQuotient::new(1.0, 2)?;
/// let mut update = |held_out, train| criterion.update(Losses { held_out, train });
/// assert_eq!((update(1.0, 1.0), update(1.1, 0.8)), (Improved, Wait(1))); // 10 per cent up, but progress is 125
/// assert_eq!((update(1.1, 0.8), update(1.2, 0.79)), (Wait(2), Stop)); // 20 per cent up, and progress is 6.3
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct ProgressQuotient {
    alpha: f64,
    k: usize,
    state: StripProgress,
}

impl ProgressQuotient {
    /// Stops at a quotient above `alpha` at the end of a strip of `k` epochs.
    ///
    /// # Errors
    /// If `alpha` is negative or not finite, or `k` is 0.
    pub fn new(alpha: f64, k: usize) -> Result<Self> {
        let alpha = check::not_negative("progress quotient: alpha", alpha)?;
        let k = strip_length("progress quotient: strip length", k)?;
        Ok(ProgressQuotient { alpha, k, state: StripProgress::default() })
    }

    /// Takes the losses of an epoch in.
    pub fn update(&mut self, losses: Losses) -> Decision {
        let StripProgress { progress, strip, .. } = &mut self.state;
        let improved = progress.note(losses.held_out);
        strip.push(losses.train);
        let mut stop = false;
        if strip.len() >= self.k {
            let least = strip.iter().copied().fold(f64::INFINITY, f64::min);
            let mean = strip.iter().sum::<f64>() / strip.len() as f64;
            // A loss that is not finite, or not above 0, is a sign that training is not settling: progress without bounds.
            let quotient = if least > 0.0 && mean.is_finite() { mean / least } else { f64::INFINITY };
            let loss = generalization_loss(progress.best, losses.held_out);
            // Not as a quotient, which has no value where both are 0.
            stop = loss > self.alpha * 1000.0 * (quotient - 1.0) && loss > 0.0;
            strip.clear();
        }
        match (stop, improved) {
            (true, _) => Decision::Stop,
            (_, true) => Decision::Improved,
            _ => Decision::Wait(progress.waited),
        }
    }

    /// Where it stands: what [`ProgressQuotient::resume`] goes on from.
    pub fn state(&self) -> &StripProgress {
        &self.state
    }

    /// Goes on from where another one, with the same options, stood.
    pub fn resume(&mut self, state: StripProgress) {
        self.state = state;
    }
}

/// UP_s: stops when the held-out loss has risen in `s` strips of `k` epochs in a row, by however little.
///
/// Use it where the size of a rise means nothing, as on a noisy loss: it asks for the direction only. `s` is 2 to 8 and `k` is 5 in the
/// paper. A strip that ends with a loss that is not finite has risen.
///
/// ```
/// use gradwise_regularize::{Decision::*, RisingStrips};
///
/// let mut criterion = RisingStrips::new(2, 2)?;
/// let decisions = [3.0, 1.0, 9.0, 1.1, 0.5, 1.2].map(|loss| criterion.update(loss));
/// assert_eq!(decisions, [Improved, Improved, Wait(1), Wait(2), Improved, Stop]);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct RisingStrips {
    strips: u64,
    k: usize,
    state: StripProgress,
}

impl RisingStrips {
    /// Stops at `strips` rises in a row, over strips of `k` epochs.
    ///
    /// # Errors
    /// If one of them is 0.
    pub fn new(strips: u64, k: usize) -> Result<Self> {
        if strips == 0 {
            return Err(Error::value("rising strips: strips", "at least 1", strips));
        }
        let k = strip_length("rising strips: strip length", k)?;
        Ok(RisingStrips { strips, k, state: StripProgress::default() })
    }

    /// Takes a loss on held-out data in.
    pub fn update(&mut self, held_out: f64) -> Decision {
        let StripProgress { progress, strip, last, rises } = &mut self.state;
        let improved = progress.note(held_out);
        strip.push(held_out);
        let mut stop = false;
        if strip.len() >= self.k {
            // A NaN is greater and less than nothing, so whether a loss is finite is asked for itself.
            let rose = last.is_some_and(|last| held_out > last || !held_out.is_finite());
            *rises = if rose { *rises + 1 } else { 0 };
            *last = Some(held_out);
            stop = *rises >= self.strips;
            strip.clear();
        }
        match (stop, improved) {
            (true, _) => Decision::Stop,
            (_, true) => Decision::Improved,
            _ => Decision::Wait(progress.waited),
        }
    }

    /// Where it stands: what [`RisingStrips::resume`] goes on from.
    pub fn state(&self) -> &StripProgress {
        &self.state
    }

    /// Goes on from where another one, with the same options, stood.
    pub fn resume(&mut self, state: StripProgress) {
        self.state = state;
    }
}

fn strip_length(what: &'static str, k: usize) -> Result<usize> {
    if k == 0 { Err(Error::value(what, "at least 1", k)) } else { Ok(k) }
}

impl Criterion for GeneralizationLoss {
    type Reading = f64;
    fn update(&mut self, held_out: f64) -> Decision {
        self.update(held_out)
    }
    fn progress(&self) -> &Progress {
        &self.progress
    }
}

impl Criterion for ProgressQuotient {
    type Reading = Losses;
    fn update(&mut self, losses: Losses) -> Decision {
        self.update(losses)
    }
    fn progress(&self) -> &Progress {
        &self.state.progress
    }
}

impl Criterion for RisingStrips {
    type Reading = f64;
    fn update(&mut self, held_out: f64) -> Decision {
        self.update(held_out)
    }
    fn progress(&self) -> &Progress {
        &self.state.progress
    }
}
