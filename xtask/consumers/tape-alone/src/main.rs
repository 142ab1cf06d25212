//! A network by hand on the tape, without a layer or an optimizer of gradwise: it learns exclusive or.

use gradwise_autograd::core::{Grads, Key, Reduction};
use gradwise_autograd::{Mode, Module, Param, Params, ParamsExt, Result, Tape, Var, Workspace};
use gradwise_tensor::{Activation, Linear, MeanSquaredError};
use ndarray::{ArrayD, IxDyn, array};

#[derive(Params)]
struct Net {
    hidden: (Param<f64>, Param<f64>),
    output: (Param<f64>, Param<f64>),
}

impl Net {
    /// `inputs` to `hidden` to one, with weights uniform in [-1, 1).
    fn new(inputs: usize, hidden: usize, key: Key) -> Self {
        let layer = |n: usize, m: usize, key: Key| {
            let draw = |i| 2.0 * key.uniform(i) - 1.0;
            let weight: ArrayD<f64> = ArrayD::from_shape_vec(IxDyn(&[n, m]), (0..(n * m) as u64).map(draw).collect())
                .expect("as many numbers as the shape has");
            (Param::new(weight), Param::new(ArrayD::zeros(IxDyn(&[n]))))
        };
        Net { hidden: layer(hidden, inputs, key.with(0)), output: layer(1, hidden, key.with(1)) }
    }
}

impl Module<f64> for Net {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, f64>, x: Var) -> Result<Var> {
        let (weight, bias) = (tape.param(&self.hidden.0), tape.param(&self.hidden.1));
        let x = tape.apply(Linear::new(Activation::Tanh), &[x, weight, bias])?;
        let (weight, bias) = (tape.param(&self.output.0), tape.param(&self.output.1));
        tape.apply(Linear::new(Activation::Identity), &[x, weight, bias])
    }
}

fn main() -> Result<()> {
    let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].into_dyn();
    let y = array![[0.0], [1.0], [1.0], [0.0]].into_dyn();
    let mut net = Net::new(2, 8, Key::new(1));
    let (mut workspace, mut grads) = (Workspace::new(), Grads::new());
    let mut last = f64::NAN;
    for step in 0..1000 {
        let mut tape = Tape::new(&mut workspace, Mode::train(1, step));
        tape.watch(&net);
        let input = tape.input(&x);
        let output = net.forward(&mut tape, input)?;
        let loss = tape.apply(MeanSquaredError::new(&y, Reduction::Mean), &[output])?;
        tape.backward(loss)?;
        last = tape.value(loss).sum();
        tape.take_grads(&mut grads)?;
        drop(tape); // it borrows the parameters that are updated now
        let mut index = 0;
        net.visit_mut(|_, param| {
            if let Some(gradient) = grads.get(index) {
                param.value.scaled_add(-0.3, gradient);
            }
            index += 1;
        });
    }
    println!("loss {last:.6} after 1000 steps");
    assert!(last < 0.01, "exclusive or was not learned");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_autograd::check;

    #[test]
    fn gradients_are_right() -> Result<(), check::Failure> {
        check::module(&mut Net::new(3, 4, Key::new(2)), &array![[0.1, -0.2, 0.3], [1.0, 0.5, -0.5]].into_dyn())?;
        Ok(())
    }
}
