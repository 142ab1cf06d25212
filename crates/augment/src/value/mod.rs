//! Steps that change values and move no pixel.

mod colour;
mod erase;
mod normalize;
mod tone;

pub use colour::ColourStep;
pub(crate) use colour::LUMA;
pub use erase::{Content, Erase, Grid};
pub use normalize::Normalize;
pub use tone::Tone;
