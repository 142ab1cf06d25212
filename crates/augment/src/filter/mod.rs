//! Filters: steps that make each value a function of the values around it, in its own channel.
//!
//! Rows are padded as the fill says and kept in a ring, so that a plane is read once and no memory is needed beyond a few rows. Weighted
//! sums are over kernels that are symmetric about their centre, which halves the multiplications; bytes are summed in 16 bits.

mod kernel;
mod median;
mod rows;
mod sharpen;
mod step;
mod weighted;

pub(crate) use step::Memory;
pub use step::{Kernel, LocalFilter};
