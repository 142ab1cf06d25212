//! What most rules remember of a parameter.

use crate::{State, Stored};
use gradwise_core::{ArrayRefD, Error, Real, Result, ndarray::ArrayD};

/// What a rule remembers of a parameter: how many updates it had, and arrays and numbers with names.
///
/// The rule that made it decides what is in it, and says so in its documentation; whoever saves a run sees it by
/// [`State::visit`](crate::State::visit).
///
/// ```
/// use gradwise_optim::{Adagrad, Rule, State, Stored, ndarray::arr1};
///
/// let mut state = Adagrad::default().init(&arr1(&[1.0_f32, 2.0]).into_dyn());
/// let mut names = Vec::new();
/// state.visit(&mut |name, _| names.push(name.to_owned()));
/// assert_eq!(names, ["updates", "sum_of_squares"]);
/// ```
#[derive(Clone, Debug)]
pub struct RuleState<T> {
    updates: u64,
    numbers: Vec<(&'static str, f64)>,
    arrays: Vec<(&'static str, ArrayD<T>)>,
}

impl<T: Real> RuleState<T> {
    /// Arrays of zeros, as large as the parameter.
    pub(crate) fn zeros(param: &ArrayRefD<T>, names: &[&'static str]) -> Self {
        let arrays = names.iter().map(|&name| (name, ArrayD::zeros(param.raw_dim()))).collect();
        RuleState { updates: 0, numbers: Vec::new(), arrays }
    }

    /// One more array.
    pub(crate) fn with(mut self, name: &'static str, array: ArrayD<T>) -> Self {
        self.arrays.push((name, array));
        self
    }

    /// One more number.
    pub(crate) fn with_number(mut self, name: &'static str, value: f64) -> Self {
        self.numbers.push((name, value));
        self
    }

    /// How many updates the parameter had.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Counts an update that has been done.
    pub(crate) fn count(&mut self) {
        self.updates += 1;
    }

    /// Its first numbers.
    pub(crate) fn numbers<const N: usize>(&mut self, rule: &'static str) -> Result<[&mut f64; N]> {
        let numbers = self.numbers.first_chunk_mut().ok_or_else(|| foreign(rule))?;
        Ok(numbers.each_mut().map(|(_, number)| number))
    }

    /// Its first arrays.
    pub(crate) fn arrays<const N: usize>(&mut self, rule: &'static str) -> Result<[&mut ArrayRefD<T>; N]> {
        let arrays = self.arrays.first_chunk_mut().ok_or_else(|| foreign(rule))?;
        Ok(arrays.each_mut().map(|(_, array)| &mut **array))
    }

    /// An array by its name.
    pub(crate) fn array(&self, name: &str) -> Option<&ArrayRefD<T>> {
        self.arrays.iter().find(|(other, _)| *other == name).map(|(_, array)| &**array)
    }

    /// All of its arrays.
    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut ArrayRefD<T>> {
        self.arrays.iter_mut().map(|(_, array)| &mut **array)
    }
}

/// A state that another rule has made.
fn foreign(rule: &'static str) -> Error {
    Error::Other(format!("{rule}: expected a state made by this rule, got another's"))
}

impl<T: Real> State<T> for RuleState<T> {
    fn visit(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) {
        f("updates", Stored::Counter(&mut self.updates));
        self.numbers.iter_mut().for_each(|(name, number)| f(name, Stored::Number(number)));
        self.arrays.iter_mut().for_each(|(name, array)| f(name, Stored::Array(array)));
    }
}

/// −1, 0 or 1. One choice and no branch, which vector instructions can make.
#[inline(always)]
pub(crate) fn sign<T: Real>(x: T) -> T {
    if x == T::zero() { T::zero() } else { T::one().copysign(x) }
}

/// [`Rule::update`](crate::Rule::update) on one thread, for rules whose work is all in `update_on`.
macro_rules! update_on_one_thread {
    ($state:ty) => {
        fn update(
            &self,
            hyper: &$crate::Hyper,
            state: &mut $state,
            param: &mut ::gradwise_core::ArrayRefD<T>,
            grad: &::gradwise_core::ArrayRefD<T>,
        ) -> ::gradwise_core::Result<()> {
            $crate::Rule::update_on(self, &::gradwise_core::Serial, hyper, state, param, grad)
        }
    };
}
pub(crate) use update_on_one_thread;
