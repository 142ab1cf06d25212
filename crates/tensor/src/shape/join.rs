//! Several arrays as one.

use super::check_axis;
use crate::dense::Dense;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot};
use ndarray::IxDyn;

/// Any number of arrays, at least one, one after the other along an axis. Their other axes have equal lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat {
    /// The axis, counted from 0.
    pub axis: usize,
}

/// Any number of arrays of one shape, at least one, along a new axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Where the new axis stands in the output.
    pub axis: usize,
}

crate::once::compiled_once!(Concat);

impl<T: Real> crate::once::OpKernel<T> for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let Some((first, others)) = inputs.split_first() else {
            return Err(Error::Arity { op: "concat", expected: 1, got: 0 });
        };
        check_axis("concat", self.axis, first.len(), 0)?;
        let mut out = IxDyn(first);
        for other in others {
            let fits = other.len() == first.len() && (0..first.len()).all(|a| a == self.axis || other[a] == first[a]);
            if !fits {
                return Err(Error::shape("concat", format!("{first:?} but for axis {}", self.axis), other));
            }
            out[self.axis] += other[self.axis];
        }
        Ok(out)
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        join(inputs, self.axis, out, cx);
        Ok(())
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        part(at, self.axis, grads, cx);
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}

crate::once::compiled_once!(Stack);

impl<T: Real> crate::once::OpKernel<T> for Stack {
    fn name(&self) -> &'static str {
        "stack"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let Some((first, others)) = inputs.split_first() else {
            return Err(Error::Arity { op: "stack", expected: 1, got: 0 });
        };
        check_axis("stack", self.axis, first.len() + 1, 0)?;
        if let Some(other) = others.iter().find(|other| *other != first) {
            return Err(Error::shape("stack", format!("{first:?}"), other));
        }
        let mut out = IxDyn::zeros(first.len() + 1);
        for axis in 0..=first.len() {
            out[axis] = match axis {
                axis if axis < self.axis => first[axis],
                axis if axis == self.axis => inputs.len(),
                axis => first[axis - 1],
            };
        }
        Ok(out)
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        cx: &mut Cx<'_, T>,
    ) -> Result<()> {
        join(inputs, self.axis, out, cx);
        Ok(())
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        part(at, self.axis, grads, cx);
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}

/// The output is a list of rows, one for each index before the axis, and every row is made of one chunk of each input.
fn n_rows(shape: &[usize], axis: usize) -> usize {
    shape[..axis].iter().product()
}

fn join<T: Real>(inputs: &[ArrayViewD<'_, T>], axis: usize, out: &mut ArrayRefD<T>, cx: &mut Cx<'_, T>) {
    let rows = n_rows(out.shape(), axis).max(1);
    let row = out.len() / rows;
    crate::dense::overwrite(out, cx.scratch, |out, scratch| {
        let mut start = 0;
        for x in inputs {
            let x = Dense::of(&**x, scratch);
            let chunk = x.len() / rows;
            if chunk > 0 {
                for (row, chunk) in out.chunks_exact_mut(row).zip(x.chunks_exact(chunk)) {
                    row[start..start + chunk.len()].copy_from_slice(chunk);
                }
            }
            start += chunk;
            x.release(scratch);
        }
    });
}

fn part<T: Real>(at: At<'_, T>, axis: usize, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) {
    let rows = n_rows(at.grad.shape(), axis).max(1);
    let row = at.grad.len() / rows;
    let grad = Dense::of(at.grad, cx.scratch);
    let mut start = 0;
    for (slot, x) in grads.iter_mut().zip(at.inputs) {
        let chunk = x.len() / rows;
        if let Some(slot) = slot
            && chunk > 0
        {
            let first = slot.first;
            for (row, out) in grad.chunks_exact(row).zip(slot.slice_mut().chunks_exact_mut(chunk)) {
                let from = &row[start..start + out.len()];
                if first {
                    out.copy_from_slice(from);
                } else {
                    out.iter_mut().zip(from).for_each(|(o, &g)| *o += g);
                }
            }
        }
        start += chunk;
    }
    grad.release(cx.scratch);
}
