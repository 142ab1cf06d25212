//! Steps that change values and move no pixel.

mod clahe;
mod colour;
mod erase;
mod levels;
mod normalize;
mod tone;

pub use colour::ColourStep;
pub(crate) use colour::LUMA;
pub use erase::{Content, Erase, Grid};
pub use levels::Levels;
pub(crate) use levels::Memory as LevelMemory;
pub use normalize::Normalize;
pub use tone::Tone;
