//! The layer in a model.

use crate::Gated;
use gradwise_layers::{Grads, Key, Linear, Mode, Module, ParamsExt, Result, Tape, TapeExt, Workspace};
use ndarray::{Array2, Axis};

/// It learns the product of two numbers, which a linear layer cannot, by plain gradient descent.
#[test]
fn it_learns() -> Result<()> {
    let x = Array2::from_shape_fn((64, 2), |(i, j)| if j == 0 { i / 8 } else { i % 8 } as f32 / 4.0 - 1.0);
    let y = x.map_axis(Axis(1), |x| x[0] * x[1]).insert_axis(Axis(1)).into_dyn();
    let x = x.into_dyn();
    let mut model = (Gated::new(2, 8, Key::new(1))?, Linear::new(8, 1, Key::new(2))?);
    let (mut workspace, mut grads) = (Workspace::new(), Grads::new());
    let mut last = f32::NAN;
    for step in 0..600 {
        let mut tape = Tape::new(&mut workspace, Mode::train(0, step));
        tape.watch(&model);
        let hidden = tape.input(&x);
        let hidden = model.0.forward(&mut tape, hidden)?;
        let output = model.1.forward(&mut tape, hidden)?;
        let loss = tape.mean_squared_error(output, &y)?;
        tape.backward(loss)?;
        last = tape.value(loss).sum();
        tape.take_grads(&mut grads)?;
        drop(tape); // it borrows the parameters that are updated now
        let mut index = 0;
        model.visit_mut(|_, param| {
            if let Some(gradient) = grads.get(index) {
                param.value.scaled_add(-0.2, gradient);
            }
            index += 1;
        });
    }
    assert!(last < 0.01, "the product was not learned: loss {last}");
    Ok(())
}
