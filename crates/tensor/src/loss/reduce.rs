//! From the samples' losses to what the reduction asks for.

use gradwise_core::{Error, Real, Reduction, Result};
use ndarray::IxDyn;

/// The output's shape.
pub(super) fn out_shape(op: &'static str, reduction: Reduction, predictions: &[usize]) -> Result<IxDyn> {
    let samples = &predictions[..predictions.len().min(1)];
    match reduction {
        Reduction::None => Ok(IxDyn(samples)),
        Reduction::Mean if samples == [0] => Err(Error::shape(op, "at least one sample for a mean", predictions)),
        Reduction::Mean | Reduction::Sum => Ok(IxDyn(&[])),
    }
}

/// Writes the reduced losses, where a mean divides by `total`. A mean over a total of 0, as when every sample is ignored, is 0.
pub(super) fn reduce<T: Real>(reduction: Reduction, losses: &[T], total: f64, out: &mut [T]) {
    match reduction {
        Reduction::None => out.copy_from_slice(losses),
        Reduction::Mean | Reduction::Sum => {
            let sum: f64 = losses.iter().map(|loss| loss.as_f64()).sum();
            out[0] = T::of(sum * divisor(reduction, total));
        }
    }
}

/// What the sum of the losses is multiplied with.
pub(super) fn divisor(reduction: Reduction, total: f64) -> f64 {
    match reduction {
        Reduction::Mean if total == 0.0 => 0.0,
        Reduction::Mean => 1.0 / total,
        Reduction::Sum | Reduction::None => 1.0,
    }
}

/// The gradient of a sample's loss, from that of the output and [`divisor`].
#[inline(always)]
pub(super) fn sample_grad<T: Real>(reduction: Reduction, grad: &[T], sample: usize, divisor: T) -> T {
    match reduction {
        Reduction::None => grad[sample],
        Reduction::Mean | Reduction::Sum => grad[0] * divisor,
    }
}
