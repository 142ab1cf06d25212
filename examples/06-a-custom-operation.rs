//! An operation of your own, with its own backward, and the check that holds it to its contract.

use gradwise::core::{ArrayRefD, ArrayViewD, At, Cx, Needs, Op, Result, Saved, Slot, arity};
use gradwise::prelude::*;
use ndarray::{IxDyn, Zip, array};

/// `y = x · sigmoid(β x)`: Swish with a slope (Ramachandran, Zoph and Le 2017). One operation instead of three, and nothing saved
/// but the input.
struct Swish {
    beta: f64,
}

fn sigmoid<T: Real>(x: T) -> T {
    T::one() / (T::one() + (-x).exp())
}

impl<T: Real> Op<T> for Swish {
    fn name(&self) -> &'static str {
        "swish"
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("swish", inputs)?;
        Ok(IxDyn(x))
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        let beta = T::of(self.beta);
        Zip::from(out).and(&inputs[0]).for_each(|y, &x| *y = x * sigmoid(beta * x));
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        let beta = T::of(self.beta);
        if let Some(slot) = &mut grads[0] {
            // s + β x s (1 − s), times the gradient of the output; assigned or added, as the slot says.
            slot.zip2(&at.inputs[0], at.grad, |x, g| {
                let s = sigmoid(beta * x);
                g * (s + beta * x * s * (T::one() - s))
            });
        }
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::INPUTS
    }
}

/// The same with a mistake in its backward: the second term is forgotten.
struct Wrong;

impl Op<f64> for Wrong {
    fn name(&self) -> &'static str {
        "wrong swish"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        Op::<f64>::out_shape(&Swish { beta: 1.0 }, inputs)
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, f64>],
        out: &mut ArrayRefD<f64>,
        saved: &mut Saved<f64>,
        cx: &mut Cx<'_, f64>,
    ) -> Result<()> {
        Swish { beta: 1.0 }.forward(inputs, out, saved, cx)
    }
    fn backward(&self, at: At<'_, f64>, grads: &mut [Option<Slot<'_, f64>>], _: &mut Cx<'_, f64>) -> Result<()> {
        if let Some(slot) = &mut grads[0] {
            slot.zip2(&at.inputs[0], at.grad, |x, g| g * sigmoid(x));
        }
        Ok(())
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let x = [array![[0.3, -2.0, 1.1], [4.0, 0.0, -0.6]].into_dyn()];
    let report = check::op(&Swish { beta: 1.5 }, &x)?;
    println!("{} derivatives checked, the worst is off by {:.1e} beyond rounding", report.compared, report.worst);

    let failure = check::op(&Wrong, &x).expect_err("it is wrong");
    println!("and the wrong one: {failure}");

    // On a tape.
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, Mode::train(0, 0));
    let v = tape.variable(&x[0]);
    let y = tape.apply(Swish { beta: 1.0 }, &[v])?;
    let loss = tape.mean(y, gradwise::tensor::Axes::All)?;
    tape.backward(loss)?;
    println!("gradient of the mean:\n{:.4}", tape.grad(v).expect("it is a variable"));
    Ok(())
}
