//! A layer that gradwise does not have: written, checked in one line, and trained like ours.

use gradwise_layers::{Key, Linear, Module, Params, Real, Result, Tape, TapeExt, Var, check};
use ndarray::array;

/// A gated linear unit: `(x Aᵀ + a) ⊙ σ(x Bᵀ + b)`.
#[derive(Params)]
struct Gated<T> {
    value: Linear<T>,
    gate: Linear<T>,
}

impl<T: Real> Gated<T> {
    fn new(inputs: usize, outputs: usize, key: Key) -> Result<Self> {
        let part = |n| Linear::new(inputs, outputs, key.with(n));
        Ok(Gated { value: part(0)?, gate: part(1)? })
    }
}

impl<T: Real> Module<T> for Gated<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        let value = self.value.forward(tape, x)?;
        let gate = self.gate.forward(tape, x)?;
        let gate = tape.sigmoid(gate)?;
        tape.mul(value, gate)
    }
}

fn main() -> Result<(), check::Failure> {
    let x = array![[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]].into_dyn();
    let report = check::module(&mut Gated::new(3, 2, Key::new(1))?, &x)?;
    println!("{} derivatives agree with central differences", report.compared);
    Ok(())
}

#[cfg(test)]
mod tests;
