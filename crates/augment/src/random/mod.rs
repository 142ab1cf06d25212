//! Randomness as a value: keys, generators of parameters, and noise by the vector.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
mod bulk;
mod draws;
mod key;
mod threefry;

pub(crate) use bulk::{Noise, WIDTH};
pub use draws::Random;
pub use key::Key;
#[cfg(target_arch = "x86_64")]
pub(crate) use threefry::LANES;
