//! What can go wrong with a report.

use std::path::{Path, PathBuf};

/// The result of everything in this crate.
pub type Result<T, E = ReportError> = std::result::Result<T, E>;

/// A run that cannot be read, or a picture that cannot be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The operating system refused to open, read or write a file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A folder that holds no run.
    #[error("{}: expected the folder of a run, got {got}", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// What is there.
        got: String,
    },
    /// A file of a run that is not as the format says.
    #[error("{}:{line}: expected {expected}, got {got}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the format says.
        expected: String,
        /// What the file says.
        got: String,
    },
    /// A comparison of no runs.
    #[error("report: expected at least one run, got none")]
    NoRuns,
    /// A figure that could not be drawn.
    #[error("figure {figure}: {message}")]
    Drawing {
        /// Its name.
        figure: String,
        /// What the drawing library said.
        message: String,
    },
}

impl ReportError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| ReportError::Io { path: path.to_owned(), source }
    }

    pub(crate) fn format(path: &Path, line: usize, expected: impl Into<String>, got: impl Into<String>) -> Self {
        ReportError::Format { path: path.to_owned(), line, expected: expected.into(), got: got.into() }
    }
}
