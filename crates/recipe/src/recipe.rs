//! A recipe: its sections, and how it is read and written.

use crate::error::Problem;
use crate::lines::Lines;
use crate::read::read;
use crate::{DataSection, ModelSection, OptimizerSection, RecipeError, RegularizeSection, Result, TrainSection};
use gradwise_augment::spec::Spec;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A training run as data.
///
/// ```
/// use gradwise_recipe::{Recipe, Registry};
///
/// let recipe: Recipe = "
///     [data]
///     source = { kind = 'moons', samples = 200, noise = 0.1 }
///     scale = ['standard']
///
///     [model]
///     layers = [{ kind = 'linear', units = 16, activation = 'tanh' }, 'linear']
///
///     [optimizer]
///     rule = 'adam'
///     rate = 0.01
///
///     [train]
///     epochs = 2
/// ".parse()?;
/// let mut run = recipe.build(&Registry::new())?;
/// let trained = run.train(&mut [])?;
/// assert_eq!(trained.summary.epochs, 2);
/// # Ok::<(), gradwise_recipe::RecipeError>(())
/// ```
///
/// It can be changed like any value before it is built, and be written as TOML again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// What is learned from, and how it is prepared.
    pub data: DataSection,
    /// What is done to each training sample each time anew: a list of transforms of images, in their order. Values of inputs count from 0,
    /// black, to `white`, before they are scaled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::schema::augment")]
    pub augment: Vec<Spec>,
    /// The network, and what it is to minimize.
    pub model: ModelSection,
    /// How its weights are moved.
    #[serde(default)]
    pub optimizer: OptimizerSection,
    /// What holds it back from learning by heart.
    #[serde(default, skip_serializing_if = "RegularizeSection::is_empty")]
    pub regularize: RegularizeSection,
    /// How long, on how many threads, from which seed.
    #[serde(default)]
    pub train: TrainSection,
    #[serde(skip)]
    pub(crate) lines: Lines,
    #[serde(skip)]
    pub(crate) folder: PathBuf,
}

impl Recipe {
    /// A recipe of the two sections that every recipe has; the others are as they are where nothing is said.
    pub fn new(data: DataSection, model: ModelSection) -> Self {
        Recipe {
            data,
            augment: Vec::new(),
            model,
            optimizer: OptimizerSection::default(),
            regularize: RegularizeSection::default(),
            train: TrainSection::default(),
            lines: Lines::default(),
            folder: PathBuf::new(),
        }
    }

    /// Reads a file. Paths in it are relative to the folder it lies in.
    ///
    /// # Errors
    /// If the file cannot be read, is no TOML, has unknown keys, lacks some, or has values of another type than their keys take.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| RecipeError::new(Problem::Io(error)).located(Some(&file), None))?;
        let mut recipe = Self::from_text(&text, Some(&file))?;
        recipe.folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(recipe)
    }

    fn from_text(text: &str, file: Option<&str>) -> Result<Self> {
        let (table, lines) = Lines::read(text, file)?;
        let mut recipe: Recipe = read(&table).map_err(|error| lines.locate(error))?;
        recipe.lines = lines;
        Ok(recipe)
    }

    /// The recipe as TOML; read again, it is the same.
    ///
    /// # Errors
    /// If a number in it has more than 63 bits.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| RecipeError::new(Problem::Other(error.to_string())))
    }
}

/// Reads a text, whose paths are relative to the working folder.
impl FromStr for Recipe {
    type Err = RecipeError;

    fn from_str(text: &str) -> Result<Self> {
        Self::from_text(text, None)
    }
}
