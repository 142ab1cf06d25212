//! Noise: the steps that draw a number for every value.

mod additive;
#[cfg(target_arch = "x86_64")]
mod avx2;
mod photons;
mod salt_and_pepper;

pub use additive::{AddNoise, Distribution};
pub use photons::Photons;
pub use salt_and_pepper::SaltAndPepper;
