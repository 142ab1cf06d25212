//! A loop of your own with gradients written by hand; from gradwise only the optimizer, which needs no tape, no layers, no tensors.
//!
//! The function is Rosenbrock's valley, `f(x, y) = (1 − x)² + 100 (y − x²)²`, whose minimum is at (1, 1).

use gradwise::optim::{Adam, Clip, Cosine, Grads, LinearWarmup, Optimizer, Param, Result};
use ndarray::arr1;

fn main() -> Result<()> {
    let mut point = vec![Param::new(arr1(&[-1.5_f64, 2.0]))];
    let schedule = LinearWarmup::new(50, Cosine::new(0.05, 4000)?)?;
    let mut optimizer = Optimizer::new(Adam::default(), schedule).clip(Clip::global_norm(10.0)?);
    for step in 0..4000 {
        let (x, y) = (point[0].value[[0]], point[0].value[[1]]);
        let of_x = -2.0 * (1.0 - x) - 400.0 * x * (y - x * x);
        let of_y = 200.0 * (y - x * x);
        let mut grads = Grads::from_arrays(&point, vec![Some(arr1(&[of_x, of_y]).into_dyn())]);
        let applied = optimizer.apply(&mut point, &mut grads)?;
        if step % 800 == 0 {
            println!("step {step:4}  at ({x:.3}, {y:.3})  gradient {:.1e}", applied.grad_norm);
        }
    }
    println!("ends at {:.4}", point[0].value);
    assert!(point[0].value.iter().all(|x| (x - 1.0).abs() < 0.02));
    Ok(())
}
