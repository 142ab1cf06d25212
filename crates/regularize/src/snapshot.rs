//! A copy of a model's numbers.

use gradwise_core::{Error, Params, ParamsExt, Real, Result, ndarray::ArrayD};

/// The numbers of all of a model's parameters at one time, frozen ones and buffers included.
///
/// ```
/// use gradwise_regularize::{Param, Snapshot, ndarray::arr1};
///
/// let mut model = vec![Param::new(arr1(&[1.0_f32])), Param::buffer(arr1(&[2.0]))];
/// let before = Snapshot::take(&model);
/// model[0].value.fill(9.0);
/// model[1].value.fill(9.0);
/// before.restore(&mut model)?;
/// assert_eq!((model[0].value[[0]], model[1].value[[0]]), (1.0, 2.0));
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot<T> {
    values: Vec<ArrayD<T>>,
}

impl<T: Real> Snapshot<T> {
    /// Copies a model's numbers.
    pub fn take<M: Params<T> + ?Sized>(model: &M) -> Self {
        let mut values = Vec::with_capacity(model.n_params());
        model.visit(|_, param| values.push(param.value.clone()));
        Snapshot { values }
    }

    /// Copies a model's numbers over those of before, into the same memory where the shapes allow it.
    pub fn retake<M: Params<T> + ?Sized>(&mut self, model: &M) {
        let mut n = 0;
        model.visit(|_, param| {
            match self.values.get_mut(n) {
                Some(value) if value.shape() == param.value.shape() => value.assign(&param.value),
                Some(value) => *value = param.value.clone(),
                None => self.values.push(param.value.clone()),
            }
            n += 1;
        });
        self.values.truncate(n);
    }

    /// Writes the numbers back into a model.
    ///
    /// # Errors
    /// If the model has other parameters, or parameters of other shapes, than the one the snapshot was taken of; it is unchanged then.
    pub fn restore<M: Params<T> + ?Sized>(&self, model: &mut M) -> Result<()> {
        let n = model.n_params();
        if n != self.values.len() {
            let expected = format!("the {} of the snapshot", self.values.len());
            return Err(Error::value("snapshot: number of parameters", expected, n));
        }
        let mut values = self.values.iter();
        let mut result = Ok(());
        model.visit(|path, param| {
            let Some(value) = values.next() else { return };
            if result.is_ok() && value.shape() != param.value.shape() {
                let expected = format!("the snapshot's shape {:?}", value.shape());
                result = Err(Error::shape("snapshot", expected, param.value.shape()).at(&path.to_string()));
            }
        });
        result?;
        let mut values = self.values.iter();
        model.visit_mut(|_, param| {
            if let Some(value) = values.next() {
                param.value.assign(value);
            }
        });
        Ok(())
    }

    /// The arrays, in the parameters' order.
    pub fn arrays(&self) -> impl Iterator<Item = &ArrayD<T>> {
        self.values.iter()
    }
}
