//! Operations whose result is a view of the input, copied into standard layout.

use super::{check_axis, only, only_slot};
use crate::broadcast::{fits, sum_to};
use crate::dense::{Dense, copy};
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, arity};
use ndarray::{ArrayView, Axis, IxDyn};

/// The same elements in standard order, in another shape of the same size.
///
/// ```
/// use gradwise_tensor::{Reshape, eager::Eager};
/// use ndarray::{arr1, arr2};
///
/// let x = arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).into_dyn();
/// let (y, _) = Eager::default().forward(&Reshape::new(&[6]), &[x.view()])?;
/// assert_eq!(y, arr1(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reshape {
    /// The shape of the output.
    pub shape: Vec<usize>,
}

impl Reshape {
    /// To this shape.
    pub fn new(shape: &[usize]) -> Self {
        Reshape { shape: shape.to_vec() }
    }
}

crate::once::compiled_once!(Reshape);

impl<T: Real> crate::once::OpKernel<T> for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("reshape", inputs)?;
        let size = |shape: &[usize]| shape.iter().try_fold(1_usize, |n, &len| n.checked_mul(len));
        if size(x) != size(&self.shape) {
            return Err(Error::shape("reshape", format!("as many elements as shape {:?} has", self.shape), x));
        }
        Ok(IxDyn(&self.shape))
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        let x = only("reshape", inputs)?;
        if let Ok(mut out) = out.view_mut().into_shape_with_order(x.raw_dim()) {
            copy(x.view(), out.view_mut());
            return Ok(());
        }
        Err(Error::shape("reshape", format!("an output of as many elements as {:?} has", x.shape()), out.shape()))
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        let Some(slot) = only_slot(grads) else { return Ok(()) };
        let grad = Dense::of(at.grad, cx.scratch);
        let reshaped = ArrayView::from_shape(slot.grad.raw_dim(), &grad).map_err(|_| {
            Error::shape("reshape", format!("as many elements as {:?} has", slot.grad.shape()), at.grad.shape())
        })?;
        slot.add(&reshaped);
        grad.release(cx.scratch);
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}

/// The axes in another order: axis `i` of the output is axis `axes[i]` of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permute {
    axes: Vec<usize>,
}

impl Permute {
    /// By a permutation of `0..axes.len()`.
    ///
    /// # Errors
    /// [`Error::Index`] for an axis that is too large, [`Error::Value`] for one named twice.
    pub fn new(axes: &[usize]) -> Result<Self> {
        for (position, &axis) in axes.iter().enumerate() {
            check_axis("permute", axis, axes.len(), position)?;
            if axes[..position].contains(&axis) {
                return Err(Error::value("permute: axes", "each axis once", format_args!("{axes:?}")));
            }
        }
        Ok(Permute { axes: axes.to_vec() })
    }

    /// The axes of the input, in the output's order.
    pub fn axes(&self) -> &[usize] {
        &self.axes
    }
}

crate::once::compiled_once!(Permute);

impl<T: Real> crate::once::OpKernel<T> for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("permute", inputs)?;
        if x.len() != self.axes.len() {
            return Err(Error::shape("permute", format!("{} axes", self.axes.len()), x));
        }
        let mut out = IxDyn(x);
        self.axes.iter().enumerate().for_each(|(i, &axis)| out[i] = x[axis]);
        Ok(out)
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        let x = only("permute", inputs)?;
        copy(x.view().permuted_axes(&self.axes[..]), out.view_mut());
        Ok(())
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        let Some(slot) = only_slot(grads) else { return Ok(()) };
        let mut inverse = IxDyn::zeros(self.axes.len());
        self.axes.iter().enumerate().for_each(|(i, &axis)| inverse[axis] = i);
        slot.add(&at.grad.view().permuted_axes(inverse));
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}

/// The elements in reversed order along some axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flip {
    /// The axes to reverse; one that is named twice is back in order.
    pub axes: Vec<usize>,
}

impl Flip {
    /// Along these axes.
    pub fn new(axes: &[usize]) -> Self {
        Flip { axes: axes.to_vec() }
    }

    fn view<'a, T>(&self, x: &'a ArrayRefD<T>) -> ArrayViewD<'a, T> {
        let mut view = x.view();
        self.axes.iter().for_each(|&axis| view.invert_axis(Axis(axis)));
        view
    }
}

crate::once::compiled_once!(Flip);

impl<T: Real> crate::once::OpKernel<T> for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("flip", inputs)?;
        for (position, &axis) in self.axes.iter().enumerate() {
            check_axis("flip", axis, x.len(), position)?;
        }
        Ok(IxDyn(x))
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        copy(self.view(only("flip", inputs)?), out.view_mut());
        Ok(())
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        if let Some(slot) = only_slot(grads) {
            slot.add(&self.view(at.grad));
        }
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}

/// The input repeated along its axes of length 1, and along new leading axes, to a shape it broadcasts to.
///
/// Backward sums over the repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastTo {
    /// The shape of the output.
    pub shape: Vec<usize>,
}

impl BroadcastTo {
    /// To this shape.
    pub fn new(shape: &[usize]) -> Self {
        BroadcastTo { shape: shape.to_vec() }
    }
}

crate::once::compiled_once!(BroadcastTo);

impl<T: Real> crate::once::OpKernel<T> for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("broadcast_to", inputs)?;
        if !fits(x, &self.shape) {
            return Err(Error::shape("broadcast_to", format!("a shape that broadcasts to {:?}", self.shape), x));
        }
        Ok(IxDyn(&self.shape))
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        let x = only("broadcast_to", inputs)?;
        let Some(x) = x.broadcast(out.raw_dim()) else {
            return Err(Error::shape(
                "broadcast_to",
                format!("a shape that broadcasts to {:?}", out.shape()),
                x.shape(),
            ));
        };
        copy(x, out.view_mut());
        Ok(())
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], cx: &mut Cx<'_, T>) -> Result<()> {
        only_slot(grads).map_or(Ok(()), |slot| sum_to("broadcast_to", at.grad, slot, cx))
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
