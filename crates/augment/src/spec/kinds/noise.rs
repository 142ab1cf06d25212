//! Noise.

use super::boxed;
use crate::spec::notation::clip;
use crate::spec::{Described, Site};
use crate::{Augment, RandomSaltAndPepper, Range, Result};
use serde::{Deserialize, Serialize};

fn zero() -> Range {
    0.0.into()
}

fn half() -> Range {
    0.5.into()
}

fn black_to_white() -> Option<(f32, f32)> {
    Some((0.0, 1.0))
}

macro_rules! noises {
    ($($name:ident: $kind:literal;)*) => {$(
        #[doc = concat!("`", $kind, "`. See [`", stringify!($name), "`](crate::", stringify!($name), ").")]
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            /// The mean; 0 unless it is said otherwise.
            #[serde(default = "zero")]
            pub mean: Range,
            /// The standard deviation, as a share of white.
            pub std: Range,
            /// Whether all channels of a pixel get the same noise; no unless it is said otherwise.
            #[serde(default)]
            pub shared: bool,
            /// The range that values are kept in, or false; `[0, 1]` unless it is said otherwise.
            #[serde(default = "black_to_white", with = "clip")]
            pub clip: Option<(f32, f32)>,
        }

        impl Described for $name {
            const KIND: &'static str = $kind;

            fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
                boxed(crate::$name::new(self.mean, self.std)?.shared(self.shared).clip(self.clip)?)
            }
        }
    )*};
}

noises! {
    GaussianNoise: "gaussian-noise";
    UniformNoise: "uniform-noise";
    LaplaceNoise: "laplace-noise";
    Speckle: "speckle";
}

/// `salt-and-pepper`: pixels that become white or black. See [`RandomSaltAndPepper`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SaltAndPepper {
    /// The part of all pixels.
    pub amount: Range,
    /// The share of white ones among them; ½ unless it is said otherwise.
    #[serde(default = "half")]
    pub salt: Range,
}

impl Described for SaltAndPepper {
    const KIND: &'static str = "salt-and-pepper";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(RandomSaltAndPepper::new(self.amount, self.salt)?)
    }
}

/// `shot-noise`: light that is counted. See [`ShotNoise`](crate::ShotNoise).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShotNoise {
    /// What one count is worth, as a share of white.
    pub scale: Range,
    /// The exponent that makes values linear in light; 2.2 unless it is said otherwise.
    #[serde(default = "photographs")]
    pub gamma: f64,
}

fn photographs() -> f64 {
    2.2
}

impl Described for ShotNoise {
    const KIND: &'static str = "shot-noise";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::ShotNoise::new(self.scale)?.gamma(self.gamma)?)
    }
}
