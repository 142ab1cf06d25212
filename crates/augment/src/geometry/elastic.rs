//! Images stretched here and squeezed there.

use super::block::{Block, Sources};
use super::resample::Interpolation;
use super::sampled::WarpMemory;
use super::warp::resample;
use crate::fill::Fill;
use crate::frame::{Frame, FrameMut};
use crate::pixel::Pixel;
use crate::random::{Noise, WIDTH};
use crate::simd::vectorize;
use crate::{Error, Key, Result, Shape, memory};

/// Standard deviations after which the Gaussian is cut off: less than 0.3 % of it lie beyond.
const REACH: f32 = 3.0;

/// Points of the lattice for each standard deviation of the smoothing: as many draw a Gaussian well by straight lines.
const DENSITY: f32 = 4.0;

/// Every pixel comes from a place near its own, by a smooth random field of displacements.
///
/// Each component of the field is uniform noise in `[-1, 1]`, smoothed by a Gaussian of standard deviation `sigma`, times `amplitude`, in pixels
/// (Simard, Steinkraus and Platt, *Best practices for convolutional neural networks applied to visual document analysis*, ICDAR 2003). The
/// noise goes on beyond the edge, so that the field there is as everywhere else.
///
/// A Gaussian much wider than a pixel needs no noise at every pixel: from `sigma = 8` on, the noise has a value every `sigma / 4` pixels, weaker in
/// proportion, so that the smoothed field has the same variance; it is smoothed there, and linear between. The cost of a pixel then does not depend on
/// `sigma`.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Elastic {
    /// Pixels by which noise of 1 displaces before it is smoothed.
    pub amplitude: f32,
    /// Standard deviation of the smoothing, in pixels.
    pub sigma: f32,
    /// How values between pixels are found.
    pub interpolation: Interpolation,
    /// What lies beyond the edge.
    pub fill: Fill,
    /// Where the noise comes from.
    pub key: Key,
}

/// Memory to make a field in.
#[derive(Debug, Default)]
pub(crate) struct FieldMemory {
    noise: Vec<f32>,
    half: Vec<f32>,
    lattice: [Vec<f32>; 2],
    weights: Vec<f32>,
    /// The displacements of all pixels in each direction.
    field: [Vec<f32>; 2],
}

impl Elastic {
    /// Whether there is such a field: a saved plan may say anything.
    pub(crate) fn check(&self) -> Result<()> {
        if !(0.1..=1e6).contains(&self.sigma) {
            return Err(Error::parameter("elastic", "sigma", "within [0.1, 1000000]", self.sigma));
        }
        if !(-1e9..=1e9).contains(&self.amplitude) {
            return Err(Error::parameter("elastic", "amplitude", "within ±10⁹", self.amplitude));
        }
        self.fill.check("elastic")
    }

    /// Pixels from one point of the noise to the next.
    fn spacing(&self) -> usize {
        ((self.sigma / DENSITY) as usize).max(1)
    }

    pub(crate) fn run<P: Pixel>(
        &self,
        source: Frame<'_, P>,
        target: FrameMut<'_, P>,
        memory: &mut FieldMemory,
        warp: &mut WarpMemory,
    ) -> Result<()> {
        let field = self.field(source.shape, memory)?;
        resample(&field, source, target, self.interpolation, &self.fill, warp);
        Ok(())
    }

    /// The displacements: the pixel at `(x, y)` of the result comes from `(x, y) + field`.
    fn field<'m>(&self, shape: Shape, memory: &'m mut FieldMemory) -> Result<Field<'m>> {
        let FieldMemory { noise, half, lattice, weights, field } = memory;
        let spacing = self.spacing();
        let sigma = self.sigma / spacing as f32;
        let reach = (REACH * sigma).ceil() as usize;
        gaussian(sigma, reach, weights);
        // One point more than needed on the right and below, to be linear between.
        let points = |len: usize| len.div_ceil(spacing) + 1;
        let (rows, columns) = (points(shape.height), points(shape.width));
        let (height, width) = (rows + 2 * reach, columns + 2 * reach);
        let scale = self.amplitude / spacing as f32;
        for (axis, (lattice, out)) in lattice.iter_mut().zip(field.iter_mut()).enumerate() {
            memory::resize(noise, height.saturating_mul(width), "elastic")?;
            memory::resize(half, height.saturating_mul(columns), "elastic")?;
            memory::resize(lattice, rows.saturating_mul(columns), "elastic")?;
            memory::resize(out, shape.height * shape.width, "elastic")?;
            let generator = Noise::new(self.key.with(axis as u64));
            vectorize(
                #[inline(always)]
                || {
                    for (i, part) in noise.chunks_mut(WIDTH).enumerate() {
                        let numbers = generator.uniforms(i as u64);
                        part.iter_mut().zip(numbers).for_each(|(x, number)| *x = scale * (2.0 * number - 1.0));
                    }
                    // Weights are symmetric, so that two points of the noise share a multiplication.
                    for (row, out) in noise.chunks_exact(width).zip(half.chunks_exact_mut(columns)) {
                        let line = |k: usize| &row[reach - k..][..columns];
                        let mirror = |k: usize| &row[reach + k..][..columns];
                        sum_lines(weights, line, mirror, out);
                    }
                    for (i, out) in lattice.chunks_exact_mut(columns).enumerate() {
                        let line = |k: usize| &half[(i + reach - k) * columns..][..columns];
                        let mirror = |k: usize| &half[(i + reach + k) * columns..][..columns];
                        sum_lines(weights, line, mirror, out);
                    }
                    if spacing > 1 {
                        between(lattice, columns, spacing, out, shape.width);
                    }
                },
            );
            if spacing == 1 {
                for (row, out) in lattice.chunks_exact(columns).zip(out.chunks_exact_mut(shape.width)) {
                    out.copy_from_slice(&row[..shape.width]);
                }
            }
        }
        let [x, y] = field;
        Ok(Field { x, y, width: shape.width })
    }

    /// Where points go: those that come from them, found by moving back and forth (the field is smooth, so that a few times are enough).
    pub(crate) fn points(&self, shape: Shape, points: &mut [(f64, f64)]) -> Result<()> {
        let mut memory = FieldMemory::default();
        let field = self.field(shape, &mut memory)?;
        for point in points {
            let (x, y) = *point;
            let mut at = (x, y);
            for _ in 0..20 {
                let (dx, dy) = field.at(at.0, at.1, shape);
                at = (x - dx, y - dy);
            }
            *point = at;
        }
        Ok(())
    }
}

/// The middle weight and those to one side, which sum to 1 with both sides.
fn gaussian(sigma: f32, reach: usize, weights: &mut Vec<f32>) {
    let of = |k: usize| (-0.5 * (k as f64 / f64::from(sigma)).powi(2)).exp();
    let sum: f64 = of(0) + 2.0 * (1..=reach).map(of).sum::<f64>();
    weights.clear();
    weights.extend((0..=reach).map(|k| (of(k) / sum) as f32));
}

/// `out ← w₀ line(0) + Σ wₖ (line(k) + mirror(k))`, by pieces that stay in registers.
#[inline(always)]
fn sum_lines<'n>(
    weights: &[f32],
    line: impl Fn(usize) -> &'n [f32],
    mirror: impl Fn(usize) -> &'n [f32],
    out: &mut [f32],
) {
    const PIECE: usize = 32;
    for (i, out) in out.chunks_mut(PIECE).enumerate() {
        let (start, n) = (i * PIECE, out.len());
        let mut sums = [0.0_f32; PIECE];
        sums[..n].iter_mut().zip(&line(0)[start..][..n]).for_each(|(sum, x)| *sum = weights[0] * x);
        for (k, &weight) in weights.iter().enumerate().skip(1) {
            let (before, after) = (&line(k)[start..][..n], &mirror(k)[start..][..n]);
            if n == PIECE {
                for j in 0..PIECE {
                    sums[j] += weight * (before[j] + after[j]);
                }
            } else {
                for j in 0..n {
                    sums[j] += weight * (before[j] + after[j]);
                }
            }
        }
        out.copy_from_slice(&sums[..n]);
    }
}

/// Values between the points of a lattice, linear in both directions.
#[inline(always)]
fn between(lattice: &[f32], columns: usize, spacing: usize, out: &mut [f32], width: usize) {
    let step = 1.0 / spacing as f32;
    for (y, out) in out.chunks_exact_mut(width).enumerate() {
        let (row, down) = (y / spacing, (y % spacing) as f32 * step);
        let upper = &lattice[row * columns..][..columns];
        let lower = &lattice[(row + 1) * columns..][..columns];
        for (i, out) in out.chunks_mut(spacing).enumerate() {
            let left = upper[i] + down * (lower[i] - upper[i]);
            let right = upper[i + 1] + down * (lower[i + 1] - upper[i + 1]);
            for (x, out) in out.iter_mut().enumerate() {
                *out = left + x as f32 * step * (right - left);
            }
        }
    }
}

/// Displacements of all pixels.
#[derive(Debug)]
struct Field<'m> {
    x: &'m [f32],
    y: &'m [f32],
    width: usize,
}

impl Field<'_> {
    /// The displacement at a point: between pixels linear, beyond the edge that of the edge.
    fn at(&self, x: f64, y: f64, shape: Shape) -> (f64, f64) {
        let split = |u: f64, len: usize| {
            let u = if u.is_nan() { 0.0 } else { (u - 0.5).clamp(0.0, (len - 1) as f64) };
            let first = u as usize;
            (first, (first + 1).min(len - 1), u - first as f64)
        };
        let ((left, right, fx), (top, bottom, fy)) = (split(x, shape.width), split(y, shape.height));
        let of = |field: &[f32]| {
            let get = |row: usize, column: usize| f64::from(field[row * self.width + column]);
            let across = |row: usize| get(row, left) * (1.0 - fx) + get(row, right) * fx;
            across(top) * (1.0 - fy) + across(bottom) * fy
        };
        (of(self.x), of(self.y))
    }
}

impl Sources for Field<'_> {
    fn block(&self, row: usize, column: usize, n: usize, block: &mut Block) {
        let start = row * self.width + column;
        let (dx, dy) = (&self.x[start..][..n], &self.y[start..][..n]);
        let y = row as f64 + 0.5;
        vectorize(
            #[inline(always)]
            || block.set(n, |i| ((column + i) as f64 + 0.5 + f64::from(dx[i]), y + f64::from(dy[i]))),
        );
    }

    /// Anywhere: a field is as strong as its amplitude.
    fn bounds(&self, _: usize, _: usize) -> [(f64, f64); 2] {
        [(f64::NEG_INFINITY, f64::INFINITY); 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elastic(sigma: f32) -> Elastic {
        Elastic { amplitude: 1.0, sigma, interpolation: Interpolation::Bilinear, fill: Fill::Edge, key: Key::new(1) }
    }

    /// The field's variance is that of uniform noise times the sum of the squared weights, `1 / (4 π σ²)`, whether or not there is noise at
    /// every pixel.
    #[test]
    fn the_field_is_as_strong_as_the_smoothing_leaves_it() {
        let shape = Shape::interleaved(500, 500, 1);
        for sigma in [3.0, 7.9, 8.0, 12.0] {
            let mut memory = FieldMemory::default();
            let elastic = elastic(sigma);
            let field = elastic.field(shape, &mut memory).unwrap();
            for values in [field.x, field.y] {
                let mean_square = values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / values.len() as f64;
                let expected = 1.0 / 3.0 / (4.0 * std::f64::consts::PI * f64::from(sigma).powi(2));
                let ratio = mean_square / expected;
                assert!((0.75..1.3).contains(&ratio), "sigma {sigma}: {ratio}");
            }
        }
    }

    #[test]
    fn what_has_no_field_is_refused() {
        for sigma in [f32::NAN, f32::INFINITY, -1.0, 0.0, 1e7] {
            assert!(elastic(sigma).check().is_err(), "{sigma}");
        }
        assert!(Elastic { amplitude: f32::NAN, ..elastic(1.0) }.check().is_err());
        assert!(elastic(1.0).check().is_ok());
    }

    #[test]
    fn the_field_is_smooth() {
        let shape = Shape::interleaved(500, 500, 1);
        for sigma in [2.0, 6.0, 20.0] {
            let mut memory = FieldMemory::default();
            let elastic = elastic(sigma);
            let field = elastic.field(shape, &mut memory).unwrap();
            let rms = |xs: &mut dyn Iterator<Item = f32>| {
                let (sum, n) = xs.fold((0.0, 0), |(sum, n), x| (sum + f64::from(x).powi(2), n + 1));
                (sum / f64::from(n)).sqrt()
            };
            let slope = rms(&mut field.x.chunks_exact(500).flat_map(|row| row.windows(2).map(|w| w[1] - w[0])));
            let size = rms(&mut field.x.iter().copied());
            // Of a Gaussian process with covariance exp(-d² / 4σ²), the slope's deviation is 1 / (√2 σ) times that of the values.
            let ratio = slope / size * f64::from(sigma) * 2_f64.sqrt();
            assert!((0.8..1.2).contains(&ratio), "sigma {sigma}: {ratio}");
        }
    }

    #[test]
    fn points_go_where_their_pixels_go() {
        let shape = Shape::interleaved(60, 80, 1);
        let elastic = Elastic { amplitude: 60.0, sigma: 6.0, ..elastic(6.0) };
        let mut memory = FieldMemory::default();
        let mut points = vec![(10.5, 20.5), (70.0, 50.0), (40.0, 3.0)];
        let before = points.clone();
        elastic.points(shape, &mut points).unwrap();
        let field = elastic.field(shape, &mut memory).unwrap();
        for (from, to) in before.into_iter().zip(points) {
            let (dx, dy) = field.at(to.0, to.1, shape);
            assert!((to.0 + dx - from.0).abs() < 1e-3 && (to.1 + dy - from.1).abs() < 1e-3, "{from:?}, {to:?}");
            assert!(from != to);
        }
    }
}
