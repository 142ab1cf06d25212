//! A loop of its own, with gradients written by hand: logistic regression. Only the optimizer is gradwise's.

use gradwise_optim::{AdamW, Cosine, Grads, Optimizer, Param, Result};
use ndarray::{Array1, Array2, Axis, Ix1};

/// Points on a grid, and on which side of the line `2 x − y = 0.5` each lies.
fn data() -> (Array2<f64>, Array1<f64>) {
    let x =
        Array2::from_shape_fn((400, 2), |(i, j)| if j == 0 { (i / 20) as f64 } else { (i % 20) as f64 } / 10.0 - 1.0);
    let y = x.map_axis(Axis(1), |p| if 2.0 * p[0] - p[1] > 0.5 { 1.0 } else { 0.0 });
    (x, y)
}

fn main() -> Result<()> {
    let (x, y) = data();
    let mut params = vec![Param::new(Array1::<f64>::zeros(2)), Param::new(Array1::<f64>::zeros(1))];
    let mut optimizer = Optimizer::new(AdamW::default(), Cosine::new(0.5, 200)?);
    let predict = |params: &[Param<f64>]| {
        let weight = params[0].value.view().into_dimensionality::<Ix1>().expect("one weight a column");
        (x.dot(&weight) + params[1].value[[0]]).mapv(|z| 1.0 / (1.0 + (-z).exp()))
    };
    for _ in 0..200 {
        // ∂loss/∂z of the mean cross-entropy, and from it the gradients of weight and bias.
        let error = (predict(&params) - &y) / y.len() as f64;
        let gradients = vec![Some(x.t().dot(&error).into_dyn()), Some(Array1::from_elem(1, error.sum()).into_dyn())];
        let mut grads = Grads::from_arrays(&params, gradients);
        optimizer.apply(&mut params, &mut grads)?;
    }
    let correct = predict(&params).iter().zip(&y).filter(|(p, y)| (**p > 0.5) == (**y > 0.5)).count();
    println!("{correct} of {} points on the right side", y.len());
    assert!(correct >= 390, "the line was not found");
    Ok(())
}
