//! Values of TOML as what they describe, with the key of what is wrong.

use crate::{RecipeError, Result};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::{Deserializer, forward_to_deserialize_any};
use toml::{Table, Value};

/// Reads a table as the fields of a struct.
pub(crate) fn read<T: DeserializeOwned>(fields: &Table) -> Result<T> {
    T::deserialize(TableReader { rest: fields.iter(), next: None })
}

/// Reads one value.
#[derive(Clone, Copy, Debug)]
struct Reader<'a>(&'a Value);

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = RecipeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Boolean(x) => visitor.visit_bool(*x),
            Value::Integer(x) => visitor.visit_i64(*x),
            Value::Float(x) => visitor.visit_f64(*x),
            Value::String(x) => visitor.visit_borrowed_str(x),
            Value::Datetime(_) => Err(Error::invalid_type(unexpected(self.0), &visitor)),
            Value::Array(list) => {
                let mut reader = ListReader(list.iter().enumerate());
                let value = visitor.visit_seq(&mut reader)?;
                match reader.0.len() {
                    0 => Ok(value),
                    left => {
                        let expected = format!("a list of {}", list.len() - left);
                        Err(RecipeError::value(expected, format_args!("one of {}", list.len())))
                    }
                }
            }
            Value::Table(table) => visitor.visit_map(TableReader { rest: table.iter(), next: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        // What is not there is left out.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(IntoDeserializer::<RecipeError>::into_deserializer(&**name)),
            Value::Table(table) if table.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(TableReader { rest: table.iter(), next: None }))
            }
            other => Err(Error::invalid_type(unexpected(other), &"a name, or a table of one")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

/// For messages.
fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Boolean(x) => Unexpected::Bool(*x),
        Value::Integer(x) => Unexpected::Signed(*x),
        Value::Float(x) => Unexpected::Float(*x),
        Value::String(x) => Unexpected::Str(x),
        Value::Datetime(_) => Unexpected::Other("date"),
        Value::Array(_) => Unexpected::Other("list"),
        Value::Table(_) => Unexpected::Other("table"),
    }
}

struct ListReader<'a>(std::iter::Enumerate<std::slice::Iter<'a, Value>>);

impl<'a> SeqAccess<'a> for &mut ListReader<'a> {
    type Error = RecipeError;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some((index, value)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Reader(value)).map(Some).map_err(|error| error.at_index(index))
    }
}

struct TableReader<'a> {
    rest: toml::map::Iter<'a, String, Value>,
    next: Option<(&'a String, &'a Value)>,
}

impl<'a> MapAccess<'a> for TableReader<'a> {
    type Error = RecipeError;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.next = self.rest.next();
        let Some((name, _)) = self.next else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value> {
        let Some((name, value)) = self.next.take() else { return Err(Error::custom("a name comes before its value")) };
        seed.deserialize(Reader(value)).map_err(|error| error.at(name))
    }
}

impl<'de> Deserializer<'de> for TableReader<'de> {
    type Error = RecipeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any option newtype_struct enum
    }
}
