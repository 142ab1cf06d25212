//! What can be wrong with a recipe, and where.

use gradwise_core::Error as CoreError;
use gradwise_data::DataError;
use gradwise_train::TrainError;
use std::fmt;
use std::io;

/// The result of everything in this crate.
pub type Result<T, E = RecipeError> = std::result::Result<T, E>;

/// What is wrong with a recipe, and where: file, line and key.
///
/// It reads `wine.toml:12: model.layers[2].units: expected a whole number, got -1`. A recipe that was not read from a file has no lines; the key
/// is known even so.
#[derive(Debug)]
pub struct RecipeError {
    file: Option<String>,
    line: Option<usize>,
    key: String,
    /// Whether the key is not one of the part that found out, but of the section it stands in.
    outside: bool,
    problem: Box<Problem>,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A name that is none of the known ones.
    #[error("there is no {what} `{name}`{}", told(nearest.as_deref(), known))]
    Unknown {
        /// What it should be a name of: `key`, `layer`, `rule`.
        what: String,
        /// The name.
        name: String,
        /// The known name that it looks most like, if it looks like one.
        nearest: Option<String>,
        /// All known names.
        known: Vec<String>,
    },
    /// A key that must be there is not.
    #[error("is missing{}", if hint.is_empty() { String::new() } else { format!(": {hint}") })]
    Missing {
        /// What it would say; may be empty.
        hint: String,
    },
    /// A value that is not what its key takes.
    #[error("expected {expected}, got {got}")]
    Value {
        /// What the key takes, in words.
        expected: String,
        /// What is there.
        got: String,
    },
    /// A constructor, a layer or a loss refused something.
    #[error(transparent)]
    Core(CoreError),
    /// The data cannot be read, or do not fit.
    #[error(transparent)]
    Data(DataError),
    /// The pipeline of augmentations cannot be built, or does not fit the images.
    #[error(transparent)]
    Augment(gradwise_augment::Error),
    /// Training failed, or its files cannot be written.
    #[error(transparent)]
    Train(TrainError),
    /// The recipe's own file cannot be read or written.
    #[error(transparent)]
    Io(io::Error),
    /// Anything that none of the others describes, from a part outside this crate.
    #[error("{0}")]
    Other(String),
}

/// The end of a message on an unknown name.
fn told(nearest: Option<&str>, known: &[String]) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None if known.is_empty() => ", nor any other".to_owned(),
        None => format!("; there are {}", known.join(", ")),
    }
}

impl RecipeError {
    /// A problem whose place is added by whoever knows it.
    pub fn new(problem: Problem) -> Self {
        RecipeError { file: None, line: None, key: String::new(), outside: false, problem: Box::new(problem) }
    }

    /// A value that is not what its key takes.
    pub fn value(expected: impl Into<String>, got: impl fmt::Display) -> Self {
        Self::new(Problem::Value { expected: expected.into(), got: got.to_string() })
    }

    /// A key that must be there is not; `hint` says what it would tell, or nothing.
    pub fn missing(hint: impl Into<String>) -> Self {
        Self::new(Problem::Missing { hint: hint.into() })
    }

    /// A name that is none of the known ones.
    pub fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        let likeness = |other: &&String| strsim::normalized_damerau_levenshtein(name, other);
        let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let nearest = nearest.filter(|other| likeness(other) > 0.5).cloned();
        Self::new(Problem::Unknown { what: what.to_owned(), name: name.to_owned(), nearest, known })
    }

    /// The file of the recipe, if it was read from one.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The line in the file, from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The key, such as `model.layers[2].units`; empty for what concerns the whole recipe.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The same error, seen from the table in which its key is a field.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        let joint = if self.key.is_empty() || self.key.starts_with('[') { "" } else { "." };
        if !field.is_empty() {
            self.key = format!("{field}{joint}{}", self.key);
        }
        self
    }

    /// The same error, seen from the list in which its key is an element.
    #[must_use]
    pub fn at_index(self, index: usize) -> Self {
        self.at(&format!("[{index}]"))
    }

    /// Says that the key is one of the section that the part stands in.
    pub(crate) fn outside(self) -> Self {
        RecipeError { outside: true, ..self }
    }

    /// As [`RecipeError::at`], for an error of a part, which may be about something outside of it.
    pub(crate) fn within(self, field: &str) -> Self {
        if self.outside { RecipeError { outside: false, ..self } } else { self.at(field) }
    }

    /// The same error at the field that a constructor's complaint is about, if one of `fields` is meant.
    #[must_use]
    pub(crate) fn at_option<'a>(self, mut fields: impl Iterator<Item = &'a str>) -> Self {
        let what = match (&*self.problem, self.key.is_empty()) {
            (Problem::Core(error), true) => match error.cause() {
                CoreError::Value { what, .. } => what,
                _ => return self,
            },
            (Problem::Data(DataError::Value { what, .. }), true) => what,
            _ => return self,
        };
        let option = what.rsplit(": ").next().unwrap_or(what).replace([' ', '_'], "-");
        let is_meant = |field: &&str| *field == option || ALIASES.contains(&(option.as_str(), *field));
        match fields.find(is_meant) {
            Some(field) => self.at(field),
            None => self,
        }
    }

    /// The same error with the file and the line that its key stands in.
    #[must_use]
    pub(crate) fn located(mut self, file: Option<&str>, line: Option<usize>) -> Self {
        self.file = self.file.or_else(|| file.map(str::to_owned));
        self.line = self.line.or(line);
        self
    }
}

/// What constructors call some options, and what recipes do.
const ALIASES: &[(&str, &str)] = &[
    ("outputs", "units"),
    ("outputs", "channels"),
    ("units", "hidden"),
    ("standard-deviation", "std"),
    ("std", "deviation"),
];

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.problem)
    }
}

impl std::error::Error for RecipeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problem.source()
    }
}

macro_rules! problems {
    ($($error:ty => $kind:ident),*) => {$(
        impl From<$error> for RecipeError {
            fn from(error: $error) -> Self {
                RecipeError::new(Problem::$kind(error))
            }
        }
    )*};
}
problems!(CoreError => Core, DataError => Data, TrainError => Train);

/// What a pipeline's registry says has a place of its own, which becomes the key.
impl From<gradwise_augment::Error> for RecipeError {
    fn from(error: gradwise_augment::Error) -> Self {
        use gradwise_augment::Error;
        match error {
            Error::Described { place, reason } => RecipeError::new(Problem::Other(reason)).at(&place),
            Error::Built { place, source } => RecipeError::new(Problem::Augment(*source)).at(&place),
            error => RecipeError::new(Problem::Augment(error)),
        }
    }
}

/// How reading a part's fields fails.
impl serde::de::Error for RecipeError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        RecipeError::new(Problem::Other(reason.to_string()))
    }

    fn invalid_type(got: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        RecipeError::value(expected.to_string(), got)
    }

    fn invalid_value(got: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        RecipeError::value(expected.to_string(), got)
    }

    fn invalid_length(got: usize, expected: &dyn serde::de::Expected) -> Self {
        RecipeError::value(expected.to_string(), format_args!("{got} values"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        RecipeError::unknown("value", variant, expected.iter().copied())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        RecipeError::unknown("key", field, expected.iter().copied()).at(field)
    }

    fn missing_field(field: &'static str) -> Self {
        RecipeError::missing("").at(field)
    }
}
