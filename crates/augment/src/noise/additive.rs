//! Noise that is added to values or multiplied with them.

use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::random::{Noise, WIDTH};
use crate::simd::vectorize;
use crate::{Error, Key, Result};

/// What noise is drawn from, with mean 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Distribution {
    /// Normal.
    #[default]
    Gaussian,
    /// Uniform between `-√3` and `√3` standard deviations.
    Uniform,
    /// Laplace, with scale `1 / √2` standard deviations: more values near 0 and more far out.
    Laplace,
}

/// `x ← x + mean + std · n`, or `x ← x (1 + mean + std · n)`, with a random `n` for each value.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AddNoise {
    /// The distribution of `n`.
    pub distribution: Distribution,
    /// The mean: as a share of white where noise is added.
    pub mean: f32,
    /// The standard deviation: as a share of white where noise is added.
    pub std: f32,
    /// Whether values are multiplied (speckle).
    pub multiplies: bool,
    /// Whether all channels of a pixel get the same `n`.
    pub shared: bool,
    /// The range that results are kept in, as shares of white. `u8` is always kept within 0 and 255. Both ends are finite, as files have no
    /// infinite numbers: `f32::MIN` and `f32::MAX` bind nothing.
    pub clip: Option<(f32, f32)>,
    /// The key of the draws.
    pub key: Key,
}

impl AddNoise {
    /// What a range is.
    pub(crate) const RANGE: &str = "an ascending pair that leaves some number within ±1000000";

    /// Whether results can be kept within two numbers: a range that is far from all values would make values of it that overflow later.
    pub(crate) fn is_range(low: f32, high: f32) -> bool {
        low <= high && low <= 1e6 && high >= -1e6
    }

    /// Whether its numbers can be worked with.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse =
            |parameter: &str, expected: &str, got: String| Err(Error::parameter("noise", parameter, expected, got));
        match self.clip {
            _ if !(-1e6..=1e6).contains(&self.mean) => {
                refuse("mean", "a number within ±1000000", self.mean.to_string())
            }
            _ if !(0.0..=1e6).contains(&self.std) => {
                refuse("std", "a number within [0, 1000000]", self.std.to_string())
            }
            Some((low, high)) if !(AddNoise::is_range(low, high) && low.is_finite() && high.is_finite()) => {
                refuse("clip", AddNoise::RANGE, format!("({low}, {high})"))
            }
            _ => Ok(()),
        }
    }

    /// Changes an image, or what is read `from` elsewhere into it.
    pub(crate) fn run<P: Pixel>(&self, from: Option<&[P]>, image: FrameMut<'_, P>) {
        if self.shared {
            if let Some(from) = from {
                image.data.copy_from_slice(from);
            }
            self.for_pixels(image);
        } else {
            self.for_values(from, image.data);
        }
    }

    /// A number for each value.
    fn for_values<P: Pixel>(&self, from: Option<&[P]>, values: &mut [P]) {
        let (change, noise) = (Change::of::<P>(self), Noise::new(self.key));
        #[cfg(target_arch = "x86_64")]
        {
            let typed = (from.and_then(P::bytes), from.and_then(P::floats));
            if super::avx2::change(typed, P::concrete(values), change, self.distribution, noise) {
                return;
            }
        }
        if let Some(from) = from {
            values.copy_from_slice(from);
        }
        for (part, index) in values.chunks_mut(WIDTH).zip(0..) {
            let numbers = self.distribution.draw(noise, index);
            part.iter_mut().zip(&numbers).for_each(|(value, &n)| change.apply(value, n));
        }
    }

    /// A number for each pixel.
    fn for_pixels<P: Pixel>(&self, image: FrameMut<'_, P>) {
        let (change, noise) = (Change::of::<P>(self), Noise::new(self.key));
        let (step, pixels) = (image.shape.step(), image.shape.height * image.shape.width);
        vectorize(
            #[inline(always)]
            || {
                for plane in image.data.chunks_exact_mut(pixels * step) {
                    for (i, part) in plane.chunks_mut(WIDTH * step).enumerate() {
                        let numbers = self.distribution.draw(noise, i as u64);
                        for (pixel, &n) in part.chunks_exact_mut(step).zip(&numbers) {
                            pixel.iter_mut().for_each(|value| change.apply(value, n));
                        }
                    }
                }
            },
        );
    }
}

impl Distribution {
    /// Numbers `WIDTH · index ..`, with mean 0 and standard deviation 1.
    #[inline(always)]
    fn draw(self, noise: Noise, index: u64) -> [f32; WIDTH] {
        match self {
            Distribution::Gaussian => noise.normals(index),
            Distribution::Uniform => noise.uniforms(index).map(|x| (x - 0.5) * UNIFORM),
            Distribution::Laplace => noise.laplace(index).map(|x| x * LAPLACE),
        }
    }
}

/// The width of a uniform distribution of variance 1: `√12`.
pub(super) const UNIFORM: f32 = 3.464_101_6;

/// The scale of a Laplace distribution of variance 1: `√½`.
pub(super) const LAPLACE: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// What noise does to a value, on the scale of its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) mean: f32,
    pub(super) std: f32,
    pub(super) multiplies: bool,
    pub(super) low: f32,
    pub(super) high: f32,
}

impl Change {
    fn of<P: Pixel>(noise: &AddNoise) -> Self {
        let scale = if noise.multiplies { 1.0 } else { P::WHITE };
        let unbounded = (f32::NEG_INFINITY, f32::INFINITY);
        let (low, high) = noise.clip.map_or(unbounded, |(low, high)| (low * P::WHITE, high * P::WHITE));
        // Bytes have a range of their own.
        let kept = |x: f32| if P::WHITE > 1.0 { x.clamp(0.0, P::WHITE) } else { x };
        let (low, high) = (kept(low), kept(high));
        Change { mean: noise.mean * scale, std: noise.std * scale, multiplies: noise.multiplies, low, high }
    }

    #[inline(always)]
    fn apply<P: Pixel>(self, value: &mut P, n: f32) {
        let (x, n) = (value.to_f32(), self.mean + self.std * n);
        let x = if self.multiplies { x + x * n } else { x + n };
        let x = if x > self.low { x } else { self.low };
        *value = P::from_f32(if x < self.high { x } else { self.high });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    /// As it would be without vectors.
    fn plain<P: Pixel>(noise: &AddNoise, values: &[P]) -> Vec<P> {
        let mut values = values.to_vec();
        for (part, index) in values.chunks_mut(WIDTH).zip(0..) {
            let numbers = noise.distribution.draw(Noise::new(noise.key), index);
            part.iter_mut().zip(numbers).for_each(|(value, n)| Change::of::<P>(noise).apply(value, n));
        }
        values
    }

    #[test]
    fn vectors_change_every_value_as_the_plain_form_does() {
        let bytes: Vec<u8> = (0..1001).map(|i| (i * 37 % 256) as u8).collect();
        let mut floats: Vec<f32> = bytes.iter().map(|&x| f32::from(x) / 200.0 - 0.1).collect();
        floats[5] = -0.0;
        for distribution in [Distribution::Gaussian, Distribution::Uniform, Distribution::Laplace] {
            for (multiplies, clip) in [
                (false, Some((0.0, 1.0))),
                (true, None),
                (false, None),
                (true, Some((0.3, 0.6))),
                (false, Some((1.5, 2.0))),
            ] {
                let key = Key::new(9);
                let noise = AddNoise { distribution, mean: 0.02, std: 0.3, multiplies, shared: false, clip, key };
                // Whole groups of chunks, of which two are made together, and what may be left of them.
                for n in [1, 31, 32, 40, 64, 100, 127, 1001] {
                    check(&noise, &bytes[..n], u32::from);
                    check(&noise, &floats[..n], f32::to_bits);
                }
            }
        }
    }

    fn check<P: Pixel>(noise: &AddNoise, values: &[P], bits: impl Fn(P) -> u32) {
        let shape = Shape::interleaved(1, values.len(), 1);
        let bits = |values: &[P]| values.iter().map(|&x| bits(x)).collect::<Vec<_>>();
        let expected = bits(&plain(noise, values));
        let mut out = values.to_vec();
        noise.run(None, FrameMut { data: &mut out, shape });
        assert_eq!(bits(&out), expected, "{noise:?}");
        out.fill(P::default());
        noise.run(Some(values), FrameMut { data: &mut out, shape });
        assert_eq!(bits(&out), expected, "{noise:?}, read from elsewhere");
    }
}
