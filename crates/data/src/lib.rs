#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batches;
mod digits;
mod error;
mod gather;
pub mod idx;
mod loader;
mod one_hot;
mod scaler;
mod set;
mod shuffle;
mod split;

pub use batches::{BatchPosition, Batches};
pub use digits::digits;
pub use error::{DataError, Result};
pub use gather::{gather_rows, gather_values};
pub use idx::{Idx, IdxValues, read_folder, read_labelled};
pub use loader::Loader;
pub use one_hot::{one_hot, one_hot_into};
pub use scaler::{MinMaxScaler, Per, StandardScaler};
pub use set::{Batch, Labelled, Paired, Samples, Subset, Targets, TrainTest};
pub use shuffle::shuffle;
pub use split::{Fold, k_folds, split, stratified_k_folds, stratified_split};
