//! Batch normalization by given statistics.

use super::batch::{floor, kink, masked, rectified, scale_of};
use super::{check_epsilon, check_parameters, check_rank, write};
use crate::Activation;
use crate::dense::Dense;
use crate::support::{Planes, WIDTH, channel_map, channel_sums, channels, slice, slice_mut, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot};
use ndarray::IxDyn;

const NAME: &str = "batch_norm_inference";

/// Batch normalization by given statistics, as in evaluation: `y = γ (x - μ) / √(σ² + ε) + β`, an affine map of each channel;
/// optionally followed by `max(y, 0)`.
///
/// - Inputs: `x` `[samples, channels, …]`, mean `μ`, variance `σ²`, and optionally `γ` and `β`, all `[channels]`. Output: the shape of
///   `x`. A negative variance below `-ε` gives NaN.
/// - Differentiable in every input, the statistics included.
///
/// Source: Ioffe and Szegedy, *Batch normalization*, ICML 2015.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BatchNormInference {
    epsilon: f64,
    relu: bool,
}

impl BatchNormInference {
    /// Normalization with this `ε`, the one used in training.
    ///
    /// # Errors
    /// If `epsilon` is not a positive number.
    pub fn new(epsilon: f64) -> Result<Self> {
        check_epsilon("batch_norm_inference: epsilon", epsilon)?;
        Ok(BatchNormInference { epsilon, relu: false })
    }

    /// Whether a rectifier, `max(y, 0)`, follows in the same pass.
    #[must_use]
    pub fn with_relu(self, relu: bool) -> Self {
        BatchNormInference { relu, ..self }
    }
}

crate::once::compiled_once!(BatchNormInference);

impl<T: Real> crate::once::OpKernel<T> for BatchNormInference {
    fn name(&self) -> &'static str {
        if self.relu { "batch_norm_inference_relu" } else { NAME }
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let (Some(x), 3 | 5) = (inputs.first(), inputs.len()) else {
            return Err(Error::Arity { op: NAME, expected: 5, got: inputs.len() });
        };
        check_rank(NAME, x)?;
        check_parameters(NAME, &inputs[1..], &[x[1]])?;
        Ok(IxDyn(x))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let planes = Planes::of(inputs[0].shape());
        let x = Dense::of(&inputs[0], cx.scratch);
        let (mean, variance) = (Dense::of(&inputs[1], cx.scratch), Dense::of(&inputs[2], cx.scratch));
        let gamma = inputs.get(3).map(|gamma| Dense::of(gamma, cx.scratch));
        let beta = inputs.get(4).map(|beta| Dense::of(beta, cx.scratch));
        let floor = floor(self.relu);

        channels::<T, T>(cx.pool, 2 * planes.len(), planes, slice_mut(out), &mut [], &|range, block, _| {
            vectorize!(|| {
                // A copy, which no write to the output can change.
                let lowest = floor;
                let mut coefficients = [[T::zero(); WIDTH]; 3];
                for (j, channel) in range.clone().enumerate() {
                    let inverse = 1.0 / (variance[channel].as_f64() + self.epsilon).sqrt();
                    coefficients[0][j] = mean[channel];
                    coefficients[1][j] = T::of(scale_of(gamma.as_deref(), channel) * inverse);
                    coefficients[2][j] = beta.as_deref().map_or(T::zero(), |beta| beta[channel]);
                }
                channel_map(
                    planes,
                    &range,
                    [block],
                    [true],
                    &coefficients,
                    [&x[..]; 3],
                    #[inline(always)]
                    move |[center, scale, shift], x, _, _| [rectified((x - center) * scale + shift, lowest)],
                );
            },);
        });

        [x, mean, variance].into_iter().chain(gamma).chain(beta).for_each(|p| p.release(cx.scratch));
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let planes = Planes::of(at.inputs[0].shape());
        let x = Dense::of(&at.inputs[0], cx.scratch);
        let (mean, variance) = (Dense::of(&at.inputs[1], cx.scratch), Dense::of(&at.inputs[2], cx.scratch));
        let gamma = at.inputs.get(3).map(|gamma| Dense::of(gamma, cx.scratch));
        let grad = slice(at.grad);
        let kink = kink(self.relu);
        let output = if self.relu { slice(at.output) } else { grad };
        let to_statistics = grads[1..].iter().any(Option::is_some);
        let mut stats = cx.scratch.take(4 * planes.channels);
        let wanted = grads[0].is_some();
        let (to_x, first) = target(&mut grads[0]);

        channels(cx.pool, 5 * planes.len(), planes, to_x, &mut stats, &|range, block, stats| {
            vectorize!(|| {
                let stop = kink;
                let all = [&x[..], grad, output];
                let mut coefficients = [[T::zero(); WIDTH]; 2];
                for (j, channel) in range.clone().enumerate() {
                    let inverse = 1.0 / (variance[channel].as_f64() + self.epsilon).sqrt();
                    coefficients[0][j] = mean[channel];
                    coefficients[1][j] = T::of(scale_of(gamma.as_deref(), channel) * inverse);
                }
                if to_statistics {
                    let [sum, product] = channel_sums(
                        planes,
                        &range,
                        &coefficients,
                        all,
                        #[inline(always)]
                        move |[center, _], x, grad, output| {
                            let grad = masked(grad, output, stop);
                            [grad, grad * (x - center)]
                        },
                    );
                    for (j, channel) in range.clone().enumerate() {
                        let inverse = 1.0 / (variance[channel].as_f64() + self.epsilon).sqrt();
                        let scale = scale_of(gamma.as_deref(), channel) * inverse;
                        stats[4 * j] = T::of(-scale * sum[j]);
                        stats[4 * j + 1] = T::of(-0.5 * scale * inverse * inverse * product[j]);
                        stats[4 * j + 2] = T::of(inverse * product[j]);
                        stats[4 * j + 3] = T::of(sum[j]);
                    }
                }
                if wanted {
                    channel_map(
                        planes,
                        &range,
                        [block],
                        [first],
                        &coefficients,
                        all,
                        #[inline(always)]
                        move |[_, scale], _, grad, output| [masked(grad, output, stop) * scale],
                    );
                }
            },);
        });

        for (k, slot) in grads[1..].iter_mut().enumerate() {
            let (grad, first) = target(slot);
            write(grad, first, stats.chunks(4).map(|stats| stats[k]));
        }
        cx.scratch.give(stats);
        [x, mean, variance].into_iter().chain(gamma).for_each(|p| p.release(cx.scratch));
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs { inputs: true, output: self.relu }
    }

    fn bounds(&self) -> Option<[f64; 2]> {
        if self.relu { Activation::Relu.bounds() } else { None }
    }

    fn is_cheap(&self) -> bool {
        true
    }
}
