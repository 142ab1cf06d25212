#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod chart;
mod comparison;
mod draw;
mod error;
mod figure;
mod html;
mod number;
mod run;
mod table;
#[cfg(feature = "tensorboard")]
mod tensorboard;

pub use comparison::{Comparison, Group};
pub use draw::Theme;
pub use error::{ReportError, Result};
pub use figure::{Figure, figures};
pub use html::html;
pub use run::{At, ConfusionMatrix, End, Epoch, LayerStats, ParamStats, Run, Step};
pub use table::Table;
#[cfg(feature = "tensorboard")]
pub use tensorboard::event_file;
