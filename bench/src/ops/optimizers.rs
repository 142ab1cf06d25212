//! Optimizers over ten million parameters.

use super::{Entry, Run, Work, filled};
use crate::peak::Traffic;
use gradwise_core::{Grads, Param, Result};
use gradwise_optim::{Adam, Constant, Optimizer, Rule, Sgd};

/// Arrays of parameters, and numbers in each.
const ARRAYS: usize = 10;
const NUMBERS: usize = 1_000_000;

/// Each rule through `Optimizer::apply`: all that a step does behind its backward pass. The norms of the gradients are known by then, since
/// the tape sums each gradient when it is finished; here they are known from the first call on.
pub(super) fn optimizers() -> Vec<Entry> {
    let n = ARRAYS * NUMBERS;
    vec![
        // The parameter and two moments change, the gradient is read.
        Entry::new("adam_10M", memory(n, 3), |_| start(Adam::default())),
        Entry::new("sgd_momentum_10M", memory(n, 2), |_| start(Sgd::with_momentum(0.9)?)),
    ]
}

fn memory(n: usize, changed: usize) -> Work {
    Work::Memory(Traffic { read: n, written: 0, changed: changed * n })
}

fn start<R: Rule<f32> + 'static>(rule: R) -> Result<Run> {
    let shape = [1000, NUMBERS / 1000];
    let mut params: Vec<Param<f32>> = (0..ARRAYS).map(|_| Param::new(filled(&shape))).collect();
    let mut grads = Grads::from_arrays(&params, (0..ARRAYS).map(|_| Some(filled(&shape))).collect());
    let mut optimizer = Optimizer::new(rule, Constant::new(1e-3)?);
    Ok(Box::new(move || optimizer.apply(&mut params, &mut grads).map(drop)))
}
