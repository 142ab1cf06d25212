//! From a table to an array.

use super::{Column, Table};
use crate::{DataError, Result};
use gradwise_core::Real;
use ndarray::{Array2, ArrayD};

/// What becomes of a missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Missing {
    /// It is an error that tells file, line and column.
    #[default]
    Refuse,
    /// A number becomes the mean of its column in the training part; a category becomes none, all zeros.
    Mean,
    /// As [`Missing::Mean`], and a feature more tells of it, `name=missing`: 1 where the value is missing, 0 elsewhere. Every column has
    /// it, whether or not values are missing in the training part.
    Mark,
}

/// What becomes of a category that the training part does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Unknown {
    /// It is an error that tells file, line and column.
    #[default]
    Refuse,
    /// None: all zeros.
    Zeros,
}

/// Turns tables into arrays: numbers as they are, categories one-hot, as it has learned them from the training part.
///
/// What a category is and what a mean is comes from the table it is fitted on, and tables of the same columns become arrays of the same
/// features ever after. Numbers are not scaled: that is a [`StandardScaler`](crate::StandardScaler)'s.
///
/// ```
/// use gradwise_data::{CsvReader, Missing, TableEncoder};
///
/// let table = CsvReader::new().read_bytes(b"height,colour,class\n1,red,a\n,blue,b\n3,red,b\n", "plants.csv")?;
/// let encoder = TableEncoder::fit(&table, &["height", "colour"])?.missing(Missing::Mean);
/// assert_eq!(encoder.names(), ["height", "colour=blue", "colour=red"]);
/// let inputs = encoder.transform::<f32>(&table)?;
/// assert_eq!(inputs, ndarray::array![[1.0, 0.0, 1.0], [2.0, 1.0, 0.0], [3.0, 0.0, 1.0]].into_dyn());
///
/// let other = CsvReader::new().read_bytes(b"colour,height\ngreen,2\n", "more.csv")?;
/// assert_eq!(
///     encoder.transform::<f32>(&other).unwrap_err().to_string(),
///     "more.csv: line 2, column colour: expected one of blue, red, got `green`"
/// );
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TableEncoder {
    columns: Vec<Known>,
    missing: Missing,
    unknown: Unknown,
}

/// A column, as far as it was learned.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Known {
    name: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum What {
    Number { mean: f64 },
    Categories { names: Vec<String> },
}

impl TableEncoder {
    /// Learns the columns of some names, which become features in this order. A category counts only if a row has it.
    ///
    /// # Errors
    /// If there is no such column, or a column of numbers has none.
    pub fn fit(table: &Table, columns: &[&str]) -> Result<Self> {
        let known = |name: &&str| -> Result<Known> {
            let what = match table.column(name)? {
                Column::Numbers(values) => {
                    let (mut mean, mut n) = (0.0, 0.0);
                    for value in values.iter().flatten() {
                        n += 1.0;
                        mean += (value - mean) / n;
                    }
                    if n == 0.0 {
                        let got = format!("none in `{name}`");
                        return Err(DataError::value("table encoder", "at least one number in each column", got));
                    }
                    What::Number { mean }
                }
                Column::Categories { names, values } => {
                    let present = |i: &usize| values.contains(&Some(*i));
                    What::Categories { names: (0..names.len()).filter(present).map(|i| names[i].clone()).collect() }
                }
            };
            Ok(Known { name: (*name).to_owned(), what })
        };
        let columns = columns.iter().map(known).collect::<Result<_>>()?;
        Ok(TableEncoder { columns, missing: Missing::default(), unknown: Unknown::default() })
    }

    /// What becomes of missing values; they are refused unless told otherwise.
    #[must_use]
    pub fn missing(self, missing: Missing) -> Self {
        TableEncoder { missing, ..self }
    }

    /// What becomes of categories that were not learned; they are refused unless told otherwise.
    #[must_use]
    pub fn unknown(self, unknown: Unknown) -> Self {
        TableEncoder { unknown, ..self }
    }

    /// The names of the features.
    pub fn names(&self) -> Vec<String> {
        let mut features = Vec::new();
        for Known { name, what } in &self.columns {
            match what {
                What::Number { .. } => features.push(name.clone()),
                What::Categories { names } => {
                    features.extend(names.iter().map(|category| format!("{name}={category}")));
                }
            }
            if self.missing == Missing::Mark {
                features.push(format!("{name}=missing"));
            }
        }
        features
    }

    /// The array of a table's rows, `[N, features]`. The table may have other columns besides, in any order.
    ///
    /// # Errors
    /// If a column is not there or of another kind; a value is missing, or a category unknown, where that is refused: file, line and
    /// column are told.
    pub fn transform<T: Real>(&self, table: &Table) -> Result<ArrayD<T>> {
        let mut out = Array2::zeros((table.n_rows(), self.names().len()));
        let mut at = 0;
        for Known { name, what } in &self.columns {
            let width = match what {
                What::Number { .. } => 1,
                What::Categories { names } => names.len(),
            };
            let column = table.column(name)?;
            for row in 0..table.n_rows() {
                let missing = match (column, what) {
                    (Column::Numbers(values), What::Number { mean }) => {
                        out[[row, at]] = T::of(values[row].unwrap_or(*mean));
                        values[row].is_none()
                    }
                    (Column::Categories { names: theirs, values }, What::Categories { names }) => {
                        if let Some(value) = values[row] {
                            match names.binary_search(&theirs[value]) {
                                Ok(i) => out[[row, at + i]] = T::one(),
                                Err(_) if self.unknown == Unknown::Zeros => {}
                                Err(_) => {
                                    let expected = format!("one of {}", names.join(", "));
                                    return Err(table.error(row, name, &expected, &format!("`{}`", theirs[value])));
                                }
                            }
                        }
                        values[row].is_none()
                    }
                    (Column::Numbers(_), _) => {
                        let got = format!("numbers in `{name}` of {}", table.file());
                        return Err(DataError::value(
                            "table encoder",
                            "a column of categories, as it was fitted on",
                            got,
                        ));
                    }
                    (Column::Categories { .. }, _) => {
                        // A column of numbers becomes one of categories by a single word; that word is what has to be told.
                        return Err(no_number(table, name, column));
                    }
                };
                match self.missing {
                    Missing::Refuse if missing => return Err(table.error(row, name, "a value", "a missing value")),
                    Missing::Mark => out[[row, at + width]] = if missing { T::one() } else { T::zero() },
                    _ => {}
                }
            }
            at += width + usize::from(self.missing == Missing::Mark);
        }
        Ok(out.into_dyn())
    }
}

/// The error of the first word in a column that should hold numbers.
fn no_number(table: &Table, name: &str, column: &Column) -> DataError {
    if let Column::Categories { names, values } = column {
        let word = |value: &Option<usize>| value.map(|i| &names[i]).filter(|word| word.parse::<f64>().is_err());
        let first = values.iter().enumerate().find_map(|(row, value)| Some((row, word(value)?)));
        if let Some((row, word)) = first {
            return table.error(row, name, "a number", &format!("`{word}`"));
        }
    }
    DataError::value("table encoder", "a column of numbers, as it was fitted on", format!("categories in `{name}`"))
}
