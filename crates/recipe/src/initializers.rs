//! The initializers that recipes may name.

use crate::kinds::add_all;
use crate::{Described, Family, Kinds, Result};
use gradwise_init::{self as init, FanMode, Init};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The family of initializers.
#[derive(Debug)]
pub enum Initializers {}

impl Family for Initializers {
    const WHAT: &'static str = "initializer";
    type Built = Box<dyn Init<f32>>;
    type Site<'a> = ();
}

/// All initializers of this crate.
pub(crate) fn all() -> Kinds<Initializers> {
    add_all!(
        Kinds::new();
        Zeros, Constant, Uniform, Normal, TruncatedNormal, HeNormal, HeUniform, XavierNormal, XavierUniform, LecunNormal,
        LecunUniform, Orthogonal, DeltaOrthogonal, Identity, Sparse,
    )
}

fn one() -> f64 {
    1.0
}

fn two() -> f64 {
    2.0
}

fn twentieth() -> f64 {
    0.05
}

fn fifteen() -> usize {
    15
}

fn hundredth() -> f64 {
    0.01
}

macro_rules! initializers {
    ($($(#[$doc:meta])* $name:ident: $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* }
        |$self:ident| $build:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

        impl Described<Initializers> for $name {
            const KIND: &'static str = $kind;
            fn build(self, (): &()) -> Result<Box<dyn Init<f32>>> {
                let $self = self;
                Ok(Box::new($build))
            }
        }
    )*};
}

initializers! {
    /// `zeros`.
    Zeros: "zeros" {} |_options| init::Zeros;
    /// `constant`: one number.
    Constant: "constant" {
        /// The number.
        value: f64
    } |options| init::Constant::new(options.value)?;
    /// `uniform`: numbers of a range.
    Uniform: "uniform" {
        /// The least.
        low: f64,
        /// The largest.
        high: f64
    } |options| init::Uniform::new(options.low, options.high)?;
    /// `normal`: normal numbers.
    Normal: "normal" {
        /// Their mean; 0, if it is not said.
        #[serde(default)]
        mean: f64,
        /// Their standard deviation; 0.05, if it is not said.
        #[serde(default = "twentieth")]
        std: f64
    } |options| init::Normal::new(options.mean, options.std)?;
    /// `truncated-normal`: normal numbers, none of them far out.
    TruncatedNormal: "truncated-normal" {
        /// Their mean; 0, if it is not said.
        #[serde(default)]
        mean: f64,
        /// Their standard deviation before the cut; 0.05, if it is not said.
        #[serde(default = "twentieth")]
        std: f64,
        /// How many standard deviations from the mean they are cut; 2, if it is not said.
        #[serde(default = "two")]
        cut: f64
    } |options| init::TruncatedNormal::new(options.mean, options.std)?.with_cut(options.cut)?;
    /// `orthogonal`: rows, or columns, that are orthogonal.
    Orthogonal: "orthogonal" {
        /// Their norm; 1, if it is not said.
        #[serde(default = "one")]
        gain: f64
    } |options| init::Orthogonal::new(options.gain)?;
    /// `delta-orthogonal`: of a convolution's kernel only the middle, which is orthogonal.
    DeltaOrthogonal: "delta-orthogonal" {
        /// The norm of a row; 1, if it is not said.
        #[serde(default = "one")]
        gain: f64
    } |options| init::DeltaOrthogonal::new(options.gain)?;
    /// `identity`: what comes in goes out, as far as sizes allow.
    Identity: "identity" {
        /// Times this; 1, if it is not said.
        #[serde(default = "one")]
        gain: f64
    } |options| init::Identity::new(options.gain)?;
    /// `sparse`: a few normal numbers a unit, and zeros.
    Sparse: "sparse" {
        /// How many a unit; 15, if it is not said.
        #[serde(default = "fifteen")]
        inputs: usize,
        /// Their standard deviation; 0.01, if it is not said.
        #[serde(default = "hundredth")]
        std: f64
    } |options| init::Sparse::new(options.inputs, options.std)?;
}

/// What of a layer's size sets the variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FanName {
    /// The inputs of a unit: a signal keeps its variance forward.
    In,
    /// The outputs that an input goes to: a gradient keeps its variance.
    Out,
    /// The mean of both.
    Average,
}

macro_rules! schemes {
    ($($(#[$doc:meta])* $name:ident: $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        pub struct $name {
            /// A factor on the standard deviation; the scheme's own, if it is not said.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub gain: Option<f64>,
            /// What of the layer's size sets the variance; the scheme's own, if it is not said.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub fan: Option<FanName>,
        }

        impl Described<Initializers> for $name {
            const KIND: &'static str = $kind;
            fn build(self, (): &()) -> Result<Box<dyn Init<f32>>> {
                let mut scheme = init::$name::new();
                if let Some(gain) = self.gain {
                    scheme = scheme.with_gain(gain)?;
                }
                if let Some(fan) = self.fan {
                    scheme = scheme.with_mode(match fan {
                        FanName::In => FanMode::In,
                        FanName::Out => FanMode::Out,
                        FanName::Average => FanMode::Average,
                    });
                }
                Ok(Box::new(scheme))
            }
        }
    )*};
}

schemes! {
    /// `he-normal`: normal, with the variance that ReLU keeps.
    HeNormal: "he-normal";
    /// `he-uniform`: uniform, with the variance that ReLU keeps.
    HeUniform: "he-uniform";
    /// `xavier-normal`: normal, for tanh.
    XavierNormal: "xavier-normal";
    /// `xavier-uniform`: uniform, for tanh.
    XavierUniform: "xavier-uniform";
    /// `lecun-normal`: normal, with the variance that no activation keeps; for `selu`.
    LecunNormal: "lecun-normal";
    /// `lecun-uniform`: uniform, with the variance that no activation keeps.
    LecunUniform: "lecun-uniform";
}
