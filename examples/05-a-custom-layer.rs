//! A layer made of operations there are: the derive finds its parameters, and only `forward` is left to write.

use gradwise::prelude::*;
use ndarray::array;

/// A highway layer (Srivastava, Greff and Schmidhuber 2015): `y = t ⊙ tanh(x Aᵀ + a) + (1 − t) ⊙ x` with a gate
/// `t = σ(x Bᵀ + b)`, so that a deep stack can begin as the identity.
#[derive(Params)]
struct Highway<T> {
    body: Linear<T>,
    gate: Linear<T>,
}

impl<T: Real> Highway<T> {
    fn new(size: usize, key: Key) -> gradwise::core::Result<Self> {
        let part = |name| Linear::new(size, size, key.with_str(name));
        Ok(Highway { body: part("body")?, gate: part("gate")? })
    }
}

impl<T: Real> Module<T> for Highway<T> {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> gradwise::core::Result<Var> {
        let body = self.body.forward(tape, x)?;
        let body = tape.tanh(body)?;
        let gate = self.gate.forward(tape, x)?;
        let gate = tape.sigmoid(gate)?;
        // x + t ⊙ (body − x)
        let change = tape.sub(body, x)?;
        let change = tape.mul(gate, change)?;
        tape.add(x, change)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The check, in one line: input and all parameters.
    let report =
        check::module(&mut Highway::new(3, Key::new(1))?, &array![[0.2, -1.0, 0.5], [1.5, 0.3, -0.7]].into_dyn())?;
    println!("{} derivatives checked, the worst is off by {:.1e} beyond rounding", report.compared, report.worst);

    // It is a layer like any other: in a chain, in a trainer, in an error.
    let mut chain = Chain::<f64>::new();
    for i in 0..3 {
        chain = chain.with_named(&format!("highway{i}"), Highway::new(4, Key::new(i))?)?;
    }
    println!("parameters: {}", chain.paths().join(", "));
    let error = predict(&chain, &array![[1.0, 2.0]].into_dyn(), &mut Workspace::new()).unwrap_err();
    println!("a wrong input: {error}");
    assert!(error.to_string().starts_with("highway0.body"));
    Ok(())
}
