//! Where recipes take their samples from, and what is made of them before training.

mod files;
mod parts;
mod synthetic;
mod tables;
mod transforms;

pub use files::*;
pub use synthetic::*;
pub use tables::*;
pub use transforms::*;

pub(crate) use parts::{Parts, load};

use crate::kinds::add_all;
use crate::{Family, Kinds, RecipeError, Result, Set, Split};
use gradwise_data::{Samples, stratified_split};
use std::path::{Path, PathBuf};

/// The family of sources of data.
#[derive(Debug)]
pub enum Sources {}

impl Family for Sources {
    const WHAT: &'static str = "source";
    type Built = Loaded;
    type Site<'a> = SourceSite<'a>;
}

/// What a source gives: samples to train on, and those that are held out for the test, if there are any.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The training part, out of which the validation part is taken later.
    pub train: Set,
    /// The test part.
    pub test: Option<Set>,
}

/// What loading data is told of the recipe.
#[derive(Clone, Copy, Debug)]
pub struct SourceSite<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) split: &'a Split,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
}

impl SourceSite<'_> {
    /// A path of the recipe as one that can be opened: relative to the recipe's folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// The recipe's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many threads there are to load with.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The indices of the training and of the test part, as `[data.split]` tells, of so many samples, of these classes if they have any.
    ///
    /// # Errors
    /// If the share is out of its range, or a part would be empty.
    pub fn divide(&self, n: usize, classes: Option<&[usize]>) -> Result<(Vec<usize>, Option<Vec<usize>>)> {
        let share = self.split.test.unwrap_or(0.2);
        if share == 0.0 {
            return Ok(((0..n).collect(), None));
        }
        let (train, test) = divide(n, classes, share, self.split, self.seed)
            .map_err(|error| RecipeError::at(error, "test").at("split").outside())?;
        Ok((train, Some(test)))
    }

    /// A whole set, divided as `[data.split]` tells.
    ///
    /// # Errors
    /// As [`SourceSite::divide`].
    pub fn parts(&self, set: impl Into<Set>) -> Result<Loaded> {
        let set = set.into();
        let (train, test) = self.divide(set.len(), set.targets().classes.as_deref())?;
        let Some(test) = test else { return Ok(Loaded { train: set, test: None }) };
        Ok(Loaded { train: set.subset(&train)?, test: Some(set.subset(&test)?) })
    }

    /// Two sets that are divided as they are.
    ///
    /// # Errors
    /// If `[data.split]` has a share for the test, which would be of no use.
    pub fn given(&self, train: impl Into<Set>, test: impl Into<Set>) -> Result<Loaded> {
        match self.split.test {
            Some(_) => Err(RecipeError::value("nothing, since the source has a test part", "a share of samples")
                .at("test")
                .at("split")
                .outside()),
            None => Ok(Loaded { train: train.into(), test: Some(test.into()) }),
        }
    }
}

/// Two parts, the second of which has a share of all samples.
pub(crate) fn divide(
    n: usize,
    classes: Option<&[usize]>,
    share: f64,
    split: &Split,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>)> {
    if !(share > 0.0 && share < 1.0) {
        return Err(RecipeError::value("a number above 0 and below 1", share));
    }
    let seed = split.seed.unwrap_or(seed);
    match classes {
        Some(classes) if split.stratified != Some(false) => {
            let parts = stratified_split(classes, share, seed)?;
            Ok((parts.train, parts.test))
        }
        _ => {
            let mut parts = gradwise_data::split(n, &[1.0 - share, share], seed)?;
            let test = parts.pop().unwrap_or_default();
            Ok((parts.pop().unwrap_or_default(), test))
        }
    }
}

/// All sources of this crate.
pub(crate) fn all_sources() -> Kinds<Sources> {
    add_all!(
        Kinds::new();
        Digits, IdxFolder, IdxFiles, Cifar10, Cifar100, ImageFolder, Csv, Npz, Circles, Moons, Spirals, Blobs, MultiLabel,
    )
}

/// All transforms of inputs of this crate.
pub(crate) fn all_transforms() -> Kinds<Transforms> {
    add_all!(
        Kinds::new();
        Standard, MinMax, Robust, PerSample, Multiply, Polynomial, Fourier, PositionalEncoding, RadialBasis, Coordinates, Whiten,
    )
}

/// Puts an error of the data to a field of the source.
fn at(field: &'static str) -> impl Fn(gradwise_data::DataError) -> RecipeError {
    move |error| RecipeError::from(error).at(field)
}
