//! Losses that are means over the elements of predictions and targets of one shape.

use super::formula::{AbsoluteError, Formula, HuberError, Logistic, SquaredError, WeightedLogistic};
use super::reduce::{divisor, out_shape, reduce, sample_grad};
use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, slice_mut, sums, target, vectorize};
use gradwise_core::{
    ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Op, Real, Reduction, Result, Saved, Slot, arity, flip,
};
use ndarray::IxDyn;

/// Elements whose losses are computed before they are summed.
const CHUNK: usize = 256;

/// A loss by a [`Formula`]: each sample's is the mean over its elements, or their sum where the formula says so.
///
/// - Input: predictions of the targets' shape `[samples, …]`. Output: `[]`, or `[samples]` for [`Reduction::None`].
/// - A sample without elements has loss 0.
#[derive(Clone, Copy, Debug)]
pub struct Pointwise<'a, T, F> {
    formula: F,
    targets: &'a ArrayRefD<T>,
    reduction: Reduction,
}

/// Squared error `mean((p - t)²)`, for regression.
///
/// ```
/// use gradwise_core::Reduction;
/// use gradwise_tensor::{eager::Eager, loss::MeanSquaredError};
/// use ndarray::arr2;
///
/// let (predictions, targets) = (arr2(&[[1.0, 2.0], [0.0, 0.0]]).into_dyn(), arr2(&[[0.0, 2.0], [0.0, 3.0]]).into_dyn());
/// let loss = MeanSquaredError::new(&targets, Reduction::Mean);
/// let (value, saved) = Eager::default().forward(&loss, &[predictions.view()])?;
/// assert_eq!(value[[]], 2.5);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub type MeanSquaredError<'a, T> = Pointwise<'a, T, SquaredError>;

/// Absolute error `mean(|p - t|)`, for regression with outliers.
pub type MeanAbsoluteError<'a, T> = Pointwise<'a, T, AbsoluteError>;

/// Huber's loss, see [`HuberError`].
pub type Huber<'a, T> = Pointwise<'a, T, HuberError>;

/// Binary cross-entropy of logits and targets in `[0, 1]`, see [`Logistic`]: several labels a sample, each on or off.
pub type BinaryCrossEntropyWithLogits<'a, T> = Pointwise<'a, T, Logistic>;

/// [`BinaryCrossEntropyWithLogits`] with weights of the positive class, see [`WeightedLogistic`].
pub type WeightedBinaryCrossEntropyWithLogits<'a, T> = Pointwise<'a, T, WeightedLogistic<'a>>;

impl<'a, T: Real, F: Formula<T>> Pointwise<'a, T, F> {
    /// The loss of a formula against these targets.
    ///
    /// # Errors
    /// If the formula refuses a target.
    pub fn with(formula: F, targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Self> {
        targets.iter().try_for_each(|&target| formula.check_target(target))?;
        Ok(Pointwise { formula, targets, reduction })
    }

    /// What the sum over a sample's `len` elements is divided by.
    fn terms(&self, len: usize) -> usize {
        if self.formula.sums() { 1 } else { len.max(1) }
    }
}

impl<'a, T: Real> MeanSquaredError<'a, T> {
    /// The squared error against these targets.
    pub fn new(targets: &'a ArrayRefD<T>, reduction: Reduction) -> Self {
        Pointwise { formula: SquaredError, targets, reduction }
    }
}

impl<'a, T: Real> MeanAbsoluteError<'a, T> {
    /// The absolute error against these targets.
    pub fn new(targets: &'a ArrayRefD<T>, reduction: Reduction) -> Self {
        Pointwise { formula: AbsoluteError, targets, reduction }
    }
}

impl<'a, T: Real> Huber<'a, T> {
    /// Huber's loss against these targets.
    ///
    /// # Errors
    /// If `delta` is not a positive number.
    pub fn new(targets: &'a ArrayRefD<T>, reduction: Reduction, delta: f64) -> Result<Self> {
        Ok(Pointwise { formula: HuberError::new(delta)?, targets, reduction })
    }
}

impl<'a, T: Real> BinaryCrossEntropyWithLogits<'a, T> {
    /// The binary cross-entropy against these targets.
    ///
    /// # Errors
    /// If a target is not in `[0, 1]`.
    pub fn new(targets: &'a ArrayRefD<T>, reduction: Reduction) -> Result<Self> {
        Pointwise::with(Logistic, targets, reduction)
    }

    /// With weights of the positive class: one for all elements, or one for each element of a sample. A weight above 1 values recall
    /// above precision, or makes up for a class that is rare.
    ///
    /// # Errors
    /// If there is no weight, or one is negative or not finite.
    pub fn positive_weights(self, weights: &'a [f64]) -> Result<WeightedBinaryCrossEntropyWithLogits<'a, T>> {
        let Pointwise { targets, reduction, .. } = self;
        Ok(Pointwise { formula: WeightedLogistic::new(weights)?, targets, reduction })
    }
}

/// Samples, and elements of a sample.
fn sizes(shape: &[usize]) -> (usize, usize) {
    (shape.first().copied().unwrap_or(1), shape.iter().skip(1).product())
}

impl<T: Real, F: Formula<T>> Op<T> for Pointwise<'_, T, F> {
    fn name(&self) -> &'static str {
        self.formula.name()
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn, Error> {
        let [predictions] = arity(self.formula.name(), inputs)?;
        if predictions != self.targets.shape() {
            let expected = format!("predictions of the targets' shape {:?}", self.targets.shape());
            return Err(Error::shape(self.formula.name(), expected, predictions));
        }
        self.formula.check_sample(predictions, sizes(predictions).1)?;
        out_shape(self.formula.name(), self.reduction, predictions)
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<(), Error> {
        let (n_samples, len) = sizes(inputs[0].shape());
        let predictions = Dense::of(&inputs[0], cx.scratch);
        let targets = Dense::of(self.targets, cx.scratch);
        let mut losses = cx.scratch.take(n_samples);

        parallel::rows(cx.pool, &mut losses, 1, 1, 4 * predictions.len(), &|samples, losses| {
            vectorize!(|| {
                for (sample, loss) in samples.zip(losses) {
                    let at = sample * len..(sample + 1) * len;
                    let chunks = predictions[at.clone()].chunks(CHUNK).zip(targets[at].chunks(CHUNK));
                    let mut total = 0.0;
                    for (i, (predictions, targets)) in chunks.enumerate() {
                        // Values first, then their sum: each loop compiles to vector instructions by itself.
                        let mut values = [T::zero(); CHUNK];
                        for (j, ((value, &p), &t)) in values.iter_mut().zip(predictions).zip(targets).enumerate() {
                            *value = self.formula.value(i * CHUNK + j, p, t);
                        }
                        let values = &values[..predictions.len()];
                        let [sum] = sums(values, values, values, |value, _, _| [value]);
                        total += sum;
                    }
                    *loss = T::of(total / self.terms(len) as f64);
                }
            },);
        });

        reduce(self.reduction, &losses, n_samples as f64, slice_mut(out));
        cx.scratch.give(losses);
        predictions.release(cx.scratch);
        targets.release(cx.scratch);
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<(), Error> {
        let (n_samples, len) = sizes(at.inputs[0].shape());
        let predictions = Dense::of(&at.inputs[0], cx.scratch);
        let targets = Dense::of(self.targets, cx.scratch);
        let grad = slice(at.grad);
        let divisor = T::of(divisor(self.reduction, n_samples as f64) / self.terms(len) as f64);
        let each = T::one() / T::of_usize(self.terms(len));
        let (to_x, first) = target(&mut grads[0]);

        parallel::rows(cx.pool, to_x, len, 1, 4 * predictions.len(), &|samples, to_x| {
            vectorize!(|| {
                for (sample, to_x) in samples.zip(to_x.chunks_exact_mut(len.max(1))) {
                    let grad = match self.reduction {
                        Reduction::None => grad[sample] * each,
                        reduction => sample_grad(reduction, grad, sample, divisor),
                    };
                    let at = sample * len..(sample + 1) * len;
                    let pairs = predictions[at.clone()].iter().zip(&targets[at]);
                    for (j, (to_x, (&p, &t))) in to_x.iter_mut().zip(pairs).enumerate() {
                        let value = grad * flip!(self.formula.name(), self.formula.slope(j, p, t));
                        *to_x = if first { value } else { *to_x + value };
                    }
                }
            },);
        });
        predictions.release(cx.scratch);
        targets.release(cx.scratch);
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::INPUTS
    }
}
