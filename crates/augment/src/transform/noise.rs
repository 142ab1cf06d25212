//! Noise.

use super::Range;
use crate::noise::{AddNoise, Distribution, Photons, SaltAndPepper};
use crate::plan::Step;
use crate::{Augment, Draw, Error, Result};

macro_rules! noises {
    ($($(#[$docs:meta])* $name:ident: $transform:literal, $distribution:ident, multiplies: $multiplies:literal;)*) => {$(
        $(#[$docs])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name {
            mean: Range,
            std: Range,
            shared: bool,
            clip: Option<(f32, f32)>,
        }

        impl $name {
            /// With a mean and a standard deviation, each a number or a range that it is drawn from for each sample.
            ///
            /// # Errors
            /// [`Error::Parameter`] for an inverted range, NaN, or a negative standard deviation.
            pub fn new(mean: impl Into<Range>, std: impl Into<Range>) -> Result<Self> {
                Ok($name {
                    mean: mean.into().within(-1e6, 1e6, $transform, "mean")?,
                    std: std.into().within(0.0, 1e6, $transform, "std")?,
                    shared: false,
                    clip: Some((0.0, 1.0)),
                })
            }

            /// Whether all channels of a pixel get the same noise, which leaves its colour as it is; otherwise each has its own.
            #[must_use]
            pub fn shared(self, shared: bool) -> Self {
                $name { shared, ..self }
            }

            /// The range that values are kept in, as shares of white: from 0 to 1 unless it is said otherwise. With `None`, floating-point
            /// values may leave it, as those of a normalised image must; bytes are always kept within 0 and 255. An infinite end binds nothing.
            ///
            /// # Errors
            /// [`Error::Parameter`] if it is inverted, NaN, or wholly beyond ±10⁶.
            pub fn clip(self, clip: Option<(f32, f32)>) -> Result<Self> {
                match clip {
                    Some((low, high)) if !AddNoise::is_range(low, high) => {
                        Err(Error::parameter($transform, "clip", AddNoise::RANGE, format!("({low}, {high})")))
                    }
                    // A plan is saved with finite numbers.
                    _ => Ok($name { clip: clip.map(|(low, high)| (low.max(f32::MIN), high.min(f32::MAX))), ..self }),
                }
            }
        }

        impl Augment for $name {
            fn name(&self) -> &str {
                $transform
            }

            fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
                let mean = self.mean.draw(draw.random());
                let std = self.std.draw(draw.random());
                draw.note($transform, &[("mean", mean), ("std", std)]);
                draw.push(Step::Noise(AddNoise {
                    distribution: Distribution::$distribution,
                    mean: mean as f32,
                    std: std as f32,
                    multiplies: $multiplies,
                    shared: self.shared,
                    clip: self.clip,
                    key: draw.key(),
                }))
            }
        }
    )*};
}

noises! {
    /// Adds normal noise: `x ← x + mean + std · n`, in shares of white.
    ///
    /// Use it against a net that hangs on to single pixels; a standard deviation of 0.02 to 0.1 is usual. (albumentations draws 0.2 to
    /// 0.44; torchvision takes 0.1; kornia 1.0, without clipping.)
    ///
    /// ```
    /// use gradwise_augment::{Augment, GaussianNoise, ImageRef, Key, Shape};
    ///
    /// let grey = [0.5_f32; 100];
    /// let noise = GaussianNoise::new(0.0, (0.02, 0.1))?;
    /// let noisy = noise.apply(ImageRef::new(Shape::interleaved(10, 10, 1), &grey)?, Key::new(7))?;
    /// assert!(noisy.as_f32().is_some_and(|values| values.iter().any(|&x| x > 0.5) && values.iter().any(|&x| x < 0.5)));
    /// # Ok::<(), gradwise_augment::Error>(())
    /// ```
    GaussianNoise: "gaussian noise", Gaussian, multiplies: false;
    /// Adds uniform noise with a mean and a standard deviation: between `mean - √3 std` and `mean + √3 std`.
    ///
    /// Use it like normal noise, where no value may move far.
    UniformNoise: "uniform noise", Uniform, multiplies: false;
    /// Adds noise of Laplace's distribution with a mean and a standard deviation.
    ///
    /// Use it like normal noise, where a few values shall move far.
    LaplaceNoise: "laplace noise", Laplace, multiplies: false;
    /// Multiplies with normal noise: `x ← x (1 + mean + std · n)`.
    ///
    /// Use it for radar and ultrasound, and where bright places are noisier than dark ones.
    Speckle: "speckle", Gaussian, multiplies: true;
}

/// Sets pixels, with all their channels, to white or black.
///
/// Use it for dead pixels and lost data. Counts are exact: `⌊height · width · amount⌋` pixels, of which a share, rounded down, is white.
#[derive(Clone, PartialEq, Debug)]
pub struct RandomSaltAndPepper {
    amount: Range,
    salt: Range,
}

impl RandomSaltAndPepper {
    /// An amount, as a part of all pixels, and the share of white ones among them.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range that is inverted or not within `[0, 1]`.
    pub fn new(amount: impl Into<Range>, salt: impl Into<Range>) -> Result<Self> {
        Ok(RandomSaltAndPepper {
            amount: amount.into().within(0.0, 1.0, "salt and pepper", "amount")?,
            salt: salt.into().within(0.0, 1.0, "salt and pepper", "salt")?,
        })
    }
}

impl Augment for RandomSaltAndPepper {
    fn name(&self) -> &str {
        "salt and pepper"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let pixels = draw.shape().height * draw.shape().width;
        let amount = self.amount.draw(draw.random());
        let chosen = (pixels as f64 * amount) as usize;
        let salt = (chosen as f64 * self.salt.draw(draw.random())) as usize;
        draw.note("salt and pepper", &[("salt", salt as f64), ("pepper", (chosen - salt) as f64)]);
        draw.push(Step::SaltAndPepper(SaltAndPepper { salt, pepper: chosen - salt, key: draw.key() }))
    }
}

/// Counts light: `x ← (scale · Poisson(x^gamma / scale))^(1 / gamma)`, in shares of white.
///
/// Use it for pictures taken in dim light, under the microscope, or by X-rays: dark places are grainy, and black stays black.
///
/// The formula and the exponent of 2.2, which makes values of photographs linear in light, are albumentations'; a scale from 0.1 to 0.3, as
/// it draws it, is a very dark picture, of 3 to 10 counts for white; 0.001 is a decent one. (imgaug adds counts that do not depend on the
/// value.)
#[derive(Clone, PartialEq, Debug)]
pub struct ShotNoise {
    scale: Range,
    gamma: f32,
}

impl ShotNoise {
    /// With a scale, what one count is worth as a share of white.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a range that is inverted or not within `[0.00001, 1000]`.
    pub fn new(scale: impl Into<Range>) -> Result<Self> {
        Ok(ShotNoise { scale: scale.into().within(1e-5, 1e3, "shot noise", "scale")?, gamma: 2.2 })
    }

    /// With another exponent: 1 for values that are linear in light.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not within `[0.1, 10]`.
    pub fn gamma(self, gamma: f64) -> Result<Self> {
        let gamma = Range::from(gamma).within(0.1, 10.0, "shot noise", "gamma")?.low as f32;
        Ok(ShotNoise { gamma, ..self })
    }
}

impl Augment for ShotNoise {
    fn name(&self) -> &str {
        "shot noise"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let scale = self.scale.draw(draw.random());
        draw.note("shot noise", &[("scale", scale)]);
        let (low, high) = Photons::SCALE;
        let scale = (scale as f32).clamp(low, high);
        draw.push(Step::Photons(Photons { scale, gamma: self.gamma, key: draw.key() }))
    }
}
