//! What can go wrong, always with the name of the transform and the value.

/// An error of this crate.
///
/// What can be known before is refused before any pixel of the target is changed: parameters, shapes, values that are no finite numbers.
/// Where a user's [`Effect`](crate::Effect) fails, or a sample of a [batch](crate::Batches), what is then in the target is of no use.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter that a transform cannot have.
    #[error("{transform}: {parameter} must be {expected}, got {got}")]
    Parameter {
        /// The transform's name.
        transform: String,
        /// The parameter's name.
        parameter: String,
        /// What it may be.
        expected: String,
        /// What it was.
        got: String,
    },
    /// An image that a transform, or this crate, cannot work on.
    #[error("{place}: expected {expected}, got {got}")]
    Image {
        /// The transform's name, or what the image is for.
        place: String,
        /// What was expected.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A description that is none: an unknown kind or field, or a value of another type.
    #[error("{place}: {reason}")]
    Described {
        /// Where in the data: `augment[2].parts[0].std`.
        place: String,
        /// Why.
        reason: String,
    },
    /// A description whose transform cannot be.
    #[error("{place}: {source}")]
    Built {
        /// Where in the data: `augment[2].parts[0].std`.
        place: String,
        /// What the constructor says.
        source: Box<Error>,
    },
    /// A sample of a batch could not be worked on.
    #[error("sample {index} of the batch: {source}")]
    Sample {
        /// Its index in the batch.
        index: usize,
        /// Why.
        source: Box<Error>,
    },
}

impl Error {
    /// [`Error::Parameter`].
    pub fn parameter(
        transform: impl Into<String>,
        parameter: impl Into<String>,
        expected: impl Into<String>,
        got: impl ToString,
    ) -> Self {
        Error::Parameter {
            transform: transform.into(),
            parameter: parameter.into(),
            expected: expected.into(),
            got: got.to_string(),
        }
    }

    /// [`Error::Image`].
    pub fn image(place: impl Into<String>, expected: impl Into<String>, got: impl ToString) -> Self {
        Error::Image { place: place.into(), expected: expected.into(), got: got.to_string() }
    }
}

/// A result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;
