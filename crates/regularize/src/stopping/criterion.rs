//! What a stopping criterion is.

/// What to do after a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Decision {
    /// Go on: it is the best value so far, by enough to count.
    Improved,
    /// Go on: so many values in a row have not improved.
    Wait(u64),
    /// Stop.
    Stop,
}

/// Where a criterion stands: everything that its next decision depends on besides its options, for most of them.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Progress {
    /// Values seen, those that were too early to judge included.
    pub updates: u64,
    /// Values in a row that did not improve.
    pub waited: u64,
    /// The best value, if there was one.
    pub best: Option<f64>,
    /// Which value that was, counted from 0.
    pub best_at: Option<u64>,
}

impl Progress {
    /// Takes a loss in. Returns whether it is the least so far; one that is not finite never is.
    pub(crate) fn note(&mut self, loss: f64) -> bool {
        let at = self.updates;
        self.updates += 1;
        let improves = loss.is_finite() && self.best.is_none_or(|best| loss < best);
        if improves {
            (self.best, self.best_at, self.waited) = (Some(loss), Some(at), 0);
        } else {
            self.waited += 1;
        }
        improves
    }
}

/// A judge of how training goes, who says when to stop; [`EarlyStopping`](crate::EarlyStopping) keeps the best weights for it.
///
/// # Contract
/// - [`Criterion::update`] is called once for each reading, in order, and counts it in [`Progress::updates`].
/// - [`Progress::best_at`] tells which reading the weights should be taken from. It is the number of the present reading if, and only
///   if, that is the best one so far.
///
/// ```
/// use gradwise_regularize::{Criterion, Decision, EarlyStopping, Param, Progress, ndarray::arr1};
///
/// /// Stops as soon as a loss is good enough.
/// struct GoodEnough { loss: f64, progress: Progress }
///
/// impl Criterion for GoodEnough {
///     type Reading = f64;
///     fn update(&mut self, loss: f64) -> Decision {
///         self.progress.best_at = Some(self.progress.updates);
///         self.progress.updates += 1;
///         if loss <= self.loss { Decision::Stop } else { Decision::Improved }
///     }
///     fn progress(&self) -> &Progress { &self.progress }
/// }
///
/// let model = Param::new(arr1(&[1.0_f32]));
/// let mut stopping = EarlyStopping::with(GoodEnough { loss: 0.1, progress: Progress::default() });
/// assert_eq!(stopping.update(0.2, &model), Decision::Improved);
/// assert_eq!(stopping.update(0.1, &model), Decision::Stop);
/// ```
pub trait Criterion {
    /// What it judges by: a loss on held-out data (`f64`), or more.
    type Reading;

    /// Takes a reading in.
    fn update(&mut self, reading: Self::Reading) -> Decision;

    /// Where it stands.
    fn progress(&self) -> &Progress;
}

impl<C: Criterion + ?Sized> Criterion for Box<C> {
    type Reading = C::Reading;
    fn update(&mut self, reading: Self::Reading) -> Decision {
        (**self).update(reading)
    }
    fn progress(&self) -> &Progress {
        (**self).progress()
    }
}
