//! One update from the gradients of several batches.

use super::snapshot;
use crate::{StepInfo, Stepper, Stored, check};
use gradwise_core::{Error, Grads, Params, ParamsExt, Pool, Real, Result, flip, ndarray::ArrayD};
use std::sync::Arc;

/// Any stepper, which updates once for every `n` steps, with the mean of their gradients: a batch `n` times as large, in the memory of one.
///
/// The first `n − 1` of `n` steps evaluate the model, add its gradients up and leave it alone; they tell a learning rate of 0. The
/// `n`-th lets the stepper inside take its step, with the mean of all gradients and the mean of the losses. Schedules count the updates.
/// It equals the large batch exactly (but for rounding) where the loss is a mean over samples and batches are of one size; batch norms
/// see the small batches. Buffers are written after every step, as ever.
///
/// ```
/// use gradwise_optim::{Constant, Grads, Optimizer, Param, Sgd, Stepper, ndarray::arr1, steppers::Accumulate};
///
/// let mut stepper = Accumulate::new(Optimizer::new(Sgd::new(), Constant::new(1.0)?), 2)?;
/// let mut model = vec![Param::new(arr1(&[10.0_f64]))];
/// for (gradient, expected) in [(1.0, 10.0), (3.0, 8.0), (1.0, 8.0), (1.0, 7.0)] {
///     stepper.step(&mut model, &mut |model, grads| {
///         *grads = Grads::from_arrays(model, vec![Some(arr1(&[gradient]).into_dyn())]);
///         Ok(0.0)
///     })?;
///     assert_eq!(model[0].value[[0]], expected);
/// }
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Accumulate<T, S> {
    inner: S,
    n: u64,
    steps: u64,
    /// Batches since the last update.
    batches: u64,
    loss: f64,
    slots: Vec<Slot<T>>,
    fresh: Grads<T>,
    /// Memory of gradients that have been used.
    free: Vec<ArrayD<T>>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    path: String,
    shape: Vec<usize>,
    sum: ArrayD<T>,
    /// How many of the batches had a gradient for it.
    added: u64,
}

impl<T: Real, S> Accumulate<T, S> {
    /// Around a stepper: one update for every `n` steps.
    ///
    /// # Errors
    /// If `n` is 0.
    pub fn new(inner: S, n: u64) -> Result<Self> {
        Ok(Accumulate {
            inner,
            n: check::steps("accumulate: batches", n)?,
            steps: 0,
            batches: 0,
            loss: 0.0,
            slots: Vec::new(),
            fresh: Grads::new(),
            free: Vec::new(),
        })
    }

    /// How many batches are added up since the last update.
    pub fn pending(&self) -> u64 {
        self.batches
    }

    /// The stepper inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn bind<M: Params<T> + ?Sized>(&mut self, model: &M) -> Result<()> {
        if self.slots.is_empty() {
            model.visit(|path, param| {
                let (path, shape) = (path.to_string(), param.value.shape().to_vec());
                let sum = ArrayD::zeros(if param.is_trainable() { param.value.raw_dim() } else { Default::default() });
                self.slots.push(Slot { path, shape, sum, added: 0 });
            });
        }
        let (mut n, mut fits) = (0, true);
        model.visit(|_, param| {
            fits &= self.slots.get(n).is_some_and(|slot| slot.shape == param.value.shape());
            n += 1;
        });
        if !fits || n != self.slots.len() {
            let expected = format!("the {} of the first step, of the same shapes", self.slots.len());
            return Err(Error::value("accumulate: parameters", expected, n));
        }
        Ok(())
    }

    /// Adds a batch's gradients to the sums.
    fn add(&mut self) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(grad) = self.fresh.get(index) else { continue };
            if slot.sum.shape() != grad.shape() {
                slot.sum = ArrayD::zeros(grad.raw_dim());
            }
            if slot.added == 0 {
                slot.sum.assign(grad);
            } else {
                slot.sum += grad;
            }
            slot.added += 1;
        }
    }
}

impl<T: Real, M: Params<T> + ?Sized, S: Stepper<T, M>> Stepper<T, M> for Accumulate<T, S> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        self.bind(model)?;
        let loss = eval(model, &mut self.fresh)?;
        snapshot::check("accumulate: gradient", model, &self.fresh)?;
        let grad_norm = self.fresh.global_norm();
        self.add();
        let step = self.steps;
        self.steps += 1;
        self.batches += 1;
        self.loss += loss.as_f64();
        if self.batches < self.n {
            return Ok(StepInfo { step, loss, learning_rate: 0.0, grad_norm });
        }
        let Accumulate { inner, slots, free, batches, loss: losses, .. } = self;
        let n = std::mem::take(batches) as f64;
        let mean = T::of(std::mem::take(losses) / n);
        let (by, mut used) = (T::of(flip!("accumulate/mean", 1.0 / n)), false);
        let info = inner.step(model, &mut |model, grads| {
            if std::mem::replace(&mut used, true) {
                let expected = "one that evaluates once a step";
                return Err(Error::value("accumulate: the stepper inside", expected, "a second evaluation"));
            }
            let mut trainable = Vec::new();
            model.visit(|_, param| trainable.push(param.is_trainable()));
            grads.reset(trainable.into_iter(), &mut |array| free.push(array));
            for (index, slot) in slots.iter_mut().enumerate() {
                if std::mem::take(&mut slot.added) > 0 {
                    let shape = slot.sum.raw_dim();
                    let place = free.iter().position(|array| array.shape() == slot.sum.shape());
                    let next = place.map_or_else(|| ArrayD::zeros(shape), |place| free.swap_remove(place));
                    let mut sum = std::mem::replace(&mut slot.sum, next);
                    sum *= by;
                    grads.set(index, sum);
                }
            }
            free.clear();
            Ok(mean)
        });
        // A step that fails is lost with its gradients.
        slots.iter_mut().for_each(|slot| slot.added = 0);
        Ok(StepInfo { step, loss, ..info? })
    }

    /// Those of the last update.
    fn grads(&self) -> &Grads<T> {
        self.inner.grads()
    }

    fn measure_updates(&mut self, measure: bool) {
        self.inner.measure_updates(measure);
    }

    /// Those of the last step, if it was an update.
    fn update_norms(&self) -> &[f64] {
        if self.batches == 0 { self.inner.update_norms() } else { &[] }
    }

    fn override_rate(&mut self, rate: Option<f64>) -> bool {
        self.inner.override_rate(rate)
    }

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

    /// That of the stepper inside, `accumulate:steps`, `accumulate:batches` and `accumulate:loss`, and of each parameter the sum of its
    /// gradients as `path:sum` and how many there are in it as `path:added`.
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        self.inner.visit_state(f)?;
        f("accumulate:steps", Stored::Counter(&mut self.steps));
        f("accumulate:batches", Stored::Counter(&mut self.batches));
        f("accumulate:loss", Stored::Number(&mut self.loss));
        for slot in &mut self.slots {
            f(&format!("{}:added", slot.path), Stored::Counter(&mut slot.added));
            f(&format!("{}:sum", slot.path), Stored::Array(&mut slot.sum));
        }
        Ok(())
    }
}
