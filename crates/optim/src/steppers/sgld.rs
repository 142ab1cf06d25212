//! Stochastic gradient Langevin dynamics.

use super::snapshot;
use crate::random::add_normal;
use crate::{Schedule, StepInfo, Stepper, Stored, check, sweep_each};
use gradwise_core::{Grads, Key, Params, ParamsExt, Pool, Real, Result, Serial, flip};
use std::sync::Arc;

/// Stochastic gradient Langevin dynamics: descent with so much noise that it draws from a distribution, and does not settle.
///
/// With learning rate η, temperature τ, weight decay λ and a standard normal draw ξ for each number:
///
/// ```text
/// w ← w − η (g + λ w) + √(2 η τ) ξ
/// ```
///
/// For a small rate the weights come to be distributed as `exp(−(f(w) + λ/2 ‖w‖²) / τ)`. With a loss that is the mean negative log
/// likelihood of `N` samples, τ = 1/N draws from the posterior of the weights under a normal prior: averaging the predictions of some
/// draws, far enough apart, tells how sure they are. With a temperature that falls it is a search for the global minimum. (Welling and
/// Teh's ε is 2η.) Source: Welling and Teh, *Bayesian learning via stochastic gradient Langevin dynamics*, ICML 2011.
///
/// ```
/// use gradwise_optim::{InverseTime, steppers::Sgld};
///
/// let stepper = Sgld::<f32>::new(InverseTime::new(0.01, 1e-3)?, 1.0 / 50_000.0, 7)?.weight_decay(1e-4)?;
/// assert!(Sgld::<f32>::new(|_| 0.1, -1.0, 7).is_err());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub struct Sgld<T> {
    schedule: Box<dyn Schedule>,
    temperature: Box<dyn Schedule>,
    weight_decay: f64,
    key: Key,
    step: u64,
    grads: Grads<T>,
    pool: Arc<dyn Pool + Send + Sync>,
}

impl<T: Real> Sgld<T> {
    /// With a schedule of rates, a constant temperature and a seed.
    ///
    /// # Errors
    /// If the temperature is negative or not finite.
    pub fn new(schedule: impl Schedule + 'static, temperature: f64, seed: u64) -> Result<Self> {
        let temperature = check::not_negative("sgld: temperature", temperature)?;
        Ok(Sgld {
            schedule: Box::new(schedule),
            temperature: Box::new(move |_| temperature),
            weight_decay: 0.0,
            key: Key::new(seed).with_str("sgld"),
            step: 0,
            grads: Grads::new(),
            pool: Arc::new(Serial),
        })
    }

    /// Sets a schedule of temperatures.
    #[must_use]
    pub fn temperature(self, schedule: impl Schedule + 'static) -> Self {
        Sgld { temperature: Box::new(schedule), ..self }
    }

    /// Adds the gradient of a normal prior of variance `τ/λ`.
    ///
    /// # Errors
    /// If λ is negative or not finite.
    pub fn weight_decay(self, strength: f64) -> Result<Self> {
        Ok(Sgld { weight_decay: check::not_negative("sgld: weight decay", strength)?, ..self })
    }
}

impl<T> std::fmt::Debug for Sgld<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Sgld { weight_decay, step, .. } = self;
        f.debug_struct("Sgld").field("weight_decay", weight_decay).field("step", step).finish_non_exhaustive()
    }
}

impl<T: Real, M: Params<T> + ?Sized> Stepper<T, M> for Sgld<T> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        let learning_rate = check::not_negative("sgld: learning rate", self.schedule.at(self.step))?;
        let temperature = check::not_negative("sgld: temperature", self.temperature.at(self.step))?;
        let loss = eval(model, &mut self.grads)?;
        snapshot::check("sgld: gradient", model, &self.grads)?;
        let (rate, decay) = (T::of(learning_rate), T::of(self.weight_decay));
        let (deviation, key, pool) =
            ((2.0 * learning_rate * temperature).sqrt(), self.key.with(self.step), &*self.pool);
        let (mut index, mut result) = (0, Ok(()));
        model.visit_mut(|_, param| {
            let grad = self.grads.get(index).filter(|_| param.is_trainable() && result.is_ok());
            if let Some(grad) = grad {
                let descend = move |w: T, g: T, []: [T; 0]| (w - flip!("sgld/step", rate * (g + decay * w)), []);
                result = sweep_each(pool, "sgld", &mut param.value, grad, [], descend);
                add_normal(pool, &mut param.value, key.with(index as u64), deviation);
            }
            index += 1;
        });
        result?;
        let step = self.step;
        self.step += 1;
        Ok(StepInfo { step, loss, learning_rate, grad_norm: self.grads.global_norm() })
    }

    fn grads(&self) -> &Grads<T> {
        &self.grads
    }

    fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
        self.pool = pool;
    }

    /// The number of the step, as `step`.
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        f("step", Stored::Counter(&mut self.step));
        Ok(())
    }
}
