//! LAMB.

use super::state::{RuleState, update_on_one_thread};
use crate::{
    Hyper, Rule, check,
    settle::{settle, settle_squares},
    sweep::sweep_sum,
    sweep_each,
};
use gradwise_core::{ArrayRefD, Pool, Real, Result, flip, sum_of_squares};

/// LAMB: Adam's step, made as long for each parameter as the parameter is large.
///
/// With learning rate η and weight decay λ (decoupled), norms over the whole parameter, in the `t`-th update, counted from 1:
///
/// ```text
/// m ← β₁ m + (1 − β₁) g
/// v ← β₂ v + (1 − β₂) g²
/// s ← m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + λ w
/// w ← w − η ‖w‖ / ‖s‖ s            the ratio is 1 where a norm is 0
/// ```
///
/// For batches of thousands of samples with Adam. β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁶; gradients are usually clipped to a global norm of 1, and
/// biases and the scales of normalizations left out: [`Lamb::matrices_only`]. Source: You et al., *Large batch optimization for deep
/// learning: training BERT in 76 minutes*, ICLR 2020.
///
/// ```
/// use gradwise_optim::{Clip, Constant, Lamb, Optimizer};
///
/// let optimizer = Optimizer::<f32, _>::new(Lamb::default().matrices_only(), Constant::new(1e-3)?)
///     .weight_decay(0.01)?
///     .clip(Clip::global_norm(1.0)?);
/// assert_eq!(Lamb::default(), Lamb::new(0.9, 0.999, 1e-6)?);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lamb {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    largest: f64,
    matrices_only: bool,
}

impl Default for Lamb {
    /// β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁶, every parameter adapted by any ratio.
    fn default() -> Self {
        Lamb { beta1: 0.9, beta2: 0.999, epsilon: 1e-6, largest: f64::INFINITY, matrices_only: false }
    }
}

impl Lamb {
    /// With decays β₁ and β₂ of the running means, and ε, which bounds the rate of numbers whose gradient is nearly zero.
    ///
    /// # Errors
    /// If a β is not in `[0, 1)`, or ε is not above 0.
    pub fn new(beta1: f64, beta2: f64, epsilon: f64) -> Result<Self> {
        Ok(Lamb {
            beta1: check::below_one("lamb: beta1", beta1)?,
            beta2: check::below_one("lamb: beta2", beta2)?,
            epsilon: check::positive("lamb: epsilon", epsilon)?,
            ..Lamb::default()
        })
    }

    /// Bounds the ratio `‖w‖ / ‖s‖` from above.
    ///
    /// # Errors
    /// If the bound is not above 0.
    pub fn ratio_at_most(self, largest: f64) -> Result<Self> {
        Ok(Lamb { largest: check::positive("lamb: largest ratio", largest)?, ..self })
    }

    /// Trains parameters with at most one axis as [`AdamW`](crate::AdamW) would: their ratio is 1.
    #[must_use]
    pub fn matrices_only(self) -> Self {
        Lamb { matrices_only: true, ..self }
    }
}

/// The numbers of a step, which is not stored: its norm is summed in one pass, and it is computed anew in the next.
#[derive(Clone, Copy)]
struct Step<T> {
    of_mean: T,
    root: T,
    epsilon: T,
    decay: T,
}

impl<T: Real> Step<T> {
    #[inline(always)]
    fn of(&self, w: T, m: T, v: T) -> T {
        self.of_mean * m / (v.sqrt() * self.root + self.epsilon) + flip!("lamb/decay", self.decay * w)
    }
}

impl<T: Real> Rule<T> for Lamb {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "lamb"
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
        // A copy of a gradient in another layout: sums are of one order.
        let grad = grad.as_standard_layout();
        let beta1 = hyper.momentum.unwrap_or(self.beta1);
        let updates = state.updates();
        let t = (updates + 1) as f64;
        let step = Step {
            of_mean: T::of(1.0 / (1.0 - beta1.powf(t))),
            root: T::of(1.0 / (1.0 - self.beta2.powf(t)).sqrt()),
            epsilon: T::of(self.epsilon),
            decay: T::of(hyper.weight_decay),
        };
        let scale = T::of(hyper.gradient_scale);
        let (new1, beta2, new2) = (T::of(1.0 - beta1), T::of(self.beta2), T::of(1.0 - self.beta2));
        let [first, second] = state.arrays("lamb")?;
        let squares = sweep_sum(
            pool,
            "lamb",
            param,
            &grad,
            [&mut *first, &mut *second],
            #[inline(always)]
            move |w, g, [m, v]| {
                let g = g * scale;
                let m = m + new1 * (g - m);
                let v = beta2 * v + new2 * g * g;
                (step.of(w, m, v), [m, v])
            },
        )?;
        let mut ratio = 1.0;
        if !(self.matrices_only && param.ndim() < 2) {
            let weight = sum_of_squares(param, pool).sqrt();
            if weight > 0.0 && squares > 0.0 {
                ratio = (weight / squares.sqrt()).min(self.largest);
            }
        }
        let rate = T::of(hyper.learning_rate * ratio);
        // The first moment takes the gradient's place, which is not needed any more.
        sweep_each(
            pool,
            "lamb",
            param,
            &*first,
            [&mut *second],
            #[inline(always)]
            move |w, m, [v]| (w - flip!("lamb/step", rate * step.of(w, m, v)), [v]),
        )?;
        settle(pool, "lamb", updates, first, &grad)?;
        settle_squares(pool, "lamb", updates, second, &grad, self.epsilon)?;
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
