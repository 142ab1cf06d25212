//! Convolutions of 3 x 3 by minimal filtering: a quarter of the multiplications.
//!
//! A tile of 4 x 4 outputs depends on 6 x 6 inputs. Evaluated at six points each way, as polynomials are multiplied, filtering it takes 36
//! multiplications for each pair of channels instead of 144 (S. Winograd, *Arithmetic Complexity of Computations*, 1980; Lavin and
//! Gray, *Fast Algorithms for Convolutional Neural Networks*, CVPR 2016):
//!
//! ```text
//! Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//! ```
//!
//! With many tiles and channels the products at each of the 36 points are a matrix product, for which the micro-kernels of
//! [`gemm`](crate::gemm) serve. The gradients are the transposed maps of the same algorithm: the input's is a convolution with the
//! filters turned, the weight's is `∂g = Gᵀ [ (A ∂Y Aᵀ) ⊙ (Bᵀ d B) ] G`, summed over the tiles.
//!
//! Additions take the place of multiplications, so results differ from those of the plain sum by rounding errors, which depend on the
//! points. Lavin and Gray's own are ±1 and ±2. A. Lavin later proposed ±7/10 and ±3/2, about four times as accurate by his account and
//! within twice the error of plain sums (<https://github.com/NervanaSystems/neon/issues/224>); Barabasz, Anderson, Soodhalter and Gregg,
//! *Error analysis and improving the accuracy of Winograd convolution for deep neural networks* (arXiv:1803.10986), bound the error and
//! search for good points by experiment. Ours, ±5/8 and ±3/2, are close to Lavin's, and also those of oneDNN: they are exact in binary,
//! and so are the constants of `Bᵀ` and `Aᵀ` that are made of them.
//!
//! The example `winograd` of the benchmarks' crate measures the errors of all three kernels against those of plain sums, and trains a net
//! with both. What it has shown is this much: on 6,000 images of MNIST, twice each, 96.17, 96.48 and 95.90 % of the test images from three
//! seeds with this method, and 96.27, 96.22 and 95.92 % with plain sums: no difference beyond that between seeds. Longer trainings and
//! other data have not been compared.

mod product;
mod tiles;
mod transform;
mod weight_grad;

use super::problem::Problem;
use std::sync::OnceLock;

pub(super) use product::{forward, input_grad};
pub(super) use weight_grad::weight_grad;

/// Whether the problem is one for this method: filters of 3 x 3 that move pixel by pixel, with channels enough to pay for the
/// transforms.
pub(super) fn applies(problem: &Problem) -> bool {
    /// Below, the transforms cost what the products save.
    const CHANNELS: usize = 8;
    let geometry = &problem.geometry;
    let [height, width] = problem.image;
    problem.kernel == [3, 3]
        && is_on()
        && (geometry.stride, geometry.dilation, geometry.groups) == ([1, 1], [1, 1], 1)
        && geometry.padding.iter().all(|&padding| padding <= 2)
        && problem.channels.min(problem.out_channels) >= CHANNELS
        && problem.n > 0
        && height.min(problem.out[0]) >= 4
        && width.min(problem.out[1]) >= tiles::LANES
}

/// Whether this method is used at all: `GRADWISE_CONV=direct` turns it off for the process.
fn is_on() -> bool {
    static IS_ON: OnceLock<bool> = OnceLock::new();
    *IS_ON.get_or_init(|| std::env::var_os("GRADWISE_CONV").is_none_or(|method| method != "direct"))
}
