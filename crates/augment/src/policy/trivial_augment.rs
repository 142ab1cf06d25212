//! TrivialAugment.

use super::operation::{FOURTEEN, Sampling, Space, Translation};
use super::resampled;
use crate::{Augment, Draw, Fill, Interpolation, Result};

/// TrivialAugment's largest magnitudes, the wide ones.
pub(super) const SPACE: Space =
    Space { shear: 0.99, translation: Translation::Pixels(32.0), rotation: 135.0, factor: 0.99, bits: (8.0, 6.0) };

/// Magnitudes.
const BINS: usize = 31;

/// One of fourteen operations, at a random magnitude (Müller and Hutter, *TrivialAugment: tuning-free yet state-of-the-art data
/// augmentation*, ICCV 2021), with the wide magnitudes.
///
/// Use it on photographs, where nothing is to be tuned at all. The fourteen are those of [`RandAugment`](super::RandAugment); the nearest
/// pixel, and black from beyond the edge, as torchvision's `TrivialAugmentWide`. Translations of up to 32 pixels are meant for images of 32
/// to 224 pixels.
#[derive(Clone, PartialEq, Debug)]
pub struct TrivialAugment {
    sampling: Sampling,
}
resampled!(TrivialAugment);

impl TrivialAugment {
    /// There is nothing to choose.
    pub fn new() -> Self {
        TrivialAugment { sampling: Sampling { interpolation: Interpolation::Nearest, fill: Fill::BLACK } }
    }
}

impl Default for TrivialAugment {
    fn default() -> Self {
        TrivialAugment::new()
    }
}

impl Augment for TrivialAugment {
    fn name(&self) -> &str {
        "trivial augment"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let operation = FOURTEEN[draw.random().below(FOURTEEN.len() as u32) as usize];
        let bin = draw.random().below(BINS as u32) as usize;
        operation.draw(&SPACE, (bin, BINS), self.sampling, draw)
    }
}
