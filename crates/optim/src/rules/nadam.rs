//! Nadam.

use super::state::{RuleState, update_on_one_thread};
use crate::{
    Hyper, Rule, check,
    settle::{settle, settle_squares},
    sweep_each,
};
use gradwise_core::{ArrayRefD, Pool, Real, Result, flip};

/// Nadam: Adam with Nesterov's look-ahead, and a momentum that grows slowly.
///
/// With learning rate η and weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`), in the `t`-th update, counted from 1:
///
/// ```text
/// d ← g + λ w
/// μₜ ← β₁ (1 − 0.96^(t ψ) / 2),  Πₜ ← μ₁ μ₂ … μₜ
/// m ← β₁ m + (1 − β₁) d
/// v ← β₂ v + (1 − β₂) d²
/// w ← w − η ((1 − μₜ) / (1 − Πₜ) d + μₜ₊₁ / (1 − Πₜ μₜ₊₁) m) / (√(v / (1 − β₂ᵗ)) + ε)
/// ```
///
/// Where Adam is used and its steps lag behind turning gradients. [`Nadam::decoupled`] shrinks the weights by `1 − η λ` in the place of the
/// coupled decay, as [`AdamW`](crate::AdamW) does. β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸, ψ = 0.004, as in PyTorch; the usual rate is 0.002.
/// Source: Dozat, *Incorporating Nesterov momentum into Adam*, ICLR workshop 2016.
///
/// ```
/// use gradwise_optim::Nadam;
///
/// assert_eq!(Nadam::default(), Nadam::new(0.9, 0.999, 1e-8)?.momentum_decay(0.004)?);
/// let decoupled = Nadam::default().decoupled();
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Nadam {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    momentum_decay: f64,
    decoupled: bool,
}

impl Default for Nadam {
    /// β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸, ψ = 0.004.
    fn default() -> Self {
        Nadam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentum_decay: 4e-3, decoupled: false }
    }
}

impl Nadam {
    /// With decays β₁ and β₂ of the running means, and ε, which bounds the rate of numbers whose gradient is nearly zero.
    ///
    /// # Errors
    /// If a β is not in `[0, 1)`, or ε is not above 0.
    pub fn new(beta1: f64, beta2: f64, epsilon: f64) -> Result<Self> {
        Ok(Nadam {
            beta1: check::below_one("nadam: beta1", beta1)?,
            beta2: check::below_one("nadam: beta2", beta2)?,
            epsilon: check::positive("nadam: epsilon", epsilon)?,
            ..Nadam::default()
        })
    }

    /// Sets ψ, the speed at which the momentum grows from β₁ / 2 to β₁; at 0 it stays where it begins.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn momentum_decay(self, decay: f64) -> Result<Self> {
        Ok(Nadam { momentum_decay: check::not_negative("nadam: momentum decay", decay)?, ..self })
    }

    /// Decays weights by themselves, and not through the gradient.
    #[must_use]
    pub fn decoupled(self) -> Self {
        Nadam { decoupled: true, ..self }
    }
}

impl<T: Real> Rule<T> for Nadam {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "nadam"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        RuleState::zeros(param, &["first_moment", "second_moment"]).with_number("momentum_product", 1.0)
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
        let momentum = |t: f64| beta1 * (1.0 - 0.5 * 0.96_f64.powf(t * self.momentum_decay));
        let (now, next) = (momentum(t), momentum(t + 1.0));
        let [product] = state.numbers("nadam")?;
        let product_now = *product * now;
        let (coupled, keep) = match self.decoupled {
            false => (hyper.weight_decay, 1.0),
            true => (0.0, 1.0 - hyper.learning_rate * hyper.weight_decay),
        };
        let of_gradient = T::of(hyper.learning_rate * (1.0 - now) / (1.0 - product_now));
        let of_mean = T::of(hyper.learning_rate * next / (1.0 - product_now * next));
        let root = T::of(1.0 / (1.0 - self.beta2.powf(t)).sqrt());
        let (scale, coupled, keep) = (T::of(hyper.gradient_scale), T::of(coupled), T::of(keep));
        let (new1, beta2, new2) = (T::of(1.0 - beta1), T::of(self.beta2), T::of(1.0 - self.beta2));
        let epsilon = T::of(self.epsilon);
        let [first, second] = state.arrays("nadam")?;
        sweep_each(
            pool,
            "nadam",
            param,
            grad,
            [&mut *first, &mut *second],
            #[inline(always)]
            move |w, g, [m, v]| {
                let d = g * scale + coupled * w;
                let m = m + new1 * (d - m);
                let v = beta2 * v + new2 * d * d;
                let ahead = flip!("nadam/ahead", of_gradient * d);
                (keep * w - flip!("nadam/step", (ahead + of_mean * m) / (v.sqrt() * root + epsilon)), [m, v])
            },
        )?;
        settle(pool, "nadam", updates, first, grad)?;
        settle_squares(pool, "nadam", updates, second, grad, self.epsilon)?;
        let [product] = state.numbers("nadam")?;
        *product = product_now;
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
