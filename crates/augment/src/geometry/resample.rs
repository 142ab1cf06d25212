//! Values between pixels.

use crate::fill::Fill;
use crate::frame::Frame;
use crate::pixel::Pixel;

/// How a value between the centres of pixels is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Interpolation {
    /// The value of the pixel that contains the point: for masks, and nothing is invented.
    Nearest,
    /// Between two pixels in each direction, linear in the distance; of bytes, where an image is not merely translated, in 128ths of a
    /// pixel.
    #[default]
    Bilinear,
    /// Over four pixels in each direction, by the cubic convolution of Keys with `a = -½`, which reproduces quadratic functions (*Cubic convolution
    /// interpolation for digital image processing*, IEEE Transactions on Acoustics, Speech and Signal Processing 29, 1981). Pillow's is the
    /// same where it resizes, where it warps it takes `a = -1`; OpenCV and PyTorch take `a = -¾`.
    Bicubic,
}

/// Pixels of one direction and their weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taps {
    pub(crate) n: usize,
    /// The first pixel, from the one at or before the point.
    pub(crate) first: i64,
    pub(crate) weights: [f32; 4],
}

impl Interpolation {
    /// For a point at `fraction`, in `[0, 1)`, of the way from one pixel's centre to the next.
    #[inline(always)]
    pub(crate) fn taps(self, fraction: f32) -> Taps {
        let t = fraction;
        match self {
            Interpolation::Nearest => Taps { n: 1, first: if t < 0.5 { 0 } else { 1 }, weights: [1.0, 0.0, 0.0, 0.0] },
            Interpolation::Bilinear => Taps { n: 2, first: 0, weights: [1.0 - t, t, 0.0, 0.0] },
            Interpolation::Bicubic => Taps {
                n: 4,
                first: -1,
                weights: [
                    ((-0.5 * t + 1.0) * t - 0.5) * t,
                    (1.5 * t - 2.5) * t * t + 1.0,
                    ((-1.5 * t + 2.0) * t + 0.5) * t,
                    (0.5 * t - 0.5) * t * t,
                ],
            },
        }
    }
}

/// A point, as the pixel at or before it and the fraction of the way to the next, in both directions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) fx: f32,
    pub(crate) fy: f32,
}

/// All channels of a plane's pixel at a point, anywhere on the infinite plane: what fast ways do where they meet the edge, and what they are
/// tested against. `first` is the number of the plane's first channel.
pub(crate) fn sample<P: Pixel>(
    frame: Frame<'_, P>,
    plane: &[P],
    first: usize,
    point: Point,
    interpolation: Interpolation,
    fill: &Fill,
    out: &mut [P],
) {
    let shape = frame.shape;
    let (columns, rows) = (interpolation.taps(point.fx), interpolation.taps(point.fy));
    if let Fill::Constant(colour) = fill {
        let beyond =
            |at: i64, taps: &Taps, len: usize| at + taps.first >= len as i64 || at + taps.first + (taps.n as i64) <= 0;
        if beyond(point.x, &columns, shape.width) || beyond(point.y, &rows, shape.height) {
            let value = |channel: usize| P::from_f32(colour.channel(first + channel) * P::WHITE);
            return out.iter_mut().enumerate().for_each(|(channel, out)| *out = value(channel));
        }
    }
    for (channel, out) in out.iter_mut().enumerate() {
        let constant = match fill {
            Fill::Constant(colour) => colour.channel(first + channel) * P::WHITE,
            _ => 0.0,
        };
        let mut sum = 0.0;
        for (i, &down) in rows.weights[..rows.n].iter().enumerate() {
            let row = fill.place(point.y + rows.first + i as i64, shape.height);
            let mut across = 0.0;
            for (j, &weight) in columns.weights[..columns.n].iter().enumerate() {
                let column = fill.place(point.x + columns.first + j as i64, shape.width);
                let value = match (row, column) {
                    (Some(row), Some(column)) => plane[row * shape.row() + column * shape.step() + channel].to_f32(),
                    _ => constant,
                };
                across += weight * value;
            }
            sum += down * across;
        }
        *out = P::from_f32(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up_and_reproduce_polynomials() {
        for i in 0..16 {
            let t = i as f32 / 16.0;
            let of = |interpolation: Interpolation, f: fn(f32) -> f32| {
                let taps = interpolation.taps(t);
                (0..taps.n).map(|j| taps.weights[j] * f((taps.first + j as i64) as f32)).sum::<f32>()
            };
            assert!((of(Interpolation::Bilinear, |x| 3.0 * x + 1.0) - (3.0 * t + 1.0)).abs() < 1e-6);
            assert!((of(Interpolation::Bicubic, |x| x * x - x + 2.0) - (t * t - t + 2.0)).abs() < 1e-5);
            assert_eq!(of(Interpolation::Nearest, |x| x), if t < 0.5 { 0.0 } else { 1.0 });
        }
    }
}
