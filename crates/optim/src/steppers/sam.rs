//! Sharpness-aware minimization.

use super::as_inside;
use super::snapshot::{self, Snapshot};
use crate::{StepInfo, Stepper, Stored, check};
use gradwise_core::{Error, Grads, Params, ParamsExt, Pool, Real, Result, flip};
use std::sync::Arc;

/// Any stepper, whose gradients are taken a distance uphill: steps that lower the worst loss nearby, and so lead to flat minima.
///
/// ```text
/// e = ρ g(w) / ‖g(w)‖                            SAM
/// e = ρ t² g(w) / ‖t g(w)‖,  t = |w| + 0.01      adaptive (ASAM): the neighbourhood grows with the weights
/// w ← a step of the stepper inside from w, with the gradient g(w + e)
/// ```
///
/// Two evaluations a step, and often a better test result than twice the epochs. The norm is over all trainable parameters together. ρ =
/// 0.05 usually, for the adaptive form 0.5 to 2. The loss and the norm told of a step are: the loss at `w`, the norm of `g(w + e)`.
/// Sources: Foret et al., *Sharpness-aware minimization for efficiently improving generalization*, ICLR 2021; Kwon et al., *ASAM*, ICML
/// 2021.
///
/// ```
/// use gradwise_optim::{Constant, Optimizer, Sgd, steppers::Sam};
///
/// let descent = Optimizer::<f32, _>::new(Sgd::with_momentum(0.9)?, Constant::new(0.1)?);
/// let stepper = Sam::<f32, _>::new(descent, 0.05)?;
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sam<T, S> {
    inner: S,
    rho: f64,
    adaptive: bool,
    first: Grads<T>,
    second: Grads<T>,
    before: Snapshot<T>,
}

/// Added to |w| in the adaptive form, so that a weight of zero moves.
const ADAPTIVE: f64 = 0.01;

impl<T: Real, S> Sam<T, S> {
    /// Around a stepper, with the distance ρ.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(inner: S, rho: f64) -> Result<Self> {
        Ok(Sam {
            inner,
            rho: check::not_negative("sam: rho", rho)?,
            adaptive: false,
            first: Grads::new(),
            second: Grads::new(),
            before: Snapshot::new(),
        })
    }

    /// Measures distance in units of the weights: ASAM.
    #[must_use]
    pub fn adaptive(self) -> Self {
        Sam { adaptive: true, ..self }
    }

    /// The stepper inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Moves the model uphill.
    fn climb<M: Params<T> + ?Sized>(&self, model: &mut M) {
        let scale = |w: T| if self.adaptive { w.abs() + T::of(ADAPTIVE) } else { T::one() };
        let mut squares = 0.0;
        let mut index = 0;
        model.visit(|_, param| {
            if let Some(grad) = self.first.get(index).filter(|_| param.is_trainable()) {
                squares += param.value.iter().zip(grad).map(|(&w, &g)| (scale(w) * g).as_f64().powi(2)).sum::<f64>();
            }
            index += 1;
        });
        let factor = T::of(self.rho / (squares.sqrt() + 1e-12));
        let mut index = 0;
        model.visit_mut(|_, param| {
            if let Some(grad) = self.first.get(index).filter(|_| param.is_trainable()) {
                param.value.zip_mut_with(grad, |w, &g| *w += flip!("sam/climb", factor * scale(*w) * scale(*w) * g));
            }
            index += 1;
        });
    }
}

impl<T: Real, M: Params<T> + ?Sized, S: Stepper<T, M>> Stepper<T, M> for Sam<T, S> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        let loss = eval(model, &mut self.first)?;
        snapshot::check("sam: first gradient", model, &self.first)?;
        self.before.take(model);
        self.climb(model);
        let uphill = eval(model, &mut self.second);
        self.before.put(model);
        uphill?;
        let (second, mut used) = (&mut self.second, false);
        self.inner.step(model, &mut |_, grads| {
            if std::mem::replace(&mut used, true) {
                return Err(Error::value(
                    "sam: the stepper inside",
                    "one that evaluates once a step",
                    "a second evaluation",
                ));
            }
            std::mem::swap(grads, second);
            Ok(loss)
        })
    }

    as_inside!();

    fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
        self.inner.use_pool(pool);
    }

    fn swap_averages(&mut self, model: &mut M) -> Result<()> {
        self.inner.swap_averages(model)
    }

    fn prepare(&mut self, model: &M) -> Result<()> {
        self.inner.prepare(model)
    }

    /// That of the stepper inside: nothing is remembered from one step to the next.
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        self.inner.visit_state(f)
    }
}
