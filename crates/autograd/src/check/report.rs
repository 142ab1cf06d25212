//! What a check found.

use gradwise_core::Error;

/// A check that passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How many derivatives were compared: directions and entries.
    pub compared: usize,
    /// The largest relative difference among them, beyond what rounding alone may have done.
    pub worst: f64,
}

impl Report {
    pub(super) fn merge(self, other: Report) -> Report {
        Report { compared: self.compared + other.compared, worst: self.worst.max(other.worst) }
    }
}

/// Why a check did not pass.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The function itself returned an error.
    #[error(transparent)]
    Function(#[from] Error),
    /// A gradient has another shape than its input.
    #[error("gradient of {input}: expected shape {expected:?}, got {got:?}")]
    Shape {
        /// The input, by number or by the parameter's path.
        input: String,
        /// Its shape.
        expected: Vec<usize>,
        /// The shape of its gradient.
        got: Vec<usize>,
    },
    /// One entry of a gradient differs from the central difference.
    #[error(
        "gradient of {input} at {index:?}: got {got:e}, central differences give {expected:e} \
         (relative difference {relative:.1e}); {wrong} of {checked} entries checked differ"
    )]
    Entry {
        /// The input, by number or by the parameter's path.
        input: String,
        /// The entry that differs most.
        index: Vec<usize>,
        /// The derivative by central differences.
        expected: f64,
        /// The derivative given.
        got: f64,
        /// Their relative difference.
        relative: f64,
        /// How many entries differ.
        wrong: usize,
        /// How many were checked.
        checked: usize,
    },
    /// The derivative along a random direction differs, though no single entry that was checked does.
    #[error(
        "gradient of {input} along a random direction: got {got:e}, central differences give {expected:e} \
         (relative difference {relative:.1e})"
    )]
    Direction {
        /// The input, by number or by the parameter's path.
        input: String,
        /// The derivative by central differences.
        expected: f64,
        /// The derivative given.
        got: f64,
        /// Their relative difference.
        relative: f64,
    },
    /// The function's values are so large that rounding hides its derivative: nothing can be said of the gradient.
    ///
    /// A larger [`step`](super::Check::step) helps, or a smaller function: fewer outputs, or inputs of moderate size.
    #[error(
        "gradient of {input}: got {got:e}, central differences give {expected:e}, of which rounding may be {noise:.1e}: \
         choose a larger step, or inputs whose values are smaller"
    )]
    Noise {
        /// The input, by number or by the parameter's path.
        input: String,
        /// The derivative by central differences.
        expected: f64,
        /// The derivative given.
        got: f64,
        /// The error that rounding may have made in `expected`.
        noise: f64,
    },
    /// An operation breaks the contract of `Op`.
    #[error("{op} breaks the contract of Op: {what}")]
    Contract {
        /// The operation.
        op: &'static str,
        /// What it does or fails to do.
        what: String,
    },
}
