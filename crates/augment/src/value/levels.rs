//! Values that change by how often values occur: equalized and stretched histograms.

use super::clahe;
use crate::frame::FrameMut;
use crate::image::Value;
use crate::pixel::Pixel;
use crate::{Error, Result, memory};

/// A function of each value that depends on the image's histogram, in 256 levels.
///
/// Floating-point values are counted at the nearest level, kept between black and white, and changed by what lies between those of the two
/// levels around them.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Levels {
    /// In each channel: all levels as often as each other, as far as can be.
    Equalize,
    /// In each channel: the darkest value becomes black and the lightest white, and those between are spread evenly.
    AutoContrast {
        /// The share of the darkest values that is left out of account.
        low: f64,
        /// The share of the lightest ones.
        high: f64,
    },
    /// The luma equalized in tiles, as far as the limit allows, and interpolated between them (CLAHE); what it changes by is added to all
    /// colours.
    Clahe {
        /// How much more often than on average a level may count; 0 is no limit.
        limit: f32,
        /// Rows of tiles.
        rows: usize,
        /// Columns of tiles.
        columns: usize,
    },
}

/// The memory of histograms.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Of each channel of a plane, or each tile.
    pub(super) counts: Vec<[u32; 256]>,
    pub(super) tables: Vec<[u8; 256]>,
    /// Luma as a level, of each pixel.
    pub(super) luma: Vec<f32>,
}

impl Levels {
    /// The largest number of tiles along an axis.
    pub(crate) const MAX_TILES: usize = 64;

    /// Whether numbers that may come from a file can be worked with.
    pub(crate) fn check(&self) -> Result<()> {
        let max = Levels::MAX_TILES;
        match *self {
            Levels::AutoContrast { low, high } if !(low >= 0.0 && high >= 0.0 && low + high < 1.0) => Err(
                Error::parameter("autocontrast", "cutoff", "shares that leave something", format!("({low}, {high})")),
            ),
            Levels::Clahe { limit, .. } if !(0.0..=256.0).contains(&limit) => {
                Err(Error::parameter("clahe", "limit", "within [0, 256]", limit))
            }
            Levels::Clahe { rows, columns, .. } if !((1..=max).contains(&rows) && (1..=max).contains(&columns)) => {
                Err(Error::parameter(
                    "clahe",
                    "tiles",
                    format!("from 1 to {max} along an axis"),
                    format!("{rows} x {columns}"),
                ))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn run<P: Value>(&self, mut image: FrameMut<'_, P>, memory: &mut Memory) -> Result<()> {
        if let Levels::Clahe { limit, rows, columns } = *self {
            return clahe::run(limit, (rows, columns), image, memory);
        }
        let step = image.shape.step();
        let Memory { counts, tables, .. } = memory;
        for plane in image.reborrow().planes_mut() {
            counts.clear();
            memory::reserve(counts, step, "levels")?;
            counts.resize(step, [0; 256]);
            for pixel in plane.chunks_exact(step) {
                for (counts, value) in counts.iter_mut().zip(pixel) {
                    counts[level(*value)] += 1;
                }
            }
            match *self {
                Levels::AutoContrast { low, high } => {
                    for (channel, counts) in counts.iter_mut().enumerate() {
                        stretch(counts, (low, high), plane, step, channel);
                    }
                }
                _ => {
                    tables.clear();
                    memory::reserve(tables, step, "levels")?;
                    tables.extend(counts.iter().map(equalized));
                    for pixel in plane.chunks_exact_mut(step) {
                        pixel
                            .iter_mut()
                            .zip(tables.iter())
                            .for_each(|(value, table)| *value = looked_up(table, *value));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The nearest of 256 levels.
#[inline(always)]
pub(super) fn level<P: Value>(value: P) -> usize {
    usize::from(u8::from_f32(value.to_f32() * (255.0 / P::WHITE)))
}

/// A value changed by a table: between the entries around it.
#[inline(always)]
fn looked_up<P: Value>(table: &[u8; 256], value: P) -> P {
    let at = value.to_f32() * (255.0 / P::WHITE);
    let at = if at > 0.0 { at } else { 0.0 };
    let at = if at < 255.0 { at } else { 255.0 };
    let below = at as u8;
    let (first, second) =
        (f32::from(table[usize::from(below)]), f32::from(table[usize::from(below.saturating_add(1))]));
    P::from_f32((first + (second - first) * (at - f32::from(below))) * (P::WHITE / 255.0))
}

/// Pillow's rule: each level becomes the number of values below it, in steps of a 255th of all but the lightest. A histogram of one level
/// stays.
fn equalized(counts: &[u32; 256]) -> [u8; 256] {
    let last = counts.iter().copied().rev().find(|&n| n > 0).unwrap_or(0);
    let step = (counts.iter().sum::<u32>() - last) / 255;
    if step == 0 {
        return std::array::from_fn(|level| level as u8);
    }
    let mut below = step / 2;
    std::array::from_fn(|level| {
        let to = (below / step).min(255) as u8;
        below += counts[level];
        to
    })
}

/// Pillow's rule, for one channel of a plane: bytes are cut off to whole numbers. Floating-point values are stretched between the darkest
/// and the lightest of themselves; between levels, if a share is left out.
fn stretch<P: Value>(counts: &mut [u32; 256], (low, high): (f64, f64), plane: &mut [P], step: usize, channel: usize) {
    let all = f64::from(counts.iter().sum::<u32>());
    let cut = |share: f64| (all * share) as u32;
    let take = |left: &mut u32, count: &mut u32| {
        let taken = (*left).min(*count);
        *count -= taken;
        *left -= taken;
    };
    let (mut dark, mut light) = (cut(low), cut(high));
    counts.iter_mut().for_each(|count| take(&mut dark, count));
    counts.iter_mut().rev().for_each(|count| take(&mut light, count));
    let first = counts.iter().position(|&n| n > 0).unwrap_or(0);
    let last = counts.iter().rposition(|&n| n > 0).unwrap_or(0);
    if P::KIND == crate::Kind::U8 {
        if last <= first {
            return;
        }
        let scale = 255.0 / (last - first) as f64;
        let offset = -(first as f64) * scale;
        let table: [P; 256] =
            std::array::from_fn(|level| P::from_f32((level as f64 * scale + offset).clamp(0.0, 255.0).floor() as f32));
        plane.iter_mut().skip(channel).step_by(step).for_each(|value| *value = table[level(*value)]);
        return;
    }
    let (mut darkest, mut lightest) = (first as f32 / 255.0, last as f32 / 255.0);
    if low == 0.0 || high == 0.0 {
        let values = plane.iter().skip(channel).step_by(step).map(|value| value.to_f32());
        let (least, most) =
            values.fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)));
        darkest = if low == 0.0 { least } else { darkest };
        lightest = if high == 0.0 { most } else { lightest };
    }
    // A span that is not normal has no reciprocal: what differs by so little is one value.
    if lightest > darkest && (lightest - darkest).is_normal() {
        let scale = 1.0 / (lightest - darkest);
        for value in plane.iter_mut().skip(channel).step_by(step) {
            *value = P::from_f32(((value.to_f32() - darkest) * scale).clamp(0.0, 1.0));
        }
    }
}
