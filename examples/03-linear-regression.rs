//! A layer, a loss, an optimizer, and the public step.

use gradwise::prelude::*;
use ndarray::{ArrayD, IxDyn, array};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // y = 2 x₀ − 3 x₁ + 0.5, with a little noise from a counter-based key: the same on every machine.
    let key = Key::new(1);
    let x = ArrayD::from_shape_fn(IxDyn(&[200, 2]), |i| 2.0 * key.uniform((2 * i[0] + i[1]) as u64) - 1.0);
    let noise = key.with_str("noise");
    let y = ArrayD::from_shape_fn(IxDyn(&[200, 1]), |i| {
        let row = x.index_axis(ndarray::Axis(0), i[0]);
        2.0 * row[[0]] - 3.0 * row[[1]] + 0.5 + 0.01 * (noise.uniform(i[0] as u64) - 0.5)
    });
    let batch = Batch { inputs: x, targets: y, indices: (0..200).collect() };

    let mut model = Linear::<f64>::new(2, 1, Key::new(0))?;
    let optimizer = Optimizer::new(Sgd::with_momentum(0.9)?, Cosine::new(0.1, 200)?);
    let mut trainer = Trainer::new(Supervised(MseLoss), optimizer, 0).measure_every(1);
    for step in 0..200 {
        let report = trainer.step(&mut model, &batch)?;
        if step % 40 == 0 {
            println!(
                "step {step:3}  loss {:.6}  gradient {:.2e}  updates {:?}",
                report.loss, report.grad_norm, report.update_norms
            );
        }
    }
    let (weight, bias) = (&model.weight().value, &model.bias().expect("it has one").value);
    println!("weight {weight:.3}, bias {bias:.3}");
    assert!((weight - &array![[2.0, -3.0]].into_dyn()).iter().all(|d| d.abs() < 0.01));
    Ok(())
}
