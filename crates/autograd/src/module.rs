//! Layers and models.

use crate::{Mode, Tape, Var, Workspace};
use gradwise_core::{ArrayRefD, Params, Real, Result};
use ndarray::ArrayD;

/// A function with parameters, on a tape: a layer, a block, a model.
///
/// `In` and `Out` are one [`Var`] for most layers; a recurrent cell takes and returns `(Var, Var)`.
///
/// # Contract
/// - `forward` records operations on the tape and returns their result. It keeps nothing itself: running statistics are emitted with
///   [`Tape::update`], randomness comes from the operations' keys, training or evaluation is the tape's mode.
/// - It may be called several times on one tape; parameters are then shared.
///
/// A custom layer derives `Params` and writes only `forward`:
///
/// ```
/// use gradwise_autograd::{Module, Param, Params, Real, Result, Tape, Var};
/// # use gradwise_autograd::Path;
/// # struct AddOp;
/// # impl<T: Real> gradwise_core::Op<T> for AddOp {
/// #     fn name(&self) -> &'static str { "add" }
/// #     fn out_shape(&self, i: &[&[usize]]) -> Result<ndarray::IxDyn> { Ok(ndarray::IxDyn(i[0])) }
/// #     fn forward(&self, i: &[gradwise_core::ArrayViewD<'_, T>], o: &mut gradwise_core::ArrayRefD<T>, _: &mut gradwise_core::Saved<T>, _: &mut gradwise_core::Cx<'_, T>) -> Result<()> { o.assign(&(&i[0] + &i[1])); Ok(()) }
/// #     fn backward(&self, at: gradwise_core::At<'_, T>, g: &mut [Option<gradwise_core::Slot<'_, T>>], _: &mut gradwise_core::Cx<'_, T>) -> Result<()> { g.iter_mut().flatten().for_each(|s| s.add(at.grad)); Ok(()) }
/// # }
/// struct Shift<T> { by: Param<T> }
/// # impl<T: Real> Params<T> for Shift<T> {
/// #     fn each<'a>(&'a self, p: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) { self.by.each(p.field("by"), f) }
/// #     fn each_mut(&mut self, p: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) { self.by.each_mut(p.field("by"), f) }
/// # }
///
/// impl<T: Real> Module<T> for Shift<T> {
///     fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
///         let by = tape.param(&self.by);
///         tape.apply(AddOp, &[x, by])
///     }
/// }
/// ```
pub trait Module<T: Real, In = Var, Out = Var>: Params<T> + Send + Sync {
    /// Records the layer's operations and returns their result.
    ///
    /// # Errors
    /// If the input does not fit, with the path of the layer and the operation that found out.
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: In) -> Result<Out>;
}

impl<T: Real, In, Out, M: Module<T, In, Out> + ?Sized> Module<T, In, Out> for Box<M> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: In) -> Result<Out> {
        (**self).forward(tape, x)
    }
}

impl<T: Real, In, Out, M: Module<T, In, Out> + ?Sized> Module<T, In, Out> for &mut M {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: In) -> Result<Out> {
        (**self).forward(tape, x)
    }
}

/// The output of a model in evaluation mode.
///
/// # Errors
/// If the input does not fit the model.
pub fn predict<T: Real, M: Module<T> + ?Sized>(
    model: &M,
    x: &ArrayRefD<T>,
    workspace: &mut Workspace<T>,
) -> Result<ArrayD<T>> {
    let mut tape = Tape::new(workspace, Mode::evaluate());
    tape.watch(model);
    let x = tape.input(x);
    let y = model.forward(&mut tape, x)?;
    Ok(tape.value(y).to_owned())
}
