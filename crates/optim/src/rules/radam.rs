//! RAdam.

use super::state::{RuleState, update_on_one_thread};
use crate::{
    Hyper, Rule, check,
    settle::{settle, settle_squares},
    sweep_each,
};
use gradwise_core::{ArrayRefD, Pool, Real, Result, flip};

/// RAdam: Adam that does not trust its second moment before it has seen enough gradients, and so needs no warm-up.
///
/// With learning rate η and weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`), in the `t`-th update, counted from 1:
///
/// ```text
/// d ← g + λ w
/// m ← β₁ m + (1 − β₁) d
/// v ← β₂ v + (1 − β₂) d²
/// ρ∞ = 2 / (1 − β₂) − 1,  ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
/// w ← w − η m / (1 − β₁ᵗ) · r √(1 − β₂ᵗ) / (√v + ε)      if ρ > 5, with r² = (ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ)
/// w ← w − η m / (1 − β₁ᵗ)                                otherwise: momentum without a second moment
/// ```
///
/// [`RAdam::decoupled`] shrinks the weights by `1 − η λ` in the place of the coupled decay. β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸, as in PyTorch.
/// Source: Liu et al., *On the variance of the adaptive learning rate and beyond*, ICLR 2020 (there the bound is ρ > 4).
///
/// ```
/// use gradwise_optim::RAdam;
///
/// assert_eq!(RAdam::default(), RAdam::new(0.9, 0.999, 1e-8)?);
/// let decoupled = RAdam::default().decoupled();
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RAdam {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    decoupled: bool,
}

impl Default for RAdam {
    /// β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸.
    fn default() -> Self {
        RAdam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupled: false }
    }
}

impl RAdam {
    /// With decays β₁ and β₂ of the running means, and ε, which bounds the rate of numbers whose gradient is nearly zero.
    ///
    /// # Errors
    /// If a β is not in `[0, 1)`, or ε is not above 0.
    pub fn new(beta1: f64, beta2: f64, epsilon: f64) -> Result<Self> {
        Ok(RAdam {
            beta1: check::below_one("radam: beta1", beta1)?,
            beta2: check::below_one("radam: beta2", beta2)?,
            epsilon: check::positive("radam: epsilon", epsilon)?,
            decoupled: false,
        })
    }

    /// Decays weights by themselves, and not through the gradient.
    #[must_use]
    pub fn decoupled(self) -> Self {
        RAdam { decoupled: true, ..self }
    }

    /// What the second moment is divided by the root of, times the rectification `r`; `None` as long as it is not trusted.
    fn rectified(&self, t: f64) -> Option<f64> {
        let limit = 2.0 / (1.0 - self.beta2) - 1.0;
        let decayed = self.beta2.powf(t);
        let length = limit - flip!("radam/length", 2.0 * t * decayed / (1.0 - decayed));
        (length > 5.0).then(|| {
            let squared = (length - 4.0) * (length - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * length);
            squared.sqrt() * (1.0 - decayed).sqrt()
        })
    }
}

impl<T: Real> Rule<T> for RAdam {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "radam"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        RuleState::zeros(param, &["first_moment", "second_moment"])
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
        let t = (updates + 1) as f64;
        let (coupled, keep) = match self.decoupled {
            false => (hyper.weight_decay, 1.0),
            true => (0.0, 1.0 - hyper.learning_rate * hyper.weight_decay),
        };
        // Without trust, the denominator is 0 · √v + 1.
        let (factor, root, plus) =
            self.rectified(t).map_or((1.0, 0.0, 1.0), |rectified| (rectified, 1.0, self.epsilon));
        let step = T::of(hyper.learning_rate / (1.0 - beta1.powf(t)) * factor);
        let (root, plus) = (T::of(root), T::of(plus));
        let (scale, coupled, keep) = (T::of(hyper.gradient_scale), T::of(coupled), T::of(keep));
        let (new1, beta2, new2) = (T::of(1.0 - beta1), T::of(self.beta2), T::of(1.0 - self.beta2));
        let [first, second] = state.arrays("radam")?;
        sweep_each(
            pool,
            "radam",
            param,
            grad,
            [&mut *first, &mut *second],
            #[inline(always)]
            move |w, g, [m, v]| {
                let d = g * scale + coupled * w;
                let m = m + new1 * (d - m);
                let v = beta2 * v + new2 * d * d;
                (keep * w - flip!("radam/step", step * m / (v.sqrt() * root + plus)), [m, v])
            },
        )?;
        settle(pool, "radam", updates, first, grad)?;
        settle_squares(pool, "radam", updates, second, grad, self.epsilon)?;
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
