//! What is made of inputs before training: features, and a common scale. Each learns from the training part alone.

use crate::{Described, Family, Result};
use gradwise_core::ArrayRefD;
use gradwise_data as data;
use gradwise_data::Per;
use ndarray::ArrayD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The family of transforms of inputs.
#[derive(Debug)]
pub enum Transforms {}

impl Family for Transforms {
    const WHAT: &'static str = "transform of inputs";
    type Built = Box<dyn Transform>;
    type Site<'a> = TransformSite<'a>;
}

/// What is made of inputs: other inputs. It has learned what it needs from the training part.
pub trait Transform: Send + Sync {
    /// Changes some samples (`N × …`), each by itself.
    ///
    /// # Errors
    /// If they are of another shape than those it has learned from.
    fn apply(&self, inputs: &mut ArrayD<f32>) -> Result<()>;
}

/// What building a transform is told of the data.
#[derive(Clone, Copy, Debug)]
pub struct TransformSite<'a> {
    pub(crate) inputs: &'a ArrayRefD<f32>,
    pub(crate) seed: u64,
}

impl<'a> TransformSite<'a> {
    /// The training part's inputs (`N × …`), to learn from.
    pub fn inputs(&self) -> &'a ArrayRefD<f32> {
        self.inputs
    }

    /// The recipe's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Numbers in a sample.
    fn width(&self) -> usize {
        self.inputs.shape().iter().skip(1).product()
    }

    /// Which values share a scale: as it is said, or each channel of an image, and each number of another sample.
    fn per(&self, per: Option<PerName>) -> Per {
        match per {
            Some(PerName::Feature) => Per::Feature,
            Some(PerName::Channel) => Per::Channel,
            Some(PerName::All) => Per::All,
            None if self.inputs.ndim() == 4 => Per::Channel,
            None => Per::Feature,
        }
    }
}

/// Which values share one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PerName {
    /// Each place in a sample has its own: the columns of a table.
    Feature,
    /// Each index of the first axis of a sample has its own: the colours of images.
    Channel,
    /// All values share one.
    All,
}

/// A function that changes inputs in place.
struct InPlace<F>(F);

impl<F: Fn(&mut ArrayRefD<f32>) -> Result<()> + Send + Sync> Transform for InPlace<F> {
    fn apply(&self, inputs: &mut ArrayD<f32>) -> Result<()> {
        (self.0)(inputs)
    }
}

/// A function that makes new inputs.
struct Anew<F>(F);

impl<F: Fn(&ArrayRefD<f32>) -> Result<ArrayD<f32>> + Send + Sync> Transform for Anew<F> {
    fn apply(&self, inputs: &mut ArrayD<f32>) -> Result<()> {
        *inputs = (self.0)(inputs)?;
        Ok(())
    }
}

macro_rules! transforms {
    ($($(#[$doc:meta])* $name:ident: $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }
        |$self:ident, $site:pat_param| $build:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

        impl Described<Transforms> for $name {
            const KIND: &'static str = $kind;
            fn build(self, site: &TransformSite<'_>) -> Result<Box<dyn Transform>> {
                let ($self, $site) = (self, site);
                Ok(Box::new($build))
            }
        }
    )*};
}

fn one() -> f64 {
    1.0
}

fn small() -> f64 {
    1e-5
}

fn no(value: &bool) -> bool {
    !value
}

transforms! {
    /// `standard`: to mean 0 and variance 1.
    Standard: "standard" {
        /// Which values share one scale: those of a channel in images, and of a place otherwise, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        per: Option<PerName>,
    } |options, site| {
        let scaler = data::StandardScaler::fit(site.per(options.per), site.inputs())?;
        InPlace(move |x: &mut ArrayRefD<f32>| Ok(scaler.transform(x)?))
    };
    /// `min-max`: into a range.
    MinMax: "min-max" {
        /// What the least value becomes; 0, if it is not said.
        #[serde(default)]
        low: f64,
        /// What the largest value becomes; 1, if it is not said.
        #[serde(default = "one")]
        high: f64,
        /// Which values share one scale: those of a channel in images, and of a place otherwise, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        per: Option<PerName>,
    } |options, site| {
        let scaler = data::MinMaxScaler::fit(site.per(options.per), options.low, options.high, site.inputs())?;
        InPlace(move |x: &mut ArrayRefD<f32>| Ok(scaler.transform(x)?))
    };
    /// `robust`: by median and quartiles, which a few wild values do not move.
    Robust: "robust" {
        /// Which values share one scale: those of a channel in images, and of a place otherwise, if it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        per: Option<PerName>,
    } |options, site| {
        let scaler = data::RobustScaler::fit(site.per(options.per), site.inputs())?;
        InPlace(move |x: &mut ArrayRefD<f32>| Ok(scaler.transform(x)?))
    };
    /// `per-sample`: each sample to mean 0 and variance 1 by itself.
    PerSample: "per-sample" {} |_options, _| {
        let scaler = data::SampleScaler::new();
        InPlace(move |x: &mut ArrayRefD<f32>| scaler.transform(x).map(drop).map_err(Into::into))
    };
    /// `multiply`: by a number, and a number added.
    Multiply: "multiply" {
        /// The factor.
        by: f64,
        /// What is added; nothing, if it is not said.
        #[serde(default)]
        add: f64,
    } |options, _| InPlace(move |x: &mut ArrayRefD<f32>| {
        x.mapv_inplace(|x| (f64::from(x) * options.by + options.add) as f32);
        Ok(())
    });
    /// `whiten`: to variance 1 in every direction.
    Whiten: "whiten" {
        /// Whether axes are turned to the directions of most variance, rather than left as near as can be to where they are.
        #[serde(default, skip_serializing_if = "no")]
        pca: bool,
        /// What is added to variances; 1e-5, if it is not said.
        #[serde(default = "small")]
        epsilon: f64,
    } |options, site| {
        let kind = if options.pca { data::Whitening::Pca } else { data::Whitening::Zca };
        let whitener = data::Whitener::fit(kind, options.epsilon, site.inputs())?;
        Anew(move |x: &ArrayRefD<f32>| Ok(whitener.transform(x)?))
    };
    /// `polynomial`: products of features.
    Polynomial: "polynomial" {
        /// Of how many at most.
        degree: usize,
        /// Whether powers of one feature are left out.
        #[serde(default, skip_serializing_if = "no")]
        interactions_only: bool,
    } |options, site| {
        let features = data::PolynomialFeatures::new(site.width(), options.degree)?.without_bias();
        let features = if options.interactions_only { features.interactions_only() } else { features };
        Anew(move |x: &ArrayRefD<f32>| Ok(features.transform(x)?))
    };
    /// `fourier`: sines and cosines of random directions.
    Fourier: "fourier" {
        /// How many directions.
        n: usize,
        /// The standard deviation of frequencies; 1, if it is not said.
        #[serde(default = "one")]
        sigma: f64,
    } |options, site| {
        let features = data::FourierFeatures::new(site.width(), options.n, options.sigma, site.seed())?;
        Anew(move |x: &ArrayRefD<f32>| Ok(features.transform(x)?))
    };
    /// `positional-encoding`: sines and cosines of each feature, in octaves.
    PositionalEncoding: "positional-encoding" {
        /// How many octaves.
        octaves: usize,
    } |options, _| Anew(move |x: &ArrayRefD<f32>| Ok(data::positional_encoding(x, options.octaves)?));
    /// `radial-basis`: nearness to some of the training samples.
    RadialBasis: "radial-basis" {
        /// To how many.
        n: usize,
    } |options, site| {
        let features = data::RadialBasis::fit(site.inputs(), options.n, site.seed())?;
        Anew(move |x: &ArrayRefD<f32>| Ok(features.transform(x)?))
    };
    /// `coordinates`: two channels more in images, which tell where each pixel is.
    Coordinates: "coordinates" {} |_options, _| Anew(move |x: &ArrayRefD<f32>| Ok(data::with_coordinates(x)?));
}
