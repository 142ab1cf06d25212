//! What an optimizer remembers, as a value.

use crate::Result;
use gradwise_core::ndarray::ArrayD;
use gradwise_core::{Error as CoreError, Params, Real};
use gradwise_optim::{Stepper, Stored};

/// A copy of everything that an optimizer remembers from one step to the next.
///
/// With it, a copy of the weights, the number of the step ([`Trainer::starting_at`](crate::Trainer::starting_at)) and the position of the
/// batches, a run goes on from where it was, to the bit.
///
/// ```
/// use gradwise_core::Param;
/// use gradwise_optim::{Adam, Constant, Optimizer, Stepper};
/// use gradwise_train::StepperState;
/// use ndarray::arr1;
///
/// let model = vec![Param::new(arr1(&[1.0_f64]))];
/// let mut optimizer = Optimizer::new(Adam::default(), Constant::new(0.1)?);
/// optimizer.prepare(&model)?;
/// let state = StepperState::take::<Vec<Param<f64>>, _>(&mut optimizer)?;
/// assert!(state.names().any(|name| name == "0:first_moment"));
/// state.restore::<Vec<Param<f64>>, _>(&mut optimizer)?;
/// # Ok::<(), gradwise_train::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StepperState<T> {
    entries: Vec<(String, Entry<T>)>,
}

#[derive(Clone, Debug, PartialEq)]
enum Entry<T> {
    Array(ArrayD<T>),
    Counter(u64),
    Number(f64),
}

impl<T: Real> StepperState<T> {
    /// Copies what an optimizer remembers.
    ///
    /// # Errors
    /// If it has not seen the model yet: neither in a step nor by [`Stepper::prepare`].
    pub fn take<M: Params<T> + ?Sized, S: Stepper<T, M> + ?Sized>(stepper: &mut S) -> Result<Self> {
        let mut entries = Vec::new();
        stepper.visit_state(&mut |name, stored| {
            let entry = match stored {
                Stored::Array(array) => Entry::Array(array.to_owned()),
                Stored::Counter(n) => Entry::Counter(*n),
                Stored::Number(x) => Entry::Number(*x),
            };
            entries.push((name.to_owned(), entry));
        })?;
        Ok(StepperState { entries })
    }

    /// Makes an optimizer of the same kind remember what was copied.
    ///
    /// # Errors
    /// If it remembers something else, or has not seen the model yet. What comes before the first thing that does not fit is restored then.
    pub fn restore<M: Params<T> + ?Sized, S: Stepper<T, M> + ?Sized>(&self, stepper: &mut S) -> Result<()> {
        let mut entries = self.entries.iter();
        let mut result = Ok(());
        stepper.visit_state(&mut |name, stored| {
            if result.is_err() {
                return;
            }
            match (entries.next(), stored) {
                (Some((known, Entry::Array(array))), Stored::Array(place))
                    if known == name && array.shape() == place.shape() =>
                {
                    place.assign(array);
                }
                (Some((known, Entry::Counter(n))), Stored::Counter(place)) if known == name => *place = *n,
                (Some((known, Entry::Number(x))), Stored::Number(place)) if known == name => *place = *x,
                (known, _) => {
                    let expected = known.map_or("nothing more".to_owned(), |(name, _)| format!("`{name}` as it was"));
                    result = Err(CoreError::value("stepper state", expected, format!("`{name}`")));
                }
            }
        })?;
        if let (Ok(()), Some((name, _))) = (&result, entries.next()) {
            result = Err(CoreError::value("stepper state", format!("`{name}` as it was"), "nothing more"));
        }
        Ok(result?)
    }

    /// The names of what is remembered, such as `fc.weight:first_moment`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }
}
