//! Forward and input gradient as correlations.

use super::correlation::Correlation;
use super::gradients::Gradients;
use super::problem::Problem;
use super::{depthwise, pointwise, strided, winograd};
use crate::gemm::target::{Columns, Target};
use crate::gemm::{Epilogue, Tools};
use crate::parallel::Parts;
use gradwise_core::{Real, Scratch};

/// `y ← f(α w ⋆ x + β y + bias)`; a bias per row is one per output channel.
pub(super) fn forward<T: Real>(
    problem: &Problem,
    x: &[T],
    weight: &[T],
    y: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    if winograd::applies(problem) {
        return winograd::forward(problem, x, weight, y, epilogue, tools);
    }
    if pointwise::applies(problem) {
        return pointwise::forward(problem, x, weight, y, epilogue, tools);
    }
    if depthwise::three_by_three(problem) {
        return depthwise::forward(problem, x, weight, y, epilogue, tools);
    }
    let geometry = &problem.geometry;
    let [_, kernel_width] = problem.kernel;
    let taps = all_taps(problem, tools.scratch, |tap| {
        [tap / kernel_width * geometry.dilation[0], tap % kernel_width * geometry.dilation[1], tap]
    });
    let correlation = Correlation {
        source: x,
        source_shape: problem.x_shape(),
        groups: geometry.groups,
        rows: problem.group_out_channels(),
        lines: problem.out,
        step: geometry.stride,
        origin: geometry.padding.map(|padding| -(padding as isize)),
        taps: &taps,
        weights: weight,
        weight_strides: {
            let filter = problem.group_channels() * problem.n_taps();
            [problem.group_out_channels() * filter, filter, problem.n_taps()]
        },
    };
    let pixels = problem.out_len();
    let columns = Columns::of_images(problem.out, [problem.out[1], 1], problem.out_channels * pixels);
    correlation.run(&Target { out: &Parts::new(y), base: 0, row_stride: pixels, columns, epilogue }, tools);
    tools.scratch.give_words(taps);
}

fn all_taps<T: Real>(problem: &Problem, scratch: &mut Scratch<T>, tap: impl Fn(usize) -> [usize; 3]) -> Vec<u32> {
    let mut taps = scratch.take_words(3 * problem.n_taps());
    for (i, entry) in taps.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        *entry = tap(i).map(|place| place as u32);
    }
    taps
}

/// The pixels of one axis that have one remainder, after padding, by the stride: they meet the same taps.
pub(super) struct Phase {
    /// The first of them.
    first: usize,
    /// How many there are.
    len: usize,
    /// The stride, which is also the distance from one to the next.
    stride: usize,
    padding: usize,
    dilation: usize,
}

impl Phase {
    pub(super) fn new(problem: &Problem, axis: usize, first: usize) -> Self {
        let geometry = &problem.geometry;
        let (stride, padding, dilation) = (geometry.stride[axis], geometry.padding[axis], geometry.dilation[axis]);
        let len = problem.image[axis].saturating_sub(first).div_ceil(stride);
        Phase { first, len, stride, padding, dilation }
    }

    /// The output that the phase's first pixel contributes to through a tap, if it does; later pixels follow one by one.
    pub(super) fn output(&self, tap: usize) -> Option<isize> {
        let place = (self.first + self.padding) as isize - (tap * self.dilation) as isize;
        (place.rem_euclid(self.stride as isize) == 0).then(|| place.div_euclid(self.stride as isize))
    }

    /// The smallest of these outputs.
    fn origin(&self, kernel: usize) -> isize {
        (0..kernel).filter_map(|tap| self.output(tap)).min().unwrap_or(0)
    }
}

/// `∂x ← f(α wᵀ ⋆ ∂y + β ∂x + bias)`; a bias per row is one per channel of `x`.
///
/// With epilogues other than a plain one this is the forward pass of a transposed convolution. Pixels of `x` whose places differ by a
/// multiple of the stride meet the same taps, at neighbouring outputs: each such phase is a dense convolution over `∂y`, in which no
/// product with a zero between outputs is ever formed. Where the stride is two, `strided` forms all of them at once.
pub(super) fn input_grad<T: Real>(
    problem: &Problem,
    grad: &[T],
    weight: &[T],
    x_grad: &mut [T],
    epilogue: Epilogue<'_, T>,
    tools: &mut Tools<'_, T>,
) {
    if winograd::applies(problem) {
        return winograd::input_grad(problem, grad, weight, x_grad, epilogue, tools);
    }
    if pointwise::applies(problem) {
        return pointwise::input_grad(problem, grad, weight, x_grad, epilogue, tools);
    }
    if depthwise::three_by_three(problem) {
        let input = Some((weight, x_grad, epilogue));
        return depthwise::gradients(problem, grad, Gradients { input, weight: None }, tools);
    }
    if let Some(plan) = strided::plan::<T>(problem, tools.pool.threads()) {
        return strided::input_grad(problem, &plan, grad, weight, x_grad, epilogue, tools);
    }
    let (out, [height, width]) = (&Parts::new(x_grad), problem.image);
    let [kernel_height, kernel_width] = problem.kernel;
    let stride = problem.geometry.stride;
    for (y, x) in (0..stride[0].min(height)).flat_map(|y| (0..stride[1].min(width)).map(move |x| (y, x))) {
        let (down, across) = (Phase::new(problem, 0, y), Phase::new(problem, 1, x));
        let origin = [down.origin(kernel_height), across.origin(kernel_width)];
        let mut taps = tools.scratch.take_words(3 * problem.n_taps());
        let mut len = 0;
        for (i, j) in (0..kernel_height).flat_map(|i| (0..kernel_width).map(move |j| (i, j))) {
            if let (Some(i_out), Some(j_out)) = (down.output(i), across.output(j)) {
                let tap = [(i_out - origin[0]) as usize, (j_out - origin[1]) as usize, i * kernel_width + j];
                taps[len..len + 3].copy_from_slice(&tap.map(|place| place as u32));
                len += 3;
            }
        }
        let filter = problem.group_channels() * problem.n_taps();
        let correlation = Correlation {
            source: grad,
            source_shape: problem.y_shape(),
            groups: problem.geometry.groups,
            rows: problem.group_channels(),
            lines: [down.len, across.len],
            step: [1, 1],
            origin,
            taps: &taps[..len],
            weights: weight,
            weight_strides: [problem.group_out_channels() * filter, problem.n_taps(), filter],
        };
        let pixels = problem.image_len();
        let columns =
            Columns::of_images([down.len, across.len], [stride[0] * width, stride[1]], problem.channels * pixels);
        let base = y * width + x;
        correlation.run(&Target { out, base, row_stride: pixels, columns, epilogue }, tools);
        tools.scratch.give_words(taps);
    }
}
