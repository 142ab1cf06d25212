//! Convolutions of one and two dimensions and their transposes: `y[n, o] = f(Σ_c w[o, c] ⋆ x[n, c] + b[o])`.
//!
//! A convolution is a matrix product whose right factor, the image's patches as columns ("im2col"), is never formed: a few rows of
//! a few channels are staged with their padding, and panels for the micro-kernel of [`gemm`](crate::gemm) are read from there. Memory
//! beyond the arrays themselves is one packed copy of the weights and a block's worth for each thread, whatever the batch.
//!
//! | kernel | product | read as |
//! |---|---|---|
//! | [`conv2d_into`] | `Y[o, pixel] = W[o, (c, tap)] · patches[(c, tap), pixel]` | the image at `stride · pixel + dilation · tap` |
//! | [`conv2d_input_grad`] | `∂X[c, pixel] = Wᵀ[c, (o, tap)] · ∂patches[(o, tap), pixel]` | the output's gradient, for each phase of the stride a dense convolution with the taps that meet it |
//! | [`conv2d_weight_grad`] | `∂Wᵀ[(c, tap), o] = patches[(c, tap), pixel] · ∂Yᵀ[pixel, o]` | both, summed over the pixels of the batch |
//!
//! Where filters are 1 x 1 and move pixel by pixel, images need no staging, and the first two are plain products. Where they move by two
//! pixels, `strided` forms all phases of the second at once.
//!
//! Where filters are 3 x 3, move pixel by pixel, and there are eight channels or more on both sides, all three go through minimal
//! filtering instead, with a quarter of the multiplications; see `winograd`. Depthwise convolutions, with a channel a group, are sums of
//! shifted rows; see `depthwise`. Where these are 3 x 3, [`conv2d_grads`] forms both gradients in one pass.
//!
//! `GRADWISE_CONV=direct` in the environment turns minimal filtering off, so that a training can be run with it and without: the example
//! `winograd` of the benchmarks' crate does. It makes no other difference.
//!
//! A transposed convolution is the same three with the first two exchanged (Dumoulin and Visin, *A guide to convolution arithmetic for
//! deep learning*, 2016).

mod conv1d;
mod conv2d;
mod correlation;
mod depthwise;
mod field;
mod filters;
mod geometry;
mod gradients;
mod kernels;
mod layer;
mod pointwise;
mod problem;
mod strided;
mod transpose;
mod weight_grad;
mod winograd;

pub use conv1d::{Conv1d, Conv1dGeometry, ConvTranspose1d};
pub use conv2d::Conv2d;
pub use geometry::Conv2dGeometry;
pub use kernels::{conv2d, conv2d_grads, conv2d_input_grad, conv2d_into, conv2d_weight_grad};
pub use transpose::ConvTranspose2d;
