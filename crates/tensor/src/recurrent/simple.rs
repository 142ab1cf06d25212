//! The simple recurrent cell.

use super::cell::{Back, Cell, Step};
use crate::math;
use gradwise_core::Real;

/// The cell of Elman's recurrent network: `h' = tanh(W x + b + U h + c)`. Its gradient is a product over all steps: it forgets, or explodes.
///
/// Source: Elman, *Finding structure in time*, Cognitive Science 14, 1990.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SimpleCell;

impl Cell for SimpleCell {
    const NAME: &'static str = "simple_rnn";
    const GATES: usize = 1;
    const KEPT: usize = 1;

    #[inline(always)]
    fn forward<T: Real>(&self, step: Step<'_, T>) {
        let values = step.input.iter().zip(step.hidden).zip(step.kept).zip(step.state);
        for (((&input, &hidden), kept), state) in values {
            *kept = math::tanh(input + hidden);
            *state = *kept;
        }
    }

    #[inline(always)]
    fn backward<T: Real>(&self, back: Back<'_, T>) {
        let grads = back.grad.iter_mut().zip(back.to_input).zip(back.to_hidden);
        for (((grad, to_input), to_hidden), &y) in grads.zip(back.kept) {
            *to_input = *grad * (T::one() - y * y);
            *to_hidden = *to_input;
            *grad = T::zero();
        }
    }
}
