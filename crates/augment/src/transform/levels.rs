//! Histograms equalized and stretched.

use super::Range;
use super::range::probability;
use crate::plan::Step;
use crate::value::Levels;
use crate::{Augment, Draw, Result};

/// Makes all levels of each channel as frequent as each other, as far as can be, with a probability.
///
/// Use it as a strong distortion, in policies; for pictures of little contrast, [`Clahe`] is better.
///
/// Pillow's `ImageOps.equalize`, to the level, as torchvision has it too. (OpenCV's `equalizeHist` rounds otherwise, and albumentations can
/// equalize the luma alone.) Floating-point images by the same 256 levels, interpolated between them.
#[derive(Clone, PartialEq, Debug)]
pub struct Equalize {
    p: f64,
}

impl Equalize {
    /// With a probability.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a probability outside `[0, 1]`.
    pub fn new(p: f64) -> Result<Self> {
        Ok(Equalize { p: probability(p, "equalize")? })
    }
}

impl Augment for Equalize {
    fn name(&self) -> &str {
        "equalize"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        if !draw.random().chance(self.p) {
            return Ok(());
        }
        draw.note("equalize", &[]);
        draw.push(Step::Levels { levels: Levels::Equalize })
    }
}

/// Stretches each channel from black to white, with a probability: `x ← (x - darkest) / (lightest - darkest)`.
///
/// Use it for pictures that are too dark, too light or pale.
///
/// Pillow's `ImageOps.autocontrast`, to the level: bytes are cut off, not rounded. A channel of one value stays.
#[derive(Clone, PartialEq, Debug)]
pub struct AutoContrast {
    p: f64,
    cutoff: (f64, f64),
}

impl AutoContrast {
    /// With a probability.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a probability outside `[0, 1]`.
    pub fn new(p: f64) -> Result<Self> {
        Ok(AutoContrast { p: probability(p, "autocontrast")?, cutoff: (0.0, 0.0) })
    }

    /// Leaves shares of the darkest and the lightest values out of account (Pillow has per cents).
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if one is negative or NaN, or if they leave nothing.
    pub fn cutoff(self, low: f64, high: f64) -> Result<Self> {
        Levels::AutoContrast { low, high }.check()?;
        Ok(AutoContrast { cutoff: (low, high), ..self })
    }
}

impl Augment for AutoContrast {
    fn name(&self) -> &str {
        "autocontrast"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        if !draw.random().chance(self.p) {
            return Ok(());
        }
        draw.note("autocontrast", &[]);
        let (low, high) = self.cutoff;
        draw.push(Step::Levels { levels: Levels::AutoContrast { low, high } })
    }
}

/// Equalizes the luma tile by tile, with limited contrast: contrast-limited adaptive histogram equalization (Zuiderveld, Graphics Gems IV,
/// 1994).
///
/// Use it for X-rays, microscopy, and pictures in mist or bad light.
///
/// Tiles, limit and rounding are OpenCV's, with 8 x 8 tiles unless it is said otherwise; a limit drawn from 1 to 4 is albumentations'.
/// Colours: the luma of ITU-R BT.601 is equalized and red, green and blue are moved along by its difference. (albumentations equalizes the
/// lightness of CIELAB.)
#[derive(Clone, PartialEq, Debug)]
pub struct Clahe {
    limit: Range,
    tiles: (usize, usize),
}

impl Clahe {
    /// With a limit, how much more often than on average a level may count: a number or a range that it is drawn from for each sample; 0 is
    /// no limit.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a range that is inverted or not within `[0, 256]`.
    pub fn new(limit: impl Into<Range>) -> Result<Self> {
        Ok(Clahe { limit: limit.into().within(0.0, 256.0, "clahe", "limit")?, tiles: (8, 8) })
    }

    /// With other rows and columns of tiles.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for none, or more than 64 along an axis.
    pub fn tiles(self, rows: usize, columns: usize) -> Result<Self> {
        Levels::Clahe { limit: 1.0, rows, columns }.check()?;
        Ok(Clahe { tiles: (rows, columns), ..self })
    }
}

impl Augment for Clahe {
    fn name(&self) -> &str {
        "clahe"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let limit = self.limit.draw(draw.random());
        draw.note("clahe", &[("limit", limit)]);
        let (rows, columns) = self.tiles;
        draw.push(Step::Levels { levels: Levels::Clahe { limit: limit as f32, rows, columns } })
    }
}
