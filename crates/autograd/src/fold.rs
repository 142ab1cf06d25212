//! Folding: a trained model, made simpler for evaluation.

use crate::Module;
use gradwise_core::Real;

/// What a layer does in evaluation, if that is to scale and shift each channel: `y = scale · x + shift`, and then `max(y, 0)` if `relu`.
///
/// Channels are axis 1. The numbers are `f64`, so that folding rounds once.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// A factor for each channel.
    pub scale: Vec<f64>,
    /// A term for each channel.
    pub shift: Vec<f64>,
    /// Whether a rectifier follows.
    pub relu: bool,
}

/// Which of two neighbours [`fold_pair`] made superfluous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// The first one: the second does its work.
    First,
    /// The second one: the first does its work.
    Second,
}

/// Folds two modules that are always applied one after the other, and the first's output nowhere else: a batch norm goes into the
/// convolution or the linear layer on either side of it. `None` if neither can be folded into the other; both are as before then.
///
/// A module of your own calls it in its [`Module::fold`], since only it knows in which order it applies its parts; that makes it foldable.
pub fn fold_pair<T: Real, A: Module<T> + ?Sized, B: Module<T> + ?Sized>(
    first: &mut A,
    second: &mut B,
) -> Option<Folded> {
    if let Some(map) = second.as_affine()
        && first.absorb_next(&map)
    {
        second.dissolve();
        return Some(Folded::Second);
    }
    let map = first.as_affine().filter(|map| !map.relu)?;
    second.absorb_previous(&map).then(|| {
        first.dissolve();
        Folded::First
    })
}
