//! Kernels on plain arrays: no tape, no layers, memory of your own.
//!
//! A kernel is a pair of functions, forward and backward, that write into arrays you hand them. Behind each pair there is one
//! operation, which the tape of the next program runs.

use gradwise::core::{Reduction, Scratch, Serial};
use gradwise::tensor::eager::Eager;
use gradwise::tensor::gemm::{Epilogue, Tools, gemm};
use gradwise::tensor::{Activation, Linear, SoftmaxCrossEntropy, Targets};
use ndarray::array;

fn main() -> Result<(), gradwise::core::Error> {
    // A matrix product in place: C ← A B. Packing memory is borrowed from a scratch that outlives the call.
    let (a, b) = (array![[1.0_f32, 2.0], [3.0, 4.0]], array![[0.5, -1.0], [0.25, 2.0]]);
    let mut c = ndarray::Array2::zeros((2, 2));
    let mut scratch = Scratch::default();
    gemm(Epilogue::assign(), a.view(), b.view(), &mut c, &mut Tools::new(&mut scratch, &Serial))?;
    println!("A B =\n{c}");
    assert_eq!(c, a.dot(&b));

    // A whole layer is one operation: relu(x Wᵀ + b). `Eager` runs operations without a tape and keeps what backward needs.
    let x = array![[1.0_f32, -2.0, 0.5]].into_dyn();
    let weight = array![[0.2_f32, -0.4, 1.0], [0.7, 0.1, -0.3]].into_dyn();
    let bias = array![0.1_f32, -0.9].into_dyn();
    let layer = Linear::new(Activation::Relu);
    let mut eager = Eager::default();
    let (y, _) = eager.forward(&layer, &[x.view(), weight.view(), bias.view()])?;
    println!("relu(x Wᵀ + b) = {y}");
    assert!((y[[0, 0]] - 1.6).abs() < 1e-6 && y[[0, 1]] == 0.0);

    // Softmax cross-entropy takes logits, and never overflows.
    let logits = array![[1e30_f32, 0.0, -1e30]].into_dyn();
    let loss = SoftmaxCrossEntropy::new(Targets::Classes(&[0]), Reduction::Mean);
    let (loss, _) = eager.forward(&loss, &[logits.view()])?;
    println!("cross-entropy of a very sure, right answer: {loss}");
    assert_eq!(loss[[]], 0.0);

    // What does not fit is an error that says so.
    let error = eager.forward(&layer, &[bias.view(), weight.view()]).unwrap_err();
    println!("a wrong input: {error}");
    Ok(())
}
