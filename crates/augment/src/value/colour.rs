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
    /// Each hue moved around the colour wheel, by a part of a full turn (Smith, *Color gamut transform pairs*, SIGGRAPH 1978: HSV); value and
    /// saturation stay. Floating-point values are kept between black and white.
    Hue {
        /// The part: ½ makes red cyan.
        turn: f32,
    },
    /// Each value moved from or towards the mean of the image's luma: `x ← mean + factor · (x - mean)`, kept between black and white. Images
    /// of one channel are changed, too.
    Contrast {
        /// The factor: 0 leaves grey.
        factor: f32,
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

    /// Channels in another order: new channel `i` is old channel `order[i]`, which must be below 3.
    pub fn exchange(order: [usize; 3]) -> Self {
        let weights = order.map(|from| std::array::from_fn(|i| if i == from { 1.0 } else { 0.0 }));
        ColourStep::Matrix { weights, offset: [0.0; 3] }
    }

    pub(crate) fn run<P: Pixel>(&self, image: FrameMut<'_, P>) {
        vectorize(
            #[inline(always)]
            || match *self {
                ColourStep::Contrast { factor } => contrast(factor, image),
                _ if image.shape.channels < 3 => (),
                ColourStep::Matrix { weights, offset } => each_pixel(
                    image,
                    #[inline(always)]
                    |[r, g, b]| {
                        [0, 1, 2].map(
                            #[inline(always)]
                            |to: usize| unit(weights[to][0] * r + weights[to][1] * g + weights[to][2] * b + offset[to]),
                        )
                    },
                ),
                ColourStep::Hue { turn } => each_pixel(
                    image,
                    #[inline(always)]
                    |rgb| hue(rgb.map(unit), turn),
                ),
            },
        );
    }
}

/// Between black and white.
#[inline(always)]
fn unit(x: f32) -> f32 {
    let x = if x > 0.0 { x } else { 0.0 };
    if x < 1.0 { x } else { 1.0 }
}

/// A hue moved by a part of a turn, without branches: the hue in sixths of a turn from the largest channel, then each channel as a piecewise
/// linear function of it.
#[inline(always)]
fn hue([r, g, b]: [f32; 3], turn: f32) -> [f32; 3] {
    let max = |a: f32, b: f32| if a > b { a } else { b };
    let min = |a: f32, b: f32| if a < b { a } else { b };
    let (value, least) = (max(r, max(g, b)), min(r, min(g, b)));
    let chroma = value - least;
    let scale = if chroma > 0.0 { 1.0 / chroma } else { 0.0 };
    let sixths = if value == r {
        (g - b) * scale
    } else if value == g {
        (b - r) * scale + 2.0
    } else {
        (r - g) * scale + 4.0
    };
    let sixths = sixths + 6.0 * turn;
    [5.0, 3.0, 1.0].map(|offset| {
        let k = sixths + offset;
        // Modulo 6; by an integer, so that vectors do it.
        let turns = k * (1.0 / 6.0);
        let whole = turns as i32;
        let whole = whole - i32::from(turns < whole as f32);
        let k = k - 6.0 * whole as f32;
        value - chroma * unit(min(k, 4.0 - k))
    })
}

/// Pixels whose channels are worked on together.
const BLOCK: usize = 32;

/// Replaces the first three channels of every pixel by a function of them, in shares of white.
///
/// Channels are taken apart for a block of pixels, so that the function is computed by the vector.
#[inline(always)]
fn each_pixel<P: Pixel>(image: FrameMut<'_, P>, f: impl Fn([f32; 3]) -> [f32; 3]) {
    let (step, plane) = (image.shape.step(), image.shape.plane());
    let scale = 1.0 / P::WHITE;
    let mut rgb = [[0.0_f32; BLOCK]; 3];
    let block = |rgb: &mut [[f32; BLOCK]; 3]| {
        for i in 0..BLOCK {
            let new = f([rgb[0][i], rgb[1][i], rgb[2][i]]);
            (rgb[0][i], rgb[1][i], rgb[2][i]) = (new[0], new[1], new[2]);
        }
    };
    if step == 1 {
        for start in (0..plane).step_by(BLOCK) {
            let n = BLOCK.min(plane - start);
            for c in 0..3 {
                let values = &image.data[c * plane + start..][..n];
                rgb[c].iter_mut().zip(values).for_each(|(x, value)| *x = value.to_f32() * scale);
            }
            block(&mut rgb);
            for c in 0..3 {
                let values = &mut image.data[c * plane + start..][..n];
                values.iter_mut().zip(&rgb[c]).for_each(|(value, x)| *value = P::from_f32(x * P::WHITE));
            }
        }
    } else if step == 3 {
        interleaved::<P, 3>(image.data, &mut rgb, block);
    } else if step == 4 {
        interleaved::<P, 4>(image.data, &mut rgb, block);
    } else {
        for pixel in image.data.chunks_exact_mut(step) {
            let new = f([0, 1, 2].map(|c| pixel[c].to_f32() * scale));
            (0..3).for_each(|c| pixel[c] = P::from_f32(new[c] * P::WHITE));
        }
    }
}

#[inline(always)]
fn interleaved<P: Pixel, const STEP: usize>(
    values: &mut [P],
    rgb: &mut [[f32; BLOCK]; 3],
    block: impl Fn(&mut [[f32; BLOCK]; 3]),
) {
    for pixels in values.as_chunks_mut::<STEP>().0.chunks_mut(BLOCK) {
        for (i, pixel) in pixels.iter().enumerate() {
            (0..3).for_each(|c| rgb[c][i] = pixel[c].to_f32() * (1.0 / P::WHITE));
        }
        block(rgb);
        for (i, pixel) in pixels.iter_mut().enumerate() {
            (0..3).for_each(|c| pixel[c] = P::from_f32(rgb[c][i] * P::WHITE));
        }
    }
}

#[inline(always)]
fn contrast<P: Pixel>(factor: f32, image: FrameMut<'_, P>) {
    let shape = image.shape;
    let (step, plane) = (shape.step(), shape.plane());
    let weights = if shape.channels < 3 { [1.0, 0.0, 0.0] } else { LUMA };
    // Row by row in single precision, the rows in double.
    let mut sum = 0.0_f64;
    for (channel, weight) in weights.into_iter().enumerate().filter(|(_, weight)| *weight > 0.0) {
        let (start, offset) = if step == 1 { (channel * plane, 0) } else { (0, channel) };
        for row in image.data[start..start + plane].chunks_exact(shape.row()) {
            let row: f32 = row.iter().skip(offset).step_by(step).map(|x| x.to_f32()).sum();
            sum += f64::from(row) * f64::from(weight);
        }
    }
    let mean = (sum / (shape.height * shape.width) as f64) as f32 / P::WHITE;
    let last = if shape.channels < 3 { 1 } else { 3 };
    let of = |x: f32| unit(mean + factor * (x - mean));
    if step == 1 {
        P::map(&mut image.data[..last * plane], of);
    } else if step == last {
        P::map(image.data, of);
    } else {
        for pixel in image.data.chunks_exact_mut(step) {
            pixel[..last].iter_mut().for_each(|x| *x = P::from_f32(of(x.to_f32() / P::WHITE) * P::WHITE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_go_around() {
        let close = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        let orange = [1.0, 0.5, 0.25];
        assert!(close(hue(orange, 0.0), orange));
        assert!(close(hue([1.0, 0.0, 0.0], 0.5), [0.0, 1.0, 1.0]));
        assert!(close(hue(orange, 1.0 / 3.0), [0.25, 1.0, 0.5]));
        assert!(close(hue(hue(orange, 0.3), -0.3), orange));
        assert!(close(hue([0.4; 3], 0.3), [0.4; 3]));
    }
}
