//! Views: nodes that are another node's values, seen differently.

use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Needs, Op, Real, Result, Saved, Slot, arity};
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
