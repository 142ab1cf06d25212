//! Adagrad.

use super::state::{RuleState, update_on_one_thread};
use crate::{Hyper, Rule, check, sweep_each};
use gradwise_core::{ArrayRefD, Pool, Real, Result, flip, ndarray::ArrayD};

/// Adagrad: each number's rate falls with the sum of its squared gradients.
///
/// With learning rate η and weight decay λ (coupled: an L2 penalty `λ/2 Σ w²`):
///
/// ```text
/// d ← g + λ w
/// s ← s + d²
/// w ← w − η d / (√s + ε)
/// ```
///
/// For sparse features: a rare one keeps a large rate. Sums never shrink, so long training comes to a halt; [`RmsProp`](crate::RmsProp)
/// takes a running mean instead. `s` starts from 0 and ε is 10⁻¹⁰, as in PyTorch (Keras: 0.1 and 10⁻⁷, [`Adagrad::new`]); the usual rate
/// is 0.01. PyTorch's `lr_decay` is a schedule here: [`InverseTime`](crate::InverseTime). Source: Duchi, Hazan and Singer, *Adaptive
/// subgradient methods for online learning and stochastic optimization*, JMLR 2011.
///
/// ```
/// use gradwise_optim::{Adagrad, Constant, Optimizer};
///
/// let optimizer = Optimizer::<f32, _>::new(Adagrad::default(), Constant::new(0.01)?);
/// let of_keras = Adagrad::new(0.1, 1e-7)?;
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adagrad {
    initial: f64,
    epsilon: f64,
}

impl Default for Adagrad {
    /// Sums that start from 0, and ε = 10⁻¹⁰.
    fn default() -> Self {
        Adagrad { initial: 0.0, epsilon: 1e-10 }
    }
}

impl Adagrad {
    /// With sums that start from `initial`, which keeps the first steps small, and ε, which keeps them finite.
    ///
    /// # Errors
    /// If `initial` is negative or not finite, or ε is not above 0.
    pub fn new(initial: f64, epsilon: f64) -> Result<Self> {
        Ok(Adagrad {
            initial: check::not_negative("adagrad: initial sum", initial)?,
            epsilon: check::positive("adagrad: epsilon", epsilon)?,
        })
    }
}

impl<T: Real> Rule<T> for Adagrad {
    type State = RuleState<T>;

    fn name(&self) -> &'static str {
        "adagrad"
    }

    fn init(&self, param: &ArrayRefD<T>) -> RuleState<T> {
        let sums = ArrayD::from_elem(param.raw_dim(), T::of(self.initial));
        RuleState::zeros(param, &[]).with("sum_of_squares", sums)
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
        let sums = state.arrays::<1>("adagrad")?;
        sweep_each(
            pool,
            "adagrad",
            param,
            grad,
            sums,
            #[inline(always)]
            move |w, g, [sum]| {
                let d = g * scale + decay * w;
                let sum = sum + flip!("adagrad/square", d * d);
                (w - flip!("adagrad/step", rate * d / (sum.sqrt() + epsilon)), [sum])
            },
        )?;
        state.count();
        Ok(())
    }

    fn scales_gradients(&self) -> bool {
        true
    }
}
