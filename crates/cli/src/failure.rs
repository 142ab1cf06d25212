//! How the program fails: one line, and an exit code that tells whose turn it is.

use gradwise::core::Error as CoreError;
use gradwise::data::DataError;
use gradwise::train::TrainError;
use std::process::ExitCode;

/// Why the program ends without having done what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command or the data cannot be used: code 2.
    Usage(String),
    /// Training failed: code 1.
    Training(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Usage(_) => ExitCode::from(2),
            Failure::Training(_) => ExitCode::from(1),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Usage(text) | Failure::Training(text) => f.write_str(text),
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Failure::Usage(error.to_string())
    }
}

impl From<CoreError> for Failure {
    fn from(error: CoreError) -> Self {
        match error.cause() {
            // An option that a constructor refused: it came from the command line.
            CoreError::Value { .. } => Failure::Usage(error.to_string()),
            _ => Failure::Training(error.to_string()),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Core(error) => error.into(),
            TrainError::Data(error) => error.into(),
            TrainError::Value { .. } | TrainError::Io { .. } => Failure::Usage(error.to_string()),
            error => Failure::Training(error.to_string()),
        }
    }
}
