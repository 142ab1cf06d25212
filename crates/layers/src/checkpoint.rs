//! Less memory for more time.

use gradwise_autograd::{Affine, Module, Tape, Var};
use gradwise_core::{Param, Params, Path, Real, Result};

/// A module of which only the result is kept for the backward pass; what is within is computed again when that comes to it.
///
/// - It changes no result: loss, gradients, dropout's masks and running statistics are the same to the bit, and so are the paths of the
///   parameters, so that saved weights still fit.
/// - It costs one more forward pass of the module, about a third of its training time. In evaluation it costs nothing.
/// - It pays where activations fill the memory: deep nets, large images, large batches. Of a chain of `n` like layers, `√n` segments of `√n`
///   layers hold the least at a time, some `2 √n` layers' activations instead of `n`. A segment of a single product saves nothing, since
///   its input and its result are kept. [`Chain::checkpoint_every`](crate::Chain::checkpoint_every) wraps a whole chain.
/// - Checkpoints may be nested; what is within two of them is computed twice more.
///
/// Source: Chen, Xu, Zhang and Guestrin, *Training deep nets with sublinear memory cost*, 2016.
///
/// ```
/// use gradwise_layers::{Activation, Chain, Checkpoint, Key, Linear, ParamsExt};
///
/// let block = |key| {
///     let wide = Linear::<f32>::config(32, 512).activation(Activation::Relu);
///     Ok::<_, gradwise_layers::Error>(Checkpoint::new(Chain::seeded(key).then(wide).then(Linear::config(512, 32)).build()?))
/// };
/// let model = Chain::new().with(block(Key::new(1))?).with(block(Key::new(2))?).with(Linear::new(32, 10, Key::new(3))?);
/// assert_eq!(model.paths()[..2], ["0.0.weight", "0.0.bias"]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint<M>(M);

impl<M> Checkpoint<M> {
    /// Around this module.
    pub const fn new(module: M) -> Self {
        Checkpoint(module)
    }

    /// The module.
    pub const fn inner(&self) -> &M {
        &self.0
    }

    /// The module, without the wrapper.
    pub fn into_inner(self) -> M {
        self.0
    }
}

// By hand, so that the wrapper adds no name to the paths.
impl<T: Real, M: Params<T>> Params<T> for Checkpoint<M> {
    fn each<'a>(&'a self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &'a Param<T>)) {
        self.0.each(path, f);
    }

    fn each_mut(&mut self, path: Path<'_>, f: &mut dyn FnMut(Path<'_>, &mut Param<T>)) {
        self.0.each_mut(path, f);
    }
}

impl<T: Real, M: Module<T>> Module<T> for Checkpoint<M> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.checkpoint(|tape| self.0.forward(tape, x))
    }
    fn fold(&mut self) {
        self.0.fold();
    }
    fn as_affine(&self) -> Option<Affine> {
        self.0.as_affine()
    }
    fn absorb_next(&mut self, next: &Affine) -> bool {
        self.0.absorb_next(next)
    }
    fn absorb_previous(&mut self, previous: &Affine) -> bool {
        self.0.absorb_previous(previous)
    }
    fn dissolve(&mut self) {
        self.0.dissolve();
    }
}
