//! Constraints over a model's parameters.

use crate::Constraint;
use crate::chosen::resolve;
use gradwise_core::{Params, ParamsExt, PathPattern, Real, Result};

/// Constraints on chosen parameters of a model, applied after each step.
///
/// Parameters are chosen by a pattern over their paths, as by [`Penalties`](crate::Penalties). Several constraints on a parameter are
/// applied in the order in which they were added, so that the last one holds. Frozen parameters and buffers are left alone.
///
/// ```
/// use gradwise_regularize::{Constraints, Groups, MaxNorm, Param, ndarray::arr2};
///
/// let mut model = vec![Param::new(arr2(&[[3.0_f64, 4.0]])), Param::new(arr2(&[[3.0, 4.0]]))];
/// let mut constraints = Constraints::new().on("1", MaxNorm::new(2.5, Groups::Axis(0))?)?;
/// // After each step of the optimizer:
/// constraints.apply(&mut model)?;
/// assert_eq!((model[0].value[[0, 0]], model[1].value[[0, 0]]), (3.0, 1.5));
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
pub struct Constraints<T> {
    entries: Vec<(PathPattern, Box<dyn Constraint<T>>)>,
    /// For each parameter of the model, in their order, the entries that apply.
    chosen: Option<Vec<Vec<usize>>>,
}

const WHAT: [&str; 2] = ["constraints", "constraints: number of parameters"];

impl<T: Real> Constraints<T> {
    /// No constraints yet.
    pub fn new() -> Self {
        Constraints { entries: Vec::new(), chosen: None }
    }

    /// Adds a constraint on the parameters whose path a pattern matches.
    ///
    /// # Errors
    /// If the pattern is malformed: an empty name, or `**` within one.
    pub fn on(mut self, pattern: &str, constraint: impl Constraint<T> + 'static) -> Result<Self> {
        self.entries.push((PathPattern::new("constraints: pattern", pattern)?, Box::new(constraint)));
        self.chosen = None;
        Ok(self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Looks whether the constraints fit a model, and changes nothing: before a step, after which it would be too late.
    ///
    /// # Errors
    /// As [`Constraints::apply`].
    pub fn check<M: Params<T> + ?Sized>(&mut self, model: &M) -> Result<()> {
        let first = self.chosen.is_none();
        let entries = &self.entries;
        let mut chosen = resolve(WHAT, &mut self.chosen, entries, model)?.iter();
        let mut result = Ok(());
        model.visit(|path, param| {
            // Whether a constraint has a meaning for a shape, only the constraint knows: it is tried on a copy, once.
            for &i in chosen.next().filter(|_| first && param.is_trainable()).into_iter().flatten() {
                if result.is_ok() {
                    result = entries[i].1.apply(&mut param.value.clone()).map_err(|error| error.at(&path.to_string()));
                }
            }
        });
        if result.is_err() {
            self.chosen = None;
        }
        result
    }

    /// Brings the model's trainable parameters back to where they must be.
    ///
    /// # Errors
    /// If a pattern matches no parameter, the model has another number of parameters than when it was first seen, or a constraint has no
    /// meaning for a parameter's shape: those before it are constrained then.
    pub fn apply<M: Params<T> + ?Sized>(&mut self, model: &mut M) -> Result<()> {
        let entries = &self.entries;
        let mut chosen = resolve(WHAT, &mut self.chosen, entries, model)?.iter();
        let mut result = Ok(());
        model.visit_mut(|path, param| {
            for &i in chosen.next().filter(|_| param.is_trainable()).into_iter().flatten() {
                if result.is_ok() {
                    result = entries[i].1.apply(&mut param.value).map_err(|error| error.at(&path.to_string()));
                }
            }
        });
        result
    }
}

impl<T: Real> Default for Constraints<T> {
    fn default() -> Self {
        Constraints::new()
    }
}

impl<T> std::fmt::Debug for Constraints<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|(pattern, _)| pattern)).finish()
    }
}
