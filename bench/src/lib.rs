#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod augment;
pub mod cases;
pub mod inference;
pub mod memory;
pub mod ops;
pub mod peak;
pub mod results;
pub mod shards;
pub mod timing;
pub mod training;
