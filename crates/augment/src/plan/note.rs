//! What a transform drew, for people.

use std::borrow::Cow;
use std::fmt;

/// A transform's name and the numbers it drew.
#[derive(Clone, PartialEq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Note {
    /// The transform's name.
    pub name: Cow<'static, str>,
    /// The numbers' names and values. Unused ones have no name, and are not saved.
    #[cfg_attr(feature = "serde", serde(with = "saved"))]
    values: [(Cow<'static, str>, f64); Note::ROOM],
}

impl Note {
    /// How many numbers a note holds. A fixed number, so that a note needs no memory of its own.
    pub const ROOM: usize = 7;

    /// A note of some numbers; those beyond [`Note::ROOM`] are left out.
    pub fn new(name: &'static str, values: &[(&'static str, f64)]) -> Self {
        let value = |i: usize| values.get(i).map_or_else(Default::default, |&(name, x)| (Cow::Borrowed(name), x));
        Note { name: Cow::Borrowed(name), values: std::array::from_fn(value) }
    }

    /// The numbers, with their names.
    pub fn values(&self) -> impl Iterator<Item = (&str, f64)> {
        self.values.iter().filter(|(name, _)| !name.is_empty()).map(|(name, x)| (name.as_ref(), *x))
    }
}

/// `translate x 3.2 y -1`: at most two decimals.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (name, value) in self.values() {
            write!(f, " {name} {}", (value * 100.0).round() / 100.0 + 0.0)?;
        }
        Ok(())
    }
}

/// The numbers that there are, as a list of names and values.
#[cfg(feature = "serde")]
mod saved {
    use super::Note;
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::Serializer;
    use std::borrow::Cow;

    type Values = [(Cow<'static, str>, f64); Note::ROOM];

    pub(super) fn serialize<S: Serializer>(values: &Values, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().filter(|(name, _)| !name.is_empty()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Values, D::Error> {
        let mut list = Vec::<(Cow<'static, str>, f64)>::deserialize(deserializer)?.into_iter();
        Ok(std::array::from_fn(|_| list.next().unwrap_or_default()))
    }
}
