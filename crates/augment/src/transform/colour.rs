//! Brightness, contrast, colour.

use super::Range;
use super::range::probability;
use crate::plan::Step;
use crate::value::{ColourStep, LUMA, Tone};
use crate::{Augment, Draw, Result};

/// Transforms of one number.
macro_rules! numbers {
    ($($(#[$docs:meta])* $name:ident: $transform:literal, $parameter:literal in $low:literal..=$high:literal, $step:expr;)*) => {$(
        $(#[$docs])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name {
            range: Range,
        }

        impl $name {
            #[doc = concat!("With a ", $parameter, ", a number or a range that it is drawn from for each sample.")]
            ///
            /// # Errors
            #[doc = concat!(
                "[`Error::Parameter`](crate::Error::Parameter) for a range that is inverted or not within `[",
                stringify!($low), ", ", stringify!($high), "]`."
            )]
            pub fn new(range: impl Into<Range>) -> Result<Self> {
                Ok($name { range: range.into().within($low, $high, $transform, $parameter)? })
            }
        }

        impl Augment for $name {
            fn name(&self) -> &str {
                $transform
            }

            fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
                let number = self.range.draw(draw.random());
                draw.note($transform, &[($parameter, number)]);
                let step: fn(f32) -> Step = $step;
                draw.push(step(number as f32))
            }
        }
    )*};
}

numbers! {
    /// Multiplies all values with a factor: below 1 is darker.
    ///
    /// Use it where the light varies; 0.8 to 1.2 is usual.
    Brightness: "brightness", "factor" in 0.0..=1000.0, |factor| {
        Step::Tone { tone: Tone::Linear { factor, offset: 0.0 } }
    };
    /// Moves all values away from the mean of the image's luma, or towards it: a factor of 0 leaves grey, 1 the image.
    ///
    /// Use it where light and exposure vary; 0.8 to 1.2 is usual. The mean is that of ITU-R BT.601's luma, as in Pillow and torchvision.
    Contrast: "contrast", "factor" in 0.0..=1000.0, |factor| Step::Colour { colour: ColourStep::Contrast { factor } };
    /// Moves colours away from grey, or towards it: a factor of 0 leaves the luma, 1 the image.
    ///
    /// Use it where cameras and light vary; 0.8 to 1.2 is usual.
    Saturation: "saturation", "factor" in 0.0..=1000.0, |factor| Step::Colour { colour: ColourStep::saturation(factor) };
    /// Moves hues around the colour wheel, by parts of a full turn.
    ///
    /// Use it where the colour of the light varies; not where colours are what is to be told apart. Up to 0.1 to either side is usual.
    Hue: "hue", "turn" in -0.5..=0.5, |turn| Step::Colour { colour: ColourStep::Hue { turn } };
    /// Raises values to a power: above 1 is darker, in the middle tones most.
    ///
    /// Use it where exposure and displays vary; 0.8 to 1.25 is usual.
    Gamma: "gamma", "exponent" in 0.01..=100.0, |gamma| Step::Tone { tone: Tone::Gamma { gamma } };
    /// Inverts values from a threshold on, a share of white.
    ///
    /// Use it as a strong distortion, in policies.
    Solarize: "solarize", "threshold" in 0.0..=1.0, |threshold| Step::Tone { tone: Tone::Solarize { threshold } };
}

/// Keeps the highest bits of each value.
///
/// Use it as a strong distortion, in policies.
///
/// ```
/// use gradwise_augment::{Augment, ImageRef, Key, Posterize, Shape};
///
/// let image = ImageRef::new(Shape::interleaved(1, 3, 1), &[0_u8, 100, 255])?;
/// assert_eq!(Posterize::new(2.0)?.apply(image, Key::new(0))?.as_u8(), Some(&[0, 64, 192][..]));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Posterize {
    bits: Range,
}

impl Posterize {
    /// With a number of bits from 1 to 8, or a range that a whole number is drawn from for each sample, both ends among them.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a range that is inverted, not within `[1, 8]`, or contains no whole number.
    pub fn new(bits: impl Into<Range>) -> Result<Self> {
        Ok(Posterize { bits: bits.into().whole_within(1.0, 8.0, "posterize", "bits")? })
    }
}

impl Augment for Posterize {
    fn name(&self) -> &str {
        "posterize"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let bits = self.bits.draw_whole(draw.random());
        draw.note("posterize", &[("bits", bits as f64)]);
        draw.push(Step::Tone { tone: Tone::Posterize { bits: bits as u8 } })
    }
}

/// Brightness, contrast, saturation and hue, in an order drawn for each sample, as torchvision has it.
///
/// Use it on photographs.
///
/// ```
/// use gradwise_augment::{Augment, ColourJitter, Key, Kind, Shape};
///
/// let jitter = ColourJitter::new(0.2, 0.2, 0.2, 0.05)?;
/// assert_eq!(jitter.plan(Shape::interleaved(32, 32, 3), Kind::U8, Key::new(0))?.notes().len(), 4);
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct ColourJitter {
    brightness: Brightness,
    contrast: Contrast,
    saturation: Saturation,
    hue: Hue,
}

impl ColourJitter {
    /// Factors from `1 - x` (or 0, if that is less) to `1 + x` for the first three, turns from `-hue` to `hue`.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a number that is negative or NaN, or a hue above ½.
    pub fn new(brightness: f64, contrast: f64, saturation: f64, hue: f64) -> Result<Self> {
        let around = |x: f64, parameter: &str| {
            let x = Range::from(x).within(0.0, 999.0, "colour jitter", parameter)?.low;
            Ok::<_, crate::Error>(Range { low: (1.0 - x).max(0.0), high: 1.0 + x })
        };
        let hue = Range::from(hue).within(0.0, 0.5, "colour jitter", "hue")?.low;
        Ok(ColourJitter {
            brightness: Brightness::new(around(brightness, "brightness")?)?,
            contrast: Contrast::new(around(contrast, "contrast")?)?,
            saturation: Saturation::new(around(saturation, "saturation")?)?,
            hue: Hue::new((-hue, hue))?,
        })
    }
}

impl Augment for ColourJitter {
    fn name(&self) -> &str {
        "colour jitter"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let mut order = [0, 1, 2, 3];
        draw.random().shuffle(&mut order);
        let parts: [&dyn Augment; 4] = [&self.brightness, &self.contrast, &self.saturation, &self.hue];
        order.into_iter().try_for_each(|i| draw.part(i, parts[i as usize]))
    }
}

/// All channels become the luma, with a probability.
///
/// Use it where colour says little, so that a net does not lean on it.
#[derive(Clone, PartialEq, Debug)]
pub struct Grey {
    p: f64,
}

impl Grey {
    /// With a probability.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a probability outside `[0, 1]`.
    pub fn new(p: f64) -> Result<Self> {
        Ok(Grey { p: probability(p, "grey")? })
    }
}

impl Augment for Grey {
    fn name(&self) -> &str {
        "grey"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        if !draw.random().chance(self.p) {
            return Ok(());
        }
        draw.note("grey", &[]);
        draw.push(Step::Colour { colour: ColourStep::Matrix { weights: [LUMA; 3], offset: [0.0; 3] } })
    }
}

/// Dark becomes light, with a probability.
///
/// Use it where negatives occur; else as a strong distortion, in policies.
#[derive(Clone, PartialEq, Debug)]
pub struct Invert {
    p: f64,
}

impl Invert {
    /// With a probability.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a probability outside `[0, 1]`.
    pub fn new(p: f64) -> Result<Self> {
        Ok(Invert { p: probability(p, "invert")? })
    }
}

impl Augment for Invert {
    fn name(&self) -> &str {
        "invert"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        if !draw.random().chance(self.p) {
            return Ok(());
        }
        draw.note("invert", &[]);
        draw.push(Step::Tone { tone: Tone::Invert })
    }
}

/// Red, green and blue change places, in an order drawn for each sample, the old one among them.
///
/// Use it where colours carry no meaning.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ChannelShuffle;

impl Augment for ChannelShuffle {
    fn name(&self) -> &str {
        "channel shuffle"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let mut order = [0, 1, 2];
        draw.random().shuffle(&mut order);
        let [r, g, b] = order.map(|i| i as f64);
        draw.note("channel shuffle", &[("red from", r), ("green from", g), ("blue from", b)]);
        draw.push(Step::Colour { colour: ColourStep::exchange(order) })
    }
}

/// One of red, green and blue becomes black, with a probability.
///
/// Use it where a sensor's channel may fail.
#[derive(Clone, PartialEq, Debug)]
pub struct ChannelDrop {
    p: f64,
}

impl ChannelDrop {
    /// With a probability.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a probability outside `[0, 1]`.
    pub fn new(p: f64) -> Result<Self> {
        Ok(ChannelDrop { p: probability(p, "channel drop")? })
    }
}

impl Augment for ChannelDrop {
    fn name(&self) -> &str {
        "channel drop"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        if !draw.random().chance(self.p) {
            return Ok(());
        }
        let dropped = draw.random().below(3) as usize;
        draw.note("channel drop", &[("channel", dropped as f64)]);
        let weights =
            std::array::from_fn(|to| std::array::from_fn(|from| if to == from && to != dropped { 1.0 } else { 0.0 }));
        draw.push(Step::Colour { colour: ColourStep::Matrix { weights, offset: [0.0; 3] } })
    }
}
