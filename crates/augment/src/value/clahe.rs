//! Contrast-limited adaptive histogram equalization.

use super::levels::Memory;
use crate::fill::Fill;
use crate::frame::FrameMut;
use crate::image::Value;
use crate::{Kind, Result, Shape, memory};

/// Equalizes the luma in tiles (Zuiderveld, *Contrast limited adaptive histogram equalization*, Graphics Gems IV, 1994), with OpenCV's
/// numbers: an image that is not made of whole tiles is continued by reflection, what exceeds the limit is spread over all levels, and a
/// pixel's table is interpolated between those of the four tiles whose centres are around it.
pub(super) fn run<P: Value>(
    limit: f32,
    tiles: (usize, usize),
    mut image: FrameMut<'_, P>,
    memory: &mut Memory,
) -> Result<()> {
    let shape = image.shape;
    luma(&image, &mut memory.luma)?;
    let (tile_rows, tile_columns) = tile_sizes(shape, tiles);
    let area = (tile_rows * tile_columns) as u32;
    memory.tables.clear();
    for row in 0..tiles.0 {
        for column in 0..tiles.1 {
            let mut counts = [0; 256];
            for y in row * tile_rows..(row + 1) * tile_rows {
                let y = Fill::Reflect.place(y as i64, shape.height).unwrap_or(0);
                let line = &memory.luma[y * shape.width..][..shape.width];
                for x in column * tile_columns..(column + 1) * tile_columns {
                    let x = if x < shape.width { x } else { Fill::Reflect.place(x as i64, shape.width).unwrap_or(0) };
                    counts[(line[x] + 0.5) as usize & 255] += 1;
                }
            }
            if limit > 0.0 {
                clip(&mut counts, ((limit * area as f32 / 256.0) as u32).max(1));
            }
            let scale = 255.0 / area as f32;
            let mut sum = 0;
            memory.tables.push(counts.map(|count| {
                sum += count;
                (sum as f32 * scale).round_ties_even().clamp(0.0, 255.0) as u8
            }));
        }
    }
    let across = |x: usize| between(x, tile_columns, tiles.1);
    for y in 0..shape.height {
        let (up, down, fy) = between(y, tile_rows, tiles.0);
        for x in 0..shape.width {
            let (left, right, fx) = across(x);
            let old = memory.luma[y * shape.width + x];
            let level = (old as usize).min(255);
            let at = |row: usize, column: usize, level: usize| f32::from(memory.tables[row * tiles.1 + column][level]);
            let of = |level: usize| {
                let upper = at(up, left, level) * (1.0 - fx) + at(up, right, level) * fx;
                let lower = at(down, left, level) * (1.0 - fx) + at(down, right, level) * fx;
                upper * (1.0 - fy) + lower * fy
            };
            let fraction = old - level as f32;
            let new = if P::KIND == Kind::U8 {
                of(level).round_ties_even()
            } else {
                of(level) * (1.0 - fraction) + of((level + 1).min(255)) * fraction
            };
            add(&mut image, y * shape.width + x, new - old);
        }
    }
    Ok(())
}

/// The luma of each pixel as a level, of ITU-R BT.601; the first channel's value if there are fewer than three. That of bytes is rounded,
/// as OpenCV does.
fn luma<P: Value>(image: &FrameMut<'_, P>, out: &mut Vec<f32>) -> Result<()> {
    let shape = image.shape;
    let (pixels, step) = (shape.height * shape.width, shape.step());
    let (pixel, channel) = if step == 1 { (1, pixels) } else { (step, 1) };
    let at = |i: usize, c: usize| image.data[i * pixel + c * channel].to_f32() * (255.0 / P::WHITE);
    out.clear();
    memory::reserve(out, pixels, "clahe")?;
    if shape.channels < 3 {
        out.extend((0..pixels).map(|i| at(i, 0).clamp(0.0, 255.0)));
    } else if P::KIND == Kind::U8 {
        let weighted = |i: usize| 4899 * at(i, 0) as u32 + 9617 * at(i, 1) as u32 + 1868 * at(i, 2) as u32;
        out.extend((0..pixels).map(|i| ((weighted(i) + (1 << 13)) >> 14) as f32));
    } else {
        let [r, g, b] = super::LUMA;
        out.extend((0..pixels).map(|i| (r * at(i, 0) + g * at(i, 1) + b * at(i, 2)).clamp(0.0, 255.0)));
    }
    Ok(())
}

/// Moves the colours of a pixel by a number of levels.
#[inline(always)]
fn add<P: Value>(image: &mut FrameMut<'_, P>, i: usize, difference: f32) {
    let shape = image.shape;
    let (pixels, step) = (shape.height * shape.width, shape.step());
    let (pixel, channel) = if step == 1 { (1, pixels) } else { (step, 1) };
    for c in 0..if shape.channels < 3 { 1 } else { 3 } {
        let value = &mut image.data[i * pixel + c * channel];
        let x = value.to_f32() + difference * (P::WHITE / 255.0);
        *value = P::from_f32(x.clamp(0.0, P::WHITE));
    }
}

/// The rows and columns of a tile. If the image is not made of whole tiles along both axes, it is continued along both, as OpenCV does.
fn tile_sizes(shape: Shape, (rows, columns): (usize, usize)) -> (usize, usize) {
    if shape.height.is_multiple_of(rows) && shape.width.is_multiple_of(columns) {
        return (shape.height / rows, shape.width / columns);
    }
    (shape.height / rows + 1, shape.width / columns + 1)
}

/// The tiles whose centres are before and behind a place, and how far it is from the one to the other.
#[inline(always)]
fn between(place: usize, size: usize, n: usize) -> (usize, usize, f32) {
    let at = place as f32 * (1.0 / size as f32) - 0.5;
    let before = at.floor();
    let last = n as i32 - 1;
    ((before as i32).clamp(0, last) as usize, (before as i32 + 1).clamp(0, last) as usize, at - before)
}

/// Spreads what exceeds the limit over all levels; what cannot be spread evenly goes to levels at equal distances.
fn clip(counts: &mut [u32; 256], limit: u32) {
    let mut excess = 0;
    for count in counts.iter_mut() {
        excess += count.saturating_sub(limit);
        *count = (*count).min(limit);
    }
    let (each, rest) = (excess / 256, excess % 256);
    counts.iter_mut().for_each(|count| *count += each);
    let step = 256_u32.checked_div(rest).unwrap_or(256).max(1) as usize;
    counts.iter_mut().step_by(step).take(rest as usize).for_each(|count| *count += 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_clipped_is_spread() {
        let mut counts = [0; 256];
        (counts[7], counts[200]) = (1000, 300);
        clip(&mut counts, 40);
        assert_eq!(counts.iter().sum::<u32>(), 1300);
        // 1220 are too many: 4 for each level, and 196 for the first levels.
        assert_eq!((counts[7], counts[200], counts[0], counts[195], counts[196]), (45, 44, 5, 5, 4));
        let mut even = [3; 256];
        clip(&mut even, 4);
        assert_eq!(even, [3; 256]);
    }

    #[test]
    fn tiles() {
        assert_eq!(tile_sizes(Shape::interleaved(16, 24, 1), (8, 8)), (2, 3));
        assert_eq!(tile_sizes(Shape::interleaved(16, 25, 1), (8, 8)), (3, 4));
        assert_eq!(between(0, 4, 2), (0, 0, 0.5));
        assert_eq!(between(3, 4, 2), (0, 1, 0.25));
        assert_eq!(between(7, 4, 2), (1, 1, 0.25));
    }
}
