//! Adamax.

use super::state::{RuleState, update_on_one_thread};
use crate::{Hyper, Rule, check, settle::settle, sweep_each};
use gradwise_core::{ArrayRefD, Pool, Real, Result, flip};

/// Adamax: Adam with the largest recent gradient in the place of the root of the mean square.
///
/// With learning rate η and weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`), in the `t`-th update, counted from 1:
///
/// ```text
/// d ← g + λ w
/// m ← β₁ m + (1 − β₁) d
/// u ← max(β₂ u, |d| + ε)
/// w ← w − η / (1 − β₁ᵗ) · m / u
/// ```
///
/// For gradients with rare large values, such as embeddings': one of them lowers the rate at once, and not by its square. β₁ = 0.9, β₂ =
/// 0.999, ε = 10⁻⁸; the usual rate is 0.002. Source: Kingma and Ba, *Adam: a method for stochastic optimization*, ICLR 2015, section 7.1.
///
/// ```
/// use gradwise_optim::{Adamax, Constant, Optimizer};
///
/// assert_eq!(Adamax::default(), Adamax::new(0.9, 0.999, 1e-8)?);
/// let optimizer = Optimizer::<f32, _>::new(Adamax::default(), Constant::new(2e-3)?);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adamax {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
}

impl Default for Adamax {
    /// β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸.
    fn default() -> Self {
        Adamax { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Adamax {
    /// With the decay β₁ of the running mean, β₂ of the largest gradient, and ε, which keeps it above zero.
    ///
    /// # Errors
    /// If a β is not in `[0, 1)`, or ε is not above 0.
    pub fn new(beta1: f64, beta2: f64, epsilon: f64) -> Result<Self> {
        Ok(Adamax {
            beta1: check::below_one("adamax: beta1", beta1)?,
            beta2: check::below_one("adamax: beta2", beta2)?,
            epsilon: check::positive("adamax: epsilon", epsilon)?,
        })
    }
}

impl<T: Real> Rule<T> for Adamax {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "adamax"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        RuleState::zeros(param, &["first_moment", "largest"])
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
        let beta1 = hyper.momentum.unwrap_or(self.beta1);
        let updates = state.updates();
        let step = T::of(hyper.learning_rate / (1.0 - beta1.powf((updates + 1) as f64)));
        let (scale, decay) = (T::of(hyper.gradient_scale), T::of(hyper.weight_decay));
        let (new1, beta2, epsilon) = (T::of(1.0 - beta1), T::of(self.beta2), T::of(self.epsilon));
        let [mean, largest] = state.arrays("adamax")?;
        sweep_each(
            pool,
            "adamax",
            param,
            grad,
            [&mut *mean, largest],
            #[inline(always)]
            move |w, g, [m, u]| {
                let d = g * scale + decay * w;
                let m = m + flip!("adamax/momentum", new1 * (d - m));
                let (before, now) = (beta2 * u, d.abs() + epsilon);
                let u = if now > before { now } else { before };
                (w - flip!("adamax/step", step * m / u), [m, u])
            },
        )?;
        settle(pool, "adamax", updates, mean, grad)?;
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
