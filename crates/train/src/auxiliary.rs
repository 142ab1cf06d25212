//! What layers want to be added to the loss.

use gradwise_autograd::{Tape, Var};
use gradwise_core::ndarray::IxDyn;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Op, Real, Result, Saved, Slot};

/// The loss, with everything that was handed out by [`Tape::emit_loss`] added to it, and how much that is.
pub(crate) fn with_emitted<T: Real>(tape: &mut Tape<'_, T>, loss: Var) -> Result<(Var, f64)> {
    let mut losses = tape.take_losses();
    if losses.is_empty() {
        return Ok((loss, 0.0));
    }
    let mut emitted = 0.0;
    for &loss in &losses {
        emitted += tape.try_value(loss)?.iter().map(|x| x.as_f64()).sum::<f64>();
    }
    losses.insert(0, loss);
    Ok((tape.apply(Total, &losses)?, emitted))
}

/// The sum of numbers, each an array of one element.
#[derive(Debug)]
struct Total;

impl<T: Real> Op<T> for Total {
    fn name(&self) -> &'static str {
        "total"
    }

    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        match inputs.iter().find(|shape| shape.iter().product::<usize>() != 1) {
            Some(shape) => Err(Error::shape("total", "numbers", shape)),
            None => Ok(IxDyn(&[])),
        }
    }

    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        out.fill(T::of(inputs.iter().flatten().map(|x| x.as_f64()).sum()));
        Ok(())
    }

    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        for slot in grads.iter_mut().flatten() {
            for &grad in at.grad {
                let beta = slot.beta();
                // What is there may be anything where it is the first to be written.
                slot.grad.map_inplace(|x| *x = if beta == T::zero() { grad } else { *x + grad });
            }
        }
        Ok(())
    }

    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_autograd::check::Check;
    use ndarray::arr1;

    #[test]
    fn a_total_is_the_sum_and_has_its_gradient() {
        let number = |x: f64| arr1(&[x]).into_dyn();
        let report = Check::new().op(&Total, &[number(1.0), number(-2.0), number(0.5)]).unwrap();
        assert!(report.compared > 0);
        let error = Op::<f64>::out_shape(&Total, &[&[1], &[2]]).unwrap_err();
        assert_eq!(error.to_string(), "total: expected numbers, got shape [2]");
    }
}
