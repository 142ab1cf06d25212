//! Values that change by a function of themselves: brightness and its kin.

use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::simd::vectorize;
use crate::{Error, Result};

/// A function of a value, the same for all pixels and channels. Values are shares of white in the formulas.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Tone {
    /// `x ← factor · x + offset`, kept between black and white.
    Linear {
        /// The factor.
        factor: f32,
        /// The offset.
        offset: f32,
    },
    /// `x ← x^gamma`; below 0, and above 1, floating-point values are taken as 0 and 1.
    Gamma {
        /// The exponent: above 1 darkens.
        gamma: f32,
    },
    /// `x ← 1 - x`.
    Invert,
    /// Keeps the highest bits of each byte, and sets the others to 0; of floating-point values, those of the byte below.
    Posterize {
        /// How many, 1 to 8.
        bits: u8,
    },
    /// `x ← 1 - x` for values of at least the threshold.
    Solarize {
        /// The threshold.
        threshold: f32,
    },
}

impl Tone {
    /// Whether its numbers can be worked with.
    pub(crate) fn check(self) -> Result<()> {
        let (parameter, number, good) = match self {
            Tone::Linear { factor, offset } if factor.is_finite() => ("offset", offset, offset.is_finite()),
            Tone::Linear { factor, .. } => ("factor", factor, false),
            Tone::Gamma { gamma } => ("gamma", gamma, gamma.is_finite() && gamma > 0.0),
            Tone::Solarize { threshold } => ("threshold", threshold, threshold.is_finite()),
            Tone::Invert | Tone::Posterize { .. } => return Ok(()),
        };
        let expected = if parameter == "gamma" { "a number above 0" } else { "a number" };
        if good { Ok(()) } else { Err(Error::parameter("tone", parameter, expected, number)) }
    }

    /// A value of type `P`, not yet rounded.
    #[inline(always)]
    fn of<P: Pixel>(self, x: f32) -> f32 {
        match self {
            // As it is computed among other steps.
            Tone::Linear { factor, offset } => linear::<P>(factor, offset, x),
            _ => self.of_share(x / P::WHITE) * P::WHITE,
        }
    }

    #[inline(always)]
    fn of_share(self, x: f32) -> f32 {
        let clamp = |x: f32| if x > 0.0 { if x < 1.0 { x } else { 1.0 } } else { 0.0 };
        match self {
            Tone::Linear { factor, offset } => factor * x + offset,
            Tone::Gamma { gamma } => clamp(x).powf(gamma),
            Tone::Invert => 1.0 - x,
            Tone::Posterize { bits } => {
                let mask = !0_u8 << (8 - bits.clamp(1, 8));
                f32::from((clamp(x) * 255.0) as u8 & mask) / 255.0
            }
            Tone::Solarize { threshold } => {
                if x >= threshold {
                    1.0 - x
                } else {
                    x
                }
            }
        }
    }

    /// Bytes by a table of all 256; floating-point values one by one.
    pub(crate) fn run<P: Pixel>(self, image: FrameMut<'_, P>) {
        vectorize(
            #[inline(always)]
            || {
                P::map(
                    image.data,
                    #[inline(always)]
                    |x| self.of::<P>(x),
                );
            },
        );
    }
}

/// `factor · x + offset`, the offset being a share of white, as a value of the type.
#[inline(always)]
pub(super) fn linear<P: Pixel>(factor: f32, offset: f32, x: f32) -> f32 {
    P::within(factor * x + offset * P::WHITE)
}
