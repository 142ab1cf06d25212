//! Policies: operations and magnitudes that were found to help, drawn as their papers say.
//!
//! Tables of magnitudes, and what each operation does with one, are torchvision's, which follow the authors' code.

mod aug_mix;
mod auto_augment;
mod operation;
mod rand_augment;
mod trivial_augment;

pub use aug_mix::AugMix;
pub use auto_augment::AutoAugment;
pub use rand_augment::RandAugment;
pub use trivial_augment::TrivialAugment;

/// How images are moved: what all policies have in common.
macro_rules! resampled {
    ($name:ident) => {
        impl $name {
            /// With another fill than black.
            #[must_use]
            pub fn fill(mut self, fill: crate::Fill) -> Self {
                self.sampling.fill = fill;
                self
            }

            /// With another interpolation.
            #[must_use]
            pub fn interpolation(mut self, interpolation: crate::Interpolation) -> Self {
                self.sampling.interpolation = interpolation;
                self
            }
        }
    };
}
use resampled;
