//! Penalties over a model's parameters.

use crate::Penalty;
use crate::chosen::resolve;
use gradwise_core::{Error, Grads, Params, ParamsExt, PathPattern, Real, Result};

/// Penalties on chosen parameters of a model.
///
/// Parameters are chosen by a pattern over their paths: `*` stands for any text within one name, `**` for any number of whole names, so
/// that `**.weight` is every weight at any depth. A parameter that several patterns match gets all of their penalties; frozen parameters
/// and buffers get none. Patterns are resolved when the model is first seen.
///
/// ```
/// use gradwise_regularize::{Grads, L1, L2, Param, Penalties, ndarray::arr1};
///
/// let model = vec![Param::new(arr1(&[1.0_f64, -2.0])), Param::new(arr1(&[3.0]))];
/// let mut penalties = Penalties::new().on("**", L2::new(0.1)?)?.on("0", L1::new(0.5)?)?;
///
/// // In a step, after the loss's own gradients are there:
/// let mut grads = Grads::from_arrays(&model, vec![Some(arr1(&[0.0, 0.0]).into_dyn()), Some(arr1(&[0.0]).into_dyn())]);
/// let penalty = penalties.apply(&model, &mut grads)?;
/// assert!((penalty - (0.05 * 14.0 + 0.5 * 3.0)).abs() < 1e-12);
/// assert_eq!(grads.get(0).unwrap(), &arr1(&[0.1 + 0.5, -0.2 - 0.5]).into_dyn());
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
pub struct Penalties<T> {
    entries: Vec<(PathPattern, Box<dyn Penalty<T>>)>,
    /// For each parameter of the model, in their order, the entries that apply.
    chosen: Option<Vec<Vec<usize>>>,
}

const WHAT: [&str; 2] = ["penalties", "penalties: number of parameters"];

impl<T: Real> Penalties<T> {
    /// No penalties yet.
    pub fn new() -> Self {
        Penalties { entries: Vec::new(), chosen: None }
    }

    /// Adds a penalty on the parameters whose path a pattern matches.
    ///
    /// # Errors
    /// If the pattern is malformed: an empty name, or `**` within one.
    pub fn on(mut self, pattern: &str, penalty: impl Penalty<T> + 'static) -> Result<Self> {
        self.entries.push((PathPattern::new("penalties: pattern", pattern)?, Box::new(penalty)));
        self.chosen = None;
        Ok(self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The sum of all penalties on trainable parameters.
    ///
    /// # Errors
    /// If a pattern matches no parameter, or the model has another number of parameters than when it was first seen.
    pub fn value<M: Params<T> + ?Sized>(&mut self, model: &M) -> Result<f64> {
        let entries = &self.entries;
        let mut chosen = resolve(WHAT, &mut self.chosen, entries, model)?.iter();
        let mut value = 0.0;
        model.visit(|_, param| {
            if let Some(chosen) = chosen.next().filter(|_| param.is_trainable()) {
                value += chosen.iter().map(|&i| entries[i].1.value(&param.value)).sum::<f64>();
            }
        });
        Ok(value)
    }

    /// Adds the penalties' gradients to those of the loss, and returns the sum of the penalties that were added, to be added to the loss.
    ///
    /// A parameter that the loss did not reach is left out: it keeps having no gradient, so that [`Grads::unreached`] tells of it as
    /// before, no memory is taken, and a part of a model that is not being trained does not shrink meanwhile. [`Penalties::value`]
    /// counts such parameters; for a loss that reaches all of them the two agree.
    ///
    /// # Errors
    /// As [`Penalties::value`], and if gradients do not fit the model. Nothing is added then, unless a penalty from outside failed.
    pub fn apply<M: Params<T> + ?Sized>(&mut self, model: &M, grads: &mut Grads<T>) -> Result<f64> {
        fits(model, grads)?;
        let entries = &self.entries;
        let chosen = resolve(WHAT, &mut self.chosen, entries, model)?;
        let mut result = Ok(0.0);
        let mut index = 0;
        model.visit(|path, param| {
            if let Some(grad) = grads.get_mut(index).filter(|_| param.is_trainable()) {
                for &i in chosen.get(index).into_iter().flatten() {
                    let Ok(sum) = &mut result else { return };
                    match entries[i].1.add_gradient(&param.value, grad) {
                        Ok(()) => *sum += entries[i].1.value(&param.value),
                        Err(error) => result = Err(error.at(&path.to_string())),
                    }
                }
            }
            index += 1;
        });
        result
    }
}

impl<T: Real> Default for Penalties<T> {
    fn default() -> Self {
        Penalties::new()
    }
}

impl<T> std::fmt::Debug for Penalties<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|(pattern, _)| pattern)).finish()
    }
}

/// Checks gradients against the model, before any is changed.
fn fits<T: Real, M: Params<T> + ?Sized>(model: &M, grads: &Grads<T>) -> Result<()> {
    let n = model.n_params();
    if grads.len() != n {
        let expected = format!("one for each of the model's {n} parameters");
        return Err(Error::value("penalties: gradients", expected, grads.len()));
    }
    let mut result = Ok(());
    let mut index = 0;
    model.visit(|path, param| {
        if let (Some(grad), Ok(())) = (grads.get(index), &result)
            && grad.shape() != param.value.shape()
        {
            let expected = format!("a gradient of the parameter's shape {:?}", param.value.shape());
            result = Err(Error::shape("penalties", expected, grad.shape()).at(&path.to_string()));
        }
        index += 1;
    });
    result
}
