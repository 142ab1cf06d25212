//! The three parts of the data of a run, prepared.

use super::{SourceSite, Transform, TransformSite, divide};
use crate::{DataSection, RecipeError, Registry, Result, Set};
use gradwise_data::Samples;

/// The parts of a run's data, and how inputs were prepared.
pub(crate) struct Parts {
    pub(crate) train: Set,
    pub(crate) validation: Option<Set>,
    pub(crate) test: Option<Set>,
    /// The shape of a sample as the model sees it.
    pub(crate) sample_shape: Vec<usize>,
    /// What is still to be done to each training batch, after augmentation.
    pub(crate) later: Vec<Box<dyn Transform>>,
    /// The value of white.
    pub(crate) white: f32,
}

/// Loads, divides and prepares the data. If training samples are augmented, they are scaled afterwards.
pub(crate) fn load(section: &DataSection, registry: &Registry, site: SourceSite<'_>, augmented: bool) -> Result<Parts> {
    let loaded = registry.sources.build(&section.source, &site).map_err(|error| error.within("source"))?;
    let (mut train, mut test) = (loaded.train, loaded.test);
    let mut validation = match section.split.validation {
        None | Some(0.0) => None,
        Some(share) => {
            let classes = train.targets().classes.as_deref();
            let parts = divide(train.len(), classes, share, &section.split, site.seed);
            let (kept, held) = parts.map_err(|error| error.at("validation").at("split"))?;
            let held = train.subset(&held)?;
            train = train.subset(&kept)?;
            Some(held)
        }
    };
    let largest = train.inputs().iter().copied().fold(0.0_f32, f32::max);
    let white = section.white.map_or(largest, |white| white as f32);
    if augmented && !(white > 0.0 && white.is_finite()) {
        return Err(RecipeError::value("a number above 0", white).at("white"));
    }
    let mut later = Vec::new();
    // What augmentation works on is kept as it is: the model sees it transformed, batch by batch.
    let raw = augmented.then(|| train.inputs().to_owned());
    for (field, parts) in [("features", &section.features), ("scale", &section.scale)] {
        for (i, part) in parts.iter().enumerate() {
            let here = |error: RecipeError| error.at_index(i).at(field);
            let seen = TransformSite { inputs: train.inputs(), seed: site.seed };
            let transform = registry.transforms.build(part, &seen).map_err(here)?;
            for set in [Some(&mut train), validation.as_mut(), test.as_mut()].into_iter().flatten() {
                transform.apply(set.inputs_mut()).map_err(here)?;
            }
            later.push(transform);
        }
    }
    let sample_shape = train.sample_shape().to_vec();
    match raw {
        Some(raw) => *train.inputs_mut() = raw,
        None => later.clear(),
    }
    Ok(Parts { train, validation, test, sample_shape, later, white })
}
