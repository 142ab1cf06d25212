//! Randomness as a value: keys, generators of parameters, and noise by the vector.

mod bulk;
mod draws;
mod key;
mod threefry;

pub(crate) use bulk::{Noise, WIDTH};
pub use draws::Random;
pub use key::Key;
