//! Images moved without being turned: whole rows at a time.

use super::resample::{Interpolation, Point, sample};
use crate::fill::Fill;
use crate::frame::{Frame, FrameMut};
use crate::pixel::Pixel;
use std::ops::Range;

/// A distance beyond which all is as far away.
const FAR: f64 = 1e15;

/// Moves an image by whole pixels and a fraction: the value at `x` of the result is that at `x - whole - fraction` of the source.
///
/// All pixels of a row have the same weights, so that a row is a sum of shifted rows: no index is computed for a pixel, and vectors
/// do the rest. By whole pixels, rows are copied.
#[inline(always)]
pub(super) fn translate<P: Pixel>(
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    (x, y): (f64, f64),
    interpolation: Interpolation,
    fill: &Fill,
) {
    let shape = source.shape;
    // The pixel at or before the point that a pixel of the result comes from, from that pixel's own place.
    let split = |shift: f64| {
        // Farther than any image is wide, and no farther than can be counted from there.
        let shift = shift.clamp(-FAR, FAR);
        let at = (-shift).floor();
        let fraction = (-shift - at) as f32;
        if fraction < 1.0 { (at as i64, fraction) } else { (at as i64 + 1, 0.0) }
    };
    let ((dx, fx), (dy, fy)) = (split(x), split(y));
    let (columns, rows) = (taps(interpolation, fx), taps(interpolation, fy));
    let step = shape.step();
    let (width, height) = (target.shape.width, target.shape.height);
    let inner = inside(dx + columns.first, columns.n, shape.width, width);
    let first = |plane: usize| plane * step;
    for (plane, (from, to)) in source.planes().zip(target.planes_mut()).enumerate() {
        for (row, out) in to.chunks_exact_mut(width * step).enumerate() {
            let top = row as i64 + dy + rows.first;
            let inner = if top >= 0 && top + rows.n as i64 <= shape.height as i64 { inner.clone() } else { 0..0 };
            let edge = |columns: Range<usize>, out: &mut [P]| {
                for (pixel, column) in out[columns.start * step..columns.end * step].chunks_exact_mut(step).zip(columns)
                {
                    let point = Point { x: column as i64 + dx, y: row as i64 + dy, fx, fy };
                    sample(source, from, first(plane), point, interpolation, fill, pixel);
                }
            };
            edge(0..inner.start, out);
            edge(inner.end..width, out);
            if !inner.is_empty() {
                let len = inner.len() * step;
                let left = (inner.start as i64 + dx + columns.first) as usize * step;
                let lines: [&[P]; 4] = std::array::from_fn(|i| {
                    let line = top as usize + i.min(rows.n - 1);
                    &from[line * shape.row() + left..][..(columns.n - 1) * step + len]
                });
                blend(&lines[..rows.n], &rows, &columns, step, &mut out[inner.start * step..][..len]);
            }
        }
    }
    debug_assert!(height > 0);
}

/// The taps of a fraction, without those that have no weight.
fn taps(interpolation: Interpolation, fraction: f32) -> super::resample::Taps {
    let nearest = Interpolation::Nearest.taps(fraction);
    if fraction == 0.0 { nearest } else { interpolation.taps(fraction) }
}

/// The pixels of the result all of whose `n` sources, the first `shift` away, are pixels of the source.
fn inside(shift: i64, n: usize, source: usize, target: usize) -> Range<usize> {
    let end = (source as i64 - shift - n as i64 + 1).clamp(0, target as i64);
    let start = (-shift).clamp(0, end);
    start as usize..end as usize
}

/// A weighted sum of lines, each shifted by pixels of `step` values.
#[inline(always)]
fn blend<P: Pixel>(
    lines: &[&[P]],
    rows: &super::resample::Taps,
    columns: &super::resample::Taps,
    step: usize,
    out: &mut [P],
) {
    if rows.n == 1 && columns.n == 1 {
        out.copy_from_slice(lines[0]);
        return;
    }
    // By pieces that stay in registers and the nearest cache.
    const PIECE: usize = 64;
    let mut start = 0;
    while start < out.len() {
        let n = PIECE.min(out.len() - start);
        let mut sums = [0.0_f32; PIECE];
        for (line, &down) in lines.iter().zip(&rows.weights) {
            let mut across = [0.0_f32; PIECE];
            for (j, &weight) in columns.weights[..columns.n].iter().enumerate() {
                let values = &line[start + j * step..][..n];
                across.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value.to_f32());
            }
            sums.iter_mut().zip(&across).for_each(|(sum, across)| *sum += down * across);
        }
        out[start..start + n].iter_mut().zip(&sums).for_each(|(out, &sum)| *out = P::from_f32(sum));
        start += n;
    }
}
