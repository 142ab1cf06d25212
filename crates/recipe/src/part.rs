//! One named part of a recipe: its kind and its options.

use crate::{Described, Family, Problem, RecipeError, Result};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;
use toml::{Table, Value};

/// A part as a recipe describes it: the name of its kind and its options, not yet checked.
///
/// In a file it is a table with a `kind`, or the name of the kind alone, if nothing else is to be said:
///
/// ```
/// use gradwise_recipe::Part;
///
/// #[derive(serde::Deserialize)]
/// struct Some {
///     activation: Part,
///     rule: Part,
/// }
///
/// let some: Some = toml::from_str("activation = 'relu'\nrule = { kind = 'sgd', momentum = 0.9 }")?;
/// assert_eq!(some.activation, Part::named("relu"));
/// assert_eq!((some.rule.kind(), some.rule.option("momentum")), ("sgd", Some(&toml::Value::Float(0.9))));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    kind: String,
    options: Table,
}

impl Part {
    /// A part of which nothing is said but its kind.
    pub fn named(kind: &str) -> Self {
        Part { kind: kind.to_owned(), options: Table::new() }
    }

    /// The part that a struct of options describes, with all of them.
    ///
    /// # Errors
    /// If an option cannot be written in TOML: a number of more than 63 bits.
    pub fn of<F: Family, D: Described<F>>(described: &D) -> Result<Self> {
        let options =
            Table::try_from(described).map_err(|error| RecipeError::new(Problem::Other(error.to_string())))?;
        Ok(Part { kind: D::KIND.to_owned(), options })
    }

    /// With one more option, or another value for it.
    #[must_use]
    pub fn with(mut self, option: &str, value: impl Into<Value>) -> Self {
        self.options.insert(option.to_owned(), value.into());
        self
    }

    /// The name of the kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The value of an option, if it is said.
    pub fn option(&self, name: &str) -> Option<&Value> {
        self.options.get(name)
    }

    /// All options that are said.
    pub fn options(&self) -> &Table {
        &self.options
    }

    /// All options that are said, to be changed.
    pub fn options_mut(&mut self) -> &mut Table {
        &mut self.options
    }

    /// Takes an option out that is of any kind, and read by whoever holds the part.
    pub(crate) fn take_text(&mut self, name: &str) -> Result<Option<String>> {
        match self.options.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(RecipeError::value("words", other.type_str()).at(name)),
        }
    }
}

/// The kind comes first, then the options by name.
impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.options.is_empty() {
            return serializer.serialize_str(&self.kind);
        }
        as_table(self, serializer)
    }
}

fn as_table<S: Serializer>(part: &Part, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1 + part.options.len()))?;
    map.serialize_entry("kind", &part.kind)?;
    part.options.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
    map.end()
}

/// Writes a list of parts as tables throughout, which TOML lays out line by line.
fn tables<S: Serializer>(parts: &[Part], serializer: S) -> Result<S::Ok, S::Error> {
    struct AsTable<'a>(&'a Part);
    impl Serialize for AsTable<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            as_table(self.0, serializer)
        }
    }
    serializer.collect_seq(parts.iter().map(AsTable))
}

#[expect(clippy::ptr_arg, reason = "the signature that serde calls")]
pub(crate) fn tables_of<S: Serializer>(parts: &Vec<Part>, serializer: S) -> Result<S::Ok, S::Error> {
    tables(parts, serializer)
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartVisitor;
        impl<'de> Visitor<'de> for PartVisitor {
            type Value = Part;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a kind, or a table with a `kind`")
            }

            fn visit_str<E>(self, kind: &str) -> Result<Part, E> {
                Ok(Part::named(kind))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Part, A::Error> {
                let mut part = Part::named("");
                let mut named = false;
                while let Some(name) = access.next_key::<String>()? {
                    if name == "kind" {
                        (part.kind, named) = (access.next_value()?, true);
                    } else {
                        part.options.insert(name, access.next_value()?);
                    }
                }
                if named { Ok(part) } else { Err(de::Error::missing_field("kind")) }
            }
        }
        deserializer.deserialize_any(PartVisitor)
    }
}
