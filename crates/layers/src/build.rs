//! Layers before their first weights are drawn.

use gradwise_autograd::Module;
use gradwise_core::{Error, Key, Real, Result};

/// What becomes a layer once it is given a key to draw its first weights with: a configuration, or a layer that is finished already.
///
/// `Kind` only tells the two apart ([`Configured`], [`Finished`]), so that [`ChainBuilder::then`](crate::ChainBuilder::then) takes both;
/// it is inferred. A configuration of your own implements `Build<T>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a layer nor the configuration of one",
    note = "a layer implements `Module<{T}>` (and is `Send + Sync`), a configuration `Build<{T}>`"
)]
pub trait Build<T: Real, Kind = Configured> {
    /// What it becomes.
    type Layer: Module<T>;

    /// Draws the first weights.
    ///
    /// # Errors
    /// If an option is out of its range, or the options contradict each other.
    fn build(self, key: Key) -> Result<Self::Layer>;
}

/// The kind of [`Build`] that configurations are.
#[derive(Debug)]
pub enum Configured {}

/// The kind of [`Build`] that layers are: nothing is left to draw.
#[derive(Debug)]
pub enum Finished {}

impl<T: Real, M: Module<T>> Build<T, Finished> for M {
    type Layer = M;

    fn build(self, _: Key) -> Result<M> {
        Ok(self)
    }
}

/// Makes a configuration, which has a `build` of its own, one that a chain takes.
macro_rules! configuration {
    ($config:ty => $layer:ty $(, for $($generics:tt)*)?) => {
        impl<T: gradwise_core::Real $(, $($generics)*)?> crate::Build<T> for $config {
            type Layer = $layer;

            fn build(self, key: gradwise_core::Key) -> gradwise_core::Result<$layer> {
                // The inherent method, which callers need no trait for.
                <$config>::build(self, key)
            }
        }
    };
}
pub(crate) use configuration;

/// Refuses a size of 0.
pub(crate) fn at_least_one(what: &'static str, n: usize) -> Result<usize> {
    if n == 0 { Err(Error::value(what, "at least 1", n)) } else { Ok(n) }
}
