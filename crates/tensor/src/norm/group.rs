//! Group normalization.

use super::{check_epsilon, check_parameters, check_rank, write};
use crate::dense::Dense;
use crate::support::{Planes, moments, rows2, slice, slice_mut, sums, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, flip};
use ndarray::IxDyn;

const NAME: &str = "group_norm";

/// Group normalization: `y = γ (x - μ) / √(σ² + ε) + β`, with mean `μ` and biased variance `σ²` of each sample over a group of channels
/// and all positions.
///
/// With one channel a group it is instance normalization; with one group it is layer normalization over all but the sample axis, with
/// parameters by channel.
///
/// - Inputs: `x` `[samples, channels, …]`, and optionally `γ` and `β`, both `[channels]`. Output: the shape of `x`.
/// - Saves mean and inverse standard deviation of each group, `[samples · groups, 2]`.
///
/// Source: Wu and He, *Group normalization*, ECCV 2018.
///
/// ```
/// use gradwise_tensor::{eager::Eager, norm::GroupNorm};
/// use ndarray::arr2;
///
/// let x = arr2(&[[1.0, 3.0, 10.0, 30.0]]).into_dyn();
/// let (y, _) = Eager::default().forward(&GroupNorm::new(2, 1e-12)?, &[x.view()])?;
/// assert!((&y - &arr2(&[[-1.0, 1.0, -1.0, 1.0]])).iter().all(|d: &f64| d.abs() < 1e-9));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GroupNorm {
    groups: usize,
    epsilon: f64,
}

impl GroupNorm {
    /// Normalization in this many groups of consecutive channels, with this `ε`, commonly `1e-5`.
    ///
    /// # Errors
    /// If there is no group, or `epsilon` is not a positive number.
    pub fn new(groups: usize, epsilon: f64) -> Result<Self> {
        if groups == 0 {
            return Err(Error::value("group_norm: groups", "at least 1", groups));
        }
        check_epsilon("group_norm: epsilon", epsilon)?;
        Ok(GroupNorm { groups, epsilon })
    }
}

crate::once::compiled_once!(GroupNorm);

impl<T: Real> crate::once::OpKernel<T> for GroupNorm {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let (Some(x), 1 | 3) = (inputs.first(), inputs.len()) else {
            return Err(Error::Arity { op: NAME, expected: 3, got: inputs.len() });
        };
        check_rank(NAME, x)?;
        if x[1] % self.groups != 0 {
            return Err(Error::shape(NAME, format!("a multiple of {} channels", self.groups), x));
        }
        check_parameters(NAME, &inputs[1..], &[x[1]])?;
        Ok(IxDyn(x))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        saved: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let planes = Planes::of(inputs[0].shape());
        let (n_rows, width) = (planes.samples * self.groups, planes.channels / self.groups);
        let len = width * planes.inner;
        let x = Dense::of(&inputs[0], cx.scratch);
        let gamma = inputs.get(1).map(|gamma| Dense::of(gamma, cx.scratch));
        let beta = inputs.get(2).map(|beta| Dense::of(beta, cx.scratch));
        let stats = slice_mut(saved.array(&[n_rows, 2], cx.scratch));

        rows2(cx.pool, 4 * x.len(), n_rows, (slice_mut(out), len), (stats, 2), &|range, out, stats| {
            vectorize!(|| {
                for (i, row) in range.enumerate() {
                    let (x, out) = (&x[row * len..][..len], &mut out[i * len..][..len]);
                    let (mean, variance) = moments(x);
                    let (mean, inverse) = (T::of(mean), T::of(1.0 / (variance + self.epsilon).sqrt()));
                    (stats[2 * i], stats[2 * i + 1]) = (mean, inverse);
                    let first = row % self.groups * width;
                    let inner = planes.inner.max(1);
                    for (j, (out, x)) in out.chunks_mut(inner).zip(x.chunks(inner)).enumerate() {
                        let scale = gamma.as_deref().map_or(inverse, |gamma| inverse * gamma[first + j]);
                        let shift = beta.as_deref().map_or(T::zero(), |beta| beta[first + j]);
                        out.iter_mut().zip(x).for_each(|(out, &x)| *out = (x - mean) * scale + shift);
                    }
                }
            },);
        });

        x.release(cx.scratch);
        [gamma, beta].into_iter().flatten().for_each(|p| p.release(cx.scratch));
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let planes = Planes::of(at.inputs[0].shape());
        let (n_rows, width, inner) = (planes.samples * self.groups, planes.channels / self.groups, planes.inner);
        let len = width * inner;
        let x = Dense::of(&at.inputs[0], cx.scratch);
        let gamma = at.inputs.get(1).map(|gamma| Dense::of(gamma, cx.scratch));
        let (grad, stats) = (slice(at.grad), slice(&at.saved.arrays[0]));
        // Of each channel of each sample, Σ ∂y x̂ and Σ ∂y: the parameters' gradients are sums of them, and so are the group's two means.
        let mut totals = cx.scratch.take(2 * planes.samples * planes.channels);
        let wanted = grads[0].is_some();
        let (to_x, first) = target(&mut grads[0]);

        let lens = (if wanted { len } else { 0 }, 2 * width);
        rows2(cx.pool, 6 * x.len(), n_rows, (to_x, lens.0), (&mut totals, lens.1), &|range, out, totals| {
            vectorize!(|| {
                for (i, row) in range.enumerate() {
                    let totals = &mut totals[2 * i * width..][..2 * width];
                    let (mean, inverse) = (stats[2 * row], stats[2 * row + 1]);
                    let channel = row % self.groups * width;
                    let scale = |j: usize| gamma.as_deref().map_or(T::one(), |gamma| gamma[channel + j]);
                    let (mut shift, mut slope) = (0.0, 0.0);
                    for j in 0..width {
                        let at = row * len + j * inner..row * len + (j + 1) * inner;
                        let (x, grad) = (&x[at.clone()], &grad[at]);
                        let [product, sum] = sums(x, grad, grad, |x, g, _| [g * ((x - mean) * inverse), g]);
                        (totals[2 * j], totals[2 * j + 1]) = (T::of(product), T::of(sum));
                        shift += scale(j).as_f64() * sum;
                        slope += scale(j).as_f64() * product;
                    }
                    if !wanted {
                        continue;
                    }
                    let out = &mut out[i * len..][..len];
                    let (shift, slope) = (T::of(shift / len as f64), T::of(slope / len as f64));
                    for j in 0..width {
                        let at = row * len + j * inner..row * len + (j + 1) * inner;
                        let scale = scale(j);
                        let triples = out[j * inner..(j + 1) * inner].iter_mut().zip(&x[at.clone()]).zip(&grad[at]);
                        for ((out, &x), &g) in triples {
                            let value =
                                (g * scale - flip!("group_norm/mean", shift) - (x - mean) * inverse * slope) * inverse;
                            *out = if first { value } else { *out + value };
                        }
                    }
                }
            },);
        });

        for (k, slot) in grads[1..].iter_mut().enumerate() {
            let (grad, first) = target(slot);
            let total = |channel: usize| {
                let of = |sample: usize| totals[2 * (sample * planes.channels + channel) + k].as_f64();
                T::of((0..planes.samples).map(of).sum())
            };
            write(grad, first, (0..planes.channels).map(total));
        }
        cx.scratch.give(totals);
        x.release(cx.scratch);
        gamma.into_iter().for_each(|p| p.release(cx.scratch));
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::INPUTS
    }
}
