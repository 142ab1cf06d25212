//! Views: nodes that are another node's values, seen differently.

use crate::node::{Source, value};
use crate::{Tape, Var};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Op, Real, Result, Saved, Slot, arity, check_size};
use ndarray::{ArrayViewMutD, Axis, IntoDimension, IxDyn, Slice};
use smallvec::SmallVec;
use std::ops::Range;

/// How a node sees the values of another.
#[derive(Clone, Debug)]
pub(crate) enum View {
    /// The same elements in the same order under another shape; of nodes in standard layout only.
    Reshape(IxDyn),
    /// The axes in another order: axis `i` of the view is axis `order[i]` of what is viewed.
    Permute(SmallVec<[usize; 6]>),
    /// Elements `range` of an axis.
    Slice(Axis, Range<usize>),
}

impl View {
    pub(crate) fn of<'a, T: Real>(&self, x: ArrayViewD<'a, T>) -> ArrayViewD<'a, T> {
        match self {
            // Checked when the node was made; a reshape is only recorded for values in standard layout.
            View::Reshape(shape) => {
                x.into_shape_with_order(shape.clone()).unwrap_or_else(|_| unreachable!("checked when recorded"))
            }
            View::Permute(order) => x.permuted_axes(IxDyn(order)),
            View::Slice(axis, range) => {
                let mut x = x;
                x.slice_axis_inplace(*axis, Slice::from(range.start as isize..range.end as isize));
                x
            }
        }
    }

    pub(crate) fn of_mut<'a, T: Real>(&self, x: ArrayViewMutD<'a, T>) -> ArrayViewMutD<'a, T> {
        match self {
            View::Reshape(shape) => {
                x.into_shape_with_order(shape.clone()).unwrap_or_else(|_| unreachable!("checked when recorded"))
            }
            View::Permute(order) => x.permuted_axes(IxDyn(order)),
            View::Slice(axis, range) => {
                let mut x = x;
                x.slice_axis_inplace(*axis, Slice::from(range.start as isize..range.end as isize));
                x
            }
        }
    }

    /// The shape under which an array of this shape is seen.
    pub(crate) fn shape(&self, of: &IxDyn) -> IxDyn {
        match self {
            View::Reshape(shape) => shape.clone(),
            View::Permute(order) => {
                order.iter().map(|&axis| of[axis]).collect::<SmallVec<[usize; 6]>>().as_slice().into_dimension()
            }
            View::Slice(axis, range) => {
                let mut shape = of.clone();
                shape[axis.index()] = range.len();
                shape
            }
        }
    }

    /// Whether every element of what is viewed is seen.
    pub(crate) fn covers(&self) -> bool {
        !matches!(self, View::Slice(..))
    }
}

impl<T: Real> Tape<'_, T> {
    fn view(&mut self, of: u32, view: View) -> Var {
        let requires_grad = self.nodes[of as usize].requires_grad;
        self.push(Source::View { of, view }, requires_grad, false)
    }

    /// The same elements under another shape; without a copy unless the variable is a transposed or sliced view.
    ///
    /// # Errors
    /// If the shapes do not hold the same number of elements.
    pub fn reshape(&mut self, x: Var, shape: &[usize]) -> Result<Var> {
        let node = self.node("reshape", x)?;
        let from = value(&self.nodes, node);
        let n = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if n != Some(from.len()) {
            let expected = format!("as many elements as {shape:?} has");
            return Err(self.error(Error::shape("reshape", expected, from.shape())));
        }
        check_size::<T>("reshape", shape).map_err(|error| self.error(error))?;
        if from.is_standard_layout() {
            return Ok(self.view(node, View::Reshape(IxDyn(shape))));
        }
        let copy = self.apply(Copied, &[x])?;
        Ok(self.view(copy.node, View::Reshape(IxDyn(shape))))
    }

    /// The axes in another order, without a copy: axis `i` of the result is axis `order[i]` of `x`.
    ///
    /// # Errors
    /// If `order` does not name every axis of `x` once.
    pub fn permute(&mut self, x: Var, order: &[usize]) -> Result<Var> {
        let node = self.node("permute", x)?;
        let from = value(&self.nodes, node);
        let once = |axis| order.iter().filter(|&&a| a == axis).count() == 1;
        if order.len() != from.ndim() || !(0..from.ndim()).all(once) {
            let expected = format!("an array whose axes are {order:?}, each once");
            return Err(self.error(Error::shape("permute", expected, from.shape())));
        }
        Ok(self.view(node, View::Permute(order.iter().copied().collect())))
    }

    /// The axes in reverse order: the transpose of a matrix. Without a copy.
    ///
    /// # Errors
    /// [`Error::ForeignVar`] for a variable of another tape.
    pub fn transpose(&mut self, x: Var) -> Result<Var> {
        let node = self.node("transpose", x)?;
        let order: SmallVec<[usize; 6]> = (0..value(&self.nodes, node).ndim()).rev().collect();
        Ok(self.view(node, View::Permute(order)))
    }

    /// Elements `range` of one axis, without a copy.
    ///
    /// # Errors
    /// If the axis or the range is not within the array.
    pub fn slice(&mut self, x: Var, axis: usize, range: Range<usize>) -> Result<Var> {
        let node = self.node("slice", x)?;
        let from = value(&self.nodes, node);
        if axis >= from.ndim() || range.start > range.end || range.end > from.shape()[axis] {
            let expected = format!("at least {} elements on axis {axis}", range.end.max(range.start));
            return Err(self.error(Error::shape("slice", expected, from.shape())));
        }
        Ok(self.view(node, View::Slice(Axis(axis), range)))
    }
}

/// A copy in standard layout: what a reshape of a transposed or sliced variable needs.
pub(crate) struct Copied;

impl<T: Real> Op<T> for Copied {
    fn name(&self) -> &'static str {
        "copy"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("copy", inputs)?;
        Ok(IxDyn(x))
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        out.assign(&inputs[0]);
        Ok(())
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        if let Some(slot) = &mut grads[0] {
            slot.add(at.grad);
        }
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
