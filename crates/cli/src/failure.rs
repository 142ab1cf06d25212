//! How the program fails: one line, and an exit code that tells whose turn it is.

use gradwise::core::Error as CoreError;
use gradwise::data::DataError;
use gradwise::recipe::{Problem, RecipeError};
use gradwise::train::TrainError;
use std::io::ErrorKind;
use std::process::ExitCode;

/// Why the program ends without having done what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Training failed, as when the loss stopped being finite: code 1.
    Training(String),
    /// The command cannot be used: an option out of its range, a folder that is not there. Code 2, as that of an unknown option.
    Usage(String),
    /// The data cannot be used: files that are missing, damaged, or do not fit each other or the network. Code 3.
    Data(String),
    /// The results cannot be written: a run folder, a full disk. Code 4.
    Output(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Training(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Data(_) => 3,
            Failure::Output(_) => 4,
        })
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Training(text) | Failure::Usage(text) | Failure::Data(text) | Failure::Output(text) => {
                f.write_str(text)
            }
        }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        let text = error.to_string();
        match error {
            // A size of a batch, a fraction of a split; a path of the command line that leads nowhere.
            DataError::Value { .. } => Failure::Usage(text),
            DataError::Io { source, .. } if is_nowhere(source.kind()) => Failure::Usage(text),
            DataError::Core(error) => error.into(),
            _ => Failure::Data(text),
        }
    }
}

/// Whether a path names nothing that could be read: the command is wrong, not the data.
fn is_nowhere(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// What a constructor refused, before training.
impl From<CoreError> for Failure {
    fn from(error: CoreError) -> Self {
        match error.cause() {
            // Images too small for the network are no option.
            CoreError::Value { what: "conv_net: input", .. } => Failure::Data(error.to_string()),
            // An option: it came from the command line.
            CoreError::Value { .. } => Failure::Usage(error.to_string()),
            _ => Failure::Training(error.to_string()),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Data(error) => error.into(),
            TrainError::Value { .. } => Failure::Usage(error.to_string()),
            TrainError::Io { ref source, .. } if source.kind() == ErrorKind::AlreadyExists => {
                Failure::Usage(error.to_string())
            }
            // The program reads nothing but data, so what the system refused is a file of the run.
            TrainError::Io { .. } => Failure::Output(error.to_string()),
            error => Failure::Training(error.to_string()),
        }
    }
}

/// A recipe that cannot be used is a command that cannot be used; training that fails and files that cannot be read are what they are.
impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        let text = error.to_string();
        match error.problem() {
            Problem::Train(TrainError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {
                Failure::Usage(text)
            }
            Problem::Train(TrainError::Io { .. }) => Failure::Output(text),
            Problem::Train(TrainError::Core(_) | TrainError::Diverged { .. }) => Failure::Training(text),
            Problem::Data(DataError::Value { .. }) => Failure::Usage(text),
            Problem::Data(DataError::Io { source, .. }) if is_nowhere(source.kind()) => Failure::Usage(text),
            Problem::Data(_) | Problem::Train(TrainError::Data(_)) => Failure::Data(text),
            _ => Failure::Usage(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Error as IoError;
    use std::path::Path;

    #[test]
    fn each_kind_of_failure_has_its_code() {
        let at = Path::new("here");
        let io = |kind| DataError::io(at, IoError::from(kind));
        let core = || CoreError::shape("conv2d", "[N, 1, 8, 8]", &[2]);
        let cases: [(Failure, fn(String) -> Failure); 10] = [
            (io(ErrorKind::NotFound).into(), Failure::Usage),
            (io(ErrorKind::PermissionDenied).into(), Failure::Data),
            (DataError::value("batches: batch size", "at least 1", 0).into(), Failure::Usage),
            (DataError::Other("?".into()).into(), Failure::Data),
            (DataError::Core(CoreError::value("adam: beta", "below 1", 1)).into(), Failure::Usage),
            (CoreError::value("conv_net: input", "a larger image", "4 x 4").into(), Failure::Data),
            (core().into(), Failure::Training),
            (TrainError::Core(core()).into(), Failure::Training),
            (TrainError::Data(io(ErrorKind::PermissionDenied)).into(), Failure::Data),
            (
                TrainError::Io { path: at.to_owned(), source: IoError::from(ErrorKind::NotFound) }.into(),
                Failure::Output,
            ),
        ];
        for (failure, expected) in cases {
            assert_eq!(failure, expected(failure.to_string()));
        }
    }
}
