//! The step, and which way each kernel goes.

use super::rows::Ring;
use super::weighted::{self, Taps};
use super::{kernel, median, sharpen};
use crate::fill::Fill;
use crate::frame::{Frame, FrameMut};
use crate::image::Value;
use crate::simd::vectorize;
use crate::{Error, Result, Shape};

/// What a value becomes, of the values around it.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Kernel {
    /// The sum of those up to `radius` columns and rows away, weighted by `exp(-(dx² + dy²) / 2σ²)` and divided by the sum of weights.
    Gaussian {
        /// The standard deviation, in pixels.
        sigma: f32,
        /// Where the weights end.
        radius: usize,
    },
    /// The mean of the square of `2 · radius + 1` pixels a side around it.
    Box {
        /// Half the side.
        radius: usize,
    },
    /// The median of the square of `2 · radius + 1` pixels a side around it.
    Median {
        /// Half the side.
        radius: usize,
    },
    /// The mean along a straight line through it.
    Motion {
        /// The line's length, in pixels.
        length: f32,
        /// Its angle to the horizontal, in degrees, clockwise.
        angle: f32,
    },
    /// `s + factor · (x - s)`, kept between black and white, where `s` is the mean of the nine values around it, of which its own counts five
    /// times: below 1 smooths, above 1 sharpens. The pixels at the edge stay as they are.
    Sharpness {
        /// The factor.
        factor: f32,
    },
    /// `x + amount · (x - g)`, kept between black and white, where `g` is [`Kernel::Gaussian`]'s.
    Unsharp {
        /// The standard deviation.
        sigma: f32,
        /// Where the weights end.
        radius: usize,
        /// How much of the difference is added.
        amount: f32,
    },
}

/// A filter and what it takes for the pixels beyond the edge.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LocalFilter {
    /// What a value becomes.
    pub kernel: Kernel,
    /// How the picture goes on beyond its edge.
    pub fill: Fill,
}

/// The memory of filters.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(super) u8: Ring<u8>,
    pub(super) u16: Ring<u16>,
    pub(super) i32: Ring<i32>,
    pub(super) f32: Ring<f32>,
    pub(super) taps_u16: Taps<u16>,
    pub(super) taps_f32: Taps<f32>,
}

impl LocalFilter {
    /// The largest radius.
    pub const MAX_RADIUS: usize = 127;

    /// Whether numbers that may come from a file are such as a filter can have.
    pub(crate) fn check(&self, shape: Shape) -> Result<()> {
        let max = LocalFilter::MAX_RADIUS;
        let (parameter, expected, got) = match self.kernel {
            Kernel::Gaussian { radius, .. }
            | Kernel::Box { radius }
            | Kernel::Median { radius }
            | Kernel::Unsharp { radius, .. }
                if radius > max =>
            {
                ("radius", format!("at most {max}"), radius.to_string())
            }
            Kernel::Gaussian { sigma, .. } | Kernel::Unsharp { sigma, .. } if !(sigma >= 0.0 && sigma.is_finite()) => {
                ("sigma", "a number of at least 0".to_owned(), sigma.to_string())
            }
            Kernel::Motion { length, .. } if !(0.0..=max as f32).contains(&length) => {
                ("length", format!("within [0, {max}]"), length.to_string())
            }
            Kernel::Motion { angle, .. } if !angle.is_finite() => ("angle", "a number".to_owned(), angle.to_string()),
            Kernel::Sharpness { factor } if !factor.is_finite() => {
                ("factor", "a number".to_owned(), factor.to_string())
            }
            Kernel::Unsharp { amount, .. } if !amount.is_finite() => {
                ("amount", "a number".to_owned(), amount.to_string())
            }
            _ => return self.fill.check("filter").and_then(|()| shape.checked_len("filter").map(|_| ())),
        };
        Err(Error::parameter("filter", parameter, expected, got))
    }

    /// Writes the filtered image.
    pub(crate) fn run<P: Value>(
        &self,
        source: Frame<'_, P>,
        mut target: FrameMut<'_, P>,
        memory: &mut Memory,
    ) -> Result<()> {
        match self.kernel {
            Kernel::Gaussian { sigma, radius } => {
                weighted::separable(&kernel::gaussian(sigma, radius), source, target, self.fill, memory)
            }
            Kernel::Box { radius } => weighted::separable(&kernel::uniform(radius), source, target, self.fill, memory),
            Kernel::Motion { length, angle } => {
                kernel::line(length, angle, &mut memory.taps_f32);
                weighted::plane(source, target, self.fill, memory)
            }
            Kernel::Median { radius } => median::median(radius, source, target, self.fill, memory),
            Kernel::Sharpness { factor } => {
                vectorize(
                    #[inline(always)]
                    || sharpen::sharpness(factor, source, target),
                );
                Ok(())
            }
            Kernel::Unsharp { sigma, radius, amount } => {
                let half = kernel::gaussian(sigma, radius);
                weighted::separable(&half, source, target.reborrow(), self.fill, memory)?;
                vectorize(
                    #[inline(always)]
                    || sharpen::away(amount, source, target),
                );
                Ok(())
            }
        }
    }
}
