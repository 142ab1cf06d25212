//! The cell of long short-term memory.

use super::cell::{Back, Cell, Step, parts, parts_mut};
use crate::math::{sigmoid, tanh};
use gradwise_core::{Real, flip};

/// The cell of long short-term memory. With gates `i, f, g, o`, in this order in the rows of the weights:
///
/// ```text
/// i, f, o = sigmoid(W x + b + U h + c)        g = tanh(W x + b + U h + c)
/// m' = f m + i g                              h' = o tanh(m')
/// ```
///
/// The memory `m` reaches the next step through a product with `f` alone, so that its gradient lives long where the gate stays open: a bias of `f`
/// of 1 begins there.
///
/// Sources: Hochreiter and Schmidhuber, *Long short-term memory*, Neural Computation 9, 1997; the forget gate: Gers, Schmidhuber and Cummins, *Learning
/// to forget*, Neural Computation 12, 2000. Order of the gates as in PyTorch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LstmCell;

impl Cell for LstmCell {
    const NAME: &'static str = "lstm";
    const GATES: usize = 4;
    // The gates, the memory.
    const KEPT: usize = 5;

    #[inline(always)]
    fn forward<T: Real>(&self, step: Step<'_, T>) {
        let h = step.state.len();
        let ([xi, xf, xg, xo], [hi, hf, hg, ho]) = (parts(step.input, h), parts(step.hidden, h));
        let [.., before] = parts::<T, 5>(step.last_kept, h);
        let [i, f, g, o, memory] = parts_mut(step.kept, h);
        for j in 0..h {
            (i[j], f[j]) = (sigmoid(xi[j] + hi[j]), sigmoid(xf[j] + hf[j]));
            (g[j], o[j]) = (tanh(xg[j] + hg[j]), sigmoid(xo[j] + ho[j]));
            memory[j] = f[j] * before[j] + i[j] * g[j];
            step.state[j] = o[j] * tanh(memory[j]);
        }
    }

    #[inline(always)]
    fn backward<T: Real>(&self, back: Back<'_, T>) {
        let h = back.grad.len();
        let [i, f, g, o, memory] = parts(back.kept, h);
        let [.., before] = parts::<T, 5>(back.last_kept, h);
        let [to_i, to_f, to_g, to_o] = parts_mut(back.to_input, h);
        let one = T::one();
        for j in 0..h {
            let squashed = tanh(memory[j]);
            let to_memory = back.memory[j] + back.grad[j] * o[j] * (one - squashed * squashed);
            to_i[j] = to_memory * g[j] * i[j] * (one - i[j]);
            to_f[j] = to_memory * before[j] * f[j] * (one - f[j]);
            to_g[j] = to_memory * i[j] * (one - g[j] * g[j]);
            to_o[j] = back.grad[j] * squashed * o[j] * (one - o[j]);
            back.memory[j] = flip!("lstm/memory", to_memory * f[j]);
            back.grad[j] = T::zero();
        }
        back.to_hidden.copy_from_slice(back.to_input);
    }
}
