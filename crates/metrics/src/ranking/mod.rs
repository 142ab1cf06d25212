//! How well scores put what should be first before what should not.

mod curve;
mod pr;
mod ranked;
mod roc;

pub use curve::CurvePoint;
pub use pr::PrAuc;
pub use roc::RocAuc;
