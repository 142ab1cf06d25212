//! What all reductions share: the trait, the operation and the kernels.

use super::{Axes, AxisSet};
use crate::dense::{Dense, overwrite};
use crate::elementwise::UNIT;
use crate::nest::Walk;
use crate::parallel;
use crate::support::vectorize;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Op, Pool, Real, Result, Saved, Scratch, Slot, arity};
use ndarray::{ArrayD, ArrayRef, Dimension, IxDyn};

/// A reduction of the elements along some axes; [`Reduce`] makes an [`Op`] of any.
pub trait Reduction<T: Real>: Send + Sync {
    /// The reduction's name in errors and readings.
    fn name(&self) -> &'static str;

    /// The axes to reduce.
    fn axes(&self) -> &Axes;

    /// Whether reduced axes stay, with length 1.
    fn keep(&self) -> bool;

    /// Refuses to reduce `n` numbers to one where that has no meaning.
    ///
    /// # Errors
    /// If it has none.
    fn check(&self, n: usize, shape: &[usize]) -> Result<()> {
        let _ = (n, shape);
        Ok(())
    }

    /// Reduces `x`, dense and of shape `shape`, along `axes` into `out`, which has no memory of its own: most are one or two
    /// [`fold`](super::fold)s.
    fn forward(&self, pool: &dyn Pool, x: &[T], shape: &[usize], axes: AxisSet, out: &mut [T]);

    /// Adds the gradient into the slot, mostly by [`spread`].
    fn backward(&self, at: Reduced<'_, T>, axes: AxisSet, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>);

    /// What `backward` reads of the forward pass.
    fn needs(&self) -> Needs;
}

impl<T: Real, R: Reduction<T> + ?Sized> Reduction<T> for &R {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn axes(&self) -> &Axes {
        (**self).axes()
    }
    fn keep(&self) -> bool {
        (**self).keep()
    }
    fn check(&self, n: usize, shape: &[usize]) -> Result<()> {
        (**self).check(n, shape)
    }
    fn forward(&self, pool: &dyn Pool, x: &[T], shape: &[usize], axes: AxisSet, out: &mut [T]) {
        (**self).forward(pool, x, shape, axes, out);
    }
    fn backward(&self, at: Reduced<'_, T>, axes: AxisSet, slot: &mut Slot<'_, T>, cx: &mut Cx<'_, T>) {
        (**self).backward(at, axes, slot, cx);
    }
    fn needs(&self) -> Needs {
        (**self).needs()
    }
}

/// What the backward pass of a reduction is given: dense slices, empty where [`Reduction::needs`] leaves them out.
#[derive(Clone, Copy, Debug)]
pub struct Reduced<'a, T> {
    /// The elements that were reduced.
    pub x: &'a [T],
    /// What they were reduced to.
    pub y: &'a [T],
    /// The gradient with respect to y.
    pub grad: &'a [T],
}

/// The operation of a [`Reduction`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reduce<R>(
    /// The reduction.
    pub R,
);

/// The shape of a reduction's output, and its axes, once both are checked.
fn plan<T: Real>(reduction: &impl Reduction<T>, shape: &[usize]) -> Result<(IxDyn, AxisSet)> {
    let axes = reduction.axes().of(reduction.name(), shape)?;
    let out = axes.reduced(shape, reduction.keep());
    if out.size() > 0 {
        reduction.check(axes.count(shape), shape)?;
    }
    Ok((out, axes))
}

/// `out ←` the reduction of `x`.
///
/// # Errors
/// If the reduction cannot take such a shape, or `out` has another shape than its result.
pub fn reduce_into<T: Real, R: Reduction<T>, A: Dimension, B: Dimension>(
    pool: &dyn Pool,
    reduction: &R,
    x: &ArrayRef<T, A>,
    out: &mut ArrayRef<T, B>,
) -> Result<()> {
    reduce_with(pool, &mut Scratch::default(), reduction, x, out)
}

/// The reduction of `x`, in a new array.
///
/// # Errors
/// If the reduction cannot take such a shape.
pub fn reduce<T: Real, R: Reduction<T>, D: Dimension>(
    pool: &dyn Pool,
    reduction: &R,
    x: &ArrayRef<T, D>,
) -> Result<ArrayD<T>> {
    let mut out = ArrayD::zeros(plan(reduction, x.shape())?.0);
    reduce_into(pool, reduction, x, &mut out)?;
    Ok(out)
}

fn reduce_with<T: Real, R: Reduction<T>, A: Dimension, B: Dimension>(
    pool: &dyn Pool,
    scratch: &mut Scratch<T>,
    reduction: &R,
    x: &ArrayRef<T, A>,
    out: &mut ArrayRef<T, B>,
) -> Result<()> {
    let (shape, axes) = plan(reduction, x.shape())?;
    if shape.slice() != out.shape() {
        return Err(Error::shape(reduction.name(), format!("an output of shape {:?}", shape.slice()), out.shape()));
    }
    let dense = Dense::of(x, scratch);
    overwrite(out, scratch, |out, _| reduction.forward(pool, &dense, x.shape(), axes, out));
    dense.release(scratch);
    Ok(())
}

impl<T: Real, R: Reduction<T>> Op<T> for Reduce<R> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity(self.0.name(), inputs)?;
        Ok(plan(&self.0, x)?.0)
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        let [x] = inputs else {
            return Err(Error::Arity { op: self.0.name(), expected: 1, got: inputs.len() });
        };
        reduce_with(cx.pool, cx.scratch, &self.0, x, out)
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let [Some(slot)] = grads else { return Ok(()) };
        let axes = self.0.axes().of(self.0.name(), slot.grad.shape())?;
        let needs = self.0.needs();
        let none = || Dense::Borrowed(&[][..]);
        let x = if needs.inputs { Dense::of(&*at.inputs[0], cx.scratch) } else { none() };
        let y = if needs.output { Dense::of(at.output, cx.scratch) } else { none() };
        let grad = Dense::of(at.grad, cx.scratch);
        self.0.backward(Reduced { x: &x, y: &y, grad: &grad }, axes, slot, cx);
        for dense in [x, y, grad] {
            dense.release(cx.scratch);
        }
        Ok(())
    }
    fn needs(&self) -> Needs {
        self.0.needs()
    }
}

/// The adjoint of a reduction: adds (or assigns) `f(p, x)` to each element of the slot, where `x` is the element of the input and
/// `p = params(o)` belongs to the output `o` that it was reduced to. A derivative that does not depend on `x` gets 0 for it, with an
/// empty slice of inputs.
pub fn spread<T: Real, P: Copy>(
    pool: &dyn Pool,
    slot: &mut Slot<'_, T>,
    axes: AxisSet,
    cost: usize,
    x: &[T],
    params: impl Fn(usize) -> P + Sync,
    f: impl Fn(P, T) -> T + Sync,
) {
    let kept = axes.reduced(slot.grad.shape(), true);
    let walk = Walk::new(slot.grad.shape(), [kept.slice()]);
    let (first, out) = (slot.first, slot.slice_mut());
    let work = out.len() * cost;
    parallel::rows(pool, out, 1, UNIT, work, &|range, part| {
        let x = if x.is_empty() { x } else { &x[range.clone()] };
        let write = |g: &mut T, value: T| *g = if first { value } else { *g + value };
        vectorize!(|| {
            walk.runs(
                range,
                #[inline(always)]
                |run, [at]| {
                    let grads = part[run.clone()].iter_mut();
                    match (walk.steps, x.get(run)) {
                        ([0], None) => {
                            let value = f(params(at), T::zero());
                            grads.for_each(|g| write(g, value));
                        }
                        ([0], Some(x)) => {
                            let p = params(at);
                            grads.zip(x).for_each(|(g, &x)| write(g, f(p, x)));
                        }
                        (_, None) => grads.enumerate().for_each(|(i, g)| write(g, f(params(at + i), T::zero()))),
                        (_, Some(x)) => {
                            grads.zip(x).enumerate().for_each(|(i, (g, &x))| write(g, f(params(at + i), x)));
                        }
                    }
                },
            );
        });
    });
}
