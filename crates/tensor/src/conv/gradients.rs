//! The gradients of a convolution, as far as they are asked for.

use super::problem::Problem;
use super::{depthwise, filters, weight_grad};
use crate::gemm::{Epilogue, Tools};
use gradwise_core::Real;

/// Which gradients are asked for, what they depend on beside the output's, and where they go.
pub(super) struct Gradients<'a, T> {
    /// The weight, the gradient of the input, and how it is written: with an epilogue other than a plain one this is the forward pass of
    /// a transposed convolution.
    pub(super) input: Option<(&'a [T], &'a mut [T], Epilogue<'a, T>)>,
    /// The input, the gradient of the weight, and the factor of what is there already.
    pub(super) weight: Option<(&'a [T], &'a mut [T], T)>,
}

/// `∂x ← wᵀ ⋆ ∂y + β ∂x` and `∂w ← ∂y ⋆ x + β ∂w`, in one pass over `∂y` where there is a kernel for it.
pub(super) fn gradients<T: Real>(problem: &Problem, grad: &[T], gradients: Gradients<'_, T>, tools: &mut Tools<'_, T>) {
    if depthwise::three_by_three(problem) {
        return depthwise::gradients(problem, grad, gradients, tools);
    }
    if let Some((weight, x_grad, epilogue)) = gradients.input {
        filters::input_grad(problem, grad, weight, x_grad, epilogue, tools);
    }
    if let Some((x, w_grad, beta)) = gradients.weight {
        weight_grad::weight_grad(problem, x, grad, w_grad, beta, tools);
    }
}
