//! What is described as a value.

use super::fault::Fault;
use super::{Table, Value};
use serde::ser::{self, Serialize, Serializer};

/// Writes one value; `None` is nothing, which is left out of tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer;

/// A number with as few digits as tell it from its neighbours, so that 0.1 in single precision is written as 0.1.
fn short(x: f32) -> f64 {
    x.to_string().parse().unwrap_or_else(|_| f64::from(x))
}

fn named(name: &str, value: Option<Value>) -> Option<Value> {
    value.map(|value| Value::Table(Table::from([(name.to_owned(), value)])))
}

macro_rules! integers {
    ($($method:ident: $t:ty),*) => {$(
        fn $method(self, x: $t) -> Result<Option<Value>, Fault> {
            i64::try_from(x).map(|x| Some(Value::Integer(x))).map_err(|_| Fault::new("a number below 2^63 is expected"))
        }
    )*};
}

impl Serializer for Writer {
    type Ok = Option<Value>;
    type Error = Fault;
    type SerializeSeq = ListWriter;
    type SerializeTuple = ListWriter;
    type SerializeTupleStruct = ListWriter;
    type SerializeTupleVariant = ListWriter;
    type SerializeMap = TableWriter;
    type SerializeStruct = TableWriter;
    type SerializeStructVariant = TableWriter;

    integers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    }

    fn serialize_bool(self, x: bool) -> Result<Option<Value>, Fault> {
        Ok(Some(Value::Bool(x)))
    }

    fn serialize_f32(self, x: f32) -> Result<Option<Value>, Fault> {
        Ok(Some(Value::Number(short(x))))
    }

    fn serialize_f64(self, x: f64) -> Result<Option<Value>, Fault> {
        Ok(Some(Value::Number(x)))
    }

    fn serialize_char(self, x: char) -> Result<Option<Value>, Fault> {
        Ok(Some(Value::Text(x.to_string())))
    }

    fn serialize_str(self, x: &str) -> Result<Option<Value>, Fault> {
        Ok(Some(Value::Text(x.to_owned())))
    }

    fn serialize_bytes(self, x: &[u8]) -> Result<Option<Value>, Fault> {
        Ok(Some(Value::List(x.iter().map(|&x| Value::Integer(x.into())).collect())))
    }

    fn serialize_none(self) -> Result<Option<Value>, Fault> {
        Ok(None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, x: &T) -> Result<Option<Value>, Fault> {
        x.serialize(self)
    }

    fn serialize_unit(self) -> Result<Option<Value>, Fault> {
        Ok(None)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Option<Value>, Fault> {
        Ok(Some(Value::Table(Table::new())))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Option<Value>, Fault> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, x: &T) -> Result<Option<Value>, Fault> {
        x.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        x: &T,
    ) -> Result<Option<Value>, Fault> {
        Ok(named(variant, x.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<ListWriter, Fault> {
        Ok(ListWriter { variant: None, list: Vec::new() })
    }

    fn serialize_tuple(self, _: usize) -> Result<ListWriter, Fault> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<ListWriter, Fault> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<ListWriter, Fault> {
        Ok(ListWriter { variant: Some(variant), list: Vec::new() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<TableWriter, Fault> {
        Ok(TableWriter { variant: None, table: Table::new(), name: String::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<TableWriter, Fault> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<TableWriter, Fault> {
        Ok(TableWriter { variant: Some(variant), table: Table::new(), name: String::new() })
    }
}

#[derive(Debug)]
pub(super) struct ListWriter {
    variant: Option<&'static str>,
    list: Vec<Value>,
}

impl ListWriter {
    fn push<T: Serialize + ?Sized>(&mut self, x: &T) -> Result<(), Fault> {
        let value = x.serialize(Writer).map_err(|fault| fault.in_list(self.list.len()))?;
        self.list.push(value.ok_or_else(|| Fault::new("nothing has no place in a list").in_list(self.list.len()))?);
        Ok(())
    }

    fn end(self) -> Result<Option<Value>, Fault> {
        let list = Some(Value::List(self.list));
        Ok(if let Some(variant) = self.variant { named(variant, list) } else { list })
    }
}

macro_rules! lists {
    ($($name:ident: $method:ident),*) => {$(
        impl ser::$name for ListWriter {
            type Ok = Option<Value>;
            type Error = Fault;

            fn $method<T: Serialize + ?Sized>(&mut self, x: &T) -> Result<(), Fault> {
                self.push(x)
            }

            fn end(self) -> Result<Option<Value>, Fault> {
                ListWriter::end(self)
            }
        }
    )*};
}
lists!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

#[derive(Debug)]
pub(super) struct TableWriter {
    variant: Option<&'static str>,
    table: Table,
    name: String,
}

impl TableWriter {
    fn insert<T: Serialize + ?Sized>(&mut self, name: &str, x: &T) -> Result<(), Fault> {
        if let Some(value) = x.serialize(Writer).map_err(|fault| fault.in_field(name))? {
            self.table.insert(name.to_owned(), value);
        }
        Ok(())
    }

    fn end(self) -> Result<Option<Value>, Fault> {
        let table = Some(Value::Table(self.table));
        Ok(if let Some(variant) = self.variant { named(variant, table) } else { table })
    }
}

macro_rules! tables {
    ($($name:ident),*) => {$(
        impl ser::$name for TableWriter {
            type Ok = Option<Value>;
            type Error = Fault;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, x: &T) -> Result<(), Fault> {
                self.insert(name, x)
            }

            fn end(self) -> Result<Option<Value>, Fault> {
                TableWriter::end(self)
            }
        }
    )*};
}
tables!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for TableWriter {
    type Ok = Option<Value>;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Fault> {
        match name.serialize(Writer)? {
            Some(Value::Text(name)) => {
                self.name = name;
                Ok(())
            }
            _ => Err(Fault::new("the names of a table are words")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, x: &T) -> Result<(), Fault> {
        let name = std::mem::take(&mut self.name);
        self.insert(&name, x)
    }

    fn end(self) -> Result<Option<Value>, Fault> {
        TableWriter::end(self)
    }
}
