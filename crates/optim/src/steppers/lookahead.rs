//! Lookahead: slow weights that follow fast ones.

use super::{as_inside, snapshot::Snapshot};
use crate::{StepInfo, Stepper, Stored, check};
use gradwise_core::{Error, Grads, Params, ParamsExt, Pool, Real, Result, flip};
use std::sync::Arc;

/// Any stepper, whose weights are drawn back every `k` steps to slow weights that follow them.
///
/// ```text
/// after every k-th step:  s ← s + α (w − s),  w ← s
/// ```
///
/// Slow weights begin where the model does. What the stepper inside remembers, such as momentum, stays as it is. It makes the choice of the
/// inner rate less delicate, and evens out its noise. `k` = 5 or 6 and α = 0.5 are usual. Evaluate after a multiple of `k` steps: then
/// the model holds the slow weights. Source: Zhang et al., *Lookahead optimizer: k steps forward, 1 step back*, NeurIPS 2019.
///
/// ```
/// use gradwise_optim::{Adam, Constant, Optimizer, steppers::Lookahead};
///
/// let adam = Optimizer::<f32, _>::new(Adam::default(), Constant::new(1e-3)?);
/// let stepper = Lookahead::<f32, _>::new(adam, 5, 0.5)?;
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lookahead<T, S> {
    inner: S,
    every: u64,
    share: f64,
    steps: u64,
    slow: Option<Snapshot<T>>,
    paths: Vec<String>,
}

impl<T: Real, S> Lookahead<T, S> {
    /// Around a stepper: back every `every` steps, by the share α of the way that the fast weights have gone.
    ///
    /// # Errors
    /// If `every` is 0, or α not in `[0, 1]`.
    pub fn new(inner: S, every: u64, share: f64) -> Result<Self> {
        Ok(Lookahead {
            inner,
            every: check::steps("lookahead: every", every)?,
            share: check::share("lookahead: alpha", share)?,
            steps: 0,
            slow: None,
            paths: Vec::new(),
        })
    }

    /// The stepper inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The slow weights, made when the model is first seen.
    fn bind<M: Params<T> + ?Sized>(&mut self, model: &M) -> Result<&mut Snapshot<T>> {
        if self.slow.is_none() {
            model.visit(|path, param| {
                if param.is_trainable() {
                    self.paths.push(path.to_string());
                }
            });
        }
        let slow = self.slow.get_or_insert_with(|| {
            let mut slow = Snapshot::new();
            slow.take(model);
            slow
        });
        if !slow.fits(model) {
            return Err(Error::value("lookahead: model", "the trainable parameters of the first step", "others"));
        }
        Ok(slow)
    }
}

impl<T: Real, M: Params<T> + ?Sized, S: Stepper<T, M>> Stepper<T, M> for Lookahead<T, S> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        self.bind(model)?;
        let info = self.inner.step(model, eval)?;
        self.steps += 1;
        if self.steps.is_multiple_of(self.every) {
            let share = T::of(self.share);
            let slow = self.bind(model)?;
            let mut slow = slow.values_mut();
            model.visit_mut(|_, param| {
                if param.is_trainable()
                    && let Some(slow) = slow.next()
                {
                    slow.zip_mut_with(&param.value, |s, &w| *s += flip!("lookahead/follow", share * (w - *s)));
                    param.value.assign(slow);
                }
            });
        }
        Ok(info)
    }

    as_inside!();

    fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
        self.inner.use_pool(pool);
    }

    fn swap_averages(&mut self, model: &mut M) -> Result<()> {
        self.inner.swap_averages(model)
    }

    fn prepare(&mut self, model: &M) -> Result<()> {
        self.bind(model)?;
        self.inner.prepare(model)
    }

    /// That of the stepper inside, the number of steps as `lookahead:steps`, and slow weights as `path:slow`.
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        self.inner.visit_state(f)?;
        f("lookahead:steps", Stored::Counter(&mut self.steps));
        for (path, value) in self.paths.iter().zip(self.slow.iter_mut().flat_map(Snapshot::values_mut)) {
            f(&format!("{path}:slow"), Stored::Array(value));
        }
        Ok(())
    }
}
