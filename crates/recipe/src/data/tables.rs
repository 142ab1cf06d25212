//! Tables of separated values, and archives of arrays.

use super::{Loaded, SourceSite, Sources, at};
use crate::{Described, RecipeError, Result, Set};
use gradwise_data::{Column, ColumnKind, CsvReader, Labelled, Missing, Npz as Archive, Paired, TableEncoder, Unknown};
use ndarray::{ArrayD, IxDyn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `csv`: a table of separated values, one column of which is the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Csv {
    /// The file.
    pub file: String,
    /// Whether the first line names the columns, which otherwise go by their numbers, from 1: yes, if it is not said.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub header: bool,
    /// The column that is to be predicted.
    pub target: String,
    /// Whether the target is a class or a number: words are classes and numbers are numbers, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The columns that it is predicted from; all others, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Columns that are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The character between values; found out from the first line, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// What becomes of missing values; they are an error, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingName>,
}

fn yes() -> bool {
    true
}

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// A class.
    Class,
    /// A number.
    Number,
}

/// What becomes of missing values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingName {
    /// They are an error.
    Refuse,
    /// They become the mean of their column in the training part.
    Mean,
    /// As `mean`, with one more column that tells where they were missing.
    Mark,
}

impl Csv {
    /// The character between values: as it is said, or the one of `,`, `;` and tab that the first line has most of.
    fn delimiter(&self, text: &[u8]) -> Result<u8> {
        if let Some(delimiter) = self.delimiter {
            return u8::try_from(delimiter).ok().filter(u8::is_ascii).ok_or_else(|| {
                RecipeError::value("a character of ASCII", format_args!("{delimiter:?}")).at("delimiter")
            });
        }
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let count = |delimiter: &u8| first.iter().filter(|byte| *byte == delimiter).count();
        Ok([b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b','))
    }
}

impl Described<Sources> for Csv {
    const KIND: &'static str = "csv";

    fn build(self, site: &SourceSite<'_>) -> Result<Loaded> {
        let path = site.path(&self.file);
        let bytes = std::fs::read(&path).map_err(|error| at("file")(gradwise_data::DataError::io(&path, error)))?;
        let mut reader = CsvReader::new().delimiter(self.delimiter(&bytes)?);
        if !self.header {
            reader = reader.without_header();
        }
        if self.task == Some(Task::Class) {
            reader = reader.column(&self.target, ColumnKind::Category);
        }
        let name = path.display().to_string();
        let table = reader.read_bytes(&bytes, &name).map_err(at("file"))?;
        let unknown = |column: &str| RecipeError::unknown("column", column, table.names().iter().map(String::as_str));
        let known = |column: &str| table.names().iter().any(|name| name == column);
        if !known(&self.target) {
            return Err(unknown(&self.target).at("target"));
        }
        for (field, columns) in [("columns", self.columns.as_deref()), ("without", Some(&self.without[..]))] {
            let columns = columns.unwrap_or_default();
            if let Some(i) = columns.iter().position(|column| !known(column)) {
                return Err(unknown(&columns[i]).at_index(i).at(field));
            }
        }
        let chosen = |column: &&str| self.columns.as_ref().is_none_or(|all| all.iter().any(|name| name == column));
        let columns: Vec<&str> = table.names().iter().map(String::as_str).collect();
        let columns: Vec<&str> = columns
            .into_iter()
            .filter(|column| *column != self.target && !self.without.iter().any(|name| name == column))
            .filter(chosen)
            .collect();
        let target = table.column(&self.target)?;
        let classes = match (self.task, target) {
            (Some(Task::Number), _) | (None, Column::Numbers(_)) => None,
            _ => Some(table.labels(&self.target).map_err(at("target"))?),
        };
        if let Some((_, names)) = &classes
            && names.len() < 2
        {
            return Err(RecipeError::value("a column of two classes or more", format_args!("one of {}", names.len()))
                .at("target"));
        }
        let numbers = match &classes {
            None => Some(table.numbers(&self.target).map_err(at("target"))?),
            Some(_) => None,
        };
        let (train, test) = site.divide(table.n_rows(), classes.as_ref().map(|(labels, _)| &labels[..]))?;
        let missing = match self.missing {
            None | Some(MissingName::Refuse) => Missing::Refuse,
            Some(MissingName::Mean) => Missing::Mean,
            Some(MissingName::Mark) => Missing::Mark,
        };
        let encoder = TableEncoder::fit(&table.select(&train)?, &columns).map_err(at("columns"))?;
        // A class of few samples may be in the test part alone.
        let encoder = encoder.missing(missing).unknown(Unknown::Zeros);
        let part = |rows: &[usize]| -> Result<Set> {
            let inputs: ArrayD<f32> = encoder.transform(&table.select(rows)?).map_err(at("file"))?;
            Ok(match (&classes, &numbers) {
                (Some((labels, names)), _) => {
                    let labels = rows.iter().map(|row| labels[*row]).collect();
                    Labelled::new(inputs, labels, names.len())?.with_class_names(names)?.into()
                }
                (None, numbers) => {
                    let numbers = numbers.as_deref().unwrap_or_default();
                    let numbers: Vec<f32> = rows.iter().map(|row| numbers[*row] as f32).collect();
                    let shape = IxDyn(&[numbers.len(), 1]);
                    let targets = ArrayD::from_shape_fn(shape, |index| numbers[index[0]]);
                    Paired::new(inputs, targets)?.into()
                }
            })
        };
        Ok(Loaded { train: part(&train)?, test: test.as_deref().map(part).transpose()? })
    }
}

/// `npz`: an archive of NumPy's, with arrays of inputs and of targets, and perhaps of a test part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Npz {
    /// The file.
    pub file: String,
    /// The array of inputs; `x`, if it is not said.
    #[serde(default = "x")]
    pub inputs: String,
    /// The array of targets; `y`, if it is not said.
    #[serde(default = "y")]
    pub targets: String,
    /// The array of inputs of a test part, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_inputs: Option<String>,
    /// The array of its targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_targets: Option<String>,
    /// Whether targets are classes or numbers; classes, if it is not said and they are whole numbers along one axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}

fn x() -> String {
    "x".to_owned()
}

fn y() -> String {
    "y".to_owned()
}

/// The targets of an archive, of both parts.
enum Targets {
    Classes(Vec<usize>),
    Numbers(ArrayD<f32>),
}

impl Npz {
    fn targets(&self, archive: &mut Archive<std::fs::File>, name: &str, field: &'static str) -> Result<Targets> {
        let array = archive.get(name).map_err(at(field))?;
        let labels = array.to_labels();
        match (self.task, labels) {
            (Some(Task::Class), labels) => Ok(Targets::Classes(labels.map_err(at(field))?)),
            (None, Ok(labels)) if array.shape().len() == 1 => Ok(Targets::Classes(labels)),
            _ => {
                let numbers: ArrayD<f32> = array.to_array().map_err(at(field))?;
                let shape = match numbers.shape() {
                    [n] => vec![*n, 1],
                    shape => shape.to_vec(),
                };
                let numbers = numbers.into_shape_with_order(shape);
                Ok(Targets::Numbers(numbers.map_err(|error| RecipeError::value("targets in rows", error).at(field))?))
            }
        }
    }
}

fn set(inputs: ArrayD<f32>, targets: Targets, n_classes: usize) -> Result<Set> {
    Ok(match targets {
        Targets::Classes(labels) => Labelled::new(inputs, labels, n_classes)?.into(),
        Targets::Numbers(numbers) => Paired::new(inputs, numbers)?.into(),
    })
}

impl Described<Sources> for Npz {
    const KIND: &'static str = "npz";

    fn build(self, site: &SourceSite<'_>) -> Result<Loaded> {
        let mut archive = Archive::open(site.path(&self.file)).map_err(at("file"))?;
        let inputs: ArrayD<f32> = archive.get(&self.inputs).and_then(|x| x.to_array()).map_err(at("inputs"))?;
        let targets = self.targets(&mut archive, &self.targets, "targets")?;
        let most = |targets: &Targets| match targets {
            Targets::Classes(labels) => labels.iter().max().map_or(0, |most| most + 1),
            Targets::Numbers(_) => 0,
        };
        match (&self.test_inputs, &self.test_targets) {
            (None, None) => {
                let n_classes = most(&targets);
                site.parts(set(inputs, targets, n_classes)?)
            }
            (Some(x), Some(y)) => {
                let test: ArrayD<f32> = archive.get(x).and_then(|x| x.to_array()).map_err(at("test-inputs"))?;
                let test_targets = self.targets(&mut archive, y, "test-targets")?;
                let n_classes = most(&targets).max(most(&test_targets));
                site.given(set(inputs, targets, n_classes)?, set(test, test_targets, n_classes)?)
            }
            (Some(_), None) => Err(RecipeError::missing("the test part needs targets, too").at("test-targets")),
            (None, Some(_)) => Err(RecipeError::missing("the test part needs inputs, too").at("test-inputs")),
        }
    }
}
