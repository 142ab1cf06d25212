//! RandAugment.

use super::operation::{FOURTEEN, Sampling, Space, Translation};
use super::resampled;
use crate::{Augment, Draw, Error, Fill, Interpolation, Result};

/// RandAugment's largest magnitudes.
pub(super) const SPACE: Space =
    Space { shear: 0.3, translation: Translation::Share(150.0 / 331.0), rotation: 30.0, factor: 0.9, bits: (8.0, 4.0) };

/// A number of operations, each one of fourteen, all at the same magnitude (Cubuk, Zoph, Shlens and Le, *RandAugment: practical automated
/// data augmentation with a reduced search space*, 2019).
///
/// Use it on photographs, where two numbers are to be tuned and not twenty: two operations at magnitude 9 of 30 is where to begin.
///
/// The fourteen are identity, shears, translations, rotation, brightness, colour, contrast, sharpness, posterize, solarize, autocontrast
/// and equalize; the same one may come twice. As torchvision has it: the nearest pixel, and black from beyond the edge. (timm's magnitudes
/// go to 10, with noise, and each operation happens with a probability of ½.) Operations that move the image one after the other are one
/// interpolation.
///
/// ```
/// use gradwise_augment::{Augment, Image, Key, Kind, RandAugment, Shape};
///
/// let policy = RandAugment::new(2, 9)?;
/// let image = Image::black(Shape::interleaved(32, 32, 3), Kind::U8)?;
/// let plan = policy.plan(image.shape(), Kind::U8, Key::new(1))?;
/// assert_eq!(plan.notes().len(), 2);
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct RandAugment {
    n_operations: usize,
    magnitude: usize,
    n_bins: usize,
    sampling: Sampling,
}
resampled!(RandAugment);

impl RandAugment {
    /// With a number of operations and a magnitude from 0 to 30.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a magnitude above 30, or more than 100 operations.
    pub fn new(n_operations: usize, magnitude: usize) -> Result<Self> {
        if n_operations > 100 {
            return Err(Error::parameter("rand augment", "number of operations", "at most 100", n_operations));
        }
        let sampling = Sampling { interpolation: Interpolation::Nearest, fill: Fill::BLACK };
        RandAugment { n_operations, magnitude, n_bins: 31, sampling }.bins(31)
    }

    /// With another number of magnitudes.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the magnitude is not below it.
    pub fn bins(self, n_bins: usize) -> Result<Self> {
        if self.magnitude >= n_bins {
            let expected = format!("below {n_bins}, the number of magnitudes");
            return Err(Error::parameter("rand augment", "magnitude", expected, self.magnitude));
        }
        Ok(RandAugment { n_bins, ..self })
    }
}

impl Augment for RandAugment {
    fn name(&self) -> &str {
        "rand augment"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        for _ in 0..self.n_operations {
            let operation = FOURTEEN[draw.random().below(FOURTEEN.len() as u32) as usize];
            operation.draw(&SPACE, (self.magnitude, self.n_bins), self.sampling, draw)?;
        }
        Ok(())
    }
}
