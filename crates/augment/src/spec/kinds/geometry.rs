//! What moves pixels within an image.

use super::boxed;
use crate::spec::notation::{around, shift};
use crate::spec::{Described, Site};
use crate::{Augment, ElasticTransform, Fill, Interpolation, Range, Result, Shift, Symmetry};
use serde::{Deserialize, Serialize};

/// `flip`: left and right, top and bottom change places, each with its probability. See [`Flip`](crate::Flip).
///
/// If neither is given, `p` is the probability that left and right change places, ½ unless it is said otherwise.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Flip {
    /// The probability that left and right change places.
    pub horizontal: Option<f64>,
    /// The probability that top and bottom do.
    pub vertical: Option<f64>,
    /// The probability that any of this happens; beside `horizontal` or `vertical`, 1 unless it is said otherwise.
    pub p: Option<f64>,
}

impl Described for Flip {
    const KIND: &'static str = "flip";
    const OWN_PROBABILITY: bool = true;

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let flip: Box<dyn Augment> = match (self.horizontal, self.vertical) {
            (None, None) => return boxed(crate::Flip::horizontal(self.p.unwrap_or(0.5))?),
            (Some(p), None) => Box::new(crate::Flip::horizontal(p)?),
            (None, Some(p)) => Box::new(crate::Flip::vertical(p)?),
            (Some(x), Some(y)) => {
                Box::new(crate::Sequence::new().then(crate::Flip::horizontal(x)?).then(crate::Flip::vertical(y)?))
            }
        };
        if let Some(p) = self.p { boxed(crate::Sometimes::new(p, flip)?) } else { Ok(flip) }
    }
}

/// `symmetries`: one of some symmetries of the square, each as likely. See [`Flip`](crate::Flip).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Symmetries {
    /// Which; all eight unless it is said otherwise.
    pub of: Vec<Symmetry>,
    /// The probability that any happens; 1 unless it is said otherwise.
    pub p: f64,
}

impl Default for Symmetries {
    fn default() -> Self {
        Symmetries { of: Symmetry::ALL.to_vec(), p: 1.0 }
    }
}

impl Described for Symmetries {
    const KIND: &'static str = "symmetries";
    const OWN_PROBABILITY: bool = true;

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::Flip::of(&self.of, self.p)?)
    }
}

/// `translate`: moved along both axes, independently. See [`Translate`](crate::Translate).
///
/// A shift is a part of the image's width or height, which goes to both sides (`0.1`), a pair of them (`[-0.1, 0.2]`), or a table that says
/// `{ pixels = 2.5 }` or `{ whole-pixels = 2 }`, each with a number for both sides or a pair.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Translate {
    /// To the right; 0 unless it is said otherwise.
    #[serde(with = "shift")]
    pub x: Shift,
    /// Down; 0 unless it is said otherwise.
    #[serde(with = "shift")]
    pub y: Shift,
    /// What comes in; black unless it is said otherwise.
    pub fill: Fill,
    /// Bilinear unless it is said otherwise.
    pub interpolation: Interpolation,
}

impl Default for Translate {
    fn default() -> Self {
        Translate { x: Shift::NONE, y: Shift::NONE, fill: Fill::BLACK, interpolation: Interpolation::Bilinear }
    }
}

impl Described for Translate {
    const KIND: &'static str = "translate";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::Translate::new(self.x, self.y)?.fill(self.fill).interpolation(self.interpolation))
    }
}

/// `affine`: scaled, sheared, turned and moved, in one interpolation. See [`Affine`](crate::Affine).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Affine {
    /// The angle in degrees, clockwise: a number goes to both sides; 0 unless it is said otherwise.
    #[serde(with = "around")]
    pub rotation: Range,
    /// The factor of both sides; 1 unless it is said otherwise.
    pub scale: Range,
    /// A factor of the height in addition; 1 unless it is said otherwise.
    pub ratio: Range,
    /// The angle in degrees by which vertical lines lean: a number goes to both sides; 0 unless it is said otherwise.
    #[serde(with = "around")]
    pub shear_of_x: Range,
    /// The angle in degrees by which horizontal lines do.
    #[serde(with = "around")]
    pub shear_of_y: Range,
    /// To the right, as in [`Translate`]; 0 unless it is said otherwise.
    #[serde(with = "shift")]
    pub x: Shift,
    /// Down.
    #[serde(with = "shift")]
    pub y: Shift,
    /// What comes in; black unless it is said otherwise.
    pub fill: Fill,
    /// Bilinear unless it is said otherwise.
    pub interpolation: Interpolation,
}

impl Default for Affine {
    fn default() -> Self {
        Affine {
            rotation: 0.0.into(),
            scale: 1.0.into(),
            ratio: 1.0.into(),
            shear_of_x: 0.0.into(),
            shear_of_y: 0.0.into(),
            x: Shift::NONE,
            y: Shift::NONE,
            fill: Fill::BLACK,
            interpolation: Interpolation::Bilinear,
        }
    }
}

impl Described for Affine {
    const KIND: &'static str = "affine";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let affine = crate::Affine::rotation(self.rotation)?
            .with_scale(self.scale)?
            .with_ratio(self.ratio)?
            .with_shear(self.shear_of_x, self.shear_of_y)?
            .with_translation(self.x, self.y)?;
        boxed(affine.fill(self.fill).interpolation(self.interpolation))
    }
}

/// `rotate`: turned about the centre. See [`Affine::rotation`](crate::Affine::rotation).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rotate {
    /// The angle in degrees, clockwise: a number goes to both sides.
    #[serde(with = "around")]
    pub rotation: Range,
    /// What comes in; black unless it is said otherwise.
    #[serde(default)]
    pub fill: Fill,
    /// Bilinear unless it is said otherwise.
    #[serde(default)]
    pub interpolation: Interpolation,
}

impl Described for Rotate {
    const KIND: &'static str = "rotate";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::Affine::rotation(self.rotation)?.fill(self.fill).interpolation(self.interpolation))
    }
}

/// `scale`: enlarged or made smaller about the centre. See [`Affine::scaling`](crate::Affine::scaling).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scale {
    /// The factor: more than 1 enlarges.
    pub scale: Range,
    /// What comes in; black unless it is said otherwise.
    #[serde(default)]
    pub fill: Fill,
    /// Bilinear unless it is said otherwise.
    #[serde(default)]
    pub interpolation: Interpolation,
}

impl Described for Scale {
    const KIND: &'static str = "scale";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::Affine::scaling(self.scale)?.fill(self.fill).interpolation(self.interpolation))
    }
}

/// `shear`: lines made to lean. See [`Affine::with_shear`](crate::Affine::with_shear).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shear {
    /// The angle in degrees by which vertical lines lean: a number goes to both sides; 0 unless it is said otherwise.
    #[serde(with = "around")]
    pub x: Range,
    /// The angle in degrees by which horizontal lines do.
    #[serde(with = "around")]
    pub y: Range,
    /// What comes in; black unless it is said otherwise.
    pub fill: Fill,
    /// Bilinear unless it is said otherwise.
    pub interpolation: Interpolation,
}

impl Default for Shear {
    fn default() -> Self {
        Shear { x: 0.0.into(), y: 0.0.into(), fill: Fill::BLACK, interpolation: Interpolation::Bilinear }
    }
}

impl Described for Shear {
    const KIND: &'static str = "shear";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let shear = crate::Affine::identity().with_shear(self.x, self.y)?;
        boxed(shear.fill(self.fill).interpolation(self.interpolation))
    }
}

/// `perspective`: seen a little from the side. See [`Perspective`](crate::Perspective).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Perspective {
    /// From 0 to 1; ½ unless it is said otherwise, as in torchvision.
    pub distortion: Range,
    /// What comes in; black unless it is said otherwise.
    pub fill: Fill,
    /// Bilinear unless it is said otherwise.
    pub interpolation: Interpolation,
}

impl Default for Perspective {
    fn default() -> Self {
        Perspective { distortion: 0.5.into(), fill: Fill::BLACK, interpolation: Interpolation::Bilinear }
    }
}

impl Described for Perspective {
    const KIND: &'static str = "perspective";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::Perspective::new(self.distortion)?.fill(self.fill).interpolation(self.interpolation))
    }
}

/// `elastic`: displaced by a smooth random field. See [`ElasticTransform`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Elastic {
    /// The displacements before they are smoothed, in pixels; 50 unless it is said otherwise, as in torchvision.
    pub alpha: Range,
    /// The smoothing's standard deviation, in pixels; 5 unless it is said otherwise.
    pub sigma: Range,
    /// What comes in; black unless it is said otherwise.
    pub fill: Fill,
    /// Bilinear unless it is said otherwise.
    pub interpolation: Interpolation,
}

impl Default for Elastic {
    fn default() -> Self {
        Elastic { alpha: 50.0.into(), sigma: 5.0.into(), fill: Fill::BLACK, interpolation: Interpolation::Bilinear }
    }
}

impl Described for Elastic {
    const KIND: &'static str = "elastic";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let elastic = ElasticTransform::new(self.alpha, self.sigma)?;
        boxed(elastic.fill(self.fill).interpolation(self.interpolation))
    }
}
