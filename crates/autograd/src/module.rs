//! Layers and models.

use crate::{Affine, Mode, Tape, Var, Workspace};
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

    /// Makes a trained model simpler for evaluation, in place: batch norms go into the convolutions and linear layers beside them. The
    /// outputs in evaluation are the same but for rounding; the parameters are fewer and others, and the model can no longer be trained
    /// where it was folded. What cannot be folded stays as it is.
    ///
    /// A container asks its parts to fold themselves, and then neighbours to fold into each other: see [`fold_pair`](crate::fold_pair).
    fn fold(&mut self) {}

    /// What the module does in evaluation, if that is no more than to scale and shift channels.
    fn as_affine(&self) -> Option<Affine> {
        None
    }

    /// Takes over what follows its output, if it can: a layer scales its weights and shifts its bias. Returns whether it did.
    fn absorb_next(&mut self, next: &Affine) -> bool {
        let _ = next;
        false
    }

    /// Takes over what precedes its input, which has no rectifier, if it can. Returns whether it did.
    fn absorb_previous(&mut self, previous: &Affine) -> bool {
        let _ = previous;
        false
    }

    /// Called on what gave an [`Affine`], when a neighbour has taken that over: from now on it is the identity, and has no parameters.
    fn dissolve(&mut self) {}
}

macro_rules! forward_module {
    ($($name:ty),*) => {$(
        impl<T: Real, In, Out, M: Module<T, In, Out> + ?Sized> Module<T, In, Out> for $name {
            fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: In) -> Result<Out> {
                (**self).forward(tape, x)
            }
            fn fold(&mut self) {
                (**self).fold();
            }
            fn as_affine(&self) -> Option<Affine> {
                (**self).as_affine()
            }
            fn absorb_next(&mut self, next: &Affine) -> bool {
                (**self).absorb_next(next)
            }
            fn absorb_previous(&mut self, previous: &Affine) -> bool {
                (**self).absorb_previous(previous)
            }
            fn dissolve(&mut self) {
                (**self).dissolve();
            }
        }
    )*};
}
forward_module!(Box<M>, &mut M);

/// The output of a model in evaluation mode. At most two activations are in memory at a time, if the model is a chain.
///
/// # Errors
/// If the input does not fit the model.
pub fn predict<T: Real, M: Module<T> + ?Sized>(
    model: &M,
    x: &ArrayRefD<T>,
    workspace: &mut Workspace<T>,
) -> Result<ArrayD<T>> {
    // Names of layers are only needed in an error; without them a small model is done twice as fast.
    record(model, x, workspace, false).or_else(|_| record(model, x, workspace, true))
}

fn record<T: Real, M: Module<T> + ?Sized>(
    model: &M,
    x: &ArrayRefD<T>,
    workspace: &mut Workspace<T>,
    named: bool,
) -> Result<ArrayD<T>> {
    let mut tape = Tape::new(workspace, Mode::evaluate());
    if named {
        tape.watch(model);
    }
    let x = tape.input(x);
    let y = model.forward(&mut tape, x)?;
    Ok(tape.try_value(y)?.to_owned())
}

/// What follows from a forward pass; implemented for every module of one input and one output.
pub trait ModuleExt<T: Real>: Module<T> {
    /// The output in evaluation mode: [`predict`], as a method.
    ///
    /// # Errors
    /// If the input does not fit the model.
    fn predict(&self, x: &ArrayRefD<T>, workspace: &mut Workspace<T>) -> Result<ArrayD<T>> {
        predict(self, x, workspace)
    }

    /// The model, folded: see [`Module::fold`].
    #[must_use]
    fn folded(mut self) -> Self
    where
        Self: Sized,
    {
        self.fold();
        self
    }
}
impl<T: Real, M: Module<T> + ?Sized> ModuleExt<T> for M {}
