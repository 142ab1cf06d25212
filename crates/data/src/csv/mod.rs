//! Tables from text: columns with names and types, and what a net can take in from them.

mod encoder;
mod reader;
mod table;

pub use encoder::{Missing, TableEncoder, Unknown};
pub use reader::{CsvReader, read_csv};
pub use table::{Column, ColumnKind, Table};
