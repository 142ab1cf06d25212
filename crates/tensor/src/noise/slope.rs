//! Slopes that are drawn.

use super::linear::CHUNK;
use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, slice_mut, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Key, Needs, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;

const NAME: &str = "randomized_leaky_relu";

/// Randomized leaky ReLU: `x` for `x > 0`, else `a x`, in training with `a` uniform in a range for each element, in evaluation with the range's middle.
///
/// The slope at 0 is `a`.
///
/// Source: Xu et al., *Empirical evaluation of rectified activations in convolutional network*, 2015, <https://arxiv.org/abs/1505.00853>.
///
/// ```
/// use gradwise_tensor::{eager::Eager, noise::RandomizedLeakyRelu};
/// use ndarray::arr1;
///
/// let (y, _) = Eager::default().forward(&RandomizedLeakyRelu::default(), &[arr1(&[2.0, -1.0]).into_dyn().view()])?;
/// assert_eq!(y, arr1(&[2.0, -(1.0 / 8.0 + 1.0 / 3.0) / 2.0]).into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RandomizedLeakyRelu {
    lower: f64,
    upper: f64,
}

impl Default for RandomizedLeakyRelu {
    /// Slopes from 1/8 to 1/3, as the paper and PyTorch.
    fn default() -> Self {
        RandomizedLeakyRelu { lower: 1.0 / 8.0, upper: 1.0 / 3.0 }
    }
}

impl RandomizedLeakyRelu {
    /// With slopes in this range.
    ///
    /// # Errors
    /// Unless both are finite and `lower ≤ upper`.
    pub fn new(lower: f64, upper: f64) -> Result<Self> {
        if lower <= upper && lower.is_finite() && upper.is_finite() {
            return Ok(RandomizedLeakyRelu { lower, upper });
        }
        let got = format_args!("{lower} and {upper}").to_string();
        Err(Error::value("randomized_leaky_relu: slopes", "finite numbers, lower <= upper", got))
    }

    /// The slopes of a sample's elements from `start` on.
    fn slopes<T: Real>(&self, training: bool, key: Key, start: usize, slopes: &mut [T]) {
        if training {
            let of = |i: usize| self.lower + (self.upper - self.lower) * key.uniform(i as u64);
            (start..).zip(slopes).for_each(|(i, slope)| *slope = T::of(of(i)));
        } else {
            slopes.fill(T::of((self.lower + self.upper) / 2.0));
        }
    }
}

crate::once::compiled_once!(RandomizedLeakyRelu);

impl<T: Real> crate::once::OpKernel<T> for RandomizedLeakyRelu {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity(NAME, inputs)?;
        Ok(IxDyn(x))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let x = Dense::of(&inputs[0], cx.scratch);
        let len = inputs[0].shape().iter().skip(1).product();
        let (training, key, first) = (cx.training, cx.key, cx.first_sample);
        parallel::rows(cx.pool, slice_mut(out), len, 1, 8 * x.len(), &|samples, out| {
            vectorize!(|| {
                for (sample, out) in samples.zip(out.chunks_exact_mut(len.max(1))) {
                    let key = key.with((first + sample) as u64);
                    let chunks = out.chunks_mut(CHUNK).zip(x[sample * len..][..len].chunks(CHUNK));
                    for (i, (out, x)) in chunks.enumerate() {
                        let mut slopes = [T::zero(); CHUNK];
                        self.slopes(training, key, i * CHUNK, &mut slopes[..x.len()]);
                        for ((out, &x), slope) in out.iter_mut().zip(x).zip(slopes) {
                            *out = if x > T::zero() { x } else { slope * x };
                        }
                    }
                }
            });
        });
        x.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let x = Dense::of(&at.inputs[0], cx.scratch);
        let len = at.grad.shape().iter().skip(1).product();
        let (training, key, first_sample, grad) = (cx.training, cx.key, cx.first_sample, slice(at.grad));
        let (to_x, first) = target(&mut grads[0]);
        parallel::rows(cx.pool, to_x, len, 1, 8 * x.len(), &|samples, to_x| {
            vectorize!(|| {
                for (sample, to_x) in samples.zip(to_x.chunks_exact_mut(len.max(1))) {
                    let key = key.with((first_sample + sample) as u64);
                    let rows = sample * len..(sample + 1) * len;
                    let chunks = x[rows.clone()].chunks(CHUNK).zip(grad[rows].chunks(CHUNK));
                    for (i, (to_x, (x, grad))) in to_x.chunks_mut(CHUNK).zip(chunks).enumerate() {
                        let mut slopes = [T::zero(); CHUNK];
                        self.slopes(training, key, i * CHUNK, &mut slopes[..x.len()]);
                        for ((to_x, (&x, &grad)), slope) in to_x.iter_mut().zip(x.iter().zip(grad)).zip(slopes) {
                            let value = if x > T::zero() { grad } else { slope * grad };
                            *to_x = if first { value } else { *to_x + value };
                        }
                    }
                }
            });
        });
        x.release(cx.scratch);
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::INPUTS
    }
}
