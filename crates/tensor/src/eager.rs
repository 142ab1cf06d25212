//! Operations on plain arrays, without a tape: every [`Op`] as a pair of functions, in place or allocating.

use gradwise_core::{
    ArrayRefD, ArrayViewD, At, Cx, Error, Key, Op, Pool, Real, Result, Saved, Scratch, Serial, Slot, out_shape,
};
use ndarray::{ArrayD, Dimension};

/// Runs operations one at a time on arrays: what a hand-written network needs, and nothing else.
///
/// It keeps scratch memory between calls; in training mode and with a random key only where it is told so.
///
/// ```
/// use gradwise_tensor::{eager::Eager, pool::{MaxPool2d, Pool2dGeometry}};
/// use ndarray::{Array, ArrayD};
///
/// let pool = MaxPool2d::new(Pool2dGeometry::square(2)?);
/// let image: ArrayD<f32> = Array::linspace(0.0, 15.0, 16).into_shape_with_order(vec![1, 1, 4, 4]).unwrap();
///
/// let mut eager = Eager::default();
/// let (pooled, saved) = eager.forward(&pool, &[image.view()])?;
/// assert_eq!(pooled.as_slice(), Some(&[5.0, 7.0, 13.0, 15.0][..]));
///
/// let gradients = eager.backward(&pool, &[image.view()], &pooled, &saved, &ArrayD::ones(pooled.raw_dim()))?;
/// assert_eq!(gradients[0].sum(), 4.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub struct Eager<'p, T> {
    scratch: Scratch<T>,
    pool: &'p dyn Pool,
    training: bool,
    key: Key,
}

impl<T> std::fmt::Debug for Eager<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Eager")
            .field("threads", &self.pool.threads())
            .field("training", &self.training)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl<T: Real> Default for Eager<'static, T> {
    /// One thread, evaluation mode, the key of seed 0.
    fn default() -> Self {
        Eager::new(&Serial)
    }
}

impl<'p, T: Real> Eager<'p, T> {
    /// With the threads of a pool, in evaluation mode and with the key of seed 0.
    pub fn new(pool: &'p dyn Pool) -> Self {
        Eager { scratch: Scratch::default(), pool, training: false, key: Key::new(0) }
    }

    /// In training mode, or not.
    #[must_use]
    pub fn training(self, training: bool) -> Self {
        Eager { training, ..self }
    }

    /// With this random key. An operation that draws, such as dropout, needs another one at each call.
    #[must_use]
    pub fn key(self, key: Key) -> Self {
        Eager { key, ..self }
    }

    fn cx(&mut self) -> Cx<'_, T> {
        Cx { scratch: &mut self.scratch, pool: self.pool, training: self.training, key: self.key, first_sample: 0 }
    }

    /// The output of an operation, and what it saved for [`Eager::backward`].
    ///
    /// # Errors
    /// If the operation refuses the inputs.
    pub fn forward(&mut self, op: &dyn Op<T>, inputs: &[ArrayViewD<'_, T>]) -> Result<(ArrayD<T>, Saved<T>)> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.shape()).collect();
        let mut out = ArrayD::zeros(out_shape(op, &shapes)?);
        let saved = self.forward_into(op, inputs, &mut out)?;
        Ok((out, saved))
    }

    /// As [`Eager::forward`], into an array of the output's shape in standard layout, whose content does not matter.
    ///
    /// # Errors
    /// If the operation refuses the inputs, or the output has another shape or layout.
    pub fn forward_into(
        &mut self,
        op: &dyn Op<T>,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
    ) -> Result<Saved<T>> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.shape()).collect();
        check(op.name(), op.out_shape(&shapes)?.slice(), out)?;
        let mut saved = Saved::default();
        op.forward(inputs, out, &mut saved, &mut self.cx())?;
        Ok(saved)
    }

    /// The gradient of each input, given the output, what was saved, and the output's gradient.
    ///
    /// # Errors
    /// If the arrays do not fit the operation.
    pub fn backward(
        &mut self,
        op: &dyn Op<T>,
        inputs: &[ArrayViewD<'_, T>],
        output: &ArrayRefD<T>,
        saved: &Saved<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<Vec<ArrayD<T>>> {
        let mut grads: Vec<_> = inputs.iter().map(|input| ArrayD::zeros(input.raw_dim())).collect();
        let mut slots: Vec<_> = grads.iter_mut().map(|grad| Some(Slot { grad, first: true })).collect();
        self.backward_into(op, inputs, output, saved, grad, &mut slots)?;
        drop(slots);
        Ok(grads)
    }

    /// As [`Eager::backward`], into slots: those that are `None` are not computed, those that are not first are added to.
    ///
    /// # Errors
    /// If the arrays do not fit the operation.
    pub fn backward_into(
        &mut self,
        op: &dyn Op<T>,
        inputs: &[ArrayViewD<'_, T>],
        output: &ArrayRefD<T>,
        saved: &Saved<T>,
        grad: &ArrayRefD<T>,
        slots: &mut [Option<Slot<'_, T>>],
    ) -> Result<()> {
        let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.shape()).collect();
        let shape = op.out_shape(&shapes)?;
        check(op.name(), shape.slice(), output)?;
        check(op.name(), shape.slice(), grad)?;
        if slots.len() != inputs.len() {
            return Err(Error::Arity { op: op.name(), expected: inputs.len(), got: slots.len() });
        }
        for (slot, input) in slots.iter().zip(inputs) {
            if let Some(slot) = slot {
                check(op.name(), input.shape(), slot.grad)?;
            }
        }
        op.backward(At { inputs, output, grad, saved }, slots, &mut self.cx())
    }
}

/// Refuses an array of another shape, or not in standard layout.
fn check<T: Real>(op: &'static str, expected: &[usize], array: &ArrayRefD<T>) -> Result<()> {
    if array.shape() != expected {
        return Err(Error::shape(op, format!("{expected:?}"), array.shape()));
    }
    if array.as_slice().is_none() {
        return Err(Error::shape(op, "an array in standard layout", array.shape()));
    }
    Ok(())
}
