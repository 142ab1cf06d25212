//! Parts of images that are lost.

use super::boxed;
use crate::spec::{Described, Site};
use crate::{Augment, Colour, Erased, Range, Result};
use serde::{Deserialize, Serialize};

/// `random-erasing`: a random rectangle is lost. See [`RandomErasing`](crate::RandomErasing).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RandomErasing {
    /// The probability that it happens; ½ unless it is said otherwise.
    pub p: f64,
    /// The rectangle's part of the area; 0.02 to 0.33 unless it is said otherwise.
    pub area: Range,
    /// Its height over its width; 3:10 to 10:3 unless it is said otherwise.
    pub ratio: Range,
    /// What takes its place: `{ colour = 0 }`, `"uniform"` or `"normal"`; black unless it is said otherwise.
    pub with: Erased,
}

impl Default for RandomErasing {
    fn default() -> Self {
        let (area, ratio) = ((0.02, 0.33).into(), (0.3, 1.0 / 0.3).into());
        RandomErasing { p: 0.5, area, ratio, with: Erased::Colour(Colour::BLACK) }
    }
}

impl Described for RandomErasing {
    const KIND: &'static str = "random-erasing";
    const OWN_PROBABILITY: bool = true;

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::RandomErasing::new(self.p)?.area(self.area)?.ratio(self.ratio)?.with(self.with))
    }
}

/// `coarse-dropout`: some rectangles are lost. See [`CoarseDropout`](crate::CoarseDropout).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CoarseDropout {
    /// Between how many; 1 and 2 unless it is said otherwise, as in albumentations.
    pub holes: (u32, u32),
    /// Their height, as a part of the image's; 0.1 to 0.2 unless it is said otherwise.
    pub height: Range,
    /// Their width, as a part of the image's; 0.1 to 0.2 unless it is said otherwise.
    pub width: Range,
    /// What takes their place; black unless it is said otherwise.
    pub colour: Colour,
}

impl Default for CoarseDropout {
    fn default() -> Self {
        let (height, width) = ((0.1, 0.2).into(), (0.1, 0.2).into());
        CoarseDropout { holes: (1, 2), height, width, colour: Colour::BLACK }
    }
}

impl Described for CoarseDropout {
    const KIND: &'static str = "coarse-dropout";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::CoarseDropout::new(self.holes, self.height, self.width)?.colour(self.colour))
    }
}

/// `cutout`: one square is lost. See [`CoarseDropout::cutout`](crate::CoarseDropout::cutout).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cutout {
    /// Its side, as a part of the image's sides.
    pub side: f64,
    /// What takes its place; black unless it is said otherwise.
    #[serde(default)]
    pub colour: Colour,
}

impl Described for Cutout {
    const KIND: &'static str = "cutout";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::CoarseDropout::cutout(self.side)?.colour(self.colour))
    }
}

/// `grid-dropout`: squares on a grid are lost. See [`GridDropout`](crate::GridDropout).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GridDropout {
    /// From one square to the next, in pixels.
    pub unit: Range,
    /// The side of a square, as a part of that; ½ unless it is said otherwise.
    #[serde(default = "half")]
    pub share: f64,
    /// What takes their place; black unless it is said otherwise.
    #[serde(default)]
    pub colour: Colour,
}

fn half() -> f64 {
    0.5
}

impl Described for GridDropout {
    const KIND: &'static str = "grid-dropout";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::GridDropout::new(self.unit, self.share)?.colour(self.colour))
    }
}

/// `pixel-dropout`: single pixels are lost. See [`PixelDropout`](crate::PixelDropout).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PixelDropout {
    /// The probability of each; 0.01 unless it is said otherwise, as in albumentations.
    pub rate: Range,
    /// Whether each channel is lost by itself; no unless it is said otherwise.
    pub each_channel: bool,
    /// What takes their place: `{ colour = 0 }`, `"uniform"` or `"normal"`; black unless it is said otherwise.
    pub with: Erased,
}

impl Default for PixelDropout {
    fn default() -> Self {
        PixelDropout { rate: 0.01.into(), each_channel: false, with: Erased::Colour(Colour::BLACK) }
    }
}

impl Described for PixelDropout {
    const KIND: &'static str = "pixel-dropout";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::PixelDropout::new(self.rate)?.each_channel(self.each_channel).with(self.with))
    }
}
