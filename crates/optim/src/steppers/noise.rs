//! Gradients with noise that dies away.

use super::as_inside;
use crate::random::add_normal;
use crate::{StepInfo, Stepper, Stored, check};
use gradwise_core::{Grads, Key, Params, Pool, Real, Result, Serial};
use std::sync::Arc;

/// Any stepper, whose gradients get normal noise of variance `η / (1 + t)^γ` in step `t`, from 0.
///
/// It helps very deep nets over bad starts and out of shallow minima; it costs a draw for each number. γ = 0.55 and η between 0.01 and 1
/// are the paper's. A stepper that evaluates several times a step gets the same noise each time. What is drawn depends on the seed, the
/// step and the number's place, and on nothing else. Source: Neelakantan et al., *Adding gradient noise improves learning for very deep
/// networks*, 2015.
///
/// ```
/// use gradwise_optim::{Constant, Optimizer, Sgd, steppers::GradientNoise};
///
/// let descent = Optimizer::<f32, _>::new(Sgd::new(), Constant::new(0.1)?);
/// let stepper = GradientNoise::new(descent, 0.3, 0.55, 7)?;
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone)]
pub struct GradientNoise<S> {
    inner: S,
    eta: f64,
    gamma: f64,
    key: Key,
    steps: u64,
    pool: Arc<dyn Pool + Send + Sync>,
}

impl<S> GradientNoise<S> {
    /// Around a stepper, with the first variance η, the exponent γ and a seed.
    ///
    /// # Errors
    /// If η or γ is negative or not finite.
    pub fn new(inner: S, eta: f64, gamma: f64, seed: u64) -> Result<Self> {
        Ok(GradientNoise {
            inner,
            eta: check::not_negative("gradient noise: eta", eta)?,
            gamma: check::not_negative("gradient noise: gamma", gamma)?,
            key: Key::new(seed).with_str("gradient noise"),
            steps: 0,
            pool: Arc::new(Serial),
        })
    }

    /// The stepper inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The standard deviation of the noise in a step.
    pub fn deviation(&self, step: u64) -> f64 {
        (self.eta / (1.0 + step as f64).powf(self.gamma)).sqrt()
    }
}

impl<S: std::fmt::Debug> std::fmt::Debug for GradientNoise<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let GradientNoise { inner, eta, gamma, steps, .. } = self;
        let mut debug = f.debug_struct("GradientNoise");
        debug.field("inner", inner).field("eta", eta).field("gamma", gamma).field("steps", steps);
        debug.finish_non_exhaustive()
    }
}

impl<T: Real, M: Params<T> + ?Sized, S: Stepper<T, M>> Stepper<T, M> for GradientNoise<S> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        let (deviation, key, pool) = (self.deviation(self.steps), self.key.with(self.steps), &*self.pool);
        let info = self.inner.step(model, &mut |model, grads| {
            let loss = eval(model, grads)?;
            for (index, grad) in grads.iter_mut() {
                add_normal(pool, grad, key.with(index as u64), deviation);
            }
            Ok(loss)
        })?;
        self.steps += 1;
        Ok(info)
    }

    as_inside!();

    fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
        self.pool = Arc::clone(&pool);
        self.inner.use_pool(pool);
    }

    fn swap_averages(&mut self, model: &mut M) -> Result<()> {
        self.inner.swap_averages(model)
    }

    fn prepare(&mut self, model: &M) -> Result<()> {
        self.inner.prepare(model)
    }

    /// That of the stepper inside, and the number of steps as `noise:steps`.
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        self.inner.visit_state(f)?;
        f("noise:steps", Stored::Counter(&mut self.steps));
        Ok(())
    }
}
