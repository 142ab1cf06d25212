//! Layers that only see their input differently.

use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Error, Real, Result};
use gradwise_derive::Params;

/// Each sample as one row of features: `[samples, …]` becomes `[samples, features]`, without a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Params)]
pub struct Flatten;

impl<T: Real> Module<T> for Flatten {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let shape = tape.shape(x)?;
        match &shape[..] {
            [] => Err(Error::shape("flatten", "[samples, …]", &[]).at(tape.path())),
            [_, _] => Ok(x),
            [samples, rest @ ..] => tape.reshape(x, &[*samples, rest.iter().product()]),
        }
    }
}

/// Each sample in another shape: `[samples, …]` becomes `[samples, shape…]`, without a copy.
#[derive(Clone, Debug, PartialEq, Eq, Params)]
pub struct Reshape {
    shape: Vec<usize>,
}

impl Reshape {
    /// Samples in this shape, the sample axis not counted.
    pub fn new(shape: &[usize]) -> Self {
        Reshape { shape: shape.to_vec() }
    }
}

impl<T: Real> Module<T> for Reshape {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let mut shape = tape.shape(x)?;
        if shape.is_empty() {
            return Err(Error::shape("reshape", "[samples, …]", &[]).at(tape.path()));
        }
        shape.truncate(1);
        shape.extend_from_slice(&self.shape);
        tape.reshape(x, &shape)
    }
}
