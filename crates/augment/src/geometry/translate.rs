//! Images moved without being turned: whole rows at a time.

use super::resample::{Interpolation, Point, Taps, sample};
use super::sampled::Lines;
use crate::fill::Fill;
use crate::frame::{Frame, FrameMut};
use crate::pixel::Pixel;
use crate::shape::Shape;
use crate::simd::vectorize;
use std::ops::Range;

/// A distance beyond which all is as far away.
const FAR: f64 = 1e15;

/// Moves an image by whole pixels and a fraction: the value at `x` of the result is that at `x - whole - fraction` of the source.
///
/// All pixels of a row have the same weights, so that a row is a sum of shifted rows: no index is computed for a pixel, and vectors
/// do the rest. By whole pixels, rows are copied.
pub(super) fn translate<P: Pixel>(
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    (x, y): (f64, f64),
    interpolation: Interpolation,
    fill: &Fill,
    memory: &mut Lines<P>,
) {
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
    vectorize(
        #[inline(always)]
        || {
            if columns.n == 1 && rows.n == 1 {
                by_pixels(source, target, (dx + columns.first, dy + rows.first), fill, memory);
            } else if interpolation == Interpolation::Bilinear {
                between(source, target, (dx, fx), (dy, fy), fill, memory);
            } else {
                weighted(source, target, (dx, fx), (dy, fy), interpolation, fill);
            }
        },
    );
}

/// A row of a constant fill, if that is what the fill is: as long as rows of both images are.
fn constant<P: Pixel>(values: &mut Vec<P>, source: Shape, target: Shape, plane: usize, fill: &Fill) {
    let step = source.step();
    values.clear();
    if let Fill::Constant(colour) = fill {
        let channels = plane * step..(plane + 1) * step;
        values.extend(channels.map(|channel| P::from_f32(colour.channel(channel) * P::WHITE)));
        // All columns are alike: ever longer parts of what there is.
        let len = source.width.max(target.width) * step;
        while values.len() < len {
            values.extend_from_within(..values.len().min(len - values.len()));
        }
    }
}

/// Moves rows and columns as they are.
#[inline(always)]
fn by_pixels<P: Pixel>(
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    (dx, dy): (i64, i64),
    fill: &Fill,
    memory: &mut Lines<P>,
) {
    let (shape, to, step) = (source.shape, target.shape, source.shape.step());
    let inner = inside(dx, 1, shape.width, to.width);
    for (plane, (from, out)) in source.planes().zip(target.planes_mut()).enumerate() {
        constant(&mut memory.values, shape, to, plane, fill);
        for (row, out) in out.chunks_exact_mut(to.row()).enumerate() {
            let Some(y) = fill.place(row as i64 + dy, shape.height) else {
                out.copy_from_slice(&memory.values[..out.len()]);
                continue;
            };
            let line = &from[y * shape.row()..][..shape.row()];
            if !inner.is_empty() {
                let left = (inner.start as i64 + dx) as usize * step;
                out[inner.start * step..inner.end * step].copy_from_slice(&line[left..][..inner.len() * step]);
            }
            for edge in [0..inner.start, inner.end..to.width] {
                if let Fill::Constant(_) = fill {
                    let out = &mut out[edge.start * step..edge.end * step];
                    out.copy_from_slice(&memory.values[..out.len()]);
                    continue;
                }
                for (column, out) in edge.clone().zip(out[edge.start * step..edge.end * step].chunks_exact_mut(step)) {
                    let x = fill.place(column as i64 + dx, shape.width).expect("only a constant fill has no place");
                    out.copy_from_slice(&line[x * step..][..step]);
                }
            }
        }
    }
}

/// Moves by a fraction, to values between two rows and two columns: first a row between two others, as wide as it is needed with what
/// lies beyond the edge; then its columns.
#[inline(always)]
fn between<P: Pixel>(
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    (dx, fx): (i64, f32),
    (dy, fy): (i64, f32),
    fill: &Fill,
    memory: &mut Lines<P>,
) {
    let (shape, to, step) = (source.shape, target.shape, source.shape.step());
    let (right, below) = (P::share(fx), P::share(fy));
    // One column more than there will be.
    let n = to.width + 1;
    let inner = inside(dx, 1, shape.width, n);
    let left = if inner.is_empty() { 0 } else { (inner.start as i64 + dx) as usize * step };
    let len = inner.len() * step;
    memory.between.clear();
    memory.between.resize(n * step, P::Fine::default());
    for (plane, (from, out)) in source.planes().zip(target.planes_mut()).enumerate() {
        let Lines { values, between } = &mut *memory;
        constant(values, shape, to, plane, fill);
        let values = &values[..];
        let is_constant = matches!(fill, Fill::Constant(_));
        if is_constant {
            // What lies beyond the sides is the same in all rows.
            between.chunks_exact_mut(step).for_each(|pixel| {
                pixel.iter_mut().zip(values.iter()).for_each(|(fine, value)| *fine = value.fine());
            });
        }
        for (row, out) in out.chunks_exact_mut(to.row()).enumerate() {
            let line = |y: i64| fill.place(y, shape.height).map(|y| &from[y * shape.row()..][..shape.row()]);
            let (upper, lower) = match (line(row as i64 + dy), line(row as i64 + dy + 1)) {
                (None, None) => {
                    out.copy_from_slice(&values[..out.len()]);
                    continue;
                }
                (upper, lower) => (upper.unwrap_or(values), lower.unwrap_or(values)),
            };
            let fine = &mut between[inner.start * step..inner.end * step];
            P::all_toward(&upper[left..][..len], &lower[left..][..len], below, fine);
            if !is_constant {
                for column in (0..inner.start).chain(inner.end..n) {
                    let x =
                        fill.place(column as i64 + dx, shape.width).expect("only a constant fill has no place") * step;
                    let fine = &mut between[column * step..][..step];
                    P::all_toward(&upper[x..][..step], &lower[x..][..step], below, fine);
                }
            }
            let (first, second) = (&between[..out.len()], &between[step..]);
            P::all_between(first, second, right, out);
        }
    }
}

/// Moves by a fraction, with more weights than two in a direction.
#[inline(always)]
fn weighted<P: Pixel>(
    source: Frame<'_, P>,
    target: FrameMut<'_, P>,
    (dx, fx): (i64, f32),
    (dy, fy): (i64, f32),
    interpolation: Interpolation,
    fill: &Fill,
) {
    let (shape, step) = (source.shape, source.shape.step());
    let (columns, rows) = (taps(interpolation, fx), taps(interpolation, fy));
    let width = target.shape.width;
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
}

/// The taps of a fraction, without those that have no weight.
fn taps(interpolation: Interpolation, fraction: f32) -> Taps {
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
fn blend<P: Pixel>(lines: &[&[P]], rows: &Taps, columns: &Taps, step: usize, out: &mut [P]) {
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
