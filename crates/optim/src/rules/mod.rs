//! The rules themselves.

mod adam;
mod sgd;

pub use adam::{Adam, AdamState, AdamW};
pub use sgd::{Sgd, SgdState};
