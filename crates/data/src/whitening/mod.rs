//! Making features uncorrelated.

mod covariance;
mod eigen;
mod whitener;

pub use covariance::Covariance;
pub(crate) use covariance::n_features;
pub use whitener::{Whitener, Whitening};
