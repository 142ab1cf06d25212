//! Simulated annealing.

use super::snapshot::Snapshot;
use crate::random::{add_normal, normals};
use crate::{Schedule, StepInfo, Stepper, Stored, check};
use gradwise_core::{Error, Grads, Key, Params, ParamsExt, Pool, Real, Result, Serial, flip};
use std::sync::Arc;

/// The probability of accepting a step that makes the loss larger by `increase`, at a temperature: `min(1, exp(−increase / temperature))`.
///
/// At temperature 0 nothing worse is accepted, and what is not a number never is. Source: Metropolis et al., *Equation of state
/// calculations by fast computing machines*, 1953.
///
/// ```
/// use gradwise_optim::steppers::metropolis;
///
/// assert_eq!(metropolis(-3.0, 0.5), 1.0);
/// assert_eq!(metropolis(0.5, 0.5), (-1.0_f64).exp());
/// assert_eq!(metropolis(1e-9, 0.0), 0.0);
/// ```
pub fn metropolis(increase: f64, temperature: f64) -> f64 {
    if increase <= 0.0 {
        1.0
    } else if temperature > 0.0 && !increase.is_nan() {
        (-increase / temperature).exp()
    } else {
        0.0
    }
}

/// How annealing proposes the next point.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Proposal {
    /// Every number moves, by a normal draw of the step's size.
    Normal,
    /// Every number moves, uniformly within the step's size to either side.
    Uniform,
    /// One number moves, chosen at random, by a normal draw of the step's size: for many parameters, where a step of all is hardly ever
    /// accepted.
    One,
}

/// Simulated annealing: proposes random steps, and accepts those that are worse, too, the less the colder it is.
///
/// In each step a point `w′` is proposed near `w`, and accepted with the probability
/// [`metropolis`]`(f(w′) − f(w), temperature)`. The best point so far is remembered: [`Stepper::swap_averages`] puts it into the model, and
/// takes it out again; with [`Annealing::restart_after`] the search goes back to it when it has found nothing better for some time. For few
/// parameters and many local minima; gradients are not looked at, and an evaluation need not compute them.
///
/// The model is evaluated twice a step, at `w` and at `w′`: so both losses are of the same batch. For a loss that is always the same at
/// the same point, [`Annealing::deterministic`] remembers the first, and evaluates once. The step's loss that is told is that at `w`, the
/// learning rate is the size of the proposal. Draws depend on the seed, the step and the number's place alone. Source: Kirkpatrick,
/// Gelatt and Vecchi, *Optimization by simulated annealing*, Science 1983.
///
/// ```
/// use gradwise_optim::{Exponential, Grads, Param, Stepper, ndarray::arr1, steppers::Annealing};
///
/// // Rastrigin's function in one dimension: a minimum at every whole number, the least of all at 0.
/// let f = |x: f64| 10.0 + x * x - 10.0 * (std::f64::consts::TAU * x).cos();
/// let mut model = vec![Param::new(arr1(&[4.0_f64]))];
/// let mut annealing = Annealing::new(Exponential::new(10.0, 0.99)?, 0.5, 1)?.deterministic();
/// for _ in 0..1000 {
///     annealing.step(&mut model, &mut |model, grads| {
///         *grads = Grads::from_arrays(model, vec![None]);
///         Ok(f(model[0].value[[0]]))
///     })?;
/// }
/// annealing.swap_averages(&mut model)?;
/// assert!(model[0].value[[0]].abs() < 0.1);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub struct Annealing<T> {
    temperature: Box<dyn Schedule>,
    size: Box<dyn Schedule>,
    proposal: Proposal,
    restart: Option<u64>,
    deterministic: bool,
    key: Key,
    step: u64,
    accepted: u64,
    /// Steps since the best point was found or returned to.
    since: u64,
    /// Loss at the model's point, as far as it is known.
    current: Option<f64>,
    best_loss: f64,
    best: Snapshot<T>,
    paths: Vec<String>,
    swapped: bool,
    before: Snapshot<T>,
    grads: Grads<T>,
    pool: Arc<dyn Pool + Send + Sync>,
}

impl<T: Real> Annealing<T> {
    /// With a schedule of temperatures, in units of the loss, a size of the proposals, and a seed.
    ///
    /// # Errors
    /// If the size is not above 0.
    pub fn new(temperature: impl Schedule + 'static, size: f64, seed: u64) -> Result<Self> {
        let size = check::positive("annealing: size of proposals", size)?;
        Ok(Annealing {
            temperature: Box::new(temperature),
            size: Box::new(move |_| size),
            proposal: Proposal::Normal,
            restart: None,
            deterministic: false,
            key: Key::new(seed).with_str("annealing"),
            step: 0,
            accepted: 0,
            since: 0,
            current: None,
            best_loss: f64::INFINITY,
            best: Snapshot::new(),
            paths: Vec::new(),
            swapped: false,
            before: Snapshot::new(),
            grads: Grads::new(),
            pool: Arc::new(Serial),
        })
    }

    /// Proposes in another way than [`Proposal::Normal`].
    #[must_use]
    pub fn proposal(self, proposal: Proposal) -> Self {
        Annealing { proposal, ..self }
    }

    /// Sets a schedule of the proposals' size: smaller ones for the end.
    #[must_use]
    pub fn size(self, schedule: impl Schedule + 'static) -> Self {
        Annealing { size: Box::new(schedule), ..self }
    }

    /// Goes back to the best point after so many steps without a better one.
    ///
    /// # Errors
    /// If it is 0.
    pub fn restart_after(self, steps: u64) -> Result<Self> {
        Ok(Annealing { restart: Some(check::steps("annealing: steps before a restart", steps)?), ..self })
    }

    /// Promises that the loss depends on the model alone, so that each point is evaluated once.
    #[must_use]
    pub fn deterministic(self) -> Self {
        Annealing { deterministic: true, ..self }
    }

    /// How many proposals were accepted.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// How many steps were done.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// The least loss so far; infinite before the first step.
    pub fn best_loss(&self) -> f64 {
        self.best_loss
    }

    fn bind<M: Params<T> + ?Sized>(&mut self, model: &M) -> Result<()> {
        if self.paths.is_empty() {
            self.best.take(model);
            model.visit(|path, param| {
                if param.is_trainable() {
                    self.paths.push(path.to_string());
                }
            });
        }
        if !self.best.fits(model) {
            return Err(Error::value("annealing: model", "the trainable parameters of the first step", "others"));
        }
        Ok(())
    }

    /// Moves the model to another point.
    fn propose<M: Params<T> + ?Sized>(&self, model: &mut M, key: Key, size: f64) {
        let chosen = (key.with_str("which").uniform(0) * model.n_trainable() as f64) as usize;
        let (mut index, mut first) = (0_u64, 0);
        model.visit_mut(|_, param| {
            let (key, begin, len) = (key.with(index), first, param.value.len());
            index += 1;
            if !param.is_trainable() {
                return;
            }
            first += len;
            match self.proposal {
                Proposal::Normal => add_normal(&*self.pool, &mut param.value, key, size),
                Proposal::Uniform => {
                    for (i, x) in param.value.iter_mut().enumerate() {
                        *x += T::of(size * (2.0 * key.uniform(i as u64) - 1.0));
                    }
                }
                Proposal::One => {
                    let place = chosen.checked_sub(begin).filter(|place| *place < len);
                    if let Some(x) = place.and_then(|place| param.value.iter_mut().nth(place)) {
                        *x += T::of(size * normals(key, 0).0);
                    }
                }
            }
        });
    }

    fn note_best<M: Params<T> + ?Sized>(&mut self, model: &M, loss: f64) {
        if loss < self.best_loss {
            self.best_loss = loss;
            self.best.take(model);
            self.since = 0;
        }
    }
}

impl<T> std::fmt::Debug for Annealing<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Annealing { proposal, restart, step, accepted, best_loss, .. } = self;
        let mut debug = f.debug_struct("Annealing");
        debug.field("proposal", proposal).field("restart", restart).field("step", step);
        debug.field("accepted", accepted).field("best_loss", best_loss).finish_non_exhaustive()
    }
}

fn loss_of(loss: f64) -> Result<f64> {
    if loss.is_nan() { Err(Error::NotFinite { op: "annealing: loss", got: loss }) } else { Ok(loss) }
}

impl<T: Real, M: Params<T> + ?Sized> Stepper<T, M> for Annealing<T> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        if self.swapped {
            let expected = "those of the search (a second call of `swap_averages`)";
            return Err(Error::value("annealing: the model's parameters", expected, "the best ones"));
        }
        self.bind(model)?;
        let temperature = check::not_negative("annealing: temperature", self.temperature.at(self.step))?;
        let size = check::not_negative("annealing: size of proposals", self.size.at(self.step))?;
        let current = match self.current.filter(|_| self.deterministic) {
            Some(current) => current,
            None => loss_of(eval(model, &mut self.grads)?.as_f64())?,
        };
        self.note_best(model, current);
        let key = self.key.with(self.step);
        self.before.take(model);
        self.propose(model, key, size);
        let proposed = match eval(model, &mut self.grads) {
            Ok(loss) => loss.as_f64(),
            Err(error) => {
                self.before.put(model);
                return Err(error);
            }
        };
        self.since += 1;
        let accepts = key.with_str("accept").uniform(0)
            < metropolis(flip!("annealing/difference", proposed - current), temperature);
        if accepts {
            self.accepted += 1;
            self.current = Some(proposed);
            self.note_best(model, proposed);
        } else {
            self.before.put(model);
            self.current = Some(current);
        }
        if self.restart.is_some_and(|restart| self.since >= restart) {
            self.best.put(model);
            (self.current, self.since) = (Some(self.best_loss), 0);
        }
        let step = self.step;
        self.step += 1;
        Ok(StepInfo { step, loss: T::of(current), learning_rate: size, grad_norm: self.grads.global_norm() })
    }

    /// Those of the last evaluation, if it computed any.
    fn grads(&self) -> &Grads<T> {
        &self.grads
    }

    fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
        self.pool = pool;
    }

    fn swap_averages(&mut self, model: &mut M) -> Result<()> {
        if self.best_loss.is_infinite() {
            return Ok(());
        }
        self.bind(model)?;
        self.best.swap(model);
        self.swapped = !self.swapped;
        Ok(())
    }

    fn prepare(&mut self, model: &M) -> Result<()> {
        self.bind(model)
    }

    /// Counters and losses by their names, and the best point as `path:best`.
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        if self.paths.is_empty() {
            return Err(Error::value("annealing: state", "a step or `prepare` before", "none"));
        }
        let mut known = u64::from(self.current.is_some());
        let mut current = self.current.unwrap_or_default();
        let mut swapped = u64::from(self.swapped);
        f("step", Stored::Counter(&mut self.step));
        f("accepted", Stored::Counter(&mut self.accepted));
        f("since_best", Stored::Counter(&mut self.since));
        f("loss_is_known", Stored::Counter(&mut known));
        f("loss", Stored::Number(&mut current));
        f("best_loss", Stored::Number(&mut self.best_loss));
        f("swapped", Stored::Counter(&mut swapped));
        self.current = (known > 0).then_some(current);
        self.swapped = swapped > 0;
        for (path, value) in self.paths.iter().zip(self.best.values_mut()) {
            f(&format!("{path}:best"), Stored::Array(value));
        }
        Ok(())
    }
}
