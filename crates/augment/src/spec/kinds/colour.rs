//! Brightness, contrast, colour.

use super::boxed;
use crate::spec::notation::around;
use crate::spec::{Described, Site};
use crate::{Augment, Range, Result};
use serde::{Deserialize, Serialize};

/// Kinds of one number.
macro_rules! numbers {
    ($($name:ident: $kind:literal, $(#[$docs:meta])+ $field:ident;)*) => {$(
        #[doc = concat!("`", $kind, "`. See [`", stringify!($name), "`](crate::", stringify!($name), ").")]
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $(#[$docs])+
            pub $field: Range,
        }

        impl Described for $name {
            const KIND: &'static str = $kind;

            fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
                boxed(crate::$name::new(self.$field)?)
            }
        }
    )*};
}

numbers! {
    Brightness: "brightness",
        /// What values are multiplied with.
        factor;
    Contrast: "contrast",
        /// 0 leaves grey, 1 the image.
        factor;
    Saturation: "saturation",
        /// 0 leaves the luma, 1 the image.
        factor;
    Hue: "hue",
        /// The part of a full turn: a number goes to both sides.
        #[serde(with = "around")]
        turn;
    Gamma: "gamma",
        /// Above 1 is darker.
        exponent;
    Solarize: "solarize",
        /// The share of white from which on values are inverted.
        threshold;
    Posterize: "posterize",
        /// How many bits are kept, from 1 to 8.
        bits;
}

/// `colour-jitter`: brightness, contrast, saturation and hue, in a random order. See [`ColourJitter`](crate::ColourJitter).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ColourJitter {
    /// Factors from 1 less this to 1 more; none unless it is said otherwise.
    pub brightness: f64,
    /// Factors from 1 less this to 1 more; none unless it is said otherwise.
    pub contrast: f64,
    /// Factors from 1 less this to 1 more; none unless it is said otherwise.
    pub saturation: f64,
    /// Turns to both sides; none unless it is said otherwise.
    pub hue: f64,
}

impl Described for ColourJitter {
    const KIND: &'static str = "colour-jitter";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::ColourJitter::new(self.brightness, self.contrast, self.saturation, self.hue)?)
    }
}

/// Kinds that happen or do not.
macro_rules! chances {
    ($($name:ident: $kind:literal, $p:literal;)*) => {$(
        #[doc = concat!("`", $kind, "`. See [`", stringify!($name), "`](crate::", stringify!($name), ").")]
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            #[doc = concat!("The probability; ", stringify!($p), " unless it is said otherwise.")]
            pub p: f64,
        }

        impl Default for $name {
            fn default() -> Self {
                $name { p: $p }
            }
        }

        impl Described for $name {
            const KIND: &'static str = $kind;
            const OWN_PROBABILITY: bool = true;

            fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
                boxed(crate::$name::new(self.p)?)
            }
        }
    )*};
}

chances! {
    Grey: "grey", 0.1;
    Invert: "invert", 0.5;
    ChannelDrop: "channel-drop", 0.5;
    Equalize: "equalize", 0.5;
}

/// `auto-contrast`: each channel stretched from black to white. See [`AutoContrast`](crate::AutoContrast).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AutoContrast {
    /// The probability; 0.5 unless it is said otherwise.
    pub p: f64,
    /// The parts of the darkest and of the lightest values that are cut off; none unless it is said otherwise.
    pub cutoff: (f64, f64),
}

impl Default for AutoContrast {
    fn default() -> Self {
        AutoContrast { p: 0.5, cutoff: (0.0, 0.0) }
    }
}

impl Described for AutoContrast {
    const KIND: &'static str = "auto-contrast";
    const OWN_PROBABILITY: bool = true;

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::AutoContrast::new(self.p)?.cutoff(self.cutoff.0, self.cutoff.1)?)
    }
}

/// `clahe`: the luma equalized tile by tile, with limited contrast. See [`Clahe`](crate::Clahe).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Clahe {
    /// The limit of the contrast.
    pub limit: Range,
    /// The rows and columns of tiles; 8 x 8 unless it is said otherwise.
    #[serde(default = "eights")]
    pub tiles: (usize, usize),
}

fn eights() -> (usize, usize) {
    (8, 8)
}

impl Described for Clahe {
    const KIND: &'static str = "clahe";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::Clahe::new(self.limit)?.tiles(self.tiles.0, self.tiles.1)?)
    }
}

/// `channel-shuffle`: red, green and blue change places. See [`ChannelShuffle`](crate::ChannelShuffle).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelShuffle {}

impl Described for ChannelShuffle {
    const KIND: &'static str = "channel-shuffle";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::ChannelShuffle)
    }
}
