//! The description of one transform.

use super::fault::Fault;
use super::read::Reader;
use super::registry::Site;
use super::write::Writer;
use super::{Table, Value};
use crate::{Augment, Error, Mix, Result};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A kind of transform as data: a struct of its fields, which says by which constructor it is built.
///
/// Its kinds are in this module; implement it for yours, and [add](super::Registry::add) it to a registry. It should refuse unknown fields
/// (`#[serde(deny_unknown_fields)]`), so that a slip of the pen is told. A field `p`, the probability that the transform happens at all, is
/// every kind's without being in its struct.
pub trait Described: Serialize + DeserializeOwned {
    /// The name of the kind.
    const KIND: &'static str;

    /// Whether `p` is a field of the struct itself, since its constructor takes a probability.
    const OWN_PROBABILITY: bool = false;

    /// The transform.
    ///
    /// # Errors
    /// Those of its constructor. Where the name of a parameter is that of a field, the field is told.
    fn build(self, site: &Site<'_>) -> Result<Box<dyn Augment>>;
}

/// A kind of [mix](Mix) as data, as [`Described`] is a kind of transform: it ends a [pipeline](super::Pipeline).
pub trait DescribedMix: Serialize + DeserializeOwned {
    /// The name of the kind.
    const KIND: &'static str;

    /// The mix.
    ///
    /// # Errors
    /// Those of its constructor. Where the name of a parameter is that of a field, the field is told.
    fn build(self) -> Result<Box<dyn Mix>>;
}

/// A transform, or a mix of batches, as it is described in a file: its `kind` and its fields, not yet checked.
///
/// It is read from, and written to, any format of serde's that says what its values are (TOML, JSON, YAML, …).
///
/// ```
/// use gradwise_augment::spec::{self, Spec};
///
/// let spec: Spec = serde_json::from_str(r#"{"kind": "gaussian-noise", "std": 0.1}"#)?;
/// assert_eq!(spec.kind(), Some("gaussian-noise"));
/// // Or made of what it describes, to be written.
/// let spec = Spec::of(&spec::Brightness { factor: (0.8, 1.2).into() })?;
/// assert_eq!(toml::to_string(&spec)?, "kind = \"brightness\"\nfactor = [0.8, 1.2]\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Spec {
    fields: Table,
}

impl Spec {
    /// The description of a kind, with all its fields.
    ///
    /// # Errors
    /// [`Error::Described`] for what is no table of names and values.
    pub fn of<D: Described>(described: &D) -> Result<Self> {
        Self::written(D::KIND, described)
    }

    /// [`Spec::of`] a mix.
    ///
    /// # Errors
    /// As [`Spec::of`].
    pub fn of_mix<D: DescribedMix>(described: &D) -> Result<Self> {
        Self::written(D::KIND, described)
    }

    fn written(kind: &str, described: &impl Serialize) -> Result<Self> {
        let fault = |fault: Fault| fault.at(kind);
        match described.serialize(Writer).map_err(fault)? {
            Some(Value::Table(mut fields)) => {
                fields.insert("kind".to_owned(), Value::Text(kind.to_owned()));
                Ok(Spec { fields })
            }
            _ => Err(fault(Fault::new("a kind is described by a struct"))),
        }
    }

    /// The kind, if one is named.
    pub fn kind(&self) -> Option<&str> {
        if let Some(Value::Text(kind)) = self.fields.get("kind") { Some(kind) } else { None }
    }

    /// All its fields, `kind` among them.
    pub fn fields(&self) -> &Table {
        &self.fields
    }

    /// All its fields, to be changed.
    pub fn fields_mut(&mut self) -> &mut Table {
        &mut self.fields
    }
}

impl From<Table> for Spec {
    fn from(fields: Table) -> Self {
        Spec { fields }
    }
}

/// The kind comes first, then the fields by name.
impl Serialize for Spec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        let is_kind = |(name, _): &(&String, &Value)| *name == "kind";
        for (name, value) in
            self.fields.iter().filter(is_kind).chain(self.fields.iter().filter(|field| !is_kind(field)))
        {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Table(fields) => Ok(Spec { fields }),
            _ => Err(serde::de::Error::custom("a transform is described by a table with a `kind` and its fields")),
        }
    }
}

/// Reads what a spec describes, without its `kind`.
pub(super) fn read<T: DeserializeOwned>(fields: Table) -> Result<T, Fault> {
    T::deserialize(Reader(&Value::Table(fields)))
}

impl Fault {
    /// As this crate's error, seen from a place.
    pub(super) fn at(self, place: &str) -> Error {
        Error::Described { place: format!("{place}{}", self.place), reason: self.reason }
    }
}
