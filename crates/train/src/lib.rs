#![doc = include_str!("../README.md")]

mod auxiliary;
mod averages;
mod confusion_file;
mod error;
mod evaluate;
mod evidence;
mod fit;
mod judge;
mod layer_table;
mod lsuv;
mod objective;
mod observers;
mod pool;
mod range_test;
mod refresh;
mod run_folder;
mod state;
mod trainer;
mod weights;

pub use error::{Result, TrainError};
pub use evaluate::{Evaluation, Measures, Metrics, evaluate};
pub use fit::{Fit, Summary};
pub use judge::EpochReading;
pub use layer_table::{LayerRow, gradient_slope, layer_rows, layer_table};
pub use lsuv::{Lsuv, LsuvLayer};
pub use objective::{Objective, Outcome, Supervised};
#[cfg(feature = "progress")]
pub use observers::Progress;
pub use observers::{JsonLines, LayerProfile, Lines};
pub use pool::{available_threads, threads};
pub use range_test::RangeFound;
pub use refresh::refresh_statistics;
pub use run_folder::RunFolder;
pub use state::StepperState;
pub use trainer::{StepReport, Trainer};
pub use weights::{load_weights, save_weights};
