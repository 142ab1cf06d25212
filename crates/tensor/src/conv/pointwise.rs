//! Convolutions of 1 x 1 that move pixel by pixel: products of matrices, whose right factors are the images where they lie.

use super::problem::Problem;
use crate::gemm::blocks::{Products, multiply};
use crate::gemm::operand::Operand;
use crate::gemm::target::{Columns, Target};
use crate::gemm::{Epilogue, Tools};
use crate::parallel::Parts;
use gradwise_core::Real;
use ndarray::ArrayView2;

/// Whether a problem is one for this method. Images are to have pixels enough that few columns of a product are not there; smaller
/// ones are better gathered from several.
pub(super) fn applies(problem: &Problem) -> bool {
    /// Columns of a tile of any kernel are a divisor of this.
    const COLUMNS: usize = 16;
    let (geometry, pixels) = (&problem.geometry, problem.image_len());
    problem.kernel == [1, 1]
        && (geometry.stride, geometry.padding, geometry.groups) == ([1, 1], [0, 0], 1)
        && problem.channels.min(problem.out_channels) > 1
        && (pixels >= 16 * COLUMNS || (pixels >= 4 * COLUMNS && pixels.is_multiple_of(COLUMNS)))
}

/// `y ← f(α w x + β y + bias)` for every image.
pub(super) fn forward<T: Real>(
    problem: &Problem,
    x: &[T],
    weight: &[T],
    y: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let weight = Operand::rows(matrix(weight, [problem.out_channels, problem.channels]));
    run(weight, x, problem.image_len(), y, epilogue, tools);
}

/// `∂x ← f(α wᵀ ∂y + β ∂x + bias)` for every image.
pub(super) fn input_grad<T: Real>(
    problem: &Problem,
    grad: &[T],
    weight: &[T],
    x_grad: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let weight = Operand::rows(matrix(weight, [problem.out_channels, problem.channels]).reversed_axes());
    run(weight, grad, problem.image_len(), x_grad, epilogue, tools);
}

/// The product of one left factor with every image.
fn run<T: Real>(
    left: Operand<'_, T>,
    images: &[T],
    pixels: usize,
    out: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    let (m, depth) = (left.lines(), left.depth());
    let image = |i: usize| Operand::columns(matrix(&images[i * depth * pixels..][..depth * pixels], [depth, pixels]));
    let products = Products {
        outputs: images.len() / (depth * pixels),
        terms: 1,
        m,
        n: pixels,
        depth,
        factors: &|i, _| (left, image(i)),
        base: &|i| i * m * pixels,
    };
    let columns = Columns::of_matrix(pixels, 1);
    multiply(&products, &Target { out: &Parts::new(out), base: 0, row_stride: pixels, columns, epilogue }, tools);
}

/// A slice as a matrix of as many elements.
fn matrix<T>(slice: &[T], shape: [usize; 2]) -> ArrayView2<'_, T> {
    ArrayView2::from_shape(shape, slice)
        .unwrap_or_else(|_| unreachable!("a matrix {shape:?} of {} elements", slice.len()))
}
