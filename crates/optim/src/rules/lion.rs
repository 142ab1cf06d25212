//! Lion.

use super::state::{RuleState, sign, update_on_one_thread};
use crate::{Hyper, Rule, check, settle::settle, sweep_each};
use gradwise_core::{ArrayRefD, Pool, Real, Result, flip};

/// Lion: the sign of a mixture of momentum and gradient; every number moves by the same amount.
///
/// With learning rate η and weight decay λ (decoupled), where the sign of 0 is 0:
///
/// ```text
/// w ← w − η (sign(β₁ m + (1 − β₁) g) + λ w)
/// m ← β₂ m + (1 − β₂) g
/// ```
///
/// Half of Adam's memory. Steps do not shrink with the gradient, so rates are three to ten times smaller than Adam's, 10⁻⁴ usually, and
/// the decay three to ten times larger; there is none unless an optimizer is told one. β₁ = 0.9, β₂ = 0.99. Source: Chen et al.,
/// *Symbolic discovery of optimization algorithms*, NeurIPS 2023.
///
/// ```
/// use gradwise_optim::{Constant, Lion, Optimizer};
///
/// let optimizer = Optimizer::<f32, _>::new(Lion::default(), Constant::new(1e-4)?).weight_decay(0.1)?;
/// assert!(Lion::new(0.9, 1.0).is_err());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lion {
    beta1: f64,
    beta2: f64,
}

impl Default for Lion {
    /// β₁ = 0.9, β₂ = 0.99.
    fn default() -> Self {
        Lion { beta1: 0.9, beta2: 0.99 }
    }
}

impl Lion {
    /// With the share β₁ of the momentum in a step, and the decay β₂ of the momentum.
    ///
    /// # Errors
    /// If a β is not in `[0, 1)`.
    pub fn new(beta1: f64, beta2: f64) -> Result<Self> {
        Ok(Lion { beta1: check::below_one("lion: beta1", beta1)?, beta2: check::below_one("lion: beta2", beta2)? })
    }
}

impl<T: Real> Rule<T> for Lion {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "lion"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        RuleState::zeros(param, &["momentum"])
    }

    update_on_one_thread!(RuleState<T>);

    fn update_on(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut RuleState<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        let rate = T::of(hyper.learning_rate);
        let keep = T::of(1.0 - hyper.learning_rate * hyper.weight_decay);
        let scale = T::of(hyper.gradient_scale);
        let beta1 = hyper.momentum.unwrap_or(self.beta1);
        let (beta1, new1) = (T::of(beta1), T::of(1.0 - beta1));
        let (beta2, new2) = (T::of(self.beta2), T::of(1.0 - self.beta2));
        let updates = state.updates();
        let [momentum] = state.arrays("lion")?;
        sweep_each(
            pool,
            "lion",
            param,
            grad,
            [&mut *momentum],
            #[inline(always)]
            move |w, g, [m]| {
                let g = g * scale;
                let c = flip!("lion/momentum", beta1 * m) + new1 * g;
                (keep * w - flip!("lion/step", rate * sign(c)), [beta2 * m + new2 * g])
            },
        )?;
        settle(pool, "lion", updates, momentum, grad)?;
        state.count();
        Ok(())
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.beta1)
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}
