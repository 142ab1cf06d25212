//! Data of any format, as a tree.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// Names and what they stand for.
pub type Table = BTreeMap<String, Value>;

/// A piece of data, of whatever format it was read from.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A number that was written without a point.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// Words.
    Text(String),
    /// One after the other.
    List(Vec<Value>),
    /// By name.
    Table(Table),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Bool(x) => x.serialize(serializer),
            Value::Integer(x) => x.serialize(serializer),
            Value::Number(x) => x.serialize(serializer),
            Value::Text(x) => x.serialize(serializer),
            Value::List(x) => x.serialize(serializer),
            Value::Table(x) => x.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, words, a list or a table (a field without a value is left out)")
    }

    fn visit_bool<E>(self, x: bool) -> Result<Value, E> {
        Ok(Value::Bool(x))
    }

    fn visit_i64<E>(self, x: i64) -> Result<Value, E> {
        Ok(Value::Integer(x))
    }

    fn visit_u64<E: de::Error>(self, x: u64) -> Result<Value, E> {
        i64::try_from(x)
            .map(Value::Integer)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(x), &"a smaller number"))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(Value::Number(x))
    }

    fn visit_str<E>(self, x: &str) -> Result<Value, E> {
        Ok(Value::Text(x.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut table = Table::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if table.contains_key(&name) {
                return Err(de::Error::custom(format!("`{name}` is there twice")));
            }
            table.insert(name, value);
        }
        Ok(Value::Table(table))
    }
}
