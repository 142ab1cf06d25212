//! A tape records operations and runs them backwards.

use gradwise::prelude::*;
use ndarray::array;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Data are declared before the tape, which borrows them; a workspace holds the tape's memory and outlives it.
    let x = array![[0.5, -1.0], [2.0, 0.25]].into_dyn();
    let w = array![[1.0, 2.0], [-0.5, 0.3]].into_dyn();
    let mut workspace = Workspace::<f64>::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));

    // f = Σ tanh(x w) ⊙ xᵀ. Variables are small copyable indices; x is used twice, once through a transposed view.
    let (vx, vw) = (tape.variable(&x), tape.variable(&w));
    let y = tape.matmul(vx, vw)?;
    let y = tape.tanh(y)?;
    let xt = tape.transpose(vx)?;
    let product = tape.mul(y, xt)?;
    let f = tape.sum(product, gradwise::tensor::Axes::All)?;
    println!("f = {:.6}", tape.value(f));

    tape.backward(f)?;
    println!("∂f/∂x =\n{:.4}", tape.grad(vx).expect("x is a variable"));
    println!("∂f/∂w =\n{:.4}", tape.grad(vw).expect("w is a variable"));
    drop(tape);

    // Are they right? Central differences say so, for every entry and along random directions.
    let report = check::function(&[x, w], |tape, vars| {
        let y = tape.matmul(vars[0], vars[1])?;
        let y = tape.tanh(y)?;
        let xt = tape.transpose(vars[0])?;
        tape.mul(y, xt)
    })?;
    println!("{} derivatives checked, the worst is off by {:.1e} beyond rounding", report.compared, report.worst);
    Ok(())
}
