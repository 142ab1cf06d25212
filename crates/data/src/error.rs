//! What can go wrong with data, in words a user can act on.

use std::io;
use std::path::Path;

/// The result of everything in this crate.
pub type Result<T, E = DataError> = std::result::Result<T, E>;

/// An error of a reader, a data set, a split, a loader or a scaler.
///
/// Messages are fragments that name the place (for a file: its path and the byte), what was expected and what was there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system refused to open, read or write a file.
    #[error("{}{source}", prefix(.path))]
    Io {
        /// The file or folder; empty where it is not known.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// None of the files that were looked for is in the folder.
    #[error("{folder}: expected a file named {expected}, got none of that name")]
    Missing {
        /// The folder.
        folder: String,
        /// The names that would have done.
        expected: String,
    },
    /// A file's content is not what its format allows.
    #[error("{file}: at byte {offset}: expected {expected}, got {got}")]
    Format {
        /// The file, or the name the caller gave to the bytes.
        file: String,
        /// Where in the content it was found, from 0; for a packed file, in the content after unpacking.
        offset: u64,
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// A field of a table is not what its column holds.
    #[error("{file}: line {line}, column {column}: expected {expected}, got {got}")]
    Field {
        /// The file, or the name the caller gave to the text.
        file: String,
        /// The line, from 1, in which the row begins.
        line: u64,
        /// The name of the column, or its number from 1 where it has none.
        column: String,
        /// What should be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Two files that belong together hold different numbers of samples.
    #[error("{labels}: expected {expected} labels, one for each image of {images}, got {got}")]
    LabelCount {
        /// The file of the images.
        images: String,
        /// The file of the labels.
        labels: String,
        /// How many images there are.
        expected: usize,
        /// How many labels there are.
        got: usize,
    },
    /// There is not enough memory for what a file holds.
    #[error("{file}: expected memory for {bytes} more bytes, got none")]
    Memory {
        /// The file.
        file: String,
        /// What was asked for.
        bytes: u64,
    },
    /// An option or a value outside its range.
    #[error("{what}: expected {expected}, got {got}")]
    Value {
        /// The place and the option, such as `batches: batch size`.
        what: &'static str,
        /// The range, in words.
        expected: String,
        /// The value given.
        got: String,
    },
    /// An array has another shape than is needed.
    #[error("{what}: expected {expected}, got shape {got:?}")]
    Shape {
        /// The place.
        what: &'static str,
        /// What it takes, in words or as a shape.
        expected: String,
        /// The shape it was given.
        got: Vec<usize>,
    },
    /// A label or the index of a sample lies outside what it selects from.
    #[error("{what}: expected an index below {bound}, got {index} at position {position}")]
    Index {
        /// The place.
        what: &'static str,
        /// The offending index.
        index: usize,
        /// The first index that is too large.
        bound: usize,
        /// Where in the list of indices it stands.
        position: usize,
    },
    /// The code that makes batches panicked, or an earlier error ended it.
    #[error("loader: expected the next batch, got {got}")]
    Loader {
        /// What happened, with the words of the panic.
        got: String,
    },
    /// An error of the array vocabulary, as from a transform.
    #[error(transparent)]
    Core(#[from] gradwise_core::Error),
    /// Anything that none of the others describes, from an implementation outside this crate.
    #[error("{0}")]
    Other(String),
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

impl DataError {
    /// An option outside its range.
    pub fn value(what: &'static str, expected: impl Into<String>, got: impl std::fmt::Display) -> Self {
        DataError::Value { what, expected: expected.into(), got: got.to_string() }
    }

    /// A shape error; `expected` is written in words or as a shape.
    pub fn shape(what: &'static str, expected: impl Into<String>, got: &[usize]) -> Self {
        DataError::Shape { what, expected: expected.into(), got: got.to_vec() }
    }

    /// What the system said of a file.
    pub fn io(path: &Path, source: io::Error) -> Self {
        DataError::Io { path: path.display().to_string(), source }
    }
}

impl From<io::Error> for DataError {
    fn from(source: io::Error) -> Self {
        DataError::Io { path: String::new(), source }
    }
}

impl From<DataError> for gradwise_core::Error {
    fn from(error: DataError) -> Self {
        use gradwise_core::Error;
        match error {
            DataError::Core(error) => error,
            DataError::Value { what, expected, got } => Error::Value { what, expected, got },
            DataError::Shape { what, expected, got } => Error::Shape { op: what, expected, got },
            DataError::Index { what, index, bound, position } => Error::Index { op: what, index, bound, position },
            other => Error::Other(other.to_string()),
        }
    }
}
