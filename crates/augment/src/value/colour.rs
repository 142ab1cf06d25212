//! Values that change by a function of all channels of their pixel.

use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::simd::vectorize;

/// A linear function of red, green and blue, or an exchange of channels. Images of one channel, and channels beyond the third (alpha), stay as
/// they are.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum ColourStep {
    /// Each new channel is a weighted sum of the old ones, plus an offset as a share of white, kept between black and white: saturation, hue by rotation,
    /// grey, channels exchanged or dropped.
    Matrix {
        /// The weights, a row for each new channel.
        weights: [[f32; 3]; 3],
        /// The offsets.
        offset: [f32; 3],
    },
}

/// The weights of red, green and blue in the luma of ITU-R BT.601, which Pillow, OpenCV and torchvision take for grey.
pub(crate) const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

impl ColourStep {
    /// Towards grey (0) or away from it (above 1).
    pub fn saturation(factor: f32) -> Self {
        let rest = 1.0 - factor;
        let weights = std::array::from_fn(|to| {
            std::array::from_fn(|from| rest * LUMA[from] + if to == from { factor } else { 0.0 })
        });
        ColourStep::Matrix { weights, offset: [0.0; 3] }
    }

    pub(crate) fn run<P: Pixel>(&self, image: FrameMut<'_, P>) {
        if image.shape.channels < 3 {
            return;
        }
        let ColourStep::Matrix { weights, offset } = *self;
        let offset = offset.map(|x| x * P::WHITE);
        let mix = |rgb: [f32; 3], to: usize| {
            let x = weights[to][0] * rgb[0] + weights[to][1] * rgb[1] + weights[to][2] * rgb[2] + offset[to];
            let x = if x > 0.0 { x } else { 0.0 };
            P::from_f32(if x < P::WHITE { x } else { P::WHITE })
        };
        let (step, plane) = (image.shape.step(), image.shape.plane());
        vectorize(
            #[inline(always)]
            || {
                if step == 1 {
                    let (red, rest) = image.data.split_at_mut(plane);
                    let (green, rest) = rest.split_at_mut(plane);
                    for ((red, green), blue) in red.iter_mut().zip(green).zip(&mut rest[..plane]) {
                        let rgb = [red.to_f32(), green.to_f32(), blue.to_f32()];
                        (*red, *green, *blue) = (mix(rgb, 0), mix(rgb, 1), mix(rgb, 2));
                    }
                } else {
                    for pixel in image.data.chunks_exact_mut(step) {
                        let rgb = [pixel[0].to_f32(), pixel[1].to_f32(), pixel[2].to_f32()];
                        (pixel[0], pixel[1], pixel[2]) = (mix(rgb, 0), mix(rgb, 1), mix(rgb, 2));
                    }
                }
            },
        );
    }
}
