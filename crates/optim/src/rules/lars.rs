//! LARS.

use super::state::{RuleState, update_on_one_thread};
use crate::{Hyper, Rule, check, settle::settle, sweep_each};
use gradwise_core::{ArrayRefD, Error, Pool, Real, Result, flip, sum_of_squares};

/// LARS: momentum, with a rate for each parameter in proportion to its norm over its gradient's.
///
/// With learning rate η, momentum μ, weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`), and norms over the whole parameter:
///
/// ```text
/// r ← κ ‖w‖ / (‖g‖ + λ ‖w‖ + ε)          1 where ‖w‖ or the denominator is 0
/// v ← μ v + r (g + λ w)
/// w ← w − η v                             or w − η (r (g + λ w) + μ v) with Nesterov's step
/// ```
///
/// For batches of thousands of samples, where layers want very different rates. κ = 0.001, ε = 10⁻⁸, μ = 0.9; rates are of the order of
/// 1, with a warm-up. It is usual to leave biases and the scales of normalizations out of it: [`Lars::matrices_only`]. As in
/// [`Sgd`](crate::Sgd), and unlike in the paper, the rate multiplies the velocity; the two differ when it changes. Source: You, Gitman
/// and Ginsburg, *Large batch training of convolutional networks*, 2017.
///
/// ```
/// use gradwise_optim::{Constant, Lars, LinearWarmup, Optimizer, no_decay_on_vectors};
///
/// let schedule = LinearWarmup::new(500, Constant::new(2.0)?)?;
/// let optimizer = Optimizer::<f32, _>::new(Lars::default().matrices_only(), schedule)
///     .weight_decay(1e-4)?
///     .group(no_decay_on_vectors());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lars {
    momentum: f64,
    trust: f64,
    epsilon: f64,
    nesterov: bool,
    matrices_only: bool,
}

impl Default for Lars {
    /// μ = 0.9, κ = 0.001, ε = 10⁻⁸, every parameter adapted.
    fn default() -> Self {
        Lars { momentum: 0.9, trust: 1e-3, epsilon: 1e-8, nesterov: false, matrices_only: false }
    }
}

impl Lars {
    /// With momentum μ and trust coefficient κ, the share of its norm by which a parameter moves at rate 1.
    ///
    /// # Errors
    /// If μ is not in `[0, 1)`, or κ not above 0.
    pub fn new(momentum: f64, trust: f64) -> Result<Self> {
        Ok(Lars {
            momentum: check::below_one("lars: momentum", momentum)?,
            trust: check::positive("lars: trust coefficient", trust)?,
            ..Lars::default()
        })
    }

    /// Takes Nesterov's look-ahead step.
    ///
    /// # Errors
    /// Without momentum: its formula has no meaning then.
    pub fn nesterov(self) -> Result<Self> {
        if self.momentum == 0.0 {
            return Err(Error::value("lars: momentum with nesterov", "a number in (0, 1)", self.momentum));
        }
        Ok(Lars { nesterov: true, ..self })
    }

    /// Trains parameters with at most one axis by plain momentum, at the full rate: `r = 1`.
    #[must_use]
    pub fn matrices_only(self) -> Self {
        Lars { matrices_only: true, ..self }
    }

    /// The ratio of a parameter in an update.
    fn ratio<T: Real>(&self, pool: &dyn Pool, hyper: &Hyper, param: &ArrayRefD<T>, grad: &ArrayRefD<T>) -> f64 {
        if self.matrices_only && param.ndim() < 2 {
            return 1.0;
        }
        let weight = sum_of_squares(param, pool).sqrt();
        let gradient = hyper.gradient_scale.abs() * sum_of_squares(grad, pool).sqrt();
        let denominator = gradient + hyper.weight_decay * weight;
        if weight > 0.0 && denominator > 0.0 { self.trust * weight / (denominator + self.epsilon) } else { 1.0 }
    }
}

impl<T: Real> Rule<T> for Lars {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "lars"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        RuleState::zeros(param, &["velocity"])
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
        let ratio = self.ratio(pool, hyper, param, &grad);
        let momentum = T::of(hyper.momentum.unwrap_or(self.momentum));
        let (of_gradient, of_weight) = (T::of(ratio * hyper.gradient_scale), T::of(ratio * hyper.weight_decay));
        let rate = T::of(hyper.learning_rate);
        let (ahead, along) = if self.nesterov { (T::one(), momentum) } else { (T::zero(), T::one()) };
        let updates = state.updates();
        let [velocity] = state.arrays("lars")?;
        sweep_each(
            pool,
            "lars",
            param,
            &grad,
            [&mut *velocity],
            #[inline(always)]
            move |w, g, [v]| {
                let d = of_gradient * g + flip!("lars/decay", of_weight * w);
                let v = momentum * v + d;
                (w - flip!("lars/step", rate * (ahead * d + along * v)), [v])
            },
        )?;
        settle(pool, "lars", updates, velocity, &grad)?;
        state.count();
        Ok(())
    }

    fn momentum(&self) -> Option<f64> {
        (self.momentum > 0.0).then_some(self.momentum)
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}
