//! Noise that is added to values or multiplied with them.

use crate::Key;
use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::random::{Noise, WIDTH};
use crate::simd::vectorize;

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
    /// The range that results are kept in, as shares of white. `u8` is always kept within 0 and 255.
    pub clip: Option<(f32, f32)>,
    /// The key of the draws.
    pub key: Key,
}

impl AddNoise {
    pub(crate) fn run<P: Pixel>(&self, image: FrameMut<'_, P>) {
        let noise = Noise::new(self.key);
        // To mean 0 and standard deviation 1.
        match self.distribution {
            Distribution::Gaussian => self.with(
                image,
                #[inline(always)]
                |i| noise.normals(i),
            ),
            Distribution::Uniform => self.with(
                image,
                #[inline(always)]
                |i| noise.uniforms(i).map(|x| (x - 0.5) * 12_f32.sqrt()),
            ),
            Distribution::Laplace => self.with(
                image,
                #[inline(always)]
                |i| noise.laplace(i).map(|x| x * 0.5_f32.sqrt()),
            ),
        }
    }

    #[inline(always)]
    fn with<P: Pixel>(&self, image: FrameMut<'_, P>, draw: impl Fn(u64) -> [f32; WIDTH]) {
        let change = Change::of::<P>(self);
        let (step, pixels) = (image.shape.step(), image.shape.height * image.shape.width);
        vectorize(
            #[inline(always)]
            || {
                if self.shared {
                    for plane in image.data.chunks_exact_mut(pixels * step) {
                        for (i, part) in plane.chunks_mut(WIDTH * step).enumerate() {
                            let numbers = draw(i as u64);
                            for (pixel, &n) in part.chunks_exact_mut(step).zip(&numbers) {
                                pixel.iter_mut().for_each(|value| change.apply(value, n));
                            }
                        }
                    }
                    return;
                }
                let (whole, rest) = image.data.as_chunks_mut::<WIDTH>();
                let mut index = 0;
                for part in whole {
                    let numbers = draw(index);
                    for i in 0..WIDTH {
                        change.apply(&mut part[i], numbers[i]);
                    }
                    index += 1;
                }
                let numbers = draw(index);
                rest.iter_mut().zip(&numbers).for_each(|(value, &n)| change.apply(value, n));
            },
        );
    }
}

/// What noise does to a value, on the scale of its type.
#[derive(Clone, Copy)]
struct Change {
    mean: f32,
    std: f32,
    multiplies: bool,
    low: f32,
    high: f32,
}

impl Change {
    fn of<P: Pixel>(noise: &AddNoise) -> Self {
        let scale = if noise.multiplies { 1.0 } else { P::WHITE };
        let unbounded = (f32::NEG_INFINITY, f32::INFINITY);
        let (low, high) = noise.clip.map_or(unbounded, |(low, high)| (low * P::WHITE, high * P::WHITE));
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
