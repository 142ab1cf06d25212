//! What changes the size of an image, or the type of its values.

use super::boxed;
use crate::spec::{Described, Site};
use crate::{Augment, Error, Fill, Filter, Interpolation, Range, ResizeTo, Result};
use serde::{Deserialize, Serialize};

/// `random-crop`: a piece of that size at a random place. See [`RandomCrop`](crate::RandomCrop).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RandomCrop {
    /// Its rows.
    pub height: usize,
    /// Its columns.
    pub width: usize,
    /// Pixels added to each side before; none unless it is said otherwise.
    #[serde(default)]
    pub margin: usize,
    /// What they are; black unless it is said otherwise.
    #[serde(default)]
    pub fill: Fill,
}

impl Described for RandomCrop {
    const KIND: &'static str = "random-crop";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::RandomCrop::new(self.height, self.width)?.margin(self.margin, self.fill))
    }
}

/// `center-crop`: the middle. See [`CenterCrop`](crate::CenterCrop).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CenterCrop {
    /// Its rows.
    pub height: usize,
    /// Its columns.
    pub width: usize,
}

impl Described for CenterCrop {
    const KIND: &'static str = "center-crop";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::CenterCrop::new(self.height, self.width)?)
    }
}

/// `pad`: a margin. See [`Pad`](crate::Pad).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pad {
    /// Pixels added to each side that is not named by itself; none unless it is said otherwise.
    pub all: usize,
    /// Columns added to the left.
    pub left: Option<usize>,
    /// Rows added above.
    pub top: Option<usize>,
    /// Columns added to the right.
    pub right: Option<usize>,
    /// Rows added below.
    pub bottom: Option<usize>,
    /// What they are; black unless it is said otherwise.
    pub fill: Fill,
}

impl Described for Pad {
    const KIND: &'static str = "pad";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let [left, top, right, bottom] =
            [self.left, self.top, self.right, self.bottom].map(|side| side.unwrap_or(self.all));
        boxed(crate::Pad::new(left, top, right, bottom, self.fill))
    }
}

/// `random-resized-crop`: a random part of random proportions, brought to that size. See [`RandomResizedCrop`](crate::RandomResizedCrop).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RandomResizedCrop {
    /// The result's rows.
    pub height: usize,
    /// The result's columns.
    pub width: usize,
    /// The piece's part of the area; 0.08 to 1 unless it is said otherwise.
    #[serde(default = "whole")]
    pub area: Range,
    /// The piece's width over its height; 3:4 to 4:3 unless it is said otherwise.
    #[serde(default = "thirds")]
    pub ratio: Range,
    /// Bilinear unless it is said otherwise.
    #[serde(default)]
    pub interpolation: Interpolation,
    /// Whether it is antialiased; no unless it is said otherwise.
    #[serde(default)]
    pub antialias: bool,
}

fn whole() -> Range {
    (0.08, 1.0).into()
}

fn thirds() -> Range {
    (3.0 / 4.0, 4.0 / 3.0).into()
}

impl Described for RandomResizedCrop {
    const KIND: &'static str = "random-resized-crop";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let crop = crate::RandomResizedCrop::new(self.height, self.width)?.area(self.area)?.ratio(self.ratio)?;
        boxed(crop.interpolation(self.interpolation).antialias(self.antialias))
    }
}

/// `resize`: brought to a size, either `height` and `width`, or `shorter`, or `longer`. See [`ResizeTo`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Resize {
    /// Its rows.
    pub height: Option<usize>,
    /// Its columns.
    pub width: Option<usize>,
    /// The pixels of its shorter side, the other in proportion.
    pub shorter: Option<usize>,
    /// The pixels of its longer side, the other in proportion.
    pub longer: Option<usize>,
    /// Bilinear unless it is said otherwise.
    pub filter: Filter,
    /// Whether it is antialiased; yes unless it is said otherwise.
    pub antialias: bool,
}

impl Default for Resize {
    fn default() -> Self {
        Resize { height: None, width: None, shorter: None, longer: None, filter: Filter::Bilinear, antialias: true }
    }
}

impl Described for Resize {
    const KIND: &'static str = "resize";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let resize = match (self.height, self.width, self.shorter, self.longer) {
            (Some(height), Some(width), None, None) => ResizeTo::exact(height, width)?,
            (None, None, Some(side), None) => ResizeTo::shorter(side)?,
            (None, None, None, Some(side)) => ResizeTo::longer(side)?,
            _ => {
                let expected = "either `height` and `width`, or `shorter`, or `longer`";
                return Err(Error::parameter("resize", "size", expected, "another combination"));
            }
        };
        boxed(resize.filter(self.filter).antialias(self.antialias))
    }
}

/// `normalize`: a mean subtracted, and divided by a standard deviation. See [`Normalize`](crate::Normalize).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Normalize {
    /// A mean for each channel, or one; 0 unless it is said otherwise.
    pub mean: Vec<f32>,
    /// A standard deviation for each channel, or one; 1 unless it is said otherwise.
    pub std: Vec<f32>,
}

impl Default for Normalize {
    fn default() -> Self {
        Normalize { mean: vec![0.0], std: vec![1.0] }
    }
}

impl Described for Normalize {
    const KIND: &'static str = "normalize";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::Normalize::new(&self.mean, &self.std)?)
    }
}
