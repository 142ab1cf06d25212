//! Images moved up, down and to the sides.

use super::Range;
use crate::fill::Fill;
use crate::geometry::{Interpolation, Map, Warp};
use crate::plan::Step;
use crate::{Augment, Draw, Result};

/// How far an image is moved along an axis: positive to the right, and down.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Shift {
    /// In parts of the image's width or height.
    Fraction(Range),
    /// In pixels.
    Pixels(Range),
    /// In whole pixels: the bounds are rounded inwards, and each number between them is as likely as another. Nothing is interpolated.
    WholePixels(Range),
}

impl Shift {
    /// None.
    pub const NONE: Self = Shift::Pixels(Range { low: 0.0, high: 0.0 });

    pub(super) fn check(self, parameter: &str) -> Result<Self> {
        let range = match self {
            Shift::Fraction(range) | Shift::Pixels(range) | Shift::WholePixels(range) => range,
        };
        // Farther than any image is wide.
        range.within(-1e6, 1e6, "translate", parameter)?;
        if let (Shift::WholePixels(_), true) = (self, range.low.ceil() > range.high.floor()) {
            let got = format!("({}, {})", range.low, range.high);
            return Err(crate::Error::parameter("translate", parameter, "a range that contains an integer", got));
        }
        Ok(self)
    }

    pub(super) fn draw(self, len: usize, random: &mut crate::Random) -> f64 {
        match self {
            Shift::Fraction(range) => range.draw(random) * len as f64,
            Shift::Pixels(range) => range.draw(random),
            Shift::WholePixels(range) => {
                let (low, high) = (range.low.ceil(), range.high.floor());
                low + f64::from(random.below((high - low) as u32 + 1))
            }
        }
    }
}

/// Moves each sample along both axes, independently.
///
/// Use it wherever the thing to be recognised is not exactly centred, which is nearly everywhere: it helps small training sets most.
///
/// What comes in from beyond the edge is the [fill](Translate::fill), black unless it is said otherwise; values between pixels are
/// [bilinear](Translate::interpolation). (torchvision rounds to whole pixels, and takes the nearest; Keras reflects.)
///
/// ```
/// use gradwise_augment::{Augment, Fill, ImageRef, Key, Shape, Shift, Translate};
///
/// let image = [1_u8, 2, 3, 4];
/// let right = Translate::new(Shift::Pixels(1.0.into()), Shift::NONE)?.fill(Fill::Wrap);
/// let moved = right.apply(ImageRef::new(Shape::interleaved(1, 4, 1), &image)?, Key::new(0))?;
/// assert_eq!(moved.as_u8(), Some(&[4, 1, 2, 3][..]));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Translate {
    x: Shift,
    y: Shift,
    fill: Fill,
    interpolation: Interpolation,
}

impl Translate {
    /// Each axis by its own shift.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for an inverted range, NaN, a shift of more than a million, or whole pixels where
    /// there are none.
    pub fn new(x: Shift, y: Shift) -> Result<Self> {
        let (x, y) = (x.check("x")?, y.check("y")?);
        Ok(Translate { x, y, fill: Fill::BLACK, interpolation: Interpolation::Bilinear })
    }

    /// Both axes by up to a part of the image's size, to either side.
    ///
    /// # Errors
    /// As [`Translate::new`].
    pub fn fraction(x: f64, y: f64) -> Result<Self> {
        Translate::new(Shift::Fraction((-x, x).into()), Shift::Fraction((-y, y).into()))
    }

    /// Both axes by up to a number of whole pixels, to either side.
    ///
    /// # Errors
    /// As [`Translate::new`].
    pub fn pixels(x: f64, y: f64) -> Result<Self> {
        Translate::new(Shift::WholePixels((-x, x).into()), Shift::WholePixels((-y, y).into()))
    }

    /// With another fill.
    #[must_use]
    pub fn fill(self, fill: Fill) -> Self {
        Translate { fill, ..self }
    }

    /// With another interpolation.
    #[must_use]
    pub fn interpolation(self, interpolation: Interpolation) -> Self {
        Translate { interpolation, ..self }
    }
}

impl Augment for Translate {
    fn name(&self) -> &str {
        "translate"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        let x = self.x.draw(shape.width, draw.random());
        let y = self.y.draw(shape.height, draw.random());
        draw.note("translate", &[("x", x), ("y", y)]);
        draw.push(Step::Warp(Warp {
            map: Map::translation(x, y),
            height: shape.height,
            width: shape.width,
            interpolation: self.interpolation,
            fill: self.fill,
        }))
    }
}
