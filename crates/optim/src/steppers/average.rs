//! Averages of the weights a model has had: exponential ones and equal ones.

use super::as_inside;
use crate::{State, StepInfo, Stepper, Stored, check, sweep_each};
use gradwise_core::{Error, Grads, Params, ParamsExt, Pool, Real, Result, Serial, flip, ndarray::ArrayD};
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Exponential { decay: f64, warm_up: bool },
    Equal,
}

/// An average of a model's parameters and buffers over the steps of training.
///
/// ```text
/// a ← w                       the first time
/// a ← a + (1 − δ) (w − a)     exponential: δ, or min(δ, (1 + n)/(10 + n)) with a warm-up, n averaged before
/// a ← a + (w − a) / (n + 1)   equal: stochastic weight averaging (SWA)
/// ```
///
/// The average is mostly better than its members, at no cost but a pass over memory. [`Average::swap`] puts it into the model, and the
/// second time takes it out again. Everything is averaged: trainable and frozen parameters, and buffers such as the running statistics of
/// a batch norm, unless [`Average::without_buffers`] says so. For an equal average of far-apart weights, those statistics should be
/// gathered anew on training data, between the two swaps: then the model gets its own back.
///
/// δ is 0.999 in Keras and 0.9999 in timm: the average reaches back about `1 / (1 − δ)` steps. Sources: Polyak and Juditsky,
/// *Acceleration of stochastic approximation by averaging*, 1992; Izmailov et al., *Averaging weights leads to wider optima and better
/// generalization*, UAI 2018.
///
/// ```
/// use gradwise_optim::{Param, ndarray::arr1, steppers::Average};
///
/// let mut model = vec![Param::new(arr1(&[1.0_f64]))];
/// let mut average = Average::equal();
/// for w in [1.0, 2.0, 6.0] {
///     model[0].value[[0]] = w;
///     average.update(&model)?;
/// }
/// average.swap(&mut model)?;
/// assert_eq!(model[0].value[[0]], 3.0);
/// average.swap(&mut model)?;
/// assert_eq!(model[0].value[[0]], 6.0);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Average<T> {
    kind: Kind,
    start: u64,
    every: u64,
    buffers: bool,
    seen: u64,
    averaged: u64,
    /// Whether the average is in the model, and the model's own values here.
    swapped: u64,
    slots: Vec<Slot<T>>,
    pool: PoolOf,
}

/// A pool, which shows nothing of itself.
#[derive(Clone)]
struct PoolOf(Arc<dyn Pool + Send + Sync>);

impl std::fmt::Debug for PoolOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} threads", self.0.threads())
    }
}

#[derive(Clone, Debug)]
struct Slot<T> {
    path: String,
    /// Nothing for a parameter that is left out.
    value: Option<ArrayD<T>>,
}

impl<T: Real> Average<T> {
    fn of(kind: Kind) -> Self {
        Average {
            kind,
            start: 0,
            every: 1,
            buffers: true,
            seen: 0,
            averaged: 0,
            swapped: 0,
            slots: Vec::new(),
            pool: PoolOf(Arc::new(Serial)),
        }
    }

    /// An exponential moving average with decay δ.
    ///
    /// # Errors
    /// If δ is not in `[0, 1)`.
    pub fn exponential(decay: f64) -> Result<Self> {
        let decay = check::below_one("average: decay", decay)?;
        Ok(Average::of(Kind::Exponential { decay, warm_up: false }))
    }

    /// An average of equal weights.
    pub fn equal() -> Self {
        Average::of(Kind::Equal)
    }

    /// Lets an exponential average forget its first members sooner, which had nothing learned yet. An equal one stays as it is.
    #[must_use]
    pub fn warm_up(mut self) -> Self {
        if let Kind::Exponential { warm_up, .. } = &mut self.kind {
            *warm_up = true;
        }
        self
    }

    /// Begins after so many steps: SWA begins at three quarters of training.
    #[must_use]
    pub fn starting_after(self, steps: u64) -> Self {
        Average { start: steps, ..self }
    }

    /// Takes every `n`-th step only, from its beginning on: with an equal average, the last step of each epoch.
    ///
    /// # Errors
    /// If `n` is 0.
    pub fn every(self, n: u64) -> Result<Self> {
        Ok(Average { every: check::steps("average: every", n)?, ..self })
    }

    /// Leaves buffers as the model has them.
    #[must_use]
    pub fn without_buffers(self) -> Self {
        Average { buffers: false, ..self }
    }

    /// How many times the model has been averaged.
    pub fn n_averaged(&self) -> u64 {
        self.averaged
    }

    /// Makes room for a model's parameters; or checks that they are those it knows.
    ///
    /// # Errors
    /// If it has seen another model before.
    pub fn prepare<M: Params<T> + ?Sized>(&mut self, model: &M) -> Result<()> {
        if self.slots.is_empty() {
            let buffers = self.buffers;
            model.visit(|path, param| {
                let wanted = buffers || param.kind != gradwise_core::Kind::Buffer;
                let value = wanted.then(|| ArrayD::zeros(param.value.raw_dim()));
                self.slots.push(Slot { path: path.to_string(), value });
            });
            return Ok(());
        }
        let (mut n, mut fits) = (0, true);
        model.visit(|_, param| {
            let slot = self.slots.get(n);
            fits &= slot.is_some_and(|s| s.value.as_ref().is_none_or(|v| v.shape() == param.value.shape()));
            n += 1;
        });
        if !fits || n != self.slots.len() {
            let expected = format!("the model's {} of its first step, of the same shapes", self.slots.len());
            return Err(Error::value("average: parameters", expected, n));
        }
        Ok(())
    }

    /// Takes the model as it is after a step.
    ///
    /// # Errors
    /// If it has seen another model before, or its average is in the model.
    pub fn update<M: Params<T> + ?Sized>(&mut self, model: &M) -> Result<()> {
        self.must_be_out()?;
        self.prepare(model)?;
        self.seen += 1;
        if self.seen <= self.start || !(self.seen - self.start).is_multiple_of(self.every) {
            return Ok(());
        }
        let n = self.averaged as f64;
        let share = match self.kind {
            _ if self.averaged == 0 => 1.0,
            Kind::Equal => 1.0 / (n + 1.0),
            Kind::Exponential { decay, warm_up: false } => 1.0 - decay,
            Kind::Exponential { decay, warm_up: true } => 1.0 - decay.min((1.0 + n) / (10.0 + n)),
        };
        let (mut slots, mut result) = (self.slots.iter_mut(), Ok(()));
        let (first, share, pool) = (self.averaged == 0, T::of(share), &*self.pool.0);
        model.visit(|_, param| {
            let Some(value) = slots.next().and_then(|slot| slot.value.as_mut()) else { return };
            if first {
                value.assign(&param.value);
            } else if result.is_ok() {
                let blend = move |a: T, w: T, []: [T; 0]| (a + flip!("average/follow", share * (w - a)), []);
                result = sweep_each(pool, "average", value, &param.value, [], blend);
            }
        });
        self.averaged += 1;
        result
    }

    /// Exchanges the model's parameters and the average, to the bit; nothing happens while there is no average yet.
    ///
    /// # Errors
    /// If it has seen another model before.
    pub fn swap<M: Params<T> + ?Sized>(&mut self, model: &mut M) -> Result<()> {
        if self.averaged == 0 {
            return Ok(());
        }
        self.prepare(model)?;
        let mut slots = self.slots.iter_mut();
        model.visit_mut(|_, param| {
            if let Some(value) = slots.next().and_then(|slot| slot.value.as_mut()) {
                std::mem::swap(&mut param.value, value);
            }
        });
        self.swapped = 1 - self.swapped.min(1);
        Ok(())
    }

    /// Gives it threads for large parameters. Results do not depend on them, to the bit.
    pub fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
        self.pool = PoolOf(pool);
    }

    fn must_be_out(&self) -> Result<()> {
        if self.swapped == 0 {
            return Ok(());
        }
        Err(Error::value(
            "average: the model's parameters",
            "those of training (a second call of `swap`)",
            "their average",
        ))
    }
}

impl<T: Real> State<T> for Average<T> {
    /// The counters as `average:seen`, `average:n` and `average:swapped`, the average as `path:average`.
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        f("average:seen", Stored::Counter(&mut self.seen));
        f("average:n", Stored::Counter(&mut self.averaged));
        f("average:swapped", Stored::Counter(&mut self.swapped));
        for Slot { path, value } in &mut self.slots {
            if let Some(value) = value {
                f(&format!("{path}:average"), Stored::Array(value));
            }
        }
    }
}

/// Any stepper, with an [`Average`] of the model after each of its steps.
///
/// [`Stepper::swap_averages`] puts the average into the model to evaluate and save it, and takes it out again. A trainer writes new
/// values of buffers after the step, so the average has them one step later.
///
/// ```
/// use gradwise_optim::{Constant, Grads, Optimizer, Param, Sgd, Stepper, ndarray::arr1};
/// use gradwise_optim::steppers::{Average, Averaged};
///
/// let optimizer = Optimizer::new(Sgd::new(), Constant::new(1.0)?);
/// let mut stepper = Averaged::new(optimizer, Average::exponential(0.5)?);
/// let mut model = vec![Param::new(arr1(&[0.0_f64]))];
/// for gradient in [-1.0, -2.0] {
///     stepper.step(&mut model, &mut |model, grads| {
///         *grads = Grads::from_arrays(model, vec![Some(arr1(&[gradient]).into_dyn())]);
///         Ok(0.0)
///     })?;
/// }
/// // At 1, then at 3.
/// stepper.swap_averages(&mut model)?;
/// assert_eq!(model[0].value[[0]], 2.0);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Averaged<T, S> {
    inner: S,
    average: Average<T>,
}

impl<T: Real, S> Averaged<T, S> {
    /// A stepper and the average to keep.
    pub fn new(inner: S, average: Average<T>) -> Self {
        Averaged { inner, average }
    }

    /// The average.
    pub fn average(&self) -> &Average<T> {
        &self.average
    }

    /// The stepper inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<T: Real, M: Params<T> + ?Sized, S: Stepper<T, M>> Stepper<T, M> for Averaged<T, S> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        self.average.must_be_out()?;
        self.average.prepare(model)?;
        let info = self.inner.step(model, eval)?;
        self.average.update(model)?;
        Ok(info)
    }

    as_inside!();

    fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
        self.average.use_pool(Arc::clone(&pool));
        self.inner.use_pool(pool);
    }

    fn swap_averages(&mut self, model: &mut M) -> Result<()> {
        self.average.swap(model)
    }

    fn prepare(&mut self, model: &M) -> Result<()> {
        self.average.prepare(model)?;
        self.inner.prepare(model)
    }

    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        self.inner.visit_state(f)?;
        self.average.visit(f);
        Ok(())
    }
}
