//! What is wrong with data, and where.

use serde::{de, ser};
use std::fmt;

/// Why a value is not what it should be.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Fault {
    /// Where, from the value that was read: `.parts[0].std`.
    pub(super) place: String,
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Fault { place: String::new(), reason: reason.into() }
    }

    /// The same, seen from the table that the value is a field of.
    pub(super) fn in_field(self, name: &str) -> Self {
        Fault { place: format!(".{name}{}", self.place), ..self }
    }

    /// The same, seen from the list that the value is in.
    pub(super) fn in_list(self, index: usize) -> Self {
        Fault { place: format!("[{index}]{}", self.place), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Fault::new(reason.to_string())
    }

    fn invalid_type(got: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Fault::new(format!("expected {expected}, got {got}"))
    }

    fn invalid_value(got: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Fault::new(format!("expected {expected}, got {got}"))
    }

    fn invalid_length(got: usize, expected: &dyn de::Expected) -> Self {
        Fault::new(format!("expected {expected}, got {got} values"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Fault::new(unknown("value", variant, expected.iter().copied()))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Fault::new(unknown("field", field, expected.iter().copied())).in_field(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Fault::new("is missing").in_field(field)
    }
}

impl ser::Error for Fault {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Fault::new(reason.to_string())
    }
}

/// That a name is none of the known ones, with the one that was meant, perhaps.
pub(super) fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let likeness = |other: &&str| strsim::normalized_damerau_levenshtein(name, other);
    let nearest =
        known.clone().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|other| likeness(other) > 0.5);
    let mut text = format!("there is no {what} `{name}`");
    if let Some(nearest) = nearest {
        text += &format!("; did you mean `{nearest}`?");
    } else {
        let all: Vec<&str> = known.collect();
        text += &if all.is_empty() { ", nor any other".to_owned() } else { format!("; there are {}", all.join(", ")) };
    }
    text
}
