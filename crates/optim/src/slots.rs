//! What an optimizer knows of each parameter of the model it trains.

use crate::{Group, Rule};
use gradwise_core::{ArrayRefD, Error, Grads, Param, Params, ParamsExt, PathPattern, Pool, Real, Result};

/// One parameter: its path and shape, the factors of its groups, and the rule's state.
pub(crate) struct Slot<S> {
    pub(crate) path: String,
    shape: Vec<usize>,
    pub(crate) learning_rate: f64,
    pub(crate) weight_decay: f64,
    /// The factor of the rate that an equalizer has found.
    pub(crate) equalized: f64,
    frozen: bool,
    /// Made when the parameter is first seen trainable.
    pub(crate) state: Option<S>,
    /// Whether it is updated in the current step.
    pub(crate) active: bool,
    /// Sum of the squares of its gradient in the current step, if it is updated.
    pub(crate) squares: f64,
}

impl<S> Slot<S> {
    /// Checks that a parameter and its gradient are what they have to be, and decides whether it is updated in this step.
    pub(crate) fn accept<T: Real>(
        &mut self,
        rule: &impl Rule<T, State = S>,
        param: &Param<T>,
        (grads, index): (&mut Grads<T>, usize),
        pool: &dyn Pool,
    ) -> Result<()> {
        (self.active, self.squares) = (false, 0.0);
        if param.value.shape() != self.shape {
            let expected = format!("the shape {:?} that the parameter had in the first step", self.shape);
            return Err(Error::shape("optimizer", expected, param.value.shape()).at(&self.path));
        }
        let Some(grad) = grads.get(index).filter(|_| self.trains(param)) else { return Ok(()) };
        if grad.shape() != self.shape {
            let expected = format!("a gradient of the parameter's shape {:?}", self.shape);
            return Err(Error::shape("optimizer", expected, grad.shape()).at(&self.path));
        }
        let squares = grads.squares(index, pool).unwrap_or_default();
        if !squares.is_finite() {
            return Err(Error::NotFinite { op: "norm of the gradient", got: squares }.at(&self.path));
        }
        (self.active, self.squares) = (true, squares);
        self.state.get_or_insert_with(|| rule.init(&param.value));
        Ok(())
    }

    /// Whether an array can be this parameter.
    pub(crate) fn fits<T: Real>(&self, value: &ArrayRefD<T>) -> bool {
        value.shape() == self.shape
    }

    /// Whether it is to be updated if there is a gradient.
    fn trains<T: Real>(&self, param: &Param<T>) -> bool {
        param.is_trainable() && !self.frozen
    }
}

/// The slots of a model's parameters, in their order: groups are resolved here, once.
pub(crate) fn bind<T: Real, R: Rule<T>, M: Params<T> + ?Sized>(
    rule: &R,
    groups: &[Group],
    model: &M,
) -> Result<Vec<Slot<R::State>>> {
    let mut slots = Vec::with_capacity(model.n_params());
    let mut matched = vec![false; groups.len()];
    model.visit(|path, param| {
        let path = path.to_string();
        let mut slot = Slot {
            shape: param.value.shape().to_vec(),
            learning_rate: 1.0,
            weight_decay: 1.0,
            equalized: 1.0,
            frozen: false,
            state: None,
            active: false,
            squares: 0.0,
            path,
        };
        for (group, matched) in groups.iter().zip(&mut matched) {
            *matched |= group.pattern.matches(&slot.path);
            if group.has(&slot.path, param.value.ndim()) {
                slot.learning_rate *= group.learning_rate;
                slot.weight_decay *= group.weight_decay;
                slot.frozen |= group.frozen;
            }
        }
        if slot.trains(param) {
            slot.state = Some(rule.init(&param.value));
        }
        slots.push(slot);
    });
    // An empty model has nothing that "all parameters" could match, and that is no typing error.
    let unmatched = groups.iter().zip(matched).find(|(group, matched)| !matched && group.pattern != PathPattern::all());
    if let Some((group, _)) = unmatched {
        let paths = slots.iter().map(|slot| slot.path.as_str()).collect::<Vec<_>>().join(", ");
        let expected = format!("a pattern that matches one of the model's parameters ({paths})");
        return Err(Error::value("group", expected, format!("`{}`", group.pattern)));
    }
    Ok(slots)
}
