#![doc = include_str!("../README.md")]

mod confusion_file;
mod error;
mod evaluate;
mod fit;
mod layer_table;
mod objective;
mod observers;
mod pool;
mod run_folder;
mod trainer;
mod weights;

pub use error::{Result, TrainError};
pub use evaluate::{Evaluation, Measures, Metrics, evaluate};
pub use fit::{Fit, Summary};
pub use layer_table::{LayerRow, layer_rows, layer_table};
pub use objective::{Objective, Outcome, Supervised};
#[cfg(feature = "progress")]
pub use observers::Progress;
pub use observers::{JsonLines, Lines};
pub use pool::{available_threads, threads};
pub use run_folder::RunFolder;
pub use trainer::{StepReport, Trainer};
pub use weights::{load_weights, save_weights};
