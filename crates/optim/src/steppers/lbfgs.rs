//! L-BFGS.

use super::line_search::{Point, strong_wolfe};
use super::snapshot::Snapshot;
use crate::{StepInfo, Stepper, Stored, check};
use gradwise_core::ndarray::aview_mut1;
use gradwise_core::{Error, Grads, Params, ParamsExt, Real, Result, flip};
use std::collections::VecDeque;

/// L-BFGS: Newton's method with what the last gradients tell of the curvature, and a line search.
///
/// A step is up to `max_iterations` iterations on the same loss:
///
/// ```text
/// d = −H g,  H from the last `history` pairs s = Δw, y = Δg with s·y > 10⁻¹⁰ (two-loop recursion), scaled by s·y / y·y
/// w ← w + t d,  t by the strong Wolfe conditions (c₁ = 10⁻⁴, c₂ = 0.9)
/// ```
///
/// The search tries the rate first, in the very first iteration min(1, 1/‖g‖₁) times it.
///
/// For smooth functions of which the whole gradient can be had: small data, physics, fine polishing. Not for batches that change from
/// step to step, on which curvature cannot be told from noise. All trainable parameters are one vector, so there are no groups and no
/// decay; a penalty in the loss does what decay would.
///
/// | option | ours | PyTorch's |
/// |---|---|---|
/// | rate | 1 | 1 |
/// | iterations a step | 20 | 20 |
/// | evaluations a step | 25 | 1.25 times the iterations |
/// | history | 10, as in SciPy | 100 |
/// | line search | strong Wolfe | none; [`Lbfgs::without_line_search`] |
/// | least gradient, least change | 10⁻⁷, 10⁻⁹ | the same |
///
/// A step's loss and norm are those it began with, its learning rate the last `t`. A loss that is not finite within the line search is
/// stepped back from; without one it is an error, and the model is as it was before the step. Source: Liu and Nocedal, *On the limited
/// memory BFGS method for large scale optimization*, 1989.
///
/// ```
/// use gradwise_optim::{Grads, Param, Stepper, ndarray::arr1, steppers::Lbfgs};
///
/// // Rosenbrock's valley, whose minimum is at (1, 1).
/// let mut model = vec![Param::new(arr1(&[-1.2_f64, 1.0]))];
/// let mut lbfgs = Lbfgs::default();
/// for _ in 0..5 {
///     lbfgs.step(&mut model, &mut |model, grads| {
///         let (x, y) = (model[0].value[[0]], model[0].value[[1]]);
///         let valley = y - x * x;
///         let gradient = arr1(&[-2.0 * (1.0 - x) - 400.0 * x * valley, 200.0 * valley]);
///         *grads = Grads::from_arrays(model, vec![Some(gradient.into_dyn())]);
///         Ok((1.0 - x).powi(2) + 100.0 * valley * valley)
///     })?;
/// }
/// assert!(model[0].value.iter().all(|x| (x - 1.0).abs() < 1e-5));
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lbfgs<T> {
    rate: f64,
    max_iterations: u64,
    max_evaluations: u64,
    least_gradient: f64,
    least_change: f64,
    history: usize,
    line_search: bool,
    /// Iterations since the beginning: nothing below is known before the first.
    iterations: u64,
    steps: u64,
    evaluations: u64,
    n: usize,
    length: f64,
    scale: f64,
    direction: Vec<T>,
    last_grad: Vec<T>,
    pairs: VecDeque<Pair<T>>,
    grads: Grads<T>,
    before: Snapshot<T>,
    known: bool,
}

/// How the gradient has changed with the weights.
#[derive(Clone, Debug, Default)]
struct Pair<T> {
    of_grad: Vec<T>,
    of_weight: Vec<T>,
    /// One over their product.
    inverse: f64,
}

/// The least product of a pair that is kept: one with less would make the curvature negative, or nothing but rounding.
const LEAST_PRODUCT: f64 = 1e-10;

impl<T: Real> Default for Lbfgs<T> {
    fn default() -> Self {
        Lbfgs {
            rate: 1.0,
            max_iterations: 20,
            max_evaluations: 25,
            least_gradient: 1e-7,
            least_change: 1e-9,
            history: 10,
            line_search: true,
            iterations: 0,
            steps: 0,
            evaluations: 0,
            n: 0,
            length: 0.0,
            scale: 1.0,
            direction: Vec::new(),
            last_grad: Vec::new(),
            pairs: VecDeque::new(),
            grads: Grads::new(),
            before: Snapshot::new(),
            known: false,
        }
    }
}

impl<T: Real> Lbfgs<T> {
    /// Tries `rate · d` first, in the place of `d`.
    ///
    /// # Errors
    /// If it is not above 0.
    pub fn rate(self, rate: f64) -> Result<Self> {
        Ok(Lbfgs { rate: check::positive("l-bfgs: rate", rate)?, ..self })
    }

    /// Sets how many iterations and evaluations a step may have.
    ///
    /// # Errors
    /// If one is 0.
    pub fn at_most(self, iterations: u64, evaluations: u64) -> Result<Self> {
        Ok(Lbfgs {
            max_iterations: check::steps("l-bfgs: iterations", iterations)?,
            max_evaluations: check::steps("l-bfgs: evaluations", evaluations)?,
            ..self
        })
    }

    /// Ends a step when no number of the gradient is larger than `gradient`, or when neither weights nor loss change by more than `change`.
    ///
    /// # Errors
    /// If one is negative or not finite.
    pub fn tolerances(self, gradient: f64, change: f64) -> Result<Self> {
        Ok(Lbfgs {
            least_gradient: check::not_negative("l-bfgs: least gradient", gradient)?,
            least_change: check::not_negative("l-bfgs: least change", change)?,
            ..self
        })
    }

    /// Remembers so many pairs, each twice as large as the model.
    ///
    /// # Errors
    /// If it is 0.
    pub fn history(self, pairs: usize) -> Result<Self> {
        if pairs == 0 {
            return Err(Error::value("l-bfgs: history", "at least 1 pair", pairs));
        }
        Ok(Lbfgs { history: pairs, ..self })
    }

    /// Goes by the rate, without a search: one evaluation an iteration.
    #[must_use]
    pub fn without_line_search(self) -> Self {
        Lbfgs { line_search: false, ..self }
    }

    /// How many times models were evaluated.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    fn bind<M: Params<T> + ?Sized>(&mut self, model: &M) -> Result<()> {
        let n = model.n_trainable();
        if self.known && n != self.n {
            let expected = format!("the {} of the first step", self.n);
            return Err(Error::value("l-bfgs: trainable numbers", expected, n));
        }
        (self.n, self.known) = (n, true);
        Ok(())
    }

    /// Evaluates a model, and gets the loss and all gradients in one row.
    fn evaluate<M: Params<T> + ?Sized>(
        &mut self,
        model: &M,
        eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>,
        row: &mut Vec<T>,
    ) -> Result<f64> {
        let loss = eval(model, &mut self.grads)?.as_f64();
        self.evaluations += 1;
        row.clear();
        let (mut index, mut result) = (0, Ok(()));
        model.visit(|path, param| {
            let grad = self.grads.get(index);
            index += 1;
            match grad {
                _ if !param.is_trainable() => {}
                Some(grad) if grad.shape() == param.value.shape() => row.extend(grad.iter()),
                Some(grad) if result.is_ok() => {
                    let expected = format!("a gradient of the parameter's shape {:?}", param.value.shape());
                    result = Err(Error::shape("l-bfgs", expected, grad.shape()).at(&path.to_string()));
                }
                Some(_) => {}
                // What the loss does not reach stays where it is.
                None => row.extend(std::iter::repeat_n(T::zero(), param.value.len())),
            }
        });
        result?;
        if self.grads.len() != index {
            let expected = format!("one for each of the model's {index} parameters");
            return Err(Error::value("l-bfgs: gradients", expected, self.grads.len()));
        }
        Ok(loss)
    }

    /// The direction from the gradient and the pairs: the two-loop recursion.
    fn aim(&mut self, grad: &[T]) {
        self.direction.clear();
        self.direction.extend(grad.iter().map(|g| -*g));
        let direction = &mut self.direction;
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = dot(&pair.of_weight, direction) * pair.inverse;
            add(direction, T::of(flip!("lbfgs/first_loop", -share)), &pair.of_grad);
            shares.push(share);
        }
        let scale = T::of(self.scale);
        direction.iter_mut().for_each(|d| *d *= scale);
        for (pair, share) in self.pairs.iter().zip(shares.iter().rev()) {
            let back = dot(&pair.of_grad, direction) * pair.inverse;
            add(direction, T::of(share - flip!("lbfgs/second_loop", back)), &pair.of_weight);
        }
    }

    /// Takes note of how the gradient has changed on the last way.
    fn learn(&mut self, grad: &[T]) {
        let length = T::of(self.length);
        let (mut product, mut squares) = ([0.0; 8], [0.0; 8]);
        let pairs = grad.iter().zip(&self.last_grad).zip(&self.direction);
        for (i, ((&new, &old), &d)) in pairs.enumerate() {
            let (of_grad, of_weight) = ((new - old).as_f64(), (d * length).as_f64());
            product[i % 8] += of_grad * of_weight;
            squares[i % 8] += of_grad * of_grad;
        }
        let (product, squares) = (product.iter().sum::<f64>(), squares.iter().sum::<f64>());
        if product > LEAST_PRODUCT {
            // The oldest pair's memory serves the newest.
            let oldest = if self.pairs.len() == self.history { self.pairs.pop_front() } else { None };
            let Pair { mut of_grad, mut of_weight, .. } = oldest.unwrap_or_default();
            of_grad.clear();
            of_grad.extend(grad.iter().zip(&self.last_grad).map(|(&new, &old)| new - old));
            of_weight.clear();
            of_weight.extend(self.direction.iter().map(|&d| d * length));
            self.scale = product / squares;
            self.pairs.push_back(Pair { of_grad, of_weight, inverse: 1.0 / product });
        }
    }

    /// The iterations of a step, from a first evaluation.
    fn iterate<M: Params<T> + ?Sized>(
        &mut self,
        model: &mut M,
        eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>,
        mut loss: f64,
        mut grad: Vec<T>,
    ) -> Result<()> {
        let begin = self.evaluations - 1;
        for iteration in 1..=self.max_iterations {
            if largest(&grad) <= self.least_gradient {
                return Ok(());
            }
            self.iterations += 1;
            let first = self.iterations == 1;
            if !first {
                self.learn(&grad);
            }
            self.aim(&grad);
            self.last_grad.clone_from(&grad);
            let (loss_before, slope) = (loss, dot(&grad, &self.direction));
            let sum: f64 = grad.iter().map(|g| g.as_f64().abs()).sum();
            self.length = if first { (1.0 / sum).min(1.0) * self.rate } else { self.rate };
            if slope > -self.least_change {
                return Ok(());
            }
            self.before.take(model);
            if self.line_search {
                let left = self.max_evaluations.saturating_sub(self.evaluations - begin);
                let start = Point { at: 0.0, loss, slope, grad };
                let direction = std::mem::take(&mut self.direction);
                let narrowest = self.least_change / largest(&direction).max(f64::MIN_POSITIVE);
                let tried = self.length;
                let before = std::mem::take(&mut self.before);
                let found = strong_wolfe(
                    &mut |at| {
                        before.put(model);
                        go(model, T::of(at), &direction);
                        let mut grad = Vec::with_capacity(direction.len());
                        let loss = self.evaluate(model, eval, &mut grad)?;
                        let slope = dot(&grad, &direction);
                        Ok(Point { at, loss, slope, grad })
                    },
                    start,
                    tried,
                    left,
                    narrowest,
                );
                (self.direction, self.before) = (direction, before);
                self.before.put(model);
                let (point, _) = found?;
                go(model, T::of(point.at), &self.direction);
                (self.length, loss, grad) = (point.at, point.loss, point.grad);
            } else {
                go(model, T::of(self.length), &self.direction);
                if iteration == self.max_iterations {
                    return Ok(());
                }
                loss = self.evaluate(model, eval, &mut grad)?;
                check_finite(loss, &grad)?;
            }
            let moved = largest(&self.direction) * self.length.abs();
            let out = self.evaluations - begin >= self.max_evaluations;
            if out || moved <= self.least_change || (loss - loss_before).abs() < self.least_change {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Moves the trainable parameters along a direction.
fn go<T: Real, M: Params<T> + ?Sized>(model: &mut M, by: T, mut direction: &[T]) {
    model.visit_mut(|_, param| {
        if param.is_trainable()
            && let Some((own, rest)) = direction.split_at_checked(param.value.len())
        {
            param.value.iter_mut().zip(own).for_each(|(w, &d)| *w += by * d);
            direction = rest;
        }
    });
}

fn check_finite<T: Real>(loss: f64, grad: &[T]) -> Result<()> {
    let bad = Some(loss).into_iter().chain(grad.iter().map(|g| g.as_f64())).find(|x| !x.is_finite());
    bad.map_or(Ok(()), |got| Err(Error::NotFinite { op: "l-bfgs: loss and gradient", got }))
}

/// `x · y`, in `f64` and eight sums that do not wait for each other.
fn dot<T: Real>(x: &[T], y: &[T]) -> f64 {
    let mut lanes = [0.0; 8];
    for (x, y) in x.chunks(8).zip(y.chunks(8)) {
        for ((sum, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *sum += x.as_f64() * y.as_f64();
        }
    }
    lanes.iter().sum()
}

fn add<T: Real>(x: &mut [T], by: T, y: &[T]) {
    x.iter_mut().zip(y).for_each(|(x, &y)| *x += by * y);
}

fn largest<T: Real>(x: &[T]) -> f64 {
    x.iter().fold(0.0, |largest, x| largest.max(x.as_f64().abs()))
}

impl<T: Real, M: Params<T> + ?Sized> Stepper<T, M> for Lbfgs<T> {
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>> {
        self.bind(model)?;
        let mut grad = Vec::with_capacity(self.n);
        let loss = self.evaluate(model, eval, &mut grad)?;
        check_finite(loss, &grad)?;
        let grad_norm = dot(&grad, &grad).sqrt();
        let mut whole = Snapshot::new();
        whole.take(model);
        if let Err(error) = self.iterate(model, eval, loss, grad) {
            whole.put(model);
            // What was learned on the way does not belong to where the model is now.
            (self.iterations, self.scale) = (0, 1.0);
            self.pairs.clear();
            return Err(error);
        }
        let step = self.steps;
        self.steps += 1;
        Ok(StepInfo { step, loss: T::of(loss), learning_rate: self.length, grad_norm })
    }

    /// Those of the last evaluation.
    fn grads(&self) -> &Grads<T> {
        &self.grads
    }

    fn prepare(&mut self, model: &M) -> Result<()> {
        self.bind(model)
    }

    /// Counters and numbers by their names; `direction` and `last_gradient`, once there is one; and of each pair, from the oldest on,
    /// `pair.0.gradient`, `pair.0.weight` and `pair.0.inverse`.
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        if !self.known {
            return Err(Error::value("l-bfgs: state", "a step or `prepare` before", "none"));
        }
        let mut n_pairs = self.pairs.len() as u64;
        f("step", Stored::Counter(&mut self.steps));
        f("iterations", Stored::Counter(&mut self.iterations));
        f("evaluations", Stored::Counter(&mut self.evaluations));
        f("pairs", Stored::Counter(&mut n_pairs));
        f("length", Stored::Number(&mut self.length));
        f("scale", Stored::Number(&mut self.scale));
        // Whoever restores has told by now how much there is.
        let zeros = || vec![T::zero(); self.n];
        if self.iterations > 0 {
            self.direction.resize(self.n, T::zero());
            self.last_grad.resize(self.n, T::zero());
            f("direction", Stored::Array(&mut aview_mut1(&mut self.direction).into_dyn()));
            f("last_gradient", Stored::Array(&mut aview_mut1(&mut self.last_grad).into_dyn()));
        }
        let n_pairs = (n_pairs as usize).min(self.history);
        self.pairs.resize_with(n_pairs, || Pair { of_grad: zeros(), of_weight: zeros(), inverse: 0.0 });
        for (i, pair) in self.pairs.iter_mut().enumerate() {
            f(&format!("pair.{i}.gradient"), Stored::Array(&mut aview_mut1(&mut pair.of_grad).into_dyn()));
            f(&format!("pair.{i}.weight"), Stored::Array(&mut aview_mut1(&mut pair.of_weight).into_dyn()));
            f(&format!("pair.{i}.inverse"), Stored::Number(&mut pair.inverse));
        }
        Ok(())
    }
}
