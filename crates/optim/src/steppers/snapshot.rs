//! Copies of a model's trainable parameters.

use gradwise_core::{Error, Grads, Params, ParamsExt, Real, Result, ndarray::ArrayD};

/// The values of the trainable parameters, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot<T> {
    values: Vec<ArrayD<T>>,
}

impl<T: Real> Snapshot<T> {
    pub(crate) fn new() -> Self {
        Snapshot { values: Vec::new() }
    }

    /// Copies the values, into the memory of the last copy where that fits.
    pub(crate) fn take<M: Params<T> + ?Sized>(&mut self, model: &M) {
        let mut n = 0;
        model.visit(|_, param| {
            if !param.is_trainable() {
                return;
            }
            match self.values.get_mut(n) {
                Some(value) if value.shape() == param.value.shape() => value.assign(&param.value),
                Some(value) => value.clone_from(&param.value),
                None => self.values.push(param.value.clone()),
            }
            n += 1;
        });
        self.values.truncate(n);
    }

    /// Puts the values back.
    pub(crate) fn put<M: Params<T> + ?Sized>(&self, model: &mut M) {
        let mut values = self.values.iter();
        model.visit_mut(|_, param| {
            if param.is_trainable()
                && let Some(value) = values.next()
            {
                param.value.assign(value);
            }
        });
    }

    /// Whether it is one of this model.
    pub(crate) fn fits<M: Params<T> + ?Sized>(&self, model: &M) -> bool {
        let (mut n, mut fits) = (0, true);
        model.visit(|_, param| {
            if param.is_trainable() {
                fits &= self.values.get(n).is_some_and(|value| value.shape() == param.value.shape());
                n += 1;
            }
        });
        fits && n == self.values.len()
    }

    /// Exchanges the values with the model's.
    pub(crate) fn swap<M: Params<T> + ?Sized>(&mut self, model: &mut M) {
        let mut values = self.values.iter_mut();
        model.visit_mut(|_, param| {
            if param.is_trainable()
                && let Some(value) = values.next()
            {
                std::mem::swap(&mut param.value, value);
            }
        });
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut ArrayD<T>> {
        self.values.iter_mut()
    }
}

/// Refuses gradients that do not fit a model, or are not finite, by the path of the first such parameter.
pub(crate) fn check<T: Real, M: Params<T> + ?Sized>(what: &'static str, model: &M, grads: &Grads<T>) -> Result<()> {
    let mut n = 0;
    let mut result = Ok(());
    model.visit(|path, param| {
        let index = n;
        n += 1;
        let Some(grad) = grads.get(index).filter(|_| result.is_ok()) else { return };
        if grad.shape() != param.value.shape() {
            let expected = format!("a gradient of the parameter's shape {:?}", param.value.shape());
            result = Err(Error::shape(what, expected, grad.shape()).at(&path.to_string()));
        } else if let Some(&bad) = grad.iter().find(|x| !x.is_finite()) {
            result = Err(Error::NotFinite { op: what, got: bad.as_f64() }.at(&path.to_string()));
        }
    });
    result?;
    if grads.len() != n {
        return Err(Error::value(what, format!("gradients for each of the model's {n} parameters"), grads.len()));
    }
    Ok(())
}
