//! Pooling: each window of an image, or of a sequence, reduced to one number.
//!
//! | operation | window | reduced by |
//! |---|---|---|
//! | [`MaxPool2d`], [`MaxPool1d`] | fixed size, sliding | maximum |
//! | [`AvgPool2d`], [`AvgPool1d`] | fixed size, sliding | mean |
//! | [`AdaptiveMaxPool2d`], [`AdaptiveAvgPool2d`] | as many windows as asked for | maximum, mean |
//! | [`GlobalAvgPool`] | everything | mean |
//!
//! Arrays are `[samples, channels, height, width]`, or `[samples, channels, length]` for the one-dimensional forms.

mod adaptive;
mod average;
mod geometry;
mod global;
mod max;

pub use adaptive::{AdaptiveAvgPool2d, AdaptiveMaxPool2d};
pub use average::{AvgPool1d, AvgPool2d};
pub use geometry::Pool2dGeometry;
pub use global::GlobalAvgPool;
pub use max::{MaxPool1d, MaxPool2d};
