//! Sequences of different lengths, in batches of one.

mod buckets;
mod padding;
mod set;

pub use buckets::length_buckets;
pub use padding::{PadSide, Padded, pad, pad_tokens};
pub use set::{SequenceBatch, Sequences};
