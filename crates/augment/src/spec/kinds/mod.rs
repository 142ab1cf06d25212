//! The kinds of this crate, one struct each.

mod colour;
mod compose;
mod erase;
mod filter;
mod geometry;
#[cfg(feature = "jpeg")]
mod jpeg;
mod mix;
mod noise;
mod policy;
mod size;

pub use colour::*;
pub use compose::*;
pub use erase::*;
pub use filter::*;
pub use geometry::*;
#[cfg(feature = "jpeg")]
pub use jpeg::*;
pub use mix::*;
pub use noise::*;
pub use policy::*;
pub use size::*;

use super::Registry;
use crate::{Augment, Result};

/// A transform as what is registered.
fn boxed(transform: impl Augment + 'static) -> Result<Box<dyn Augment>> {
    Ok(Box::new(transform))
}

/// Adds every kind to a registry that has none of them.
pub(super) fn add_all(registry: &mut Registry) {
    macro_rules! add {
        ($($kind:ident),* $(,)?) => {$(
            let added = registry.add::<$kind>();
            debug_assert!(added.is_ok(), "a kind is there twice: {added:?}");
        )*};
    }
    add!(
        Affine,
        AugMix,
        AutoAugment,
        AutoContrast,
        BoxBlur,
        Brightness,
        CenterCrop,
        ChannelDrop,
        ChannelShuffle,
        Clahe,
        CoarseDropout,
        ColourJitter,
        Contrast,
        Cutout,
        Elastic,
        Equalize,
        Flip,
        Gamma,
        GaussianBlur,
        GaussianNoise,
        Grey,
        GridDropout,
        Hue,
        Invert,
        LaplaceNoise,
        MedianBlur,
        MotionBlur,
        Normalize,
        OneOf,
        Pad,
        Perspective,
        PixelDropout,
        Posterize,
        RandAugment,
        RandomCrop,
        RandomErasing,
        RandomOrder,
        RandomResizedCrop,
        Resize,
        Rotate,
        SaltAndPepper,
        Saturation,
        Scale,
        Sequence,
        Sharpness,
        Shear,
        ShotNoise,
        Solarize,
        SomeOf,
        Speckle,
        Symmetries,
        Translate,
        TrivialAugment,
        UniformNoise,
        UnsharpMask,
    );
    #[cfg(feature = "jpeg")]
    add!(Jpeg);
    for added in [registry.add_mix::<MixUp>(), registry.add_mix::<CutMix>(), registry.add_mix::<MixChoice>()] {
        debug_assert!(added.is_ok(), "a kind is there twice: {added:?}");
    }
}
