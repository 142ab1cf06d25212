//! RMSprop, plain and centered, with and without momentum.

use super::state::{RuleState, update_on_one_thread};
use crate::{Hyper, Rule, check, settle::settle, sweep_each};
use gradwise_core::{ArrayRefD, Pool, Real, Result, flip};

/// RMSprop: gradients divided by the root of a running mean of their squares.
///
/// With learning rate η, momentum μ and weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`):
///
/// ```text
/// d ← g + λ w
/// v ← α v + (1 − α) d²
/// m ← α m + (1 − α) d        (only if centered; otherwise m = 0)
/// b ← μ b + d / (√(v − m²) + ε)
/// w ← w − η b
/// ```
///
/// For recurrent nets and reinforcement learning, where gradients change their size as training goes on. α = 0.99 and ε = 10⁻⁸, as in
/// PyTorch and fastai (Keras: 0.9, 10⁻⁷); ε stands beside the root, as there, and not under it. Sources: Tieleman and Hinton, *Lecture
/// 6.5*, 2012; centered: Graves, *Generating sequences with recurrent neural networks*, 2013.
///
/// ```
/// use gradwise_optim::RmsProp;
///
/// let plain = RmsProp::default();
/// let of_graves = RmsProp::new(0.95, 1e-4)?.centered().momentum(0.9)?;
/// assert!(RmsProp::new(0.9, 0.0).is_err());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RmsProp {
    alpha: f64,
    epsilon: f64,
    momentum: f64,
    centered: bool,
}

impl Default for RmsProp {
    /// α = 0.99, ε = 10⁻⁸, not centered, without momentum.
    fn default() -> Self {
        RmsProp { alpha: 0.99, epsilon: 1e-8, momentum: 0.0, centered: false }
    }
}

impl RmsProp {
    /// With the decay α of the running mean, and ε, which bounds the rate of numbers whose gradient is nearly zero.
    ///
    /// # Errors
    /// If α is not in `[0, 1)`, or ε is not above 0.
    pub fn new(alpha: f64, epsilon: f64) -> Result<Self> {
        Ok(RmsProp {
            alpha: check::below_one("rmsprop: alpha", alpha)?,
            epsilon: check::positive("rmsprop: epsilon", epsilon)?,
            ..RmsProp::default()
        })
    }

    /// Adds heavy-ball momentum μ to the steps.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn momentum(self, momentum: f64) -> Result<Self> {
        Ok(RmsProp { momentum: check::below_one("rmsprop: momentum", momentum)?, ..self })
    }

    /// Divides by the root of the gradient's variance in the place of its mean square. A difference below zero, which only rounding
    /// makes, counts as zero.
    #[must_use]
    pub fn centered(self) -> Self {
        RmsProp { centered: true, ..self }
    }
}

/// The numbers of one update, in the type it is computed in.
#[derive(Clone, Copy)]
struct Numbers<T> {
    rate: T,
    decay: T,
    scale: T,
    alpha: T,
    new: T,
    epsilon: T,
    momentum: T,
}

impl<T: Real> Numbers<T> {
    #[inline(always)]
    fn gradient(&self, w: T, g: T) -> T {
        g * self.scale + self.decay * w
    }

    #[inline(always)]
    fn square(&self, d: T, v: T) -> T {
        self.alpha * v + self.new * d * d
    }

    #[inline(always)]
    fn mean(&self, d: T, m: T) -> T {
        m + self.new * (d - m)
    }

    #[inline(always)]
    fn divided(&self, d: T, variance: T) -> T {
        let variance = if variance > T::zero() { variance } else { T::zero() };
        flip!("rmsprop/step", d / (variance.sqrt() + self.epsilon))
    }
}

impl<T: Real> Rule<T> for RmsProp {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "rmsprop"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        let names: &[_] = match (self.centered, self.momentum > 0.0) {
            (false, false) => &["mean_square"],
            (true, false) => &["mean_square", "mean"],
            (false, true) => &["mean_square", "velocity"],
            (true, true) => &["mean_square", "mean", "velocity"],
        };
        RuleState::zeros(param, names)
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
        let n = Numbers {
            rate: T::of(hyper.learning_rate),
            decay: T::of(hyper.weight_decay),
            scale: T::of(hyper.gradient_scale),
            alpha: T::of(self.alpha),
            new: T::of(1.0 - self.alpha),
            epsilon: T::of(self.epsilon),
            momentum: T::of(hyper.momentum.unwrap_or(self.momentum)),
        };
        let (name, updates) = ("rmsprop", state.updates());
        match (self.centered, self.momentum > 0.0) {
            (false, false) => {
                let arrays = state.arrays(name)?;
                sweep_each(
                    pool,
                    name,
                    param,
                    grad,
                    arrays,
                    #[inline(always)]
                    move |w, g, [v]| {
                        let d = n.gradient(w, g);
                        let v = n.square(d, v);
                        (w - n.rate * n.divided(d, v), [v])
                    },
                )?;
            }
            (true, false) => {
                let arrays = state.arrays(name)?;
                sweep_each(
                    pool,
                    name,
                    param,
                    grad,
                    arrays,
                    #[inline(always)]
                    move |w, g, [v, m]| {
                        let d = n.gradient(w, g);
                        let (v, m) = (n.square(d, v), n.mean(d, m));
                        (w - n.rate * n.divided(d, v - flip!("rmsprop/mean", m * m)), [v, m])
                    },
                )?;
            }
            (false, true) => {
                let arrays = state.arrays(name)?;
                sweep_each(
                    pool,
                    name,
                    param,
                    grad,
                    arrays,
                    #[inline(always)]
                    move |w, g, [v, b]| {
                        let d = n.gradient(w, g);
                        let v = n.square(d, v);
                        let b = flip!("rmsprop/momentum", n.momentum * b) + n.divided(d, v);
                        (w - n.rate * b, [v, b])
                    },
                )?;
            }
            (true, true) => {
                let arrays = state.arrays(name)?;
                sweep_each(
                    pool,
                    name,
                    param,
                    grad,
                    arrays,
                    #[inline(always)]
                    move |w, g, [v, m, b]| {
                        let d = n.gradient(w, g);
                        let (v, m) = (n.square(d, v), n.mean(d, m));
                        let b =
                            flip!("rmsprop/momentum", n.momentum * b) + n.divided(d, v - flip!("rmsprop/mean", m * m));
                        (w - n.rate * b, [v, m, b])
                    },
                )?;
            }
        }
        for array in state.all() {
            settle(pool, name, updates, array, grad)?;
        }
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
