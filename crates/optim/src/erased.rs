//! Rules behind one type, for programs that choose them while they run.

use crate::{Hyper, Rule, State};
use gradwise_core::{ArrayRefD, Error, Pool, Real, Result, Serial, ndarray::ArrayD};
use std::any::Any;

/// Any rule, as one type: what a recipe makes from a rule's name.
///
/// Costs one allocation a parameter when states are made, and one indirect call a parameter and step.
///
/// ```
/// use gradwise_optim::{Adam, BoxRule, Constant, Optimizer, Rule, Sgd};
///
/// fn by_name(name: &str) -> Option<BoxRule<f32>> {
///     match name {
///         "sgd" => Some(BoxRule::new(Sgd::new())),
///         "adam" => Some(BoxRule::new(Adam::default())),
///         _ => None,
///     }
/// }
/// let rule = by_name("adam").unwrap();
/// assert_eq!(rule.name(), "adam");
/// let optimizer = Optimizer::new(rule, Constant::new(1e-3)?);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub struct BoxRule<T: Real>(Box<dyn Erased<T>>);

impl<T: Real> BoxRule<T> {
    /// A rule, with its type forgotten.
    pub fn new(rule: impl Rule<T> + 'static) -> Self {
        BoxRule(Box::new(rule))
    }
}

impl<T: Real> std::fmt::Debug for BoxRule<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("BoxRule").field(&self.0.name()).finish()
    }
}

impl<T: Real> Rule<T> for BoxRule<T> {
    type State = Box<dyn State<T>>;
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn init(&self, param: &ArrayRefD<T>) -> Self::State {
        self.0.init(param)
    }
    fn update(
        &self,
        hyper: &Hyper,
        state: &mut Self::State,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        self.0.update(&Serial, hyper, &mut **state, param, grad)
    }
    fn update_on(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut Self::State,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        self.0.update(pool, hyper, &mut **state, param, grad)
    }
    fn momentum(&self) -> Option<f64> {
        self.0.momentum()
    }
    fn scales_gradients(&self) -> bool {
        self.0.scales_gradients()
    }
    fn default_weight_decay(&self) -> f64 {
        self.0.default_weight_decay()
    }
    fn average(&self, state: &Self::State, param: &ArrayRefD<T>) -> Option<ArrayD<T>> {
        self.0.average(&**state, param)
    }
}

/// [`Rule`] without the associated type, which is what keeps it from being a trait object.
trait Erased<T: Real>: Send + Sync {
    fn name(&self) -> &'static str;
    fn init(&self, param: &ArrayRefD<T>) -> Box<dyn State<T>>;
    fn update(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut dyn State<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()>;
    fn momentum(&self) -> Option<f64>;
    fn scales_gradients(&self) -> bool;
    fn default_weight_decay(&self) -> f64;
    fn average(&self, state: &dyn State<T>, param: &ArrayRefD<T>) -> Option<ArrayD<T>>;
}

impl<T: Real, R: Rule<T>> Erased<T> for R {
    fn name(&self) -> &'static str {
        Rule::name(self)
    }
    fn init(&self, param: &ArrayRefD<T>) -> Box<dyn State<T>> {
        Box::new(Rule::init(self, param))
    }
    fn update(
        &self,
        pool: &dyn Pool,
        hyper: &Hyper,
        state: &mut dyn State<T>,
        param: &mut ArrayRefD<T>,
        grad: &ArrayRefD<T>,
    ) -> Result<()> {
        let state: &mut dyn Any = state;
        match state.downcast_mut::<R::State>() {
            Some(state) => Rule::update_on(self, pool, hyper, state, param, grad),
            None => {
                Err(Error::Other(format!("{}: expected a state made by this rule, got another's", Rule::name(self))))
            }
        }
    }
    fn momentum(&self) -> Option<f64> {
        Rule::momentum(self)
    }
    fn scales_gradients(&self) -> bool {
        Rule::scales_gradients(self)
    }
    fn default_weight_decay(&self) -> f64 {
        Rule::default_weight_decay(self)
    }
    fn average(&self, state: &dyn State<T>, param: &ArrayRefD<T>) -> Option<ArrayD<T>> {
        let state: &dyn Any = state;
        Rule::average(self, state.downcast_ref::<R::State>()?, param)
    }
}
