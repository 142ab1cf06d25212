//! Any function of the tape as a layer.

use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Real, Result};
use gradwise_derive::Params;

/// A layer without parameters, from a closure.
///
/// ```
/// use gradwise_layers::{Chain, Function, Identity, TapeExt};
///
/// // The sum of a signal and its absolute value.
/// let model = Chain::<f32>::new().with(Identity).with(Function::new(|tape, x| {
///     let y = tape.abs(x)?;
///     tape.add(x, y)
/// }));
/// # let _ = model;
/// ```
#[derive(Clone, Copy, Params)]
pub struct Function<F>(#[params(skip)] F);

impl<F> Function<F> {
    /// The layer that calls `f`.
    pub const fn new<T: Real>(f: F) -> Self
    where
        F: for<'p> Fn(&mut Tape<'p, T>, Var) -> Result<Var> + Send + Sync,
    {
        Function(f)
    }
}

impl<F> std::fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Function")
    }
}

impl<T: Real, F> Module<T> for Function<F>
where
    F: for<'p> Fn(&mut Tape<'p, T>, Var) -> Result<Var> + Send + Sync,
{
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        (self.0)(tape, x)
    }
}
