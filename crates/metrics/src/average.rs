//! How the values of several classes become one.

/// How the values of several classes become one, for [`Precision`](crate::Precision), [`Recall`](crate::Recall),
/// [`FScore`](crate::FScore), [`RocAuc`](crate::RocAuc) and [`PrAuc`](crate::PrAuc); the same words as scikit-learn's.
///
/// ```
/// use gradwise_metrics::{Average, Confusion};
///
/// // Ten samples of class 0, all recognized, and one of class 1, which was not.
/// let mut confusion = Confusion::new(2)?;
/// confusion.update_classes(&[0; 11], &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], None)?;
/// assert_eq!(confusion.recall_by(Average::Macro), 0.5);
/// assert_eq!(confusion.recall_by(Average::Micro), 10.0 / 11.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Average {
    /// All decisions are counted together: frequent classes decide.
    Micro,
    /// The mean over classes, each of which counts the same: rare classes matter as much as frequent ones.
    Macro,
    /// The mean over classes, each of which counts as its samples weigh.
    Weighted,
}
