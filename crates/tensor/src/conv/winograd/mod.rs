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
//! Additions take the place of multiplications, so results differ from those of the plain sum by rounding errors, a few times larger
//! than its own. The points, ±5/8 and ±3/2 beside 0 and ∞, are exact in binary, as are all their products here, and lose less than the
//! usual ±1 and ±2.

mod product;
mod tiles;
mod transform;
mod weight_grad;

use super::problem::Problem;

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
        && (geometry.stride, geometry.dilation, geometry.groups) == ([1, 1], [1, 1], 1)
        && geometry.padding.iter().all(|&padding| padding <= 2)
        && problem.channels.min(problem.out_channels) >= CHANNELS
        && problem.n > 0
        && height.min(problem.out[0]) >= 4
        && width.min(problem.out[1]) >= tiles::LANES
}
