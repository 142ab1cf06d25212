//! Values as what they describe, with the place of what is wrong.

use super::Value;
use super::fault::Fault;
use serde::Deserializer;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use std::collections::btree_map;
use std::iter::Enumerate;
use std::slice;

/// Reads one value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a Value);

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Bool(x) => visitor.visit_bool(*x),
            Value::Integer(x) => visitor.visit_i64(*x),
            Value::Number(x) => visitor.visit_f64(*x),
            Value::Text(x) => visitor.visit_borrowed_str(x),
            Value::List(list) => {
                let mut reader = ListReader(list.iter().enumerate());
                let value = visitor.visit_seq(&mut reader)?;
                match reader.0.len() {
                    0 => Ok(value),
                    left => Err(Fault::new(format!("expected a list of {}, got {}", list.len() - left, list.len()))),
                }
            }
            Value::Table(table) => visitor.visit_map(TableReader { rest: table.iter(), next: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // What is not there is left out.
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Text(name) => visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(name.as_str())),
            Value::Table(table) if table.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(TableReader { rest: table.iter(), next: None }))
            }
            other => Err(serde::de::Error::invalid_type(other.unexpected(), &"a name, or a table of one")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

impl Value {
    /// For messages.
    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Value::Bool(x) => Unexpected::Bool(*x),
            Value::Integer(x) => Unexpected::Signed(*x),
            Value::Number(x) => Unexpected::Float(*x),
            Value::Text(x) => Unexpected::Str(x),
            Value::List(_) => Unexpected::Seq,
            Value::Table(_) => Unexpected::Map,
        }
    }
}

struct ListReader<'a>(Enumerate<slice::Iter<'a, Value>>);

impl<'a> SeqAccess<'a> for &mut ListReader<'a> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, value)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Reader(value)).map(Some).map_err(|fault| fault.in_list(index))
    }
}

struct TableReader<'a> {
    rest: btree_map::Iter<'a, String, Value>,
    next: Option<(&'a String, &'a Value)>,
}

impl<'a> MapAccess<'a> for TableReader<'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.next = self.rest.next();
        let Some((name, _)) = self.next else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, value) = self.next.take().ok_or_else(|| Fault::new("a name comes before its value"))?;
        seed.deserialize(Reader(value)).map_err(|fault| fault.in_field(name))
    }
}
