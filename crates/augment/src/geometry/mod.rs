//! Where pixels go: maps of the plane, and images resampled along them.

mod map;
mod resample;
mod symmetry;
mod translate;
mod warp;

pub use map::Map;
pub use resample::Interpolation;
pub use symmetry::Symmetry;
pub use warp::Warp;
