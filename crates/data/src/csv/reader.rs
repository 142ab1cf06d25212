//! From text to a table.

use super::{Column, ColumnKind, Table};
use crate::{DataError, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Reads a table of comma-separated values with names in its first row: see [`CsvReader`].
///
/// ```no_run
/// let table = gradwise_data::read_csv("data/tabular/iris.csv")?;
/// let (labels, names) = table.labels("species")?;
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// As [`CsvReader::read`].
pub fn read_csv(path: impl AsRef<Path>) -> Result<Table> {
    CsvReader::new().read(path)
}

/// How a table of separated values is read.
///
/// A column whose values are all finite numbers, but for missing ones, is one of numbers, any other one of categories, unless
/// [`CsvReader::column`] says what it is. Fields may be quoted (RFC 4180), with no blank before the quote; other blanks about a field do
/// not count. A field is missing if it is empty or one of [`CsvReader::MISSING`], unless [`CsvReader::missing`] says otherwise. The whole
/// file is taken into memory.
///
/// ```
/// use gradwise_data::{ColumnKind, CsvReader};
///
/// let text = b"1;2,5\n2;n.d.\n";
/// let reader = CsvReader::new().delimiter(b';').without_header().missing(["n.d."]).column("1", ColumnKind::Category);
/// let table = reader.read_bytes(text, "measures.csv")?;
/// assert_eq!(table.labels("1")?.0, [0, 1]);
/// assert_eq!(table.names(), ["1", "2"]);
///
/// let error = CsvReader::new().column("b", ColumnKind::Number).read_bytes(b"a,b\n1,2\n3,x\n", "t.csv").unwrap_err();
/// assert_eq!(error.to_string(), "t.csv: line 3, column b: expected a number, got `x`");
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CsvReader {
    delimiter: u8,
    header: bool,
    missing: BTreeSet<String>,
    kinds: BTreeMap<String, ColumnKind>,
}

impl CsvReader {
    /// What stands for a missing value, besides nothing at all, unless told otherwise.
    pub const MISSING: [&'static str; 8] = ["?", "N/A", "NA", "NULL", "NaN", "nan", "null", "None"];

    /// Commas between fields, names in the first row.
    pub fn new() -> Self {
        let missing = Self::MISSING.iter().map(|&word| word.to_owned()).collect();
        CsvReader { delimiter: b',', header: true, missing, kinds: BTreeMap::new() }
    }

    /// Another byte between fields: `b';'`, `b'\t'`.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// The first row holds values, too; columns are named by their numbers, from 1.
    #[must_use]
    pub fn without_header(mut self) -> Self {
        self.header = false;
        self
    }

    /// Other words for a missing value; an empty field is always one.
    #[must_use]
    pub fn missing<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.missing = words.into_iter().map(Into::into).collect();
        self
    }

    /// What a column holds, instead of what it looks like: class numbers are categories, and a word among numbers is an error.
    #[must_use]
    pub fn column(mut self, name: &str, kind: ColumnKind) -> Self {
        self.kinds.insert(name.to_owned(), kind);
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read; it has no row or no column; a name comes twice; a row has more or fewer fields than the first; a field is
    /// not UTF-8, or no number in a column of numbers; or a column that was spoken of is not there. Errors in a row tell file, line and
    /// column.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| DataError::io(path, error))?;
        self.read_bytes(&bytes, &path.display().to_string())
    }

    /// Reads text from memory; `file` names it in errors.
    ///
    /// # Errors
    /// As [`CsvReader::read`].
    pub fn read_bytes(&self, bytes: &[u8], file: &str) -> Result<Table> {
        // Spreadsheets begin UTF-8 with a mark, which would become part of the first name.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let error = |line: u64, column: String, expected: String, got: String| DataError::Field {
            file: file.to_owned(),
            line,
            column,
            expected,
            got,
        };
        let mut names: Vec<String> = Vec::new();
        let mut fields: Vec<Vec<String>> = Vec::new();
        let mut lines = Vec::new();
        for record in self.records(bytes) {
            let record = record.map_err(|e| {
                let line = line_of(bytes, e.position());
                error(line, "1".into(), "text in UTF-8".into(), e.to_string())
            })?;
            let line = line_of(bytes, record.position());
            let row = record.iter().map(str::trim);
            if names.is_empty() {
                let number = |i: usize| (i + 1).to_string();
                // A column without a name has its number for one.
                let name = |(i, name): (usize, &str)| {
                    if name.is_empty() || !self.header { number(i) } else { name.to_owned() }
                };
                names = row.clone().enumerate().map(name).collect();
                if let Some(i) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
                    let got = format!("`{}` a second time", names[i]);
                    return Err(error(line, number(i), "a name of its own for each column".into(), got));
                }
                fields.resize(names.len(), Vec::new());
                if self.header {
                    continue;
                }
            }
            if record.len() != names.len() {
                let column = names.get(record.len()).cloned().unwrap_or_else(|| (names.len() + 1).to_string());
                return Err(error(
                    line,
                    column,
                    format!("{} fields, as in the first row", names.len()),
                    record.len().to_string(),
                ));
            }
            lines.push(line);
            fields.iter_mut().zip(row).for_each(|(column, field)| column.push(field.to_owned()));
        }
        if lines.is_empty() {
            return Err(error(1, "1".into(), "at least one row of values".into(), "the end".into()));
        }
        if let Some(name) = self.kinds.keys().find(|name| !names.contains(name)) {
            let expected = format!("one of {}", names.join(", "));
            return Err(DataError::value("csv: column", expected, format!("`{name}`")));
        }
        let columns = names.iter().zip(fields).map(|(name, fields)| {
            self.typed(name, fields)
                .map_err(|(row, got)| error(lines[row], name.clone(), "a number".into(), format!("`{got}`")))
        });
        Ok(Table { file: file.to_owned(), columns: columns.collect::<Result<_>>()?, names, lines })
    }

    fn records<'b>(&self, bytes: &'b [u8]) -> impl Iterator<Item = ::csv::Result<::csv::StringRecord>> + use<'b> {
        let mut builder = ::csv::ReaderBuilder::new();
        builder.delimiter(self.delimiter).has_headers(false).flexible(true);
        builder.from_reader(bytes).into_records()
    }

    /// The column of fields; or the row that has no number, and what is there.
    fn typed(&self, name: &str, fields: Vec<String>) -> std::result::Result<Column, (usize, String)> {
        let missing = |field: &str| field.is_empty() || self.missing.contains(field);
        let number = |field: &str| field.parse::<f64>().ok().filter(|x| x.is_finite());
        let odd = fields.iter().position(|field| !missing(field) && number(field).is_none());
        match (self.kinds.get(name), odd) {
            (Some(ColumnKind::Number), Some(row)) => Err((row, fields[row].clone())),
            (Some(ColumnKind::Category), _) | (None, Some(_)) => {
                let names: BTreeSet<&String> = fields.iter().filter(|field| !missing(field)).collect();
                let names: Vec<String> = names.into_iter().cloned().collect();
                let index = |field: &String| names.binary_search(field).ok();
                Ok(Column::Categories { values: fields.iter().map(index).collect(), names })
            }
            _ => Ok(Column::Numbers(fields.iter().map(|field| number(field).filter(|_| !missing(field))).collect())),
        }
    }
}

/// The line in which a record begins. What its position tells is where the one before ended: line ends and empty lines come in between.
fn line_of(bytes: &[u8], position: Option<&::csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let rest = bytes.get(position.byte() as usize..).unwrap_or_default();
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + ends.filter(|byte| **byte == b'\n').count() as u64
}

impl Default for CsvReader {
    fn default() -> Self {
        CsvReader::new()
    }
}
