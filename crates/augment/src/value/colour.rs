//! Values that change by a function of all channels of their pixel.

use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::simd::vectorize;
use crate::{Error, Result};

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

    /// Whether its numbers can be worked with.
    pub(crate) fn check(&self) -> Result<()> {
        let (parameter, good) = match self {
            ColourStep::Matrix { weights, offset } => {
                ("matrix", weights.as_flattened().iter().chain(offset).all(|x| x.is_finite()))
            }
            ColourStep::Hue { turn } => ("turn", turn.is_finite()),
            ColourStep::Contrast { factor } => ("factor", factor.is_finite()),
        };
        if good { Ok(()) } else { Err(Error::parameter("colour", parameter, "finite numbers", format!("{self:?}"))) }
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
                        let [red, green, blue] = weights;
                        [
                            unit(red[0] * r + red[1] * g + red[2] * b + offset[0]),
                            unit(green[0] * r + green[1] * g + green[2] * b + offset[1]),
                            unit(blue[0] * r + blue[1] * g + blue[2] * b + offset[2]),
                        ]
                    },
                ),
                ColourStep::Hue { turn } => each_pixel(
                    image,
                    #[inline(always)]
                    |[r, g, b]| hue([unit(r), unit(g), unit(b)], turn),
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
    // A chroma that is not normal has no reciprocal, and no hue.
    let scale = if chroma > f32::MIN_POSITIVE { 1.0 / chroma } else { 0.0 };
    let sixths = if value == r {
        (g - b) * scale
    } else if value == g {
        (b - r) * scale + 2.0
    } else {
        (r - g) * scale + 4.0
    };
    let sixths = sixths + 6.0 * turn;
    [channel(sixths + 5.0, value, chroma), channel(sixths + 3.0, value, chroma), channel(sixths + 1.0, value, chroma)]
}

/// A channel of a hue: `k` sixths of a turn from where it is least.
#[inline(always)]
fn channel(k: f32, value: f32, chroma: f32) -> f32 {
    // Modulo 6; by an integer, so that vectors do it.
    let turns = k * (1.0 / 6.0);
    let whole = turns as i32;
    let whole = whole - i32::from(turns < whole as f32);
    let k = k - 6.0 * whole as f32;
    let least = if k < 4.0 - k { k } else { 4.0 - k };
    value - chroma * unit(least)
}

/// Pixels whose channels are worked on together.
const BLOCK: usize = 32;

/// A value of each channel for the pixels of a block.
type Channels<X> = [[X; BLOCK]; 3];

/// Replaces the first three channels of every pixel by a function of them, in shares of white.
///
/// Channels are taken apart for a block of pixels, so that the function is computed by the vector.
#[inline(always)]
fn each_pixel<P: Pixel>(image: FrameMut<'_, P>, f: impl Fn([f32; 3]) -> [f32; 3]) {
    let (step, plane) = (image.shape.step(), image.shape.plane());
    let mut values = [[P::default(); BLOCK]; 3];
    match step {
        1 => {
            for start in (0..plane).step_by(BLOCK) {
                let n = BLOCK.min(plane - start);
                let part = |c: usize| c * plane + start..c * plane + start + n;
                for c in 0..3 {
                    values[c][..n].copy_from_slice(&image.data[part(c)]);
                }
                block(&mut values, &f);
                for c in 0..3 {
                    image.data[part(c)].copy_from_slice(&values[c][..n]);
                }
            }
        }
        3 => interleaved::<P, 3>(image.data, &mut values, &f),
        4 => interleaved::<P, 4>(image.data, &mut values, &f),
        _ => {
            for pixel in image.data.chunks_exact_mut(step) {
                (0..3).for_each(|c| values[c][0] = pixel[c]);
                block(&mut values, &f);
                (0..3).for_each(|c| pixel[c] = values[c][0]);
            }
        }
    }
}

#[inline(always)]
fn interleaved<P: Pixel, const STEP: usize>(
    data: &mut [P],
    values: &mut Channels<P>,
    f: &impl Fn([f32; 3]) -> [f32; 3],
) {
    for pixels in data.as_chunks_mut::<STEP>().0.chunks_mut(BLOCK) {
        for (i, pixel) in pixels.iter().enumerate() {
            (values[0][i], values[1][i], values[2][i]) = (pixel[0], pixel[1], pixel[2]);
        }
        block(values, f);
        for (i, pixel) in pixels.iter_mut().enumerate() {
            (pixel[0], pixel[1], pixel[2]) = (values[0][i], values[1][i], values[2][i]);
        }
    }
}

/// The function of all pixels of a block.
#[inline(always)]
fn block<P: Pixel>(values: &mut Channels<P>, f: &impl Fn([f32; 3]) -> [f32; 3]) {
    let [red, green, blue] = values;
    let scale = 1.0 / P::WHITE;
    for i in 0..BLOCK {
        let [r, g, b] = f([red[i].to_f32() * scale, green[i].to_f32() * scale, blue[i].to_f32() * scale]);
        red[i] = P::from_f32(r * P::WHITE);
        green[i] = P::from_f32(g * P::WHITE);
        blue[i] = P::from_f32(b * P::WHITE);
    }
}

#[inline(always)]
fn contrast<P: Pixel>(factor: f32, image: FrameMut<'_, P>) {
    let shape = image.shape;
    let (step, plane) = (shape.step(), shape.plane());
    let weights = if shape.channels < 3 { [1.0, 0.0, 0.0] } else { LUMA };
    let used = if shape.channels < 3 { 1 } else { 3 };
    let sum: f64 = if step == 1 {
        let plane = |channel: usize| &image.data[channel * plane..][..plane];
        (0..used).map(|channel| f64::from(weights[channel]) * sums(plane(channel), 1)[0]).sum()
    } else {
        let sums = sums(image.data, step);
        (0..used).map(|channel| f64::from(weights[channel]) * sums[channel]).sum()
    };
    let mean = (sum / (shape.height * shape.width) as f64) as f32 / P::WHITE;
    let of = |x: f32| unit(mean + factor * (x - mean));
    if step == 1 {
        P::map(&mut image.data[..used * plane], of);
    } else if step == used {
        P::map(image.data, of);
    } else {
        for pixel in image.data.chunks_exact_mut(step) {
            pixel[..used].iter_mut().for_each(|x| *x = P::from_f32(of(x.to_f32() / P::WHITE) * P::WHITE));
        }
    }
}

/// The sums of the first three channels of pixels of `step` values.
///
/// In single precision for some thousand values, many sums side by side, so that none waits for another; those in double.
#[inline(always)]
fn sums<P: Pixel>(values: &[P], step: usize) -> [f64; 3] {
    /// A multiple of 1, 2, 3 and 4: pixels of as many values never straddle it.
    const LANES: usize = 48;
    let mut sums = [0.0; 3];
    if LANES.is_multiple_of(step) {
        for part in values.chunks(128 * LANES) {
            let mut lanes = [0.0_f32; LANES];
            let (whole, rest) = part.as_chunks::<LANES>();
            for values in whole {
                for (lane, value) in lanes.iter_mut().zip(values) {
                    *lane += value.to_f32();
                }
            }
            lanes.iter_mut().zip(rest).for_each(|(lane, value)| *lane += value.to_f32());
            for (i, lane) in lanes.into_iter().enumerate().filter(|(i, _)| i % step < 3) {
                sums[i % step] += f64::from(lane);
            }
        }
    } else {
        for pixel in values.chunks_exact(step) {
            sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += f64::from(value.to_f32()));
        }
    }
    sums
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
        assert!(
            hue([1e-40, 0.0, 5e-41], 0.3).iter().all(|x| (0.0..=1e-40).contains(x)),
            "a chroma without a reciprocal"
        );
    }
}
