//! Images turned, scaled, sheared and seen askew.

use super::Range;
use crate::fill::Fill;
use crate::geometry::{Interpolation, Map, Warp};
use crate::plan::Step;
use crate::{Augment, Draw, Error, Result, Shift};

/// How a warp is resampled: what all transforms here have in common.
macro_rules! resampled {
    ($name:ident) => {
        impl $name {
            /// With another fill than black.
            #[must_use]
            pub fn fill(self, fill: Fill) -> Self {
                $name { fill, ..self }
            }

            /// With another interpolation than bilinear.
            #[must_use]
            pub fn interpolation(self, interpolation: Interpolation) -> Self {
                $name { interpolation, ..self }
            }
        }
    };
}

/// A turn, a scaling and a shear about the image's centre, then a translation: each sample by its own numbers, in one interpolation.
///
/// Use it wherever size, slope and place of the thing to be recognised vary; for digits and letters by little, so that a 6 does not become
/// a 9. [`Affine::rotation`] and its sisters are the single ones.
///
/// Angles are in degrees, clockwise; a scale above 1 enlarges. The order is that of the name: first scaled, then sheared, then turned, then
/// moved, as torchvision has it. (albumentations scales after turning.)
///
/// ```
/// use gradwise_augment::{Affine, Augment, Image, Key, Kind, Shape};
///
/// let affine = Affine::rotation((-10.0, 10.0))?.with_scale((0.9, 1.1))?.with_shear((-5.0, 5.0), 0.0)?;
/// let image = Image::black(Shape::interleaved(32, 32, 3), Kind::U8)?;
/// let plan = affine.plan(image.shape(), Kind::U8, Key::new(3))?;
/// assert_eq!((plan.steps().len(), plan.notes().len()), (1, 1));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Affine {
    angle: Range,
    scale: Range,
    /// A factor of the height's scale alone.
    ratio: Range,
    shear: (Range, Range),
    shift: (Shift, Shift),
    fill: Fill,
    interpolation: Interpolation,
}
resampled!(Affine);

impl Affine {
    /// Nothing yet.
    pub fn identity() -> Self {
        Affine {
            angle: 0.0.into(),
            scale: 1.0.into(),
            ratio: 1.0.into(),
            shear: (0.0.into(), 0.0.into()),
            shift: (Shift::NONE, Shift::NONE),
            fill: Fill::BLACK,
            interpolation: Interpolation::Bilinear,
        }
    }

    /// A turn by an angle, in degrees, clockwise.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an inverted range, or an angle beyond ±360.
    pub fn rotation(angle: impl Into<Range>) -> Result<Self> {
        Affine::identity().with_rotation(angle)
    }

    /// A scaling of both axes by the same factor.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an inverted range, or a factor outside `[0.001, 1000]`.
    pub fn scaling(factor: impl Into<Range>) -> Result<Self> {
        Affine::identity().with_scale(factor)
    }

    /// With another turn.
    ///
    /// # Errors
    /// As [`Affine::rotation`].
    pub fn with_rotation(self, angle: impl Into<Range>) -> Result<Self> {
        Ok(Affine { angle: angle.into().within(-360.0, 360.0, "affine", "rotation")?, ..self })
    }

    /// With another scaling of both axes.
    ///
    /// # Errors
    /// As [`Affine::scaling`].
    pub fn with_scale(self, factor: impl Into<Range>) -> Result<Self> {
        Ok(Affine { scale: factor.into().within(1e-3, 1e3, "affine", "scale")?, ..self })
    }

    /// With the height scaled by another factor in addition.
    ///
    /// # Errors
    /// As [`Affine::scaling`].
    pub fn with_ratio(self, factor: impl Into<Range>) -> Result<Self> {
        Ok(Affine { ratio: factor.into().within(1e-3, 1e3, "affine", "ratio")?, ..self })
    }

    /// With another shear: vertical lines lean by the first angle, horizontal ones by the second, in degrees.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an inverted range, or an angle beyond ±89.
    pub fn with_shear(self, x: impl Into<Range>, y: impl Into<Range>) -> Result<Self> {
        let x = x.into().within(-89.0, 89.0, "affine", "shear of x")?;
        let y = y.into().within(-89.0, 89.0, "affine", "shear of y")?;
        Ok(Affine { shear: (x, y), ..self })
    }

    /// With another translation.
    ///
    /// # Errors
    /// As [`Translate::new`](crate::Translate::new).
    pub fn with_translation(self, x: Shift, y: Shift) -> Result<Self> {
        Ok(Affine { shift: (x.check("x")?, y.check("y")?), ..self })
    }
}

impl Augment for Affine {
    fn name(&self) -> &str {
        "affine"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        let (height, width) = (shape.height, shape.width);
        let random = draw.random();
        let angle = self.angle.draw(random);
        let scale = self.scale.draw(random);
        let ratio = self.ratio.draw(random);
        let shear = (self.shear.0.draw(random), self.shear.1.draw(random));
        let shift = (self.shift.0.draw(width, random), self.shift.1.draw(height, random));
        let map = Map::scaling(scale, scale * ratio)
            .then(Map::shear(shear.0, shear.1))
            .then(Map::rotation(angle))
            .about(width as f64 / 2.0, height as f64 / 2.0)
            .then(Map::translation(shift.0, shift.1));
        let all = [("turn", angle, 0.0), ("scale", scale, 1.0), ("ratio", ratio, 1.0), ("shear x", shear.0, 0.0)];
        let rest = [("shear y", shear.1, 0.0), ("x", shift.0, 0.0), ("y", shift.1, 0.0)];
        // What does nothing needs no mention.
        let mut drawn = [("", 0.0); 7];
        let mut n = 0;
        for &(name, value, _) in all.iter().chain(&rest).filter(|(_, value, neutral)| value != neutral) {
            drawn[n] = (name, value);
            n += 1;
        }
        draw.note("affine", &drawn[..n]);
        draw.push(Step::Warp(Warp { map, height, width, interpolation: self.interpolation, fill: self.fill }))
    }
}

/// The four corners moved inwards, each by its own random part of half the image: as if seen from a little to the side.
///
/// Use it for signs, documents and whatever is flat and photographed askew.
///
/// The numbers are torchvision's: a distortion of ½ moves a corner by up to a quarter of the width and height. Above ⅔, four corners may be
/// drawn that no rectangle has from any side, as one of them lies within the others; then all are moved by less, where torchvision shows
/// what is behind the viewer.
///
/// ```
/// use gradwise_augment::{Augment, Fill, Image, Key, Kind, Perspective, Shape};
///
/// let askew = Perspective::new((0.1, 0.3))?.fill(Fill::Edge);
/// let image = Image::black(Shape::interleaved(32, 32, 3), Kind::U8)?;
/// assert_eq!(askew.apply(image.as_ref(), Key::new(0))?.shape(), image.shape());
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Perspective {
    distortion: Range,
    fill: Fill,
    interpolation: Interpolation,
}
resampled!(Perspective);

impl Perspective {
    /// With a distortion from 0 (none) to 1.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range that is inverted or not within `[0, 1]`.
    pub fn new(distortion: impl Into<Range>) -> Result<Self> {
        let distortion = distortion.into().within(0.0, 1.0, "perspective", "distortion")?;
        Ok(Perspective { distortion, fill: Fill::BLACK, interpolation: Interpolation::Bilinear })
    }
}

impl Augment for Perspective {
    fn name(&self) -> &str {
        "perspective"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        let (height, width) = (shape.height as f64, shape.width as f64);
        let random = draw.random();
        // Less than the whole half, so that no two corners meet.
        let distortion = self.distortion.draw(random).min(0.999);
        let mut inwards = |len: f64| random.between(0.0, distortion * len / 2.0);
        let mut by = [(); 4].map(|()| (inwards(width), inwards(height)));
        let corners = |by: [(f64, f64); 4]| {
            let [a, b, c, d] = by;
            [a, (width - b.0, b.1), (width - c.0, height - c.1), (d.0, height - d.1)]
        };
        while !is_convex(corners(by).map(|(x, y)| (x / width, y / height))) {
            by = by.map(|(x, y)| (0.8 * x, 0.8 * y));
        }
        let corners = corners(by);
        let map = Map::quadrilateral(width, height, corners)
            .ok_or_else(|| Error::image("perspective", "an image whose corners stay apart", shape))?;
        draw.note("perspective", &[("distortion", distortion)]);
        draw.push(Step::Warp(Warp {
            map,
            height: shape.height,
            width: shape.width,
            interpolation: self.interpolation,
            fill: self.fill,
        }))
    }
}

/// Whether a quadrilateral, clockwise, turns right at each corner: so far that a rectangle is seen at an angle.
fn is_convex(corners: [(f64, f64); 4]) -> bool {
    let side = |i: usize| {
        let (from, to) = (corners[i % 4], corners[(i + 1) % 4]);
        (to.0 - from.0, to.1 - from.1)
    };
    (0..4).all(|i| {
        let (a, b) = (side(i), side(i + 1));
        a.0 * b.1 - a.1 * b.0 > 0.01 * a.0.hypot(a.1) * b.0.hypot(b.1)
    })
}
