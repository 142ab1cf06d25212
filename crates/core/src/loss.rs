//! What is minimized, and what is measured.

use crate::{ArrayRefD, Op, Real, Result};

/// How the losses of a batch's samples become one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Reduction {
    /// Their mean: what learning rates in the literature are tuned for.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// They stay apart: one loss for each sample.
    None,
}

/// A function of a batch's predictions and targets to be minimized.
///
/// A loss sees the whole batch once. It does not compute anything itself: it makes the [`Op`] that does, from the targets, so that any
/// tape can run it. `Y` is the kind of targets: `[usize]` for class indices, [`ArrayRefD<T>`] for numbers.
///
/// ```
/// use gradwise_core::{ArrayRefD, Loss, Op, Real, Reduction, Result};
///
/// # fn op_of_mine<'a, T: Real>(_: &'a ArrayRefD<T>, _: Reduction) -> Box<dyn Op<T> + 'a> { unimplemented!() }
/// struct MyLoss;
///
/// impl<T: Real> Loss<T, ArrayRefD<T>> for MyLoss {
///     fn name(&self) -> &'static str { "mine" }
///     fn op<'a>(&'a self, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
///         Ok(op_of_mine(targets, reduction))
///     }
/// }
/// ```
pub trait Loss<T: Real, Y: ?Sized>: Send + Sync {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// The operation from predictions (its one input) to the loss: a scalar (shape `[]`), or one number a sample for
    /// [`Reduction::None`].
    ///
    /// # Errors
    /// If the targets cannot be the targets of this loss.
    fn op<'a>(&'a self, targets: &'a Y, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>>;

    /// What a sample counts in the mean, which divides by the sum of these numbers: 1, unless the loss weights samples, as by their class,
    /// or leaves some out. The sample's own loss, of [`Reduction::None`], is multiplied by it already.
    fn weight(&self, targets: &Y, sample: usize) -> f64 {
        let _ = (targets, sample);
        1.0
    }
}

impl<T: Real, Y: ?Sized, L: Loss<T, Y> + ?Sized> Loss<T, Y> for Box<L> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn op<'a>(&'a self, targets: &'a Y, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        (**self).op(targets, reduction)
    }
    fn weight(&self, targets: &Y, sample: usize) -> f64 {
        (**self).weight(targets, sample)
    }
}

impl<T: Real, Y: ?Sized, L: Loss<T, Y> + ?Sized> Loss<T, Y> for &L {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn op<'a>(&'a self, targets: &'a Y, reduction: Reduction) -> Result<Box<dyn Op<T> + 'a>> {
        (**self).op(targets, reduction)
    }
    fn weight(&self, targets: &Y, sample: usize) -> f64 {
        (**self).weight(targets, sample)
    }
}

/// A measure of predictions against targets, gathered batch by batch.
///
/// # Contract
/// - The value after several updates is that of all their samples together, not a mean of batch values.
/// - Weights, where given, are one for each sample, finite and not negative; without them every sample counts 1.
/// - An update that returns an error leaves the metric as it was.
pub trait Metric<T: Real, Y: ?Sized>: Send {
    /// Its name in reports: `"accuracy"`.
    fn name(&self) -> &str;

    /// Takes a batch in: predictions (`N x …`, such as logits) and targets.
    ///
    /// # Errors
    /// If predictions, targets and weights are not of one batch.
    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &Y, weights: Option<&[f64]>) -> Result<()>;

    /// The value of all samples so far; NaN where it is not defined, as before the first one.
    fn value(&self) -> f64;

    /// Forgets all samples.
    fn reset(&mut self);
}

impl<T: Real, Y: ?Sized, M: Metric<T, Y> + ?Sized> Metric<T, Y> for Box<M> {
    fn name(&self) -> &str {
        (**self).name()
    }
    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &Y, weights: Option<&[f64]>) -> Result<()> {
        (**self).update(predictions, targets, weights)
    }
    fn value(&self) -> f64 {
        (**self).value()
    }
    fn reset(&mut self) {
        (**self).reset();
    }
}
