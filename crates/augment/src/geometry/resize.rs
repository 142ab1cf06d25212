//! Images brought to another size.

use crate::frame::{Frame, FrameMut};
use crate::pixel::Pixel;
use crate::simd::vectorize;
use crate::{Result, memory};

/// How the pixels of a smaller or larger image are found: by which weights those near a point are averaged.
///
/// Names and widths are Pillow's. Weights are functions of the distance in pixels of the *source* when an image grows, and, where
/// [antialiasing](Resize::antialias) is on, of the *result* when it shrinks, so that each pixel of the source has its part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Filter {
    /// The pixel that contains the point.
    Nearest,
    /// The mean of the pixels within half a pixel.
    Box,
    /// A triangle: linear in the distance, up to 1.
    #[default]
    Bilinear,
    /// Keys's cubic convolution with `a = -½`, up to 2.
    Bicubic,
    /// Lanczos's windowed sine with three lobes, up to 3 (Duchon, *Lanczos filtering in one and two dimensions*, Journal of Applied
    /// Meteorology 18, 1979): the sharpest, with overshoots at edges.
    Lanczos,
}

impl Filter {
    /// The distance from which on weights are 0.
    fn reach(self) -> f64 {
        match self {
            Filter::Nearest | Filter::Box => 0.5,
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
            Filter::Lanczos => 3.0,
        }
    }

    fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self {
            // Half open, so that a pixel in the middle between two belongs to one of them.
            Filter::Nearest | Filter::Box => f64::from(u8::from(distance > -0.5 && distance <= 0.5)),
            Filter::Bilinear => (1.0 - x).max(0.0),
            Filter::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Filter::Bicubic if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Filter::Lanczos if x < 3.0 => sinc(x) * sinc(x / 3.0),
            Filter::Bicubic | Filter::Lanczos => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

/// An image brought to another size.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Resize {
    /// Rows of the result.
    pub height: usize,
    /// Columns of the result.
    pub width: usize,
    /// How its pixels are found.
    pub filter: Filter,
    /// Whether all pixels of the source have their part when the image shrinks (as in Pillow); otherwise only those near the point, as
    /// in OpenCV, which is quicker and leaves moiré.
    pub antialias: bool,
}

/// Memory of a resizing.
#[derive(Debug, Default)]
pub(crate) struct ResizeMemory {
    rows: Taps,
    columns: Taps,
    /// The image with its new width and old height.
    half: Vec<f32>,
}

/// Of each pixel of an axis of the result: where in the source its pixels begin, and their weights, [`Taps::n`] each.
#[derive(Debug, Default)]
struct Taps {
    n: usize,
    starts: Vec<usize>,
    weights: Vec<f32>,
}

impl Taps {
    fn fill(&mut self, filter: Filter, antialias: bool, source: usize, target: usize) -> Result<()> {
        let scale = source as f64 / target as f64;
        let stretch = if antialias && filter != Filter::Nearest { scale.max(1.0) } else { 1.0 };
        let reach = filter.reach() * stretch;
        self.n = if filter == Filter::Nearest { 1 } else { ((2.0 * reach).ceil() as usize + 1).min(source) };
        self.starts.clear();
        self.weights.clear();
        memory::reserve(&mut self.starts, target, "resize")?;
        memory::reserve(&mut self.weights, target.saturating_mul(self.n), "resize")?;
        for i in 0..target {
            let center = (i as f64 + 0.5) * scale;
            if filter == Filter::Nearest {
                // In integers: a point between two pixels belongs to the second on every machine.
                self.starts.push((2 * i + 1) * source / (2 * target));
                self.weights.push(1.0);
                continue;
            }
            let start = ((center - reach).floor().max(0.0) as usize).min(source - self.n);
            let weight = |j: usize| filter.weight(((start + j) as f64 + 0.5 - center) / stretch);
            let sum: f64 = (0..self.n).map(weight).sum();
            self.starts.push(start);
            // The weights near an edge are those of the pixels that exist, made to sum to 1.
            self.weights.extend((0..self.n).map(|j| (weight(j) / sum) as f32));
        }
        Ok(())
    }

    fn of(&self, i: usize) -> (usize, &[f32]) {
        (self.starts[i], &self.weights[i * self.n..][..self.n])
    }
}

impl Resize {
    /// Runs it, with another filter for masks.
    pub(crate) fn run<P: Pixel>(
        &self,
        source: Frame<'_, P>,
        target: FrameMut<'_, P>,
        memory: &mut ResizeMemory,
    ) -> Result<()> {
        let (from, to, step) = (source.shape, target.shape, source.shape.step());
        let ResizeMemory { rows, columns, half } = memory;
        // Without scaling, `f32` values pass through two products with 1; nothing is lost.
        memory::resize(half, from.height.saturating_mul(to.row()), "resize")?;
        columns.fill(self.filter, self.antialias, from.width, to.width)?;
        rows.fill(self.filter, self.antialias, from.height, to.height)?;
        for (source, target) in source.planes().zip(target.planes_mut()) {
            vectorize(
                #[inline(always)]
                || {
                    for (line, out) in source.chunks_exact(from.row()).zip(half.chunks_exact_mut(to.row())) {
                        match step {
                            1 => across::<P, 1>(columns, line, out),
                            3 => across::<P, 3>(columns, line, out),
                            4 => across::<P, 4>(columns, line, out),
                            _ => across_any(columns, step, line, out),
                        }
                    }
                    for (y, out) in target.chunks_exact_mut(to.row()).enumerate() {
                        let (start, weights) = rows.of(y);
                        down(&half[start * to.row()..], weights, out);
                    }
                },
            );
        }
        Ok(())
    }
}

/// A row at its new width.
#[inline(always)]
fn across<P: Pixel, const STEP: usize>(columns: &Taps, line: &[P], out: &mut [f32]) {
    for (x, out) in out.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
        let (start, weights) = columns.of(x);
        let mut sums = [0.0; STEP];
        for (pixel, &weight) in line[start * STEP..].as_chunks::<STEP>().0.iter().zip(weights) {
            for c in 0..STEP {
                sums[c] += weight * pixel[c].to_f32();
            }
        }
        *out = sums;
    }
}

#[inline(always)]
fn across_any<P: Pixel>(columns: &Taps, step: usize, line: &[P], out: &mut [f32]) {
    for (x, out) in out.chunks_exact_mut(step).enumerate() {
        let (start, weights) = columns.of(x);
        for (c, out) in out.iter_mut().enumerate() {
            *out = weights.iter().enumerate().map(|(j, weight)| weight * line[(start + j) * step + c].to_f32()).sum();
        }
    }
}

/// A row of the result, from rows at its width.
#[inline(always)]
fn down<P: Pixel>(lines: &[f32], weights: &[f32], out: &mut [P]) {
    const PIECE: usize = 64;
    let row = out.len();
    for (i, out) in out.chunks_mut(PIECE).enumerate() {
        let (start, n) = (i * PIECE, out.len());
        let mut sums = [0.0_f32; PIECE];
        for (line, &weight) in lines.chunks(row).zip(weights) {
            sums[..n].iter_mut().zip(&line[start..][..n]).for_each(|(sum, x)| *sum += weight * x);
        }
        out.iter_mut().zip(&sums).for_each(|(out, &sum)| *out = P::from_f32(sum));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    const FILTERS: [Filter; 5] = [Filter::Nearest, Filter::Box, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos];

    fn run(resize: Resize, shape: Shape, data: &[f32]) -> Vec<f32> {
        let target = shape.sized(resize.height, resize.width);
        let mut out = vec![0.0; target.plane() * target.planes()];
        let mut memory = ResizeMemory::default();
        resize.run(Frame { data, shape }, FrameMut { data: &mut out, shape: target }, &mut memory).unwrap();
        out
    }

    #[test]
    fn the_same_size_is_the_same_image() {
        let shape = Shape::interleaved(5, 7, 3);
        let data: Vec<f32> = (0..105).map(|i| (i * 37 % 101) as f32 / 101.0).collect();
        for filter in FILTERS {
            for antialias in [false, true] {
                let out = run(Resize { height: 5, width: 7, filter, antialias }, shape, &data);
                assert!(out.iter().zip(&data).all(|(a, b)| (a - b).abs() < 1e-6), "{filter:?}");
            }
        }
    }

    #[test]
    fn one_colour_stays_that_colour() {
        for filter in FILTERS {
            for (height, width) in [(1, 1), (3, 20), (17, 2), (40, 40)] {
                for antialias in [false, true] {
                    let resize = Resize { height, width, filter, antialias };
                    let out = run(resize, Shape::planar(2, 9, 8), &[0.3; 144]);
                    assert!(out.iter().all(|x| (x - 0.3).abs() < 1e-6), "{filter:?} {height} x {width}");
                }
            }
        }
    }

    #[test]
    fn halving_by_boxes_is_the_mean_of_four() {
        let data: Vec<f32> = (0..16).map(|i| i as f32).collect();
        let resize = Resize { height: 2, width: 2, filter: Filter::Box, antialias: true };
        assert_eq!(run(resize, Shape::interleaved(4, 4, 1), &data), [2.5, 4.5, 10.5, 12.5]);
    }

    #[test]
    fn doubling_is_linear_between_centres() {
        let resize = Resize { height: 1, width: 4, filter: Filter::Bilinear, antialias: true };
        let out = run(resize, Shape::interleaved(1, 2, 1), &[0.0, 1.0]);
        assert!(out.iter().zip([0.0, 0.25, 0.75, 1.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{out:?}");
    }

    #[test]
    fn straight_lines_stay_straight_away_from_the_edge() {
        let data: Vec<f32> = (0..60).map(|i| i as f32).collect();
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for width in [30, 45, 90, 200] {
                let out =
                    run(Resize { height: 1, width, filter, antialias: true }, Shape::interleaved(1, 60, 1), &data);
                let scale = 60.0 / width as f32;
                let margin = (width / 10).max(6);
                for (i, x) in out.iter().enumerate().take(width - margin).skip(margin) {
                    // Triangles of other widths than a whole number of pixels do not quite reproduce lines when an image shrinks.
                    let error = x - ((i as f32 + 0.5) * scale - 0.5);
                    assert!(error.abs() < if width < 60 { 0.06 } else { 1e-3 }, "{filter:?} {width}: {error} at {i}");
                }
            }
        }
    }
}
