//! Steps that change values and move no pixel.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod block;
mod clahe;
mod colour;
mod dropout;
mod erase;
#[cfg(feature = "jpeg")]
mod jpeg;
mod levels;
mod normalize;
pub(crate) mod pass;
mod tone;

pub use colour::ColourStep;
pub(crate) use colour::LUMA;
pub use dropout::Dropout;
pub use erase::{Content, Erase, Grid};
#[cfg(feature = "jpeg")]
pub use jpeg::Jpeg;
#[cfg(feature = "jpeg")]
pub(crate) use jpeg::Memory as JpegMemory;
pub use levels::Levels;
pub(crate) use levels::Memory as LevelMemory;
pub use normalize::Normalize;
pub use tone::Tone;
