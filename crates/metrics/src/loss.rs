//! Any loss, measured.

use crate::Mean;
use crate::batch::Weights;
use gradwise_core::{
    ArrayRefD, Cx, Error, Key, Loss, Metric, Op, Real, Reduction, Result, Saved, Scratch, Serial, out_shape,
};
use ndarray::Dimension;

/// The mean of a [`Loss`] over samples: what training minimizes, on data that it does not train on.
///
/// It runs the loss's own operation, without a tape, and takes one loss a sample from it ([`Reduction::None`]), so that batches of
/// different sizes and weights come together rightly, the loss's own weights ([`Loss::weight`]) included. Where a sample has several
/// losses, as one a pixel, their mean is the sample's.
///
/// ```
/// # use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Loss, Op, Real, Reduction, Result, Saved, Slot, arity};
/// # use gradwise_core::ndarray::IxDyn;
/// # struct Gap<'a, T>(&'a ArrayRefD<T>);
/// # impl<T: Real> Op<T> for Gap<'_, T> {
/// #     fn name(&self) -> &'static str { "gap" }
/// #     fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> { Ok(IxDyn(arity::<_, 1>("gap", inputs)?[0])) }
/// #     fn forward(&self, i: &[ArrayViewD<'_, T>], o: &mut ArrayRefD<T>, _: &mut Saved<T>, _: &mut Cx<'_, T>) -> Result<()> {
/// #         o.assign(&(&i[0] - &self.0.view())); Ok(())
/// #     }
/// #     fn backward(&self, _: At<'_, T>, _: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> { Ok(()) }
/// # }
/// # struct Plain;
/// # impl<T: Real> Loss<T, ArrayRefD<T>> for Plain {
/// #     fn name(&self) -> &'static str { "plain" }
/// #     fn op<'a>(&'a self, y: &'a ArrayRefD<T>, _: Reduction) -> Result<Box<dyn Op<T> + 'a>> { Ok(Box::new(Gap(y))) }
/// # }
/// use gradwise_metrics::{MeanLoss, Metric};
/// use ndarray::array;
///
/// # let loss_of_mine = Plain;
/// let mut loss = MeanLoss::new(loss_of_mine, "validation_loss"); // here: prediction - target
/// loss.update(&array![3.0, 5.0].into_dyn(), &*array![1.0, 1.0].into_dyn(), None)?;
/// loss.update(&array![4.0].into_dyn(), &*array![1.0].into_dyn(), None)?;
/// assert_eq!(loss.value(), 3.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Debug)]
pub struct MeanLoss<T, L> {
    loss: L,
    mean: Mean,
    /// Memory for the losses of a batch, used again for the next one.
    scratch: Scratch<T>,
}

impl<T: Real, L> MeanLoss<T, L> {
    /// The mean of a loss, under a name.
    pub fn new(loss: L, name: impl Into<String>) -> Self {
        MeanLoss { loss, mean: Mean::named(name), scratch: Scratch::default() }
    }

    /// The mean loss so far; NaN before the first sample.
    pub fn value(&self) -> f64 {
        self.mean.value()
    }

    /// Its name in reports.
    pub fn name(&self) -> &str {
        self.mean.name()
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.mean.reset();
    }
}

impl<T: Real, Y: ?Sized, L: Loss<T, Y>> Metric<T, Y> for MeanLoss<T, L> {
    crate::batch::own_methods!();

    fn update(&mut self, predictions: &ArrayRefD<T>, targets: &Y, weights: Option<&[f64]>) -> Result<()> {
        let op = self.loss.op(targets, Reduction::None)?;
        let shape = out_shape(&op, &[predictions.shape()])?;
        let n = match (shape.slice().first(), predictions.shape().first()) {
            (Some(&n), Some(&samples)) if n == samples => n,
            // A loss of the user's may be one number whatever it is asked for; it cannot be weighted, and hides the batch's size.
            _ => return Err(Error::shape(op.name(), "one loss for each sample, without a reduction", shape.slice())),
        };
        let weights = Weights::new(op.name(), n, weights)?;
        let mut out = self.scratch.array(shape);
        let mut saved = Saved::default();
        let mut cx =
            Cx { scratch: &mut self.scratch, pool: &Serial, training: false, key: Key::new(0), first_sample: 0 };
        let done = op.forward(&[predictions.view()], &mut out, &mut saved, &mut cx);
        if done.is_ok() {
            for (i, losses) in out.outer_iter().enumerate() {
                let sum: f64 = losses.iter().map(|x| x.as_f64()).sum();
                // What the loss itself counts the sample for is a factor of it already; a sample that it leaves out counts nothing.
                let counts = self.loss.weight(targets, i);
                if counts != 0.0 {
                    self.mean.add(sum / losses.len() as f64 / counts, counts * weights.of(i));
                }
            }
        }
        saved.recycle(&mut self.scratch);
        self.scratch.give_array(out);
        done
    }
}
