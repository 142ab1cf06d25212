//! Values brought to the range that networks want.

use crate::frame::{Frame, FrameMut};
use crate::pixel::Pixel;
use crate::simd::vectorize;
use crate::{Error, Result, Shape};
use std::sync::Arc;

/// Each channel's mean subtracted, and the rest divided by its standard deviation: `x ← (x - mean) / std`, all in shares of white. Bytes
/// become floating-point values, so that black is 0 and white 1 before.
#[derive(Clone, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Normalize {
    /// A mean for each channel, or one for all. Shared, so that a plan that is made for each sample copies no list.
    mean: Arc<[f32]>,
    /// A standard deviation for each channel, or one for all.
    std: Arc<[f32]>,
}

impl Normalize {
    /// With a mean and a standard deviation for each channel, or one of each for all.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the lists differ in length or are empty, and for a mean beyond ±10¹² or a deviation outside `[10⁻¹², 10¹²]`.
    pub fn new(mean: &[f32], std: &[f32]) -> Result<Self> {
        if mean.is_empty() || mean.len() != std.len() {
            let expected = format!("as many numbers as means, and at least one ({} means)", mean.len());
            return Err(Error::parameter("normalize", "std", expected, std.len()));
        }
        let normalize = Normalize { mean: mean.into(), std: std.into() };
        normalize.check_numbers().map(|()| normalize)
    }

    /// Black becomes 0 and white 1: only the type changes.
    pub fn unit() -> Self {
        Normalize { mean: [0.0].into(), std: [1.0].into() }
    }

    /// With the moments of ImageNet's red, green and blue, which pretrained networks expect.
    pub fn imagenet() -> Self {
        Normalize { mean: [0.485, 0.456, 0.406].into(), std: [0.229, 0.224, 0.225].into() }
    }

    /// Whether every value that an image may have becomes a finite one.
    fn check_numbers(&self) -> Result<()> {
        if let Some(bad) = self.mean.iter().find(|x| !(-1e12..=1e12).contains(*x)) {
            return Err(Error::parameter("normalize", "mean", "within ±10¹²", bad));
        }
        match self.std.iter().find(|x| !(1e-12..=1e12).contains(*x)) {
            None => Ok(()),
            Some(bad) => Err(Error::parameter("normalize", "std", "within [10⁻¹², 10¹²]", bad)),
        }
    }

    pub(crate) fn check(&self, shape: Shape) -> Result<()> {
        let n = self.mean.len();
        // Lists of a saved plan, which no constructor has seen.
        if self.std.len() != n {
            return Err(Error::parameter(
                "normalize",
                "std",
                format!("{n} numbers, as there are means"),
                self.std.len(),
            ));
        }
        self.check_numbers()?;
        if n == 1 || n == shape.channels {
            return Ok(());
        }
        Err(Error::image("normalize", format!("an image of {n} channels, as there are means"), shape))
    }

    /// The factor and the offset of a channel, from values of a type.
    fn coefficients<P: Pixel>(&self, channel: usize) -> (f32, f32) {
        let of = |list: &[f32]| list[channel.min(list.len() - 1)];
        let inverse = 1.0 / of(&self.std);
        (inverse * (1.0 / P::WHITE), -of(&self.mean) * inverse)
    }

    /// In place: of values that are floating-point numbers.
    pub(crate) fn run<P: Pixel>(&self, image: FrameMut<'_, P>) {
        let (step, shape) = (image.shape.step(), image.shape);
        vectorize(
            #[inline(always)]
            || {
                for (plane, data) in image.data.chunks_exact_mut(shape.plane()).enumerate() {
                    if step == 1 || self.mean.len() == 1 {
                        let (factor, offset) = self.coefficients::<P>(plane);
                        data.iter_mut().for_each(|x| *x = P::from_f32(x.to_f32() * factor + offset));
                    } else {
                        for pixel in data.chunks_exact_mut(step) {
                            for (channel, x) in pixel.iter_mut().enumerate() {
                                let (factor, offset) = self.coefficients::<P>(channel);
                                *x = P::from_f32(x.to_f32() * factor + offset);
                            }
                        }
                    }
                }
            },
        );
    }

    /// Floating-point values of bytes.
    pub(crate) fn floats(&self, source: Frame<'_, u8>, target: FrameMut<'_, f32>) {
        let (step, shape) = (source.shape.step(), source.shape);
        vectorize(
            #[inline(always)]
            || {
                for (plane, (data, out)) in source.planes().zip(target.data.chunks_exact_mut(shape.plane())).enumerate()
                {
                    if step == 1 || self.mean.len() == 1 {
                        let (factor, offset) = self.coefficients::<u8>(plane);
                        out.iter_mut().zip(data).for_each(|(out, &x)| *out = f32::from(x) * factor + offset);
                    } else if step == 3 {
                        let [red, green, blue] = [0, 1, 2].map(|channel| self.coefficients::<u8>(channel));
                        for (out, x) in out.as_chunks_mut::<3>().0.iter_mut().zip(data.as_chunks::<3>().0) {
                            out[0] = f32::from(x[0]) * red.0 + red.1;
                            out[1] = f32::from(x[1]) * green.0 + green.1;
                            out[2] = f32::from(x[2]) * blue.0 + blue.1;
                        }
                    } else {
                        for (out, pixel) in out.chunks_exact_mut(step).zip(data.chunks_exact(step)) {
                            for (channel, (out, &x)) in out.iter_mut().zip(pixel).enumerate() {
                                let (factor, offset) = self.coefficients::<u8>(channel);
                                *out = f32::from(x) * factor + offset;
                            }
                        }
                    }
                }
            },
        );
    }
}
