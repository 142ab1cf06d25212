//! Where pixels go: maps of the plane, and images resampled along them.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod block;
mod elastic;
mod map;
mod resample;
mod resize;
#[cfg(target_arch = "x86_64")]
mod rows;
mod sampled;
mod stage;
mod symmetry;
mod translate;
#[cfg(target_arch = "x86_64")]
mod vectors;
mod warp;

pub use elastic::Elastic;
pub(crate) use elastic::FieldMemory;
pub use map::Map;
pub use resample::Interpolation;
pub(crate) use resize::ResizeMemory;
pub use resize::{Filter, Resize};
pub(crate) use sampled::{Sampled, WarpMemory};
pub use symmetry::Symmetry;
pub use warp::Warp;
