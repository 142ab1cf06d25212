//! Adadelta.

use super::state::{RuleState, update_on_one_thread};
use crate::{Hyper, Rule, check, settle::settle, sweep_each};
use gradwise_core::{ArrayRefD, Pool, Real, Result, flip};

/// Adadelta: steps in the units of the weights, from running means of squared gradients and of squared steps.
///
/// With learning rate η and weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`):
///
/// ```text
/// d ← g + λ w
/// v ← ρ v + (1 − ρ) d²
/// s ← d √(u + ε) / √(v + ε)
/// u ← ρ u + (1 − ρ) s²
/// w ← w − η s
/// ```
///
/// Where no rate is known: η is 1, and the first steps are of the size of √ε. ρ = 0.9 and ε = 10⁻⁶, as in PyTorch and the paper (Keras:
/// 0.95, 10⁻⁷, and a rate of 0.001). Source: Zeiler, *ADADELTA: an adaptive learning rate method*, 2012.
///
/// ```
/// use gradwise_optim::{Adadelta, Constant, Optimizer};
///
/// let optimizer = Optimizer::<f32, _>::new(Adadelta::default(), Constant::new(1.0)?);
/// assert!(Adadelta::new(1.0, 1e-6).is_err());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adadelta {
    rho: f64,
    epsilon: f64,
}

impl Default for Adadelta {
    /// ρ = 0.9 and ε = 10⁻⁶.
    fn default() -> Self {
        Adadelta { rho: 0.9, epsilon: 1e-6 }
    }
}

impl Adadelta {
    /// With the decay ρ of the running means, and ε, from which the first steps come.
    ///
    /// # Errors
    /// If ρ is not in `[0, 1)`, or ε is not above 0.
    pub fn new(rho: f64, epsilon: f64) -> Result<Self> {
        Ok(Adadelta {
            rho: check::below_one("adadelta: rho", rho)?,
            epsilon: check::positive("adadelta: epsilon", epsilon)?,
        })
    }
}

impl<T: Real> Rule<T> for Adadelta {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "adadelta"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        RuleState::zeros(param, &["mean_square", "mean_squared_step"])
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
        let (rate, decay) = (T::of(hyper.learning_rate), T::of(hyper.weight_decay));
        let (scale, epsilon) = (T::of(hyper.gradient_scale), T::of(self.epsilon));
        let (rho, new) = (T::of(self.rho), T::of(1.0 - self.rho));
        let updates = state.updates();
        let [squares, steps] = state.arrays("adadelta")?;
        sweep_each(
            pool,
            "adadelta",
            param,
            grad,
            [&mut *squares, &mut *steps],
            #[inline(always)]
            move |w, g, [v, u]| {
                let d = g * scale + decay * w;
                let v = flip!("adadelta/mean", rho * v) + new * d * d;
                let step = (u + epsilon).sqrt() / (v + epsilon).sqrt() * d;
                (w - flip!("adadelta/step", rate * step), [v, rho * u + new * step * step])
            },
        )?;
        settle(pool, "adadelta", updates, squares, grad)?;
        settle(pool, "adadelta", updates, steps, grad)?;
        state.count();
        Ok(())
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}
