//! Convolutions of single channels: one filter for each, as in depthwise convolution.
//!
//! There is nothing to multiply as matrices. Every output is a sum over the taps, so a row of outputs is a sum of shifted rows, which
//! is limited by memory as long as the taps are few. Filters of 3 x 3 that move pixel by pixel, the usual ones, have kernels of their
//! own, which keep rows in registers, and whose two gradients come from one pass.

mod any;
mod three;

pub(super) use any::{correlate, weight_grad};
pub(super) use three::{forward, gradients, three_by_three};
