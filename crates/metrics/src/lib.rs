#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accuracy;
mod average;
mod batch;
mod binary;
mod binary_confusion;
mod calibration;
mod confusion;
mod f_score;
mod log_loss;
mod loss;
mod mean;
mod r2;
mod ranking;
mod regression;

pub use accuracy::{Accuracy, TopK};
pub use average::Average;
pub use binary::BinaryAccuracy;
pub use binary_confusion::BinaryConfusion;
pub use calibration::{CalibrationBin, CalibrationError};
pub use confusion::Confusion;
pub use f_score::{FScore, Precision, Recall};
pub use gradwise_core::Metric;
pub use log_loss::LogLoss;
pub use loss::MeanLoss;
pub use mean::Mean;
pub use r2::R2;
pub use ranking::{CurvePoint, PrAuc, RocAuc};
pub use regression::{MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError};
