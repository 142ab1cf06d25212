//! Parts of images that are lost. They change values: masks, boxes and points stay as they are.

use super::Range;
use super::range::probability;
use crate::fill::Colour;
use crate::plan::Step;
use crate::value::{Content, Dropout, Erase, Grid};
use crate::{Augment, Draw, Error, Key, Result};

/// What random erasing and pixel dropout put in the place of what is lost.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Erased {
    /// One colour.
    Colour(Colour),
    /// Values uniform between black and white, each by itself.
    Uniform,
    /// Normal values with mean 0 and standard deviation 1, in shares of white: for normalised images.
    Normal,
}

impl Erased {
    /// As a step has it, with the key of its draws.
    fn content(self, key: Key) -> Content {
        match self {
            Erased::Colour(colour) => Content::Colour(colour),
            Erased::Uniform => Content::Uniform(key),
            Erased::Normal => Content::Normal(key),
        }
    }
}

/// A random rectangle is lost, with a probability (Zhong et al., *Random erasing data augmentation*, AAAI 2020).
///
/// Use it against nets that look at one detail alone: what is hidden must be made good by the rest.
///
/// The area is uniform within a range of parts of the image's, the logarithm of height over width uniform within its range; of ten tries, the first
/// that fits is taken, and nothing is lost if none does: torchvision's rules and defaults. Masks, boxes and points stay.
///
/// ```
/// use gradwise_augment::{Augment, Erased, Image, Key, Kind, RandomErasing, Shape};
///
/// let erasing = RandomErasing::new(1.0)?.area((0.02, 0.2))?.with(Erased::Uniform);
/// let image = Image::black(Shape::interleaved(32, 32, 3), Kind::U8)?;
/// assert_ne!(erasing.apply(image.as_ref(), Key::new(0))?, image);
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct RandomErasing {
    p: f64,
    area: Range,
    ratio: Range,
    erased: Erased,
}

impl RandomErasing {
    /// With a probability; 2 to 33 % of the area, between 3:10 and 10:3, black.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a probability outside `[0, 1]`.
    pub fn new(p: f64) -> Result<Self> {
        Ok(RandomErasing {
            p: probability(p, "random erasing")?,
            area: (0.02, 0.33).into(),
            ratio: (0.3, 1.0 / 0.3).into(),
            erased: Erased::Colour(Colour::BLACK),
        })
    }

    /// With other parts of the area.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range that is inverted or not within `[0, 1]`.
    pub fn area(self, area: impl Into<Range>) -> Result<Self> {
        Ok(RandomErasing { area: area.into().within(0.0, 1.0, "random erasing", "area")?, ..self })
    }

    /// With other proportions, as height over width.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range that is inverted or not within `[0.001, 1000]`.
    pub fn ratio(self, ratio: impl Into<Range>) -> Result<Self> {
        Ok(RandomErasing { ratio: ratio.into().within(1e-3, 1e3, "random erasing", "ratio")?, ..self })
    }

    /// With something else in its place.
    #[must_use]
    pub fn with(self, erased: Erased) -> Self {
        RandomErasing { erased, ..self }
    }
}

impl Augment for RandomErasing {
    fn name(&self) -> &str {
        "random erasing"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        let random = draw.random();
        if !random.chance(self.p) {
            return Ok(());
        }
        let mut found = None;
        for _ in 0..10 {
            let area = (shape.height * shape.width) as f64 * self.area.draw(random);
            let ratio = random.between(self.ratio.low.ln(), self.ratio.high.ln()).exp();
            let (height, width) = ((area * ratio).sqrt().round(), (area / ratio).sqrt().round());
            let (u, v) = (random.uniform(), random.uniform());
            if found.is_none() && height < shape.height as f64 && width < shape.width as f64 {
                let place = |u: f64, free: f64| (u * (free + 1.0)).floor().min(free) as usize;
                let top = place(u, shape.height as f64 - height);
                let left = place(v, shape.width as f64 - width);
                found = Some((left, top, width as usize, height as usize));
            }
        }
        let Some((left, top, width, height)) = found else { return Ok(()) };
        let content = self.erased.content(draw.key());
        let numbers = [left, top, width, height].map(|n| n as f64);
        draw.note(
            "random erasing",
            &[("left", numbers[0]), ("top", numbers[1]), ("width", numbers[2]), ("height", numbers[3])],
        );
        draw.push(Step::Erase(Erase { left, top, width, height, content }))
    }
}

/// Some rectangles are lost, at random places (DeVries and Taylor, *Improved regularization of convolutional neural networks with cutout*,
/// arXiv:1708.04552, has one square that the edge may cut; here all lie within the image).
///
/// Use it like random erasing; several small holes hide texture, one large one hides parts.
///
/// ```
/// use gradwise_augment::{Augment, CoarseDropout, Colour, Image, Key, Kind, Shape};
///
/// // Between one and eight grey holes, a tenth to a fifth of the image's sides.
/// let holes = CoarseDropout::new((1, 8), (0.1, 0.2), (0.1, 0.2))?.colour(Colour::grey(0.5));
/// let image = Image::black(Shape::interleaved(32, 32, 3), Kind::U8)?;
/// assert_ne!(holes.apply(image.as_ref(), Key::new(0))?, image);
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct CoarseDropout {
    holes: (u32, u32),
    height: Range,
    width: Range,
    colour: Colour,
}

impl CoarseDropout {
    /// Between two numbers of holes, of sizes drawn for each as parts of the image's height and width.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an inverted pair, more than 10,000 holes, or a range not within `[0, 1]`.
    pub fn new(holes: (u32, u32), height: impl Into<Range>, width: impl Into<Range>) -> Result<Self> {
        if holes.0 > holes.1 || holes.1 > 10_000 {
            let got = format!("({}, {})", holes.0, holes.1);
            return Err(Error::parameter("coarse dropout", "holes", "an ascending pair of at most 10000", got));
        }
        Ok(CoarseDropout {
            holes,
            height: height.into().within(0.0, 1.0, "coarse dropout", "height")?,
            width: width.into().within(0.0, 1.0, "coarse dropout", "width")?,
            colour: Colour::BLACK,
        })
    }

    /// One square hole, its side a part of the image's sides.
    ///
    /// # Errors
    /// As [`CoarseDropout::new`].
    pub fn cutout(side: f64) -> Result<Self> {
        CoarseDropout::new((1, 1), side, side)
    }

    /// With another colour than black.
    #[must_use]
    pub fn colour(self, colour: Colour) -> Self {
        CoarseDropout { colour, ..self }
    }
}

impl Augment for CoarseDropout {
    fn name(&self) -> &str {
        "coarse dropout"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let shape = draw.shape();
        let n = self.holes.0 + draw.random().below(self.holes.1 - self.holes.0 + 1);
        draw.note("coarse dropout", &[("holes", f64::from(n))]);
        for _ in 0..n {
            let random = draw.random();
            let side = |range: Range, len: usize, random: &mut crate::Random| {
                let side = ((range.draw(random) * len as f64).round() as usize).min(len);
                (random.below((len - side) as u32 + 1) as usize, side)
            };
            let (top, height) = side(self.height, shape.height, random);
            let (left, width) = side(self.width, shape.width, random);
            draw.push(Step::Erase(Erase { left, top, width, height, content: Content::Colour(self.colour) }))?;
        }
        Ok(())
    }
}

/// Squares on a regular grid are lost, the grid at a random place.
///
/// Use it like coarse dropout, where what is lost shall be spread evenly.
#[derive(Clone, PartialEq, Debug)]
pub struct GridDropout {
    unit: Range,
    share: f64,
    colour: Colour,
}

impl GridDropout {
    /// A grid of some pixels from square to square, whose squares have a share of that as their side.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range not within `[1, 1000000]`, or a share not within `[0, 1]`.
    pub fn new(unit: impl Into<Range>, share: f64) -> Result<Self> {
        Ok(GridDropout {
            unit: unit.into().within(1.0, 1e6, "grid dropout", "unit")?,
            share: Range::from(share).within(0.0, 1.0, "grid dropout", "share")?.low,
            colour: Colour::BLACK,
        })
    }

    /// With another colour than black.
    #[must_use]
    pub fn colour(self, colour: Colour) -> Self {
        GridDropout { colour, ..self }
    }
}

impl Augment for GridDropout {
    fn name(&self) -> &str {
        "grid dropout"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let random = draw.random();
        let unit = self.unit.draw(random).round().max(1.0);
        let hole = (unit * self.share).round() as usize;
        let (left, top) = (random.below(unit as u32) as usize, random.below(unit as u32) as usize);
        draw.note("grid dropout", &[("unit", unit), ("hole", hole as f64)]);
        draw.push(Step::Grid(Grid { unit: unit as usize, hole, left, top, colour: self.colour }))
    }
}

/// Single pixels are lost, each with the same probability and by itself.
///
/// Use it for sensors with dead pixels and lines that drop bits, or to keep a net from leaning on single pixels.
///
/// All channels of a pixel are lost together, and become black, unless it is said otherwise; albumentations' rule, which loses 1 % of the
/// pixels by default. (There it happens to every second image, and can set the mask's pixels, too; here masks, boxes and points stay as
/// they are. imgaug's `Dropout` is the same.) Where as many pixels are to be lost in each image, take [salt and
/// pepper](crate::RandomSaltAndPepper).
///
/// ```
/// use gradwise_augment::{Augment, ImageRef, Key, PixelDropout, Shape};
///
/// let white = [255_u8; 300];
/// let dropout = PixelDropout::new((0.05, 0.2))?;
/// let image = dropout.apply(ImageRef::new(Shape::interleaved(10, 10, 3), &white)?, Key::new(7))?;
/// let pixels = image.as_u8().map(|values| values.as_chunks::<3>().0.to_vec()).unwrap_or_default();
/// assert!(pixels.iter().all(|pixel| *pixel == [255; 3] || *pixel == [0; 3]));
/// assert!((1..30).contains(&pixels.iter().filter(|pixel| **pixel == [0; 3]).count()));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct PixelDropout {
    rate: Range,
    each_channel: bool,
    erased: Erased,
}

impl PixelDropout {
    /// With the probability of each pixel, a number or a range that it is drawn from for each sample. (It is told apart in steps of 2⁻²³.)
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range that is inverted or not within `[0, 1]`.
    pub fn new(rate: impl Into<Range>) -> Result<Self> {
        Ok(PixelDropout {
            rate: rate.into().within(0.0, 1.0, "pixel dropout", "rate")?,
            each_channel: false,
            erased: Erased::Colour(Colour::BLACK),
        })
    }

    /// Whether each channel of a pixel is lost by itself, which changes colours.
    #[must_use]
    pub fn each_channel(self, each_channel: bool) -> Self {
        PixelDropout { each_channel, ..self }
    }

    /// With something else in their place.
    #[must_use]
    pub fn with(self, erased: Erased) -> Self {
        PixelDropout { erased, ..self }
    }
}

impl Augment for PixelDropout {
    fn name(&self) -> &str {
        "pixel dropout"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let rate = self.rate.draw(draw.random());
        draw.note("pixel dropout", &[("rate", rate)]);
        let key = draw.key();
        draw.push(Step::Dropout(Dropout {
            rate: rate as f32,
            each_channel: self.each_channel,
            content: self.erased.content(key.with(1)),
            key: key.with(0),
        }))
    }
}
