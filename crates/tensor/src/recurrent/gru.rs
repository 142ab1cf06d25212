//! The cell of gated recurrent units.

use super::cell::{Back, Cell, Step, parts, parts_mut};
use crate::math::{sigmoid, tanh};
use gradwise_core::{Real, flip};

/// The cell of gated recurrent units. With gates `r, z, n`, in this order in the rows of the weights:
///
/// ```text
/// r, z = sigmoid(W x + b + U h + c)        n = tanh(W x + b + r (U h + c))
/// h' = (1 - z) n + z h
/// ```
///
/// The reset gate comes after the product with `U`, as in PyTorch, cuDNN and Keras's `reset_after`; the paper multiplies `h` before.
///
/// Source: Cho et al., *Learning phrase representations using RNN encoder-decoder for statistical machine translation*, EMNLP 2014.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GruCell;

impl Cell for GruCell {
    const NAME: &'static str = "gru";
    const GATES: usize = 3;
    // The gates, and what the hidden state contributes to the last one.
    const KEPT: usize = 4;

    #[inline(always)]
    fn forward<T: Real>(&self, step: Step<'_, T>) {
        let h = step.state.len();
        let ([xr, xz, xn], [hr, hz, hn]) = (parts(step.input, h), parts(step.hidden, h));
        let [r, z, n, hidden] = parts_mut(step.kept, h);
        let one = T::one();
        for j in 0..h {
            (r[j], z[j]) = (sigmoid(xr[j] + hr[j]), sigmoid(xz[j] + hz[j]));
            hidden[j] = hn[j];
            n[j] = tanh(xn[j] + r[j] * hn[j]);
            step.state[j] = (one - z[j]) * n[j] + z[j] * step.last[j];
        }
    }

    #[inline(always)]
    fn backward<T: Real>(&self, back: Back<'_, T>) {
        let h = back.grad.len();
        let [r, z, n, hidden] = parts(back.kept, h);
        let [to_r, to_z, to_n] = parts_mut(back.to_input, h);
        let [to_hr, to_hz, to_hn] = parts_mut(back.to_hidden, h);
        let one = T::one();
        for j in 0..h {
            let grad = back.grad[j];
            to_n[j] = grad * (one - z[j]) * (one - n[j] * n[j]);
            to_z[j] = grad * (back.last[j] - n[j]) * z[j] * (one - z[j]);
            to_r[j] = to_n[j] * hidden[j] * r[j] * (one - r[j]);
            (to_hr[j], to_hz[j], to_hn[j]) = (to_r[j], to_z[j], to_n[j] * r[j]);
            back.grad[j] = flip!("gru/state", grad * z[j]);
        }
    }
}
