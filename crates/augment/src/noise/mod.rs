//! Noise: the steps that draw a number for every value.

mod additive;
mod salt_and_pepper;

pub use additive::{AddNoise, Distribution};
pub use salt_and_pepper::SaltAndPepper;
