//! What was drawn for a batch, and how it is run.

use super::Partner;
use super::labels::{Share, check_rows};
use crate::image::Value;
use crate::simd::vectorize;
use crate::threads::Threads;
use crate::{Error, ImageRef, Key, Pixel, Result, Shape, memory};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How the samples of a batch are mixed: data that can be looked at, saved, and run on images and labels.
#[derive(Clone, PartialEq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Mixing {
    height: usize,
    width: usize,
    samples: Vec<Mixed>,
    /// Memory of draws.
    #[cfg_attr(feature = "serde", serde(skip))]
    partners: Vec<usize>,
}

/// What becomes of one sample.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Mixed {
    /// The index in the batch of the sample that it is mixed with.
    pub partner: usize,
    /// The share of its own label that it keeps; the rest is its partner's.
    pub share: f64,
    /// What is taken from the partner, if it is a rectangle; otherwise images are blended as labels are.
    pub pasted: Option<Rectangle>,
}

/// A rectangle of pixels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rectangle {
    /// Its first column.
    pub left: usize,
    /// Its first row.
    pub top: usize,
    /// Its columns.
    pub width: usize,
    /// Its rows.
    pub height: usize,
}

impl Rectangle {
    /// How many pixels it has.
    pub fn area(self) -> usize {
        self.width * self.height
    }
}

impl Mixing {
    /// A mixing of a batch of images of that height and width, sample by sample.
    pub fn new(height: usize, width: usize, samples: impl IntoIterator<Item = Mixed>) -> Self {
        Mixing { height, width, samples: samples.into_iter().collect(), partners: Vec::new() }
    }

    /// What becomes of each sample.
    pub fn samples(&self) -> &[Mixed] {
        &self.samples
    }

    /// Draws each sample, and its partner.
    pub(super) fn fill(
        &mut self,
        n: usize,
        shape: Shape,
        partner: Partner,
        key: Key,
        draw: impl FnMut(usize) -> Mixed,
    ) -> Result<()> {
        self.partners.clear();
        memory::resize(&mut self.partners, n, "mix")?;
        partner.draw(key, &mut self.partners);
        self.set(shape, n, draw)?;
        self.samples.iter_mut().zip(&self.partners).for_each(|(sample, &partner)| sample.partner = partner);
        Ok(())
    }

    /// All samples as they are.
    pub(super) fn leave(&mut self, n: usize, shape: Shape) -> Result<()> {
        self.set(shape, n, |partner| Mixed { partner, share: 1.0, pasted: None })
    }

    fn set(&mut self, shape: Shape, n: usize, sample: impl FnMut(usize) -> Mixed) -> Result<()> {
        (self.height, self.width) = (shape.height, shape.width);
        self.samples.clear();
        memory::reserve(&mut self.samples, n, "mix")?;
        self.samples.extend((0..n).map(sample));
        Ok(())
    }

    /// Mixes the images of a batch, side by side in `source`, into `target`. Bytes are rounded once, half up.
    ///
    /// # Errors
    /// [`Error::Image`] before anything is written, if the images are not as many or not as large as the mixing is for, if a sample has a
    /// partner, a share or a rectangle that cannot be, or if images to be blended have values that are no finite numbers.
    pub fn images<P: Value>(&self, shape: Shape, source: &[P], target: &mut [P], threads: &dyn Threads) -> Result<()> {
        let len = shape.checked_len("mix")?;
        if (shape.height, shape.width) != (self.height, self.width) {
            return Err(Error::image("mix", format!("images of {} x {}", self.height, self.width), shape));
        }
        let n = self.samples.len();
        for (what, got) in [("mix", source.len()), ("target of a mix", target.len())] {
            if Some(got) != n.checked_mul(len) {
                return Err(Error::image(what, format!("{n} images of {len} values"), format!("{got} values")));
            }
        }
        self.check()?;
        if self.samples.iter().any(|sample| sample.pasted.is_none() && sample.share < 1.0) {
            for (index, image) in source.chunks_exact(len).enumerate() {
                if let Some(found) = ImageRef::new(shape, image)?.not_allowed() {
                    let error = Error::image("mix", "finite values within ±10²⁴", found);
                    return Err(Error::Sample { index, source: Box::new(error) });
                }
            }
        }
        let n_workers = threads.count().clamp(1, n.max(1));
        let each = n.div_ceil(n_workers).max(1);
        let pieces = Mutex::new(target.chunks_mut(each * len).enumerate());
        threads.run(n_workers, &|_| {
            let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((piece, part)) = next else { return };
            for (i, out) in part.chunks_exact_mut(len).enumerate() {
                let index = piece * each + i;
                let sample = self.samples[index];
                let image = |index: usize| &source[index * len..][..len];
                mix(shape, sample, image(index), image(sample.partner), out);
            }
        });
        Ok(())
    }

    /// Mixes soft labels, rows of `n_classes` shares, as the images were mixed: `row ← share · row + (1 - share) · partner's row`.
    ///
    /// # Errors
    /// [`Error::Image`] before anything is written, if there are not as many rows as samples, or if a sample has a partner or a share that
    /// cannot be.
    pub fn labels<T: Share>(&self, n_classes: usize, rows: &[T], target: &mut [T]) -> Result<()> {
        let n = self.samples.len();
        check_rows("labels of a mix", n, n_classes, rows.len())?;
        check_rows("target of labels of a mix", n, n_classes, target.len())?;
        self.check()?;
        for (i, (out, sample)) in target.chunks_exact_mut(n_classes).zip(&self.samples).enumerate() {
            let row = |i: usize| &rows[i * n_classes..][..n_classes];
            for ((out, own), other) in out.iter_mut().zip(row(i)).zip(row(sample.partner)) {
                *out = T::from_f64(sample.share * own.to_f64() + (1.0 - sample.share) * other.to_f64());
            }
        }
        Ok(())
    }

    /// Whether it can be run: it may have been read from a file.
    fn check(&self) -> Result<()> {
        for (i, sample) in self.samples.iter().enumerate() {
            let place = || format!("sample {i} of a mix");
            if sample.partner >= self.samples.len() {
                return Err(Error::image(place(), format!("a partner below {}", self.samples.len()), sample.partner));
            }
            if !(0.0..=1.0).contains(&sample.share) {
                return Err(Error::image(place(), "a share within [0, 1]", sample.share));
            }
            if let Some(Rectangle { left, top, width, height }) = sample.pasted {
                let fits =
                    |start: usize, len: usize, whole: usize| start.checked_add(len).is_some_and(|end| end <= whole);
                if !fits(left, width, self.width) || !fits(top, height, self.height) {
                    let expected = format!("a rectangle within {} x {}", self.height, self.width);
                    return Err(Error::image(place(), expected, format!("{height} x {width} at ({left}, {top})")));
                }
            }
        }
        Ok(())
    }
}

/// Mixes two images.
fn mix<P: Pixel>(shape: Shape, sample: Mixed, own: &[P], other: &[P], out: &mut [P]) {
    if let Some(Rectangle { left, top, width, height }) = sample.pasted {
        out.copy_from_slice(own);
        let (step, row) = (shape.step(), shape.row());
        for plane in (0..out.len()).step_by(shape.plane()) {
            for y in top..top + height {
                let part = plane + y * row + left * step..plane + y * row + (left + width) * step;
                out[part.clone()].copy_from_slice(&other[part]);
            }
        }
    } else if sample.share >= 1.0 {
        out.copy_from_slice(own);
    } else {
        let (a, b) = (sample.share as f32, (1.0 - sample.share) as f32);
        vectorize(
            #[inline(always)]
            || {
                for ((out, own), other) in out.iter_mut().zip(own).zip(other) {
                    *out = P::from_f32(a * own.to_f32() + b * other.to_f32());
                }
            },
        );
    }
}

/// A line for each sample: `0: 0.71 of itself, rest from 5`, with the rectangle where there is one.
impl fmt::Display for Mixing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, sample) in self.samples.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{i}: {:.2} of itself, rest from {}", sample.share, sample.partner)?;
            if let Some(Rectangle { left, top, width, height }) = sample.pasted {
                write!(f, " ({height} x {width} at column {left}, row {top})")?;
            }
        }
        Ok(())
    }
}
