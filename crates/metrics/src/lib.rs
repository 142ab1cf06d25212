#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accuracy;
mod batch;
mod binary;
mod confusion;
mod log_loss;
mod loss;
mod mean;
mod r2;
mod regression;

pub use accuracy::{Accuracy, TopK};
pub use binary::BinaryAccuracy;
pub use confusion::Confusion;
pub use gradwise_core::Metric;
pub use log_loss::LogLoss;
pub use loss::MeanLoss;
pub use mean::Mean;
pub use r2::R2;
pub use regression::{MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError};
