//! Random transforms: what the numbers are drawn from.

mod flip;
mod noise;
mod range;
mod translate;

pub use flip::Flip;
pub use noise::{GaussianNoise, LaplaceNoise, RandomSaltAndPepper, Speckle, UniformNoise};
pub use range::Range;
pub(crate) use range::probability;
pub use translate::{Shift, Translate};
