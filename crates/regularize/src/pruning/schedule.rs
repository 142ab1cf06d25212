//! How sparse to be when.

use crate::check;
use gradwise_core::{Error, Result, flip};
use std::ops::Range;

/// A sparsity that rises fast at first, while there is much to remove, and slowly towards the end:
/// `s(t) = s_f + (s_i − s_f) (1 − (t − t₀) / (t₁ − t₀))³`.
///
/// Before `t₀` nothing is pruned, from `t₁` on the sparsity stays at `s_f`. Between them weights are removed every so many steps only,
/// so that the others have time to make up for what was lost. Source: Zhu and Gupta, *To prune, or not to prune: exploring the
/// efficacy of pruning for model compression*, 2017, eq. 1 (with `t₁ = t₀ + n Δt`).
///
/// ```
/// use gradwise_regularize::SparsitySchedule;
///
/// let schedule = SparsitySchedule::new(0.0, 0.8, 100..300, 50)?;
/// assert_eq!((schedule.at(0), schedule.at(200), schedule.at(1000)), (0.0, 0.8 - 0.8 / 8.0, 0.8));
/// let due: Vec<u64> = (0..1000).filter(|&step| schedule.is_due(step)).collect();
/// assert_eq!(due, [100, 150, 200, 250, 300]);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct SparsitySchedule {
    initial: f64,
    last: f64,
    steps: Range<u64>,
    every: u64,
}

impl SparsitySchedule {
    /// From the share `initial` of removed weights at the first step of a range to `last` at its end, a new mask every `every` steps.
    ///
    /// # Errors
    /// If a share is not in `[0, 1]`, they fall, the range is empty, or `every` is 0.
    pub fn new(initial: f64, last: f64, steps: Range<u64>, every: u64) -> Result<Self> {
        let initial = check::share("sparsity schedule: initial sparsity", initial)?;
        let last = check::share("sparsity schedule: final sparsity", last)?;
        if last < initial {
            let expected = format!("at least the initial one, {initial}");
            return Err(Error::value("sparsity schedule: final sparsity", expected, last));
        }
        if steps.is_empty() {
            let got = format!("{}..{}", steps.start, steps.end);
            return Err(Error::value("sparsity schedule: steps", "a range with at least one step", got));
        }
        if every == 0 {
            return Err(Error::value("sparsity schedule: steps between masks", "at least 1", every));
        }
        Ok(SparsitySchedule { initial, last, steps, every })
    }

    /// The sparsity at a step.
    pub fn at(&self, step: u64) -> f64 {
        if step < self.steps.start {
            return 0.0;
        }
        if step >= self.steps.end {
            return self.last;
        }
        let left = (self.steps.end - step) as f64 / (self.steps.end - self.steps.start) as f64;
        self.last + (self.initial - self.last) * flip!("sparsity/cube", left.powi(3))
    }

    /// Whether weights are to be removed at a step: at the first of the range, every so many after it, and at its end.
    pub fn is_due(&self, step: u64) -> bool {
        let Range { start, end } = self.steps;
        step == end || (start..end).contains(&step) && (step - start).is_multiple_of(self.every)
    }
}
