//! What can go wrong in a training run.

use gradwise_core::Error as CoreError;
use gradwise_data::DataError;
use std::path::{Path, PathBuf};

/// The result of everything in this crate.
pub type Result<T, E = TrainError> = std::result::Result<T, E>;

/// An error of a step, a loop, a run folder or a file of weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A layer, the loss or the optimizer refused something; the message tells the layer's path.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The data could not be read or do not fit.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A step met a number that is not finite. The model is as it was before the step.
    #[error("step {step}: {source}")]
    Diverged {
        /// The step, from 0.
        step: u64,
        /// The first operation that made such a number, with its layer's path.
        #[source]
        source: CoreError,
    },
    /// The operating system refused to open, read or write a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of weights does not fit the model, or is not one.
    #[error("{}: expected {expected}, got {got}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What the model needs.
        expected: String,
        /// What the file holds.
        got: String,
    },
    /// An option outside its range.
    #[error("{what}: expected {expected}, got {got}")]
    Value {
        /// The place and the option, such as `fit: epochs`.
        what: &'static str,
        /// The range, in words.
        expected: String,
        /// The value given.
        got: String,
    },
}

impl TrainError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| TrainError::Io { path: path.to_owned(), source }
    }

    pub(crate) fn value(what: &'static str, expected: &str, got: impl std::fmt::Display) -> Self {
        TrainError::Value { what, expected: expected.to_owned(), got: got.to_string() }
    }
}
