//! What can go wrong, in words a user can act on.

/// The result of everything in gradwise that works with arrays.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of an operation, a tape, a layer or a parameter visit.
///
/// Messages are fragments without a full stop: they name the place, what was expected and what was given. A tape adds the path
/// of the layer (see [`Error::at`]), so what reaches the user reads `conv1: conv2d: expected 3 input channels, got 1`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array has another shape than the operation can take.
    #[error("{op}: expected {expected}, got shape {got:?}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// What it takes, in words or as a shape.
        expected: String,
        /// The shape it was given.
        got: Vec<usize>,
    },
    /// An operation was given another number of inputs than it takes.
    #[error("{op}: expected {expected} inputs, got {got}")]
    Arity {
        /// The operation.
        op: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many it was given.
        got: usize,
    },
    /// An index (a label, a token, an axis) lies outside what it selects from.
    #[error("{op}: expected an index below {bound}, got {index} at position {position}")]
    Index {
        /// The operation.
        op: &'static str,
        /// The offending index.
        index: usize,
        /// The first index that is too large.
        bound: usize,
        /// Where in the list of indices it stands.
        position: usize,
    },
    /// An option or hyper-parameter outside its range.
    #[error("{what}: expected {expected}, got {got}")]
    Value {
        /// The place and the option, such as `dropout: rate`.
        what: &'static str,
        /// The range, in words.
        expected: String,
        /// The value given.
        got: String,
    },
    /// A variable was used with a tape that did not make it.
    #[error("{op}: expected a variable of this tape, got one of another tape")]
    ForeignVar {
        /// The operation it was given to.
        op: &'static str,
    },
    /// The value of a variable was given back to the workspace, after backward or in evaluation.
    #[error("{op}: expected a variable whose value is kept, got one whose value was freed")]
    Freed {
        /// The operation it was given to.
        op: &'static str,
    },
    /// A number that is not finite where training cannot go on with one.
    #[error("{op}: expected finite numbers, got {got}")]
    NotFinite {
        /// The operation whose result it is.
        op: &'static str,
        /// The value: `NaN`, `inf` or `-inf`.
        got: f64,
    },
    /// Anything that none of the others describes, from an implementation outside gradwise.
    #[error("{0}")]
    Other(String),
    /// Another error, with the path of the layer it happened in.
    #[error("{path}: {source}")]
    At {
        /// Path of the layer, such as `features.3.conv`.
        path: String,
        /// What happened there.
        #[source]
        source: Box<Error>,
    },
}

impl Error {
    /// A shape error; `expected` is written in words or as a shape.
    pub fn shape(op: &'static str, expected: impl Into<String>, got: &[usize]) -> Self {
        Error::Shape { op, expected: expected.into(), got: got.to_vec() }
    }

    /// An option outside its range.
    pub fn value(what: &'static str, expected: impl Into<String>, got: impl std::fmt::Display) -> Self {
        Error::Value { what, expected: expected.into(), got: got.to_string() }
    }

    /// The same error, told with the path of the layer it happened in.
    ///
    /// The innermost path is the most precise one, so an error that already has a path keeps it. An empty path adds nothing.
    ///
    /// ```
    /// use gradwise_core::Error;
    ///
    /// let error = Error::shape("matmul", "[_, 64]", &[32, 10]).at("head.fc2").at("head");
    /// assert_eq!(error.to_string(), "head.fc2: matmul: expected [_, 64], got shape [32, 10]");
    /// ```
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        match self {
            Error::At { .. } => self,
            error if path.is_empty() => error,
            error => Error::At { path: path.to_owned(), source: Box::new(error) },
        }
    }

    /// The error itself, without the path.
    pub fn cause(&self) -> &Error {
        match self {
            Error::At { source, .. } => source.cause(),
            error => error,
        }
    }

    /// The path of the layer it happened in, where that is known.
    pub fn path(&self) -> Option<&str> {
        match self {
            Error::At { path, .. } => Some(path),
            _ => None,
        }
    }
}
