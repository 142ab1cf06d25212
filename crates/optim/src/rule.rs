//! What an update rule is: one parameter, one gradient, one state.

use gradwise_core::{ArrayRefD, Pool, Real, Result, ndarray::ArrayD};
use std::any::Any;

/// The numbers of a step that a rule is told: schedules and parameter groups decide them, and the rule never knows how.
///
/// They are `f64` for every `T`: products such as `1 − β₂ᵗ` lose all their digits in single precision. A rule converts what it has
/// computed from them, once an update.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hyper {
    /// The learning rate of this parameter in this step.
    pub learning_rate: f64,
    /// Takes the place of the rule's own momentum (of Adam's `beta1`), if a momentum schedule is set.
    pub momentum: Option<f64>,
    /// Strength λ of the weight decay of this parameter. What a rule does with it, it documents: *coupled* decay adds `λ w` to the
    /// gradient, as an L2 penalty `λ/2 Σ w²` would; *decoupled* decay shrinks the weights by `1 − learning_rate · λ` and leaves the
    /// gradient alone. For plain gradient descent both are one; for rules that rescale gradients they are not.
    pub weight_decay: f64,
    /// A factor of the gradient, by which an optimizer clips: 1 unless [`Rule::scales_gradients`].
    pub gradient_scale: f64,
}

impl Hyper {
    /// A learning rate, the rule's own momentum, no weight decay, and gradients as they are.
    pub fn new(learning_rate: f64) -> Self {
        Hyper { learning_rate, momentum: None, weight_decay: 0.0, gradient_scale: 1.0 }
    }
}

/// How a parameter follows from its gradient.
///
/// A rule is a plain value of hyper-parameters. It knows one parameter at a time: what it remembers of it is the parameter's
/// [`State`], which lives elsewhere, so that one rule serves any number of parameters.
///
/// # Contract
/// - `update` is a pure function of its arguments: the same ones give the same bits.
/// - `update` is called with a state made by `init` for a parameter of the same shape. It checks shapes itself ([`sweep`](crate::sweep)
///   does), and changes nothing if it returns an error.
/// - Everything that the next update depends on is in the state and is visited by it: a restored state continues exactly.
///
/// ```
/// use gradwise_core::{ArrayRefD, Pool, Real, Result};
/// use gradwise_optim::{Hyper, Rule, sweep};
///
/// /// Sign descent: w ← w − learning_rate · sign(g).
/// struct SignDescent;
///
/// impl<T: Real> Rule<T> for SignDescent {
///     type State = ();
///     fn name(&self) -> &'static str { "sign descent" }
///     fn init(&self, _: &ArrayRefD<T>) {}
///     fn update(&self, hyper: &Hyper, _: &mut (), w: &mut ArrayRefD<T>, g: &ArrayRefD<T>) -> Result<()> {
///         let rate = T::of(hyper.learning_rate);
///         sweep("sign descent", w, g, [], |w, g, []| {
///             for (w, g) in w.iter_mut().zip(g) {
///                 *w -= rate * g.signum();
///             }
///         })
///     }
/// }
/// ```
pub trait Rule<T: Real>: Send + Sync {
    /// What it remembers of a parameter: `()` for nothing.
    type State: State<T>;

    /// Its name in errors and reports, in lower case: `"adam"`.
    fn name(&self) -> &'static str;

    /// The state of a parameter before its first update.
    fn init(&self, param: &ArrayRefD<T>) -> Self::State;

    /// Updates a parameter and its state.
    ///
    /// # Errors
    /// If the arrays do not fit each other.
    fn update(
        &self,
        hyper: &Hyper,
        state: &mut Self::State,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()>;

    /// As [`Rule::update`], by the threads of a pool if the rule can use them (see [`sweep_on`](crate::sweep_on)), with the same bits
    /// for any number of them.
    ///
    /// # Errors
    /// As [`Rule::update`].
    fn update_on(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut Self::State,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        let _ = pool;
        self.update(hyper, state, param, grad)
    }

    /// Its own momentum, which [`Hyper::momentum`] takes the place of; `None` (the default) if it does not read that field, so that
    /// a momentum schedule can be refused instead of ignored.
    fn momentum(&self) -> Option<f64> {
        None
    }

    /// Whether `update` multiplies gradients by [`Hyper::gradient_scale`]. An optimizer that clips saves a pass over them then; for
    /// a rule that does not, which is the default, it scales them first.
    fn scales_gradients(&self) -> bool {
        false
    }

    /// The weight decay that an optimizer uses unless it is told one: 0 but for rules whose point it is.
    fn default_weight_decay(&self) -> f64 {
        0.0
    }

    /// Where the model should be evaluated instead of where its gradients are taken: `None` (the default) if that is the same place.
    /// Asked by [`Stepper::swap_averages`](crate::Stepper::swap_averages).
    fn average(&self, state: &Self::State, param: &ArrayRefD<T>) -> Option<ArrayD<T>> {
        let _ = (state, param);
        None
    }
}

/// One thing that a state holds.
///
/// Arrays are lent as array references: their numbers can be replaced, their shape cannot.
#[derive(Debug)]
pub enum Stored<'a, T> {
    /// Numbers, one for each of the parameter's or fewer.
    Array(&'a mut ArrayRefD<T>),
    /// A count, such as the number of updates.
    Counter(&'a mut u64),
    /// A number, to all its digits whatever `T` is.
    Number(&'a mut f64),
}

/// What a rule remembers of one parameter, open to checkpoints.
///
/// `visit` shows everything the next update depends on, under names that are unique within the state and in an order that does not
/// change; it serves both saving and restoring.
///
/// ```
/// use gradwise_core::Real;
/// use gradwise_optim::{State, Stored, ndarray::ArrayD};
///
/// struct Momentum<T> { velocity: ArrayD<T>, updates: u64 }
///
/// impl<T: Real> State<T> for Momentum<T> {
///     fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
///         f("velocity", Stored::Array(&mut self.velocity));
///         f("updates", Stored::Counter(&mut self.updates));
///     }
/// }
/// ```
pub trait State<T: Real>: Any + Send + Sync {
    /// Calls `f` with each array and counter.
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>));
}

impl<T: Real> State<T> for () {
    fn visit(&mut self, _: &mut dyn FnMut(&str, Stored<'_, T>)) {}
}

impl<T: Real> State<T> for Box<dyn State<T>> {
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        (**self).visit(f);
    }
}

macro_rules! forward_rule {
    ($($name:ty),*) => {$(
        impl<T: Real, R: Rule<T> + ?Sized> Rule<T> for $name {
            type State = R::State;
            fn name(&self) -> &'static str {
                (**self).name()
            }
            fn init(&self, param: &ArrayRefD<T>) -> Self::State {
                (**self).init(param)
            }
            fn update(
                &self,
                hyper: &Hyper,
                state: &mut Self::State,
                param: &mut ArrayRefD<T>,
                grad: &ArrayRefD<T>,
            ) -> Result<()> {
                (**self).update(hyper, state, param, grad)
            }
            fn update_on(
                &self,
                pool: &dyn Pool,
                hyper: &Hyper,
                state: &mut Self::State,
                param: &mut ArrayRefD<T>,
                grad: &ArrayRefD<T>,
            ) -> Result<()> {
                (**self).update_on(pool, hyper, state, param, grad)
            }
            fn momentum(&self) -> Option<f64> {
                (**self).momentum()
            }
            fn scales_gradients(&self) -> bool {
                (**self).scales_gradients()
            }
            fn default_weight_decay(&self) -> f64 {
                (**self).default_weight_decay()
            }
            fn average(&self, state: &Self::State, param: &ArrayRefD<T>) -> Option<ArrayD<T>> {
                (**self).average(state, param)
            }
        }
    )*};
}
forward_rule!(&R, Box<R>);
