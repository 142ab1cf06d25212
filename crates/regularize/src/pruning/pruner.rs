//! Masks over a model's parameters.

use super::mask::prune_together;
use crate::Mask;
use crate::chosen::resolve;
use gradwise_core::{Error, Grads, Params, ParamsExt, PathPattern, Real, Result};

/// Among which weights the smallest are sought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Scope {
    /// In each parameter by itself: all become equally sparse.
    Layer,
    /// Among all chosen parameters: those whose weights are small lose more of them.
    Global,
}

/// Magnitude pruning of chosen parameters of a model: removes the weights nearest to zero, and keeps them removed.
///
/// Use it to make a trained network simpler, while it goes on training. Parameters are chosen by patterns over their paths, as by
/// [`Penalties`](crate::Penalties); biases and the scales of norms are few and are better left alone. How sparse to be when is a
/// [`SparsitySchedule`](crate::SparsitySchedule)'s answer. Sources: Han et al. 2015 (layer by layer); Zhu and Gupta 2017.
///
/// ```
/// use gradwise_regularize::{Param, Pruner, Scope, SparsitySchedule, ndarray::arr1};
///
/// let mut model = vec![Param::new(arr1(&[0.1_f64, -2.0, 0.3])), Param::new(arr1(&[5.0, 0.2, 4.0]))];
/// let mut pruner = Pruner::new(Scope::Global, "*")?;
/// let schedule = SparsitySchedule::new(0.0, 0.5, 0..4, 2)?;
/// for step in 0..=4 {
///     // … a step of the optimizer, which moves removed weights, too …
///     if schedule.is_due(step) {
///         pruner.prune(&mut model, schedule.at(step))?;
///     }
///     pruner.apply(&mut model)?;
/// }
/// assert_eq!(model[0].value, arr1(&[0.0, -2.0, 0.0]).into_dyn());
/// assert_eq!(model[1].value, arr1(&[5.0, 0.0, 4.0]).into_dyn());
/// assert_eq!(pruner.sparsity(), 0.5);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pruner {
    scope: Scope,
    patterns: Vec<(PathPattern, ())>,
    /// For each parameter of the model, in their order, the patterns that match it.
    chosen: Option<Vec<Vec<usize>>>,
    /// For each parameter of the model its mask, if it has one; none before the first pruning.
    masks: Vec<Option<Mask>>,
}

const WHAT: [&str; 2] = ["pruner", "pruner: number of parameters"];

impl Pruner {
    /// On the trainable parameters whose path a pattern matches.
    ///
    /// # Errors
    /// If the pattern is malformed: an empty name, or `**` within one.
    pub fn new(scope: Scope, pattern: &str) -> Result<Self> {
        Pruner { scope, patterns: Vec::new(), chosen: None, masks: Vec::new() }.and_on(pattern)
    }

    /// And on those that another pattern matches.
    ///
    /// # Errors
    /// As [`Pruner::new`].
    pub fn and_on(mut self, pattern: &str) -> Result<Self> {
        self.patterns.push((PathPattern::new("pruner: pattern", pattern)?, ()));
        self.chosen = None;
        Ok(self)
    }

    /// Looks whether the patterns and masks fit a model, and changes nothing: before a step, after which it would be too late.
    ///
    /// # Errors
    /// If a pattern matches no parameter, or the model has other parameters than before.
    pub fn check<T: Real, M: Params<T> + ?Sized>(&mut self, model: &M) -> Result<()> {
        resolve(WHAT, &mut self.chosen, &self.patterns, model)?;
        self.fits(model)
    }

    /// Removes weights of the chosen parameters, the smallest first, until the share `sparsity` of them is removed, and sets them to zero.
    ///
    /// Weights that were removed before stay so: a smaller share than before changes nothing. Allocates a number for each weight.
    ///
    /// # Errors
    /// If the share is not in `[0, 1]`, a pattern matches no parameter, or the model has other parameters than before. Nothing is
    /// removed then.
    pub fn prune<T: Real, M: Params<T> + ?Sized>(&mut self, model: &mut M, sparsity: f64) -> Result<()> {
        crate::check::share("pruning: sparsity", sparsity)?;
        let chosen = resolve(WHAT, &mut self.chosen, &self.patterns, &*model)?;
        if self.masks.is_empty() {
            self.masks.resize(chosen.len(), None);
        }
        self.fits(&*model)?;
        let mut masks = self.masks.iter_mut().zip(self.chosen.iter().flatten());
        let (mut chosen, mut weights) = (Vec::new(), Vec::new());
        model.visit(|_, param| {
            if let Some((mask, patterns)) = masks.next()
                && (mask.is_some() || (!patterns.is_empty() && param.is_trainable()))
            {
                chosen.push(mask.get_or_insert_with(|| Mask::full(&param.value)));
                weights.push(&*param.value);
            }
        });
        match self.scope {
            Scope::Global => prune_together(&mut chosen, &weights, sparsity)?,
            Scope::Layer => {
                for (mask, weights) in chosen.iter_mut().zip(&weights) {
                    mask.prune(weights, sparsity)?;
                }
            }
        }
        self.apply(model)
    }

    /// Sets removed weights to zero: after each step of an optimizer, which moves them by momentum and decay even if their gradient is 0.
    ///
    /// # Errors
    /// If the model has other parameters than the masks; it is unchanged then.
    pub fn apply<T: Real, M: Params<T> + ?Sized>(&self, model: &mut M) -> Result<()> {
        self.fits(&*model)?;
        let mut masks = self.masks.iter();
        let mut result = Ok(());
        model.visit_mut(|_, param| {
            if let (Some(mask), Ok(())) = (masks.next().and_then(Option::as_ref), &result) {
                result = mask.apply(&mut param.value);
            }
        });
        result
    }

    /// Sets the gradients of removed weights to zero, so that they do not count in its norm, nor stir an optimizer's memory.
    ///
    /// # Errors
    /// If the gradients are not of the masks' model; those before the first that does not fit are masked then.
    pub fn apply_to_grads<T: Real>(&self, grads: &mut Grads<T>) -> Result<()> {
        for (i, mask) in self.masks.iter().enumerate() {
            if let (Some(mask), Some(grad)) = (mask, grads.get_mut(i)) {
                mask.apply(grad)?;
            }
        }
        Ok(())
    }

    /// The share of removed weights among the chosen parameters'; 0 before the first pruning.
    pub fn sparsity(&self) -> f64 {
        let masks = || self.masks.iter().flatten();
        let n: usize = masks().map(Mask::len).sum();
        let n_kept: usize = masks().map(Mask::n_kept).sum();
        if n == 0 { 0.0 } else { (n - n_kept) as f64 / n as f64 }
    }

    /// For each parameter of the model its mask, if it has one: what is saved with a run.
    pub fn masks(&self) -> &[Option<Mask>] {
        &self.masks
    }

    /// Goes on with the masks of another one.
    pub fn resume(&mut self, masks: Vec<Option<Mask>>) {
        self.masks = masks;
    }

    fn fits<T: Real, M: Params<T> + ?Sized>(&self, model: &M) -> Result<()> {
        if self.masks.is_empty() {
            return Ok(());
        }
        let n = model.n_params();
        if n != self.masks.len() {
            let expected = format!("the {} of the masks", self.masks.len());
            return Err(Error::value(WHAT[1], expected, n));
        }
        let mut masks = self.masks.iter();
        let mut result = Ok(());
        model.visit(|path, param| {
            if let (Some(mask), Ok(())) = (masks.next().and_then(Option::as_ref), &result)
                && mask.len() != param.value.len()
            {
                let expected = format!("the mask's {} weights", mask.len());
                result = Err(Error::shape("pruner", expected, param.value.shape()).at(&path.to_string()));
            }
        });
        result
    }
}
