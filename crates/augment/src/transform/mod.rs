//! Random transforms: what the numbers are drawn from.

mod affine;
mod colour;
mod crop;
mod elastic;
mod erase;
mod filter;
mod flip;
#[cfg(feature = "jpeg")]
mod jpeg;
mod levels;
mod noise;
mod normalize;
mod range;
mod resize;
mod translate;

pub use affine::{Affine, Perspective};
pub use colour::{
    Brightness, ChannelDrop, ChannelShuffle, ColourJitter, Contrast, Gamma, Grey, Hue, Invert, Posterize, Saturation,
    Solarize,
};
pub use crop::{CenterCrop, Pad, RandomCrop, RandomResizedCrop};
pub use elastic::ElasticTransform;
pub use erase::{CoarseDropout, Erased, GridDropout, PixelDropout, RandomErasing};
pub use filter::{BoxBlur, GaussianBlur, MedianBlur, MotionBlur, Sharpness, UnsharpMask};
pub use flip::Flip;
#[cfg(feature = "jpeg")]
pub use jpeg::JpegCompression;
pub use levels::{AutoContrast, Clahe, Equalize};
pub use noise::{GaussianNoise, LaplaceNoise, RandomSaltAndPepper, ShotNoise, Speckle, UniformNoise};
pub use range::Range;
pub(crate) use range::probability;
pub use resize::ResizeTo;
pub use translate::{Shift, Translate};
