//! The Kullback-Leibler divergence.

use super::formula::Formula;
use super::pointwise::Pointwise;
use gradwise_core::{ArrayRefD, Error, Loss, Op, Real, Reduction, Result};

/// A term `t (ln t - x)` of the Kullback-Leibler divergence of a target distribution `t` from predicted log-probabilities `x`; 0 where `t` is 0. A
/// sample's loss is the sum of its terms.
///
/// Source: Kullback and Leibler, *On information and sufficiency*, Annals of Mathematical Statistics 22, 1951.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Divergence;

impl<T: Real> Formula<T> for Divergence {
    fn name(&self) -> &'static str {
        "kl_div"
    }
    #[inline(always)]
    fn value(&self, _: usize, log_probability: T, target: T) -> T {
        if target == T::zero() { T::zero() } else { target * (target.ln() - log_probability) }
    }
    #[inline(always)]
    fn slope(&self, _: usize, _: T, target: T) -> T {
        -target
    }
    fn sums(&self) -> bool {
        true
    }
    fn check_target(&self, target: T) -> Result<()> {
        if target >= T::zero() && target.is_finite() {
            return Ok(());
        }
        Err(Error::value("kl_div: target", "a finite number, at least 0", target))
    }
}

/// [`Divergence`] as a loss: log-probabilities (of a log-softmax) against target distributions of the same shape. For distillation, and wherever a
/// distribution is learned whose own entropy shall not count.
///
/// [`Reduction::Mean`] divides by the number of samples, which PyTorch calls `batchmean`; its `mean` divides by the number of elements.
///
/// ```
/// use gradwise_core::{Loss, Reduction};
/// use gradwise_tensor::{eager::Eager, loss::KlDivLoss};
/// use ndarray::arr2;
///
/// let targets = arr2(&[[0.5, 0.5]]).into_dyn();
/// let op = KlDivLoss.op(&*targets, Reduction::Mean)?;
/// let same = targets.mapv(f64::ln);
/// assert_eq!(Eager::default().forward(&*op, &[same.view()])?.0[[]], 0.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KlDivLoss;

impl<T: Real> Loss<T, ArrayRefD<T>> for KlDivLoss {
    fn name(&self) -> &'static str {
        "kl_div"
    }
    fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        Ok(Box::new(Pointwise::with(Divergence, targets, reduction)?))
    }
}
