//! Embeddings of words and other symbols.

use crate::build::at_least_one;
use gradwise_autograd::{Tape, Var};
use gradwise_core::{Key, Param, Real, Result};
use gradwise_derive::Params;
use gradwise_init::{Init, InitExt, Normal};
use gradwise_tensor::embedding;

/// A table with a row of numbers for each symbol.
///
/// Not a [`Module`](gradwise_autograd::Module), since its input is indices and not numbers: a model calls [`Embedding::lookup`] at its beginning. The
/// parameter is `weight` `[symbols, width]`, which begins normal with deviation 1, as PyTorch's.
///
/// ```
/// use gradwise_layers::{Embedding, Key, Mode, Tape, Workspace};
///
/// let table = Embedding::<f32>::new(100, 16, Key::new(1))?;
/// let (words, mut workspace) = ([3, 7, 7, 0], Workspace::new());
/// let mut tape = Tape::new(&mut workspace, Mode::evaluate());
/// let x = table.lookup(&mut tape, &words, &[2, 2])?;
/// assert_eq!(&*tape.shape(x)?, &[2, 2, 16]);
/// # Ok::<(), gradwise_layers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Params)]
pub struct Embedding<T> {
    weight: Param<T>,
    #[params(skip)]
    padding: Option<usize>,
}

impl<T: Real> Embedding<T> {
    /// A table for so many symbols.
    ///
    /// # Errors
    /// If there are no symbols or no features.
    pub fn new(symbols: usize, width: usize, key: Key) -> Result<Self> {
        Self::with_init(symbols, width, Normal::new(0.0, 1.0)?, key)
    }

    /// A table whose first rows an initializer draws, such as `Normal::new(0.0, 0.02)` for transformers.
    ///
    /// # Errors
    /// If there are no symbols or no features, or the scheme has no meaning for a matrix.
    pub fn with_init(symbols: usize, width: usize, init: impl Init<T>, key: Key) -> Result<Self> {
        let shape = [at_least_one("embedding: symbols", symbols)?, at_least_one("embedding: width", width)?];
        Ok(Embedding { weight: init.param(&shape, key)?, padding: None })
    }

    /// With a symbol whose row is 0 and is not learned: what fills short sequences.
    #[must_use]
    pub fn padding(mut self, symbol: usize) -> Self {
        if symbol < self.weight.value.shape()[0] {
            self.weight.value.index_axis_mut(ndarray::Axis(0), symbol).fill(T::zero());
        }
        self.padding = Some(symbol);
        self
    }

    /// The table.
    pub fn weight(&self) -> &Param<T> {
        &self.weight
    }

    /// The rows of symbols that are in an array of this shape, in standard order: `[shape…, width]`.
    ///
    /// # Errors
    /// If the shape is not that of so many symbols, or one is not in the table.
    pub fn lookup<'p>(&'p self, tape: &mut Tape<'p, T>, symbols: &'p [usize], shape: &'p [usize]) -> Result<Var> {
        tape.layer(&self.weight, "embedding", |tape| {
            let op = embedding::Embedding::new(symbols, shape)?;
            let op = self.padding.map_or(op, |symbol| op.padding(symbol));
            let weight = tape.param(&self.weight);
            tape.apply(op, &[weight])
        })
    }
}
