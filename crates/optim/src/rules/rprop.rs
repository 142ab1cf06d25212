//! Rprop.

use super::state::{RuleState, sign, update_on_one_thread};
use crate::{Hyper, Rule, check, sweep_each};
use gradwise_core::{ArrayRefD, Error, Pool, Real, Result, flip, ndarray::ArrayD};

/// Rprop: each number has a step of its own, which grows while the gradient keeps its sign and shrinks when it turns.
///
/// With learning rate η and weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`), where `s` starts from 1, and the sign of 0 is 0:
///
/// ```text
/// d ← g + λ w
/// s ← min(s η₊, s₊)                  if d has the sign of the last one
/// s ← max(s η₋, s₋),  d ← 0          if it has the other sign: no step this time
/// w ← w − η s sign(d)
/// ```
///
/// For whole batches only: with noisy gradients, signs turn all the time. It ignores the size of gradients, so vanishing ones do not slow
/// it. η₋ = 0.5, η₊ = 1.2, and s between 10⁻⁴ and 5000, which is PyTorch's range (10⁻⁶ to 50) for its rate of 0.01. Source: Riedmiller
/// and Braun, *A direct adaptive method for faster backpropagation learning: the RPROP algorithm*, 1993, without the step back.
///
/// ```
/// use gradwise_optim::{Constant, Optimizer, Rprop};
///
/// let optimizer = Optimizer::<f32, _>::new(Rprop::default(), Constant::new(0.01)?);
/// assert_eq!(Rprop::default(), Rprop::new(0.5, 1.2)?.steps(1e-4, 5e3)?);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rprop {
    shrink: f64,
    grow: f64,
    least: f64,
    most: f64,
}

impl Default for Rprop {
    /// η₋ = 0.5, η₊ = 1.2, steps between 10⁻⁴ and 5000 rates.
    fn default() -> Self {
        Rprop { shrink: 0.5, grow: 1.2, least: 1e-4, most: 5e3 }
    }
}

impl Rprop {
    /// With the factors η₋, by which a step shrinks, and η₊, by which it grows.
    ///
    /// # Errors
    /// Unless η₋ is in `(0, 1)`, and η₊ a finite number above 1.
    pub fn new(shrink: f64, grow: f64) -> Result<Self> {
        if !(shrink > 0.0 && shrink < 1.0) {
            return Err(Error::value("rprop: factor that shrinks", "a number in (0, 1)", shrink));
        }
        if !(grow > 1.0 && grow.is_finite()) {
            return Err(Error::value("rprop: factor that grows", "a finite number above 1", grow));
        }
        Ok(Rprop { shrink, grow, ..Rprop::default() })
    }

    /// Sets the smallest and the largest step, in learning rates.
    ///
    /// # Errors
    /// Unless `0 < least ≤ 1 ≤ most`, and `most` is finite: every step starts from 1.
    pub fn steps(self, least: f64, most: f64) -> Result<Self> {
        let least = check::positive("rprop: smallest step", least)?;
        if least > 1.0 {
            return Err(Error::value("rprop: smallest step", "at most 1", least));
        }
        if !(most >= 1.0 && most.is_finite()) {
            return Err(Error::value("rprop: largest step", "a finite number of at least 1", most));
        }
        Ok(Rprop { least, most, ..self })
    }
}

impl<T: Real> Rule<T> for Rprop {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "rprop"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        RuleState::zeros(param, &["last_gradient"]).with("step", ArrayD::ones(param.raw_dim()))
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
        let scale = T::of(hyper.gradient_scale);
        let (grown, shrunk) = (T::of(self.grow - 1.0), T::of(1.0 - self.shrink));
        let (least, most) = (T::of(self.least), T::of(self.most));
        let arrays = state.arrays::<2>("rprop")?;
        sweep_each(
            pool,
            "rprop",
            param,
            grad,
            arrays,
            #[inline(always)]
            move |w, g, [last, s]| {
                let d = g * scale + decay * w;
                // By signs: the product of small gradients is 0.
                let turn = sign(d) * sign(last);
                // In arithmetic: of choices between cases that exclude each other, the compiler makes branches.
                let (same, turned) = (turn.max(T::zero()), turn.min(T::zero()));
                let s = s * (T::one() + grown * same + flip!("rprop/shrink", shrunk * turned));
                let s = s.min(most).max(least);
                let d = d * (T::one() + turned);
                (w - flip!("rprop/step", rate * s * sign(d)), [d, s])
            },
        )?;
        state.count();
        Ok(())
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}
