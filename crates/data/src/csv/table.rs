//! Columns of numbers and of categories.

use crate::{DataError, Result};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Finite numbers.
    Number,
    /// Words that stand for categories.
    Category,
}

/// The values of a column, one a row; none where it is missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers.
    Numbers(Vec<Option<f64>>),
    /// Categories: their names, in alphabetic order, and for each row which of them it has.
    Categories {
        /// The names.
        names: Vec<String>,
        /// The index of each row's name.
        values: Vec<Option<usize>>,
    },
}

impl Column {
    /// How many values are missing.
    pub fn n_missing(&self) -> usize {
        match self {
            Column::Numbers(values) => values.iter().filter(|value| value.is_none()).count(),
            Column::Categories { values, .. } => values.iter().filter(|value| value.is_none()).count(),
        }
    }

    /// What it holds.
    pub fn kind(&self) -> ColumnKind {
        match self {
            Column::Numbers(_) => ColumnKind::Number,
            Column::Categories { .. } => ColumnKind::Category,
        }
    }
}

/// A table: named columns of as many rows each, and where each row stood in its file.
///
/// ```
/// use gradwise_data::{Column, CsvReader};
///
/// let table = CsvReader::new().read_bytes(b"height,colour\n1.5,red\n,blue\n2.5,red\n", "plants.csv")?;
/// assert_eq!((table.n_rows(), table.names()), (3, &["height".to_owned(), "colour".to_owned()][..]));
/// assert_eq!(table.column("height")?, &Column::Numbers(vec![Some(1.5), None, Some(2.5)]));
/// assert_eq!(table.labels("colour")?, (vec![1, 0, 1], vec!["blue".to_owned(), "red".to_owned()]));
/// // What is missing is named.
/// assert_eq!(table.missing().collect::<Vec<_>>(), [("height", 1)]);
/// assert_eq!(
///     table.numbers("height").unwrap_err().to_string(),
///     "plants.csv: line 3, column height: expected a number, got a missing value"
/// );
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(super) file: String,
    pub(super) names: Vec<String>,
    pub(super) columns: Vec<Column>,
    /// The line of each row.
    pub(super) lines: Vec<u64>,
}

impl Table {
    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.lines.len()
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The file it was read from, as its errors tell it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, from 1, in which a row began; none if there is no such row.
    pub fn line(&self, row: usize) -> Option<u64> {
        self.lines.get(row).copied()
    }

    /// The column of a name.
    ///
    /// # Errors
    /// If there is none; the error lists the names there are.
    pub fn column(&self, name: &str) -> Result<&Column> {
        match self.names.iter().position(|other| other == name) {
            Some(i) => Ok(&self.columns[i]),
            None => {
                let expected = format!("one of {}", self.names.join(", "));
                Err(DataError::value("table: column", expected, format!("`{name}`")))
            }
        }
    }

    /// The columns in which values are missing, and how many are.
    pub fn missing(&self) -> impl Iterator<Item = (&str, usize)> {
        let counts = self.names.iter().zip(&self.columns).map(|(name, column)| (name.as_str(), column.n_missing()));
        counts.filter(|(_, n)| *n > 0)
    }

    /// The numbers of a column, such as a target.
    ///
    /// # Errors
    /// If there is no such column, it holds categories, or a number is missing: file, line and column are told.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let Column::Numbers(values) = self.column(name)? else {
            return Err(DataError::value("table: column", "a column of numbers", format!("categories in `{name}`")));
        };
        let number = |(row, value): (usize, &Option<f64>)| {
            value.ok_or_else(|| self.error(row, name, "a number", "a missing value"))
        };
        values.iter().enumerate().map(number).collect()
    }

    /// The categories of a column as class indices, and the names of the classes, in alphabetic order.
    ///
    /// A column of numbers can be one of classes, too, if it was read as [`ColumnKind::Category`].
    ///
    /// # Errors
    /// If there is no such column, it holds numbers, or a category is missing: file, line and column are told.
    pub fn labels(&self, name: &str) -> Result<(Vec<usize>, Vec<String>)> {
        let Column::Categories { names, values } = self.column(name)? else {
            return Err(DataError::value("table: column", "a column of categories", format!("numbers in `{name}`")));
        };
        let label = |(row, value): (usize, &Option<usize>)| {
            value.ok_or_else(|| self.error(row, name, "a category", "a missing value"))
        };
        Ok((values.iter().enumerate().map(label).collect::<Result<_>>()?, names.clone()))
    }

    /// The table of some rows, as a split gives them. It has the categories of the whole table, those without a row included.
    ///
    /// # Errors
    /// If an index is not below the number of rows.
    pub fn select(&self, rows: &[usize]) -> Result<Table> {
        let bound = self.n_rows();
        if let Some(position) = rows.iter().position(|&row| row >= bound) {
            return Err(DataError::Index { what: "table", index: rows[position], bound, position });
        }
        let columns = self.columns.iter().map(|column| match column {
            Column::Numbers(values) => Column::Numbers(rows.iter().map(|&row| values[row]).collect()),
            Column::Categories { names, values } => {
                Column::Categories { names: names.clone(), values: rows.iter().map(|&row| values[row]).collect() }
            }
        });
        let lines = rows.iter().map(|&row| self.lines[row]).collect();
        Ok(Table { file: self.file.clone(), names: self.names.clone(), columns: columns.collect(), lines })
    }

    /// An error at a field.
    pub(super) fn error(&self, row: usize, column: &str, expected: &str, got: &str) -> DataError {
        DataError::Field {
            file: self.file.clone(),
            line: self.lines[row],
            column: column.to_owned(),
            expected: expected.to_owned(),
            got: got.to_owned(),
        }
    }
}
