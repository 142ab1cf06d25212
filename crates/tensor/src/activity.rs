//! A penalty on what a layer puts out.

use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, sums, target, vectorize};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, arity, flip};
use ndarray::IxDyn;

const NAME: &str = "activity_penalty";

/// The activity penalty, `Σ (λ₁ |x| + λ₂/2 x²) / n` over all elements of `n` samples: outputs of a layer that are mostly zero, or small.
///
/// - Input: `[samples, …]`. Output: `[]`, to be added to the loss.
/// - Backward is `(λ₁ sign(x) + λ₂ x) / n`, and 0 at 0 for the first part.
/// - With λ₁ for codes that are sparse, as of an autoencoder; with λ₂ for recurrent nets, whose states it keeps from growing.
///
/// As in Keras, whose `activity_regularizer=L1L2(a, b)` is λ₁ = a, λ₂ = 2 b, it is divided by the number of samples, so that it does not
/// depend on the size of batches. Sources: Glorot, Bordes and Bengio, *Deep sparse rectifier neural networks*, AISTATS 2011; Merity,
/// McCann and Socher, *Revisiting activation regularization for language RNNs*, 2017.
///
/// ```
/// use gradwise_tensor::{ActivityPenalty, eager::Eager};
/// use ndarray::arr2;
///
/// let x = arr2(&[[1.0, -2.0], [0.0, 3.0]]).into_dyn();
/// let (penalty, _) = Eager::<f64>::default().forward(&ActivityPenalty::new(0.5, 0.1)?, &[x.view()])?;
/// assert_eq!(penalty[[]], (0.5 * 6.0 + 0.05 * 14.0) / 2.0);
/// assert!(ActivityPenalty::new(-0.5, 0.0).is_err());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ActivityPenalty {
    l1: f64,
    l2: f64,
}

impl ActivityPenalty {
    /// With strengths λ₁ and λ₂.
    ///
    /// # Errors
    /// If one is negative or not finite.
    pub fn new(l1: f64, l2: f64) -> Result<Self> {
        for (what, strength) in [("activity_penalty: l1 strength", l1), ("activity_penalty: l2 strength", l2)] {
            if !(strength >= 0.0 && strength.is_finite()) {
                return Err(Error::value(what, "a finite number of at least 0", strength));
            }
        }
        Ok(ActivityPenalty { l1, l2 })
    }
}

/// Samples, and elements of a sample.
fn sizes(shape: &[usize]) -> (usize, usize) {
    (shape.first().copied().unwrap_or(1), shape.iter().skip(1).product())
}

crate::once::compiled_once!(ActivityPenalty);

impl<T: Real> crate::once::OpKernel<T> for ActivityPenalty {
    fn name(&self) -> &'static str {
        NAME
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [_] = arity(NAME, inputs)?;
        Ok(IxDyn(&[]))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let (n_samples, len) = sizes(inputs[0].shape());
        let x = Dense::of(&inputs[0], cx.scratch);
        let mut totals = cx.scratch.take_sums(n_samples);
        parallel::rows(cx.pool, &mut totals, 1, 1, 2 * x.len(), &|samples, totals| {
            vectorize!(|| {
                for (sample, total) in samples.zip(totals) {
                    let x = &x[sample * len..][..len];
                    let [lengths, squares] = sums(x, x, x, |x, _, _| [x.abs(), x * x]);
                    *total = self.l1 * lengths + 0.5 * self.l2 * squares;
                }
            });
        });
        out.fill(T::of(totals.iter().sum::<f64>() / n_samples.max(1) as f64));
        cx.scratch.give_sums(totals);
        x.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        if grads[0].is_none() {
            return Ok(());
        }
        let share = slice(at.grad)[0] / T::of_usize(sizes(at.inputs[0].shape()).0.max(1));
        let (l1, l2) = (T::of(self.l1), T::of(self.l2));
        let x = Dense::of(&at.inputs[0], cx.scratch);
        let (to_x, first) = target(&mut grads[0]);
        parallel::rows(cx.pool, to_x, 1, 16, 2 * x.len(), &|range, to_x| {
            vectorize!(|| {
                for (to_x, &x) in to_x.iter_mut().zip(&x[range]) {
                    // `signum` of 0 is 1; NaN stays.
                    let sign = if x == T::zero() { x } else { x.signum() };
                    let value = share * (l1 * sign + flip!("activity_penalty/square", l2 * x));
                    *to_x = if first { value } else { *to_x + value };
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
