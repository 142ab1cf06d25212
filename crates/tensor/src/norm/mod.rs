//! Normalization: activations brought to mean 0 and variance 1, then scaled and shifted by what is learned.
//!
//! | operation | statistics over | learned scale and shift |
//! |---|---|---|
//! | [`BatchNorm`], [`BatchNormInference`] | all samples and positions of a channel | by channel |
//! | [`LayerNorm`], [`RmsNorm`] | the trailing axes of each sample | by element |
//! | [`GroupNorm`] | a group of channels of each sample | by channel |
//!
//! Statistics are taken about a pivot near the mean, and summed in `f64` beyond a few hundred elements, so that a large mean does not
//! cost digits of the variance.

mod batch;
mod group;
mod inference;
mod layer;
mod rms;
mod rows;
mod shards;

pub use batch::BatchNorm;
pub use group::GroupNorm;
pub use inference::BatchNormInference;
pub use layer::LayerNorm;
pub use rms::RmsNorm;

use gradwise_core::{Error, Real, Result};

/// Refuses an epsilon that is not a positive number.
fn check_epsilon(what: &'static str, epsilon: f64) -> Result<()> {
    if epsilon > 0.0 && epsilon.is_finite() {
        return Ok(());
    }
    Err(Error::value(what, "a positive number", epsilon))
}

/// Refuses parameters of another shape than `expected`.
fn check_parameters(op: &'static str, parameters: &[&[usize]], expected: &[usize]) -> Result<()> {
    match parameters.iter().find(|shape| **shape != expected) {
        Some(shape) => Err(Error::shape(op, format!("parameters of shape {expected:?}"), shape)),
        None => Ok(()),
    }
}

/// Refuses inputs without a sample axis and a channel axis.
fn check_rank(op: &'static str, shape: &[usize]) -> Result<()> {
    if shape.len() < 2 { Err(Error::shape(op, "[samples, channels, …]", shape)) } else { Ok(()) }
}

/// Adds (or assigns) numbers that were summed in `f64` into a gradient.
fn write<T: Real>(grad: &mut [T], first: bool, values: impl Iterator<Item = T>) {
    for (grad, value) in grad.iter_mut().zip(values) {
        *grad = if first { value } else { *grad + value };
    }
}
