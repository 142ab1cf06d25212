//! Removing the weights that are nearest to zero, and keeping them removed.

mod mask;
mod pruner;
mod schedule;

pub use mask::Mask;
pub use pruner::{Pruner, Scope};
pub use schedule::SparsitySchedule;
