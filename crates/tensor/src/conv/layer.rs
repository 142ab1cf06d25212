//! What the convolution operations share: inputs made dense, and backward in terms of the three kernels.

use super::gradients::{Gradients, gradients};
use super::problem::Problem;
use super::{filters, weight_grad};
use crate::Activation;
use crate::dense::Dense;
use crate::gemm::{Bias, Epilogue, Tools};
use crate::parallel;
use crate::simd;
use crate::support::{slice_mut, sums};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Real, Result, Slot};

/// A convolution, or the transpose of one.
#[derive(Clone, Copy)]
pub(super) struct Layer {
    pub(super) problem: Problem,
    /// Whether the layer maps `y` to `x` by the transposed filters instead of `x` to `y`.
    pub(super) transposed: bool,
    pub(super) activation: Activation,
}

/// Splits inputs into image, weight and bias.
pub(super) fn inputs<'s, X>(op: &'static str, inputs: &'s [X]) -> Result<(&'s X, &'s X, Option<&'s X>)> {
    match inputs {
        [x, weight] => Ok((x, weight, None)),
        [x, weight, bias] => Ok((x, weight, Some(bias))),
        _ => Err(Error::Arity { op, expected: 3, got: inputs.len() }),
    }
}

impl Layer {
    /// The shape of the layer's output.
    pub(super) fn out_shape(&self) -> [usize; 4] {
        if self.transposed { self.problem.x_shape() } else { self.problem.y_shape() }
    }

    /// Checks that a bias has a number for each channel of the output.
    pub(super) fn check_bias(&self, op: &'static str, bias: Option<&[usize]>) -> Result<()> {
        let channels = self.out_shape()[1];
        match bias {
            Some(bias) if *bias != [channels] => Err(Error::shape(op, format!("a bias [{channels}]"), bias)),
            _ => Ok(()),
        }
    }

    pub(super) fn forward<T: Real>(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let (x, weight, bias) = self::inputs("conv", inputs)?;
        let (x, weight) = (Dense::of(x, cx.scratch), Dense::of(weight, cx.scratch));
        let bias = bias.map(|bias| Dense::of(bias, cx.scratch));
        let epilogue = Epilogue::assign().then(bias.as_deref().map_or(Bias::None, Bias::PerRow), self.activation);
        let kernel = if self.transposed { filters::input_grad } else { filters::forward };
        kernel(&self.problem, &x, &weight, slice_mut(out), epilogue, &mut Tools::from(&mut *cx));
        bias.into_iter().chain([x, weight]).for_each(|dense| dense.release(cx.scratch));
        Ok(())
    }

    pub(super) fn backward<T: Real>(
        &self,
        at: &At<'_, T>,
        grads: &mut [Option<Slot<'_, T>>],
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let (x, weight, _) = inputs("conv", at.inputs)?;
        let grad = self.activation.grad_before(at.grad, at.output, cx);
        {
            let (x, weight) = (Dense::of(x, cx.scratch), Dense::of(weight, cx.scratch));
            let [x_slot, weight_slot, ..] = grads else { unreachable!("two inputs or three") };
            let tools = &mut Tools::from(&mut *cx);
            if self.transposed {
                if let Some(slot) = x_slot {
                    let epilogue = Epilogue::scaled(slot.beta());
                    filters::forward(&self.problem, &grad, &weight, slot.slice_mut(), epilogue, tools);
                }
                if let Some(slot) = weight_slot {
                    let beta = slot.beta();
                    weight_grad::weight_grad(&self.problem, &grad, &x, slot.slice_mut(), beta, tools);
                }
            } else {
                let of_input = x_slot.as_mut().map(|slot| (Epilogue::scaled(slot.beta()), slot.slice_mut()));
                let of_weight = weight_slot.as_mut().map(|slot| (slot.beta(), slot.slice_mut()));
                let wanted = Gradients {
                    input: of_input.map(|(epilogue, out)| (&*weight, out, epilogue)),
                    weight: of_weight.map(|(beta, out)| (&*x, out, beta)),
                };
                gradients(&self.problem, &grad, wanted, tools);
            }
            x.release(cx.scratch);
            weight.release(cx.scratch);
        }
        if let Some(Some(slot)) = grads.get_mut(2) {
            let [n, channels, h, w] = self.out_shape();
            let first = slot.first;
            channel_sums([n, channels, h * w], &grad, slot.slice_mut(), first, cx);
        }
        grad.release(cx.scratch);
        Ok(())
    }
}

/// `out[c] ← Σ grad[n, c, pixel] + β out[c]`, with `β` 0 where `first`.
fn channel_sums<T: Real>(
    [n, channels, pixels]: [usize; 3],
    grad: &[T],
    out: &mut [T],
    first: bool,
    cx: &mut Cx<'_, T>,
) {
    parallel::rows(cx.pool, out, 1, 1, grad.len(), &|range, out| {
        simd::vectorize(
            #[inline(always)]
            || {
                for (channel, out) in range.zip(out) {
                    let mut sum = 0.0;
                    for image in 0..n {
                        let plane = &grad[(image * channels + channel) * pixels..][..pixels];
                        let [part] = sums(plane, plane, plane, |x, _, _| [x]);
                        sum += part;
                    }
                    *out = T::of(if first { sum } else { out.as_f64() + sum });
                }
            },
        );
    });
}
