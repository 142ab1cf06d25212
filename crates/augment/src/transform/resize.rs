//! Images of another size.

use crate::geometry::{self, Filter};
use crate::plan::Step;
use crate::{Augment, Draw, Error, Result};

/// To which size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Size {
    Exact { height: usize, width: usize },
    Shorter(usize),
    Longer(usize),
}

/// Brings every image to a size.
///
/// Use it where a network wants one size, or less detail is enough. It draws nothing.
///
/// Bilinear and antialiased unless it is said otherwise, as Pillow and torchvision have it (OpenCV, and with it albumentations, does not
/// antialias).
///
/// ```
/// use gradwise_augment::{Augment, Image, Key, Kind, ResizeTo, Shape};
///
/// let image = Image::black(Shape::interleaved(300, 400, 3), Kind::U8)?;
/// let small = ResizeTo::shorter(150)?.apply(image.as_ref(), Key::new(0))?;
/// assert_eq!((small.shape().height, small.shape().width), (150, 200));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct ResizeTo {
    size: Size,
    filter: Filter,
    antialias: bool,
}

impl ResizeTo {
    fn of(size: Size, least: usize) -> Result<Self> {
        if least == 0 {
            return Err(Error::parameter("resize", "size", "at least 1", 0));
        }
        Ok(ResizeTo { size, filter: Filter::Bilinear, antialias: true })
    }

    /// To rows and columns, whatever the proportions were.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a size without pixels.
    pub fn exact(height: usize, width: usize) -> Result<Self> {
        ResizeTo::of(Size::Exact { height, width }, height.min(width))
    }

    /// The shorter side to a number of pixels, the other in proportion, rounded down (torchvision's rule for a single number).
    ///
    /// # Errors
    /// As [`ResizeTo::exact`].
    pub fn shorter(side: usize) -> Result<Self> {
        ResizeTo::of(Size::Shorter(side), side)
    }

    /// The longer side to a number of pixels, the other in proportion, rounded down, at least 1.
    ///
    /// # Errors
    /// As [`ResizeTo::exact`].
    pub fn longer(side: usize) -> Result<Self> {
        ResizeTo::of(Size::Longer(side), side)
    }

    /// With another filter.
    #[must_use]
    pub fn filter(self, filter: Filter) -> Self {
        ResizeTo { filter, ..self }
    }

    /// With or without antialiasing.
    #[must_use]
    pub fn antialias(self, antialias: bool) -> Self {
        ResizeTo { antialias, ..self }
    }
}

impl Augment for ResizeTo {
    fn name(&self) -> &str {
        "resize"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        let to_side = |side: usize, known: usize| {
            let other = |len: usize| ((len as u128 * side as u128 / known as u128) as usize).max(1);
            if shape.height == known { (side, other(shape.width)) } else { (other(shape.height), side) }
        };
        let (height, width) = match self.size {
            Size::Exact { height, width } => (height, width),
            Size::Shorter(side) => to_side(side, shape.height.min(shape.width)),
            Size::Longer(side) => to_side(side, shape.height.max(shape.width)),
        };
        draw.note("resize", &[("height", height as f64), ("width", width as f64)]);
        if (height, width) == (shape.height, shape.width) {
            return Ok(());
        }
        draw.push(Step::Resize(geometry::Resize { height, width, filter: self.filter, antialias: self.antialias }))
    }
}
