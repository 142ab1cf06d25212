//! Blurred and sharpened images.

use super::Range;
use crate::fill::Fill;
use crate::filter::{Kernel, LocalFilter};
use crate::plan::Step;
use crate::{Augment, Draw, Result};

/// The radius up to which whole numbers are drawn.
const MAX_RADIUS: f64 = LocalFilter::MAX_RADIUS as f64;

/// The largest standard deviation whose weights fit the largest radius.
const MAX_SIGMA: f64 = 42.0;

/// The radius beyond which Gauss's bell is cut off: three standard deviations, to the nearest pixel, and at least one; OpenCV's rule for
/// bytes.
fn radius_of(sigma: f64) -> usize {
    ((3.0 * sigma + 0.5) as usize).clamp(1, LocalFilter::MAX_RADIUS)
}

/// What all filters have in common.
macro_rules! filled {
    ($name:ident: $fill:ident) => {
        impl $name {
            #[doc = concat!("With another fill beyond the edge than [`Fill::", stringify!($fill), "`].")]
            #[must_use]
            pub fn fill(self, fill: Fill) -> Self {
                $name { fill, ..self }
            }
        }
    };
}

/// Blurs each image by Gauss's bell: `x ← Σ w x` with weights in proportion to `exp(-(dx² + dy²) / 2σ²)`, up to a radius.
///
/// Use it where focus and resolution vary; a standard deviation from 0.1 to 2 pixels, as torchvision draws it, suits images of 224 pixels,
/// less suits smaller ones.
///
/// The radius is three standard deviations, to the nearest pixel, and at least one, as OpenCV has it for bytes; torchvision wants it
/// [given](GaussianBlur::radius), albumentations takes four standard deviations, and Pillow passes boxes over the image three times
/// instead. Beyond the edge the picture is reflected, as torchvision and OpenCV do. Bytes are summed in 16 bits: what is rounded is within
/// a tenth of a level of the exact sum.
///
/// ```
/// use gradwise_augment::{Augment, GaussianBlur, ImageRef, Key, Shape};
///
/// let point = [0_u8, 0, 255, 0, 0];
/// let blur = GaussianBlur::new(0.5)?.radius(1)?;
/// let blurred = blur.apply(ImageRef::new(Shape::interleaved(1, 5, 1), &point)?, Key::new(0))?;
/// assert_eq!(blurred.as_u8(), Some(&[0, 27, 201, 27, 0][..]));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct GaussianBlur {
    sigma: Range,
    radius: Option<usize>,
    fill: Fill,
}
filled!(GaussianBlur: Reflect);

impl GaussianBlur {
    /// With a standard deviation in pixels, a number or a range that it is drawn from for each sample.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a range that is inverted or not within `[0, 42]`.
    pub fn new(sigma: impl Into<Range>) -> Result<Self> {
        let sigma = sigma.into().within(0.0, MAX_SIGMA, "gaussian blur", "sigma")?;
        Ok(GaussianBlur { sigma, radius: None, fill: Fill::Reflect })
    }

    /// With a radius, whatever the standard deviation: a kernel of `2 · radius + 1` pixels a side.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if it is more than 127.
    pub fn radius(self, radius: usize) -> Result<Self> {
        Range::from(radius as f64).within(0.0, MAX_RADIUS, "gaussian blur", "radius")?;
        Ok(GaussianBlur { radius: Some(radius), ..self })
    }
}

impl Augment for GaussianBlur {
    fn name(&self) -> &str {
        "gaussian blur"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let sigma = self.sigma.draw(draw.random());
        draw.note("gaussian blur", &[("sigma", sigma)]);
        let kernel = Kernel::Gaussian { sigma: sigma as f32, radius: self.radius.unwrap_or_else(|| radius_of(sigma)) };
        draw.push(Step::Filter(LocalFilter { kernel, fill: self.fill }))
    }
}

/// Filters over a square whose half side is drawn.
macro_rules! squares {
    ($($(#[$docs:meta])* $name:ident: $transform:literal, $kernel:ident, $fill:ident;)*) => {$(
        $(#[$docs])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name {
            radius: Range,
            fill: Fill,
        }
        filled!($name: $fill);

        impl $name {
            /// With a radius, a whole number or a range that one is drawn from for each sample: over squares of `2 · radius + 1` pixels a
            /// side.
            ///
            /// # Errors
            /// [`Error::Parameter`](crate::Error::Parameter) for a range that is inverted, not within `[0, 127]`, or contains no whole
            /// number.
            pub fn new(radius: impl Into<Range>) -> Result<Self> {
                Ok($name { radius: radius.into().whole_within(0.0, MAX_RADIUS, $transform, "radius")?, fill: Fill::$fill })
            }
        }

        impl Augment for $name {
            fn name(&self) -> &str {
                $transform
            }

            fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
                let radius = self.radius.draw_whole(draw.random());
                draw.note($transform, &[("radius", radius as f64)]);
                draw.push(Step::Filter(LocalFilter { kernel: Kernel::$kernel { radius }, fill: self.fill }))
            }
        }
    )*};
}

squares! {
    /// Each value becomes the mean of the square around it.
    ///
    /// Use it like [`GaussianBlur`], where the kind of blur shall vary. It is albumentations' `Blur`, OpenCV's `blur` and Pillow's
    /// `BoxBlur` of a whole radius.
    BoxBlur: "box blur", Box, Reflect;
    /// Each value becomes the median of the square around it: edges stay, fine detail and single wrong pixels go.
    ///
    /// Use it for scans and for pictures that a filter of a camera smoothed. It is OpenCV's `medianBlur`: beyond the edge goes on
    /// [the pixel at it](Fill::Edge), unless it is said otherwise. Bytes and floating-point values alike, for each channel by itself.
    MedianBlur: "median blur", Median, Edge;
}

/// Each value becomes the mean along a straight line through it: a camera, or a thing, that moved while the shutter was open.
///
/// Use it for pictures from cars, of sports, and by hand in dim light.
///
/// The line is centred, and has any length and angle; values between pixels are bilinear. (albumentations draws lines of whole pixels in a
/// square of 3 to 7 a side; kornia turns a square that holds a horizontal line.)
#[derive(Clone, PartialEq, Debug)]
pub struct MotionBlur {
    length: Range,
    angle: Range,
    fill: Fill,
}
filled!(MotionBlur: Reflect);

impl MotionBlur {
    /// With a length in pixels and an angle to the horizontal, in degrees, clockwise; `(0.0, 180.0)` is any.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a range that is inverted, a length not within `[0, 127]` or an angle beyond ±360.
    pub fn new(length: impl Into<Range>, angle: impl Into<Range>) -> Result<Self> {
        Ok(MotionBlur {
            length: length.into().within(0.0, MAX_RADIUS, "motion blur", "length")?,
            angle: angle.into().within(-360.0, 360.0, "motion blur", "angle")?,
            fill: Fill::Reflect,
        })
    }
}

impl Augment for MotionBlur {
    fn name(&self) -> &str {
        "motion blur"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let length = self.length.draw(draw.random());
        let angle = self.angle.draw(draw.random());
        draw.note("motion blur", &[("length", length), ("angle", angle)]);
        let kernel = Kernel::Motion { length: length as f32, angle: angle as f32 };
        draw.push(Step::Filter(LocalFilter { kernel, fill: self.fill }))
    }
}

/// Moves each value away from a smoothed image's, or towards it: a factor of 0 smooths, 1 leaves the image, 2 sharpens.
///
/// Use it where cameras differ in how much they sharpen; 0.1 to 1.9 is what policies draw at most.
///
/// The smoothed image and the pixels at the edge, which stay as they are, are those of Pillow's `ImageEnhance.Sharpness` and torchvision's
/// `adjust_sharpness`; the result is rounded where they cut off, so that it may be one level higher.
#[derive(Clone, PartialEq, Debug)]
pub struct Sharpness {
    factor: Range,
}

impl Sharpness {
    /// With a factor, a number or a range that it is drawn from for each sample.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a range that is inverted or not within `[0, 1000]`.
    pub fn new(factor: impl Into<Range>) -> Result<Self> {
        Ok(Sharpness { factor: factor.into().within(0.0, 1000.0, "sharpness", "factor")? })
    }
}

impl Augment for Sharpness {
    fn name(&self) -> &str {
        "sharpness"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let factor = self.factor.draw(draw.random());
        draw.note("sharpness", &[("factor", factor)]);
        let kernel = Kernel::Sharpness { factor: factor as f32 };
        draw.push(Step::Filter(LocalFilter { kernel, fill: Fill::Edge }))
    }
}

/// Adds the difference to a blurred image: `x ← x + amount · (x - gaussian(x))`.
///
/// Use it like [`Sharpness`], where the width of the halo shall vary too. (Pillow's `UnsharpMask` blurs by boxes, and leaves small
/// differences out by a threshold.)
#[derive(Clone, PartialEq, Debug)]
pub struct UnsharpMask {
    sigma: Range,
    amount: Range,
    fill: Fill,
}
filled!(UnsharpMask: Reflect);

impl UnsharpMask {
    /// With the blur's standard deviation in pixels and an amount: 1 doubles the difference.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a range that is inverted, a standard deviation not within `[0, 42]`, or an amount
    /// not within `[0, 1000]`.
    pub fn new(sigma: impl Into<Range>, amount: impl Into<Range>) -> Result<Self> {
        Ok(UnsharpMask {
            sigma: sigma.into().within(0.0, MAX_SIGMA, "unsharp mask", "sigma")?,
            amount: amount.into().within(0.0, 1000.0, "unsharp mask", "amount")?,
            fill: Fill::Reflect,
        })
    }
}

impl Augment for UnsharpMask {
    fn name(&self) -> &str {
        "unsharp mask"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let sigma = self.sigma.draw(draw.random());
        let amount = self.amount.draw(draw.random());
        draw.note("unsharp mask", &[("sigma", sigma), ("amount", amount)]);
        let kernel = Kernel::Unsharp { sigma: sigma as f32, radius: radius_of(sigma), amount: amount as f32 };
        draw.push(Step::Filter(LocalFilter { kernel, fill: self.fill }))
    }
}
