//! Losses of whole rows: of a sample's scores and its class, or of samples compared with each other.

use super::reduce::{divisor, out_shape, reduce, sample_grad};
use crate::dense::Dense;
use crate::parallel;
use crate::support::{slice, slice_mut, target, vectorize};
use gradwise_core::{
    ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Op, Real, Reduction, Result, Saved, Slot, arity, flip,
};
use ndarray::IxDyn;

/// The loss of a sample as a function of its rows in `N` inputs `[samples, features]`: all that distinguishes the losses that look at a row as a
/// whole. For those that are means over elements there is [`Formula`](super::Formula).
///
/// ```
/// use gradwise_core::{Real, Reduction};
/// use gradwise_tensor::{eager::Eager, loss::{RowFormula, Rowwise}};
/// use ndarray::arr2;
///
/// /// The largest score, to be made small.
/// struct Largest;
///
/// fn largest<T: Real>(row: &[T]) -> usize {
///     (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
/// }
///
/// impl<T: Real> RowFormula<T, 1> for Largest {
///     fn name(&self) -> &'static str { "largest" }
///     fn value(&self, _: usize, [row]: [&[T]; 1]) -> T { row[largest(row)] }
///     fn slopes(&self, _: usize, _: usize, [row]: [&[T]; 1], mut emit: impl FnMut(usize, T)) {
///         let best = largest(row);
///         (0..row.len()).for_each(|i| emit(i, if i == best { T::one() } else { T::zero() }));
///     }
/// }
///
/// let scores = arr2(&[[1.0, 3.0], [2.0, 0.0]]).into_dyn();
/// let (value, _) = Eager::default().forward(&Rowwise::with(Largest, Reduction::Mean), &[scores.view()])?;
/// assert_eq!(value[[]], 2.5);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub trait RowFormula<T: Real, const N: usize>: Send + Sync {
    /// The operation's name in errors and reports.
    fn name(&self) -> &'static str;

    /// Refuses inputs of `[samples, features]` that its targets do not fit. Anything is taken unless a formula says otherwise.
    ///
    /// # Errors
    /// If it refuses.
    fn check(&self, shape: &[usize]) -> Result<()> {
        let _ = shape;
        Ok(())
    }

    /// The loss of a sample.
    fn value(&self, sample: usize, rows: [&[T]; N]) -> T;

    /// Emits the derivative of [`RowFormula::value`] by each number of one input's row, each exactly once.
    fn slopes(&self, sample: usize, input: usize, rows: [&[T]; N], emit: impl FnMut(usize, T));
}

/// A loss by a [`RowFormula`].
///
/// - Inputs: `N` arrays `[samples, features]` of one shape. Output: `[]`, or `[samples]` for [`Reduction::None`].
/// - [`Reduction::Mean`] divides by the number of samples.
#[derive(Clone, Copy, Debug)]
pub struct Rowwise<F, const N: usize> {
    formula: F,
    reduction: Reduction,
}

impl<F, const N: usize> Rowwise<F, N> {
    /// The loss of a formula.
    pub fn with(formula: F, reduction: Reduction) -> Self {
        Rowwise { formula, reduction }
    }
}

/// How many additions a number of a row is worth, to decide whether threads pay.
const COST: usize = 8;

impl<T: Real, F: RowFormula<T, N>, const N: usize> Op<T> for Rowwise<F, N> {
    fn name(&self) -> &'static str {
        self.formula.name()
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let name = self.formula.name();
        let shapes: [&[usize]; N] = arity(name, inputs)?;
        for shape in shapes {
            if shape.len() != 2 {
                return Err(Error::shape(name, "[samples, features]", shape));
            }
            if shape != shapes[0] {
                return Err(Error::shape(name, format!("{:?}, as the first input", shapes[0]), shape));
            }
        }
        self.formula.check(shapes[0])?;
        out_shape(name, self.reduction, shapes[0])
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let (samples, features) = (inputs[0].shape()[0], inputs[0].shape()[1]);
        let dense: [Dense<'_, T>; N] = std::array::from_fn(|i| Dense::of(&inputs[i], cx.scratch));
        let rows = dense.each_ref().map(|dense| &**dense);
        let mut losses = cx.scratch.take(samples);
        let work = COST * N * samples * features;
        parallel::rows(cx.pool, &mut losses, 1, 1, work, &|range, losses| {
            vectorize!(|| {
                for (sample, loss) in range.zip(losses) {
                    *loss = self.formula.value(sample, rows.map(|x| &x[sample * features..][..features]));
                }
            });
        });
        reduce(self.reduction, &losses, samples as f64, slice_mut(out));
        cx.scratch.give(losses);
        dense.into_iter().for_each(|dense| dense.release(cx.scratch));
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let (samples, features) = (at.inputs[0].shape()[0], at.inputs[0].shape()[1]);
        let dense: [Dense<'_, T>; N] = std::array::from_fn(|i| Dense::of(&at.inputs[i], cx.scratch));
        let rows = dense.each_ref().map(|dense| &**dense);
        let (grad, divisor) = (slice(at.grad), T::of(divisor(self.reduction, samples as f64)));
        for (input, slot) in grads.iter_mut().enumerate() {
            let (to_x, first) = target(slot);
            let work = COST * N * to_x.len();
            parallel::rows(cx.pool, to_x, features, 1, work, &|range, to_x| {
                vectorize!(|| {
                    for (sample, to_x) in range.zip(to_x.chunks_exact_mut(features.max(1))) {
                        let grad = flip!(self.formula.name(), sample_grad(self.reduction, grad, sample, divisor));
                        let rows = rows.map(|x| &x[sample * features..][..features]);
                        self.formula.slopes(
                            sample,
                            input,
                            rows,
                            #[inline(always)]
                            |i, slope| to_x[i] = if first { grad * slope } else { to_x[i] + grad * slope },
                        );
                    }
                });
            });
        }
        dense.into_iter().for_each(|dense| dense.release(cx.scratch));
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::INPUTS
    }
}

/// Refuses scores of `[samples, classes]` that do not fit the samples' classes.
pub(super) fn check_classes(op: &'static str, classes: &[usize], shape: &[usize]) -> Result<()> {
    if classes.len() != shape[0] {
        return Err(Error::shape(op, format!("scores of {} samples, as the targets", classes.len()), shape));
    }
    match classes.iter().position(|&class| class >= shape[1]) {
        Some(position) => Err(Error::Index { op, index: classes[position], bound: shape[1], position }),
        None => Ok(()),
    }
}
