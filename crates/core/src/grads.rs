//! Gradients on their way from a tape to an optimizer.

use crate::{Params, ParamsExt, Pool, Real, Serial, sum_of_squares};
use ndarray::ArrayD;

/// The gradients of a model's parameters, in the parameters' fixed order.
///
/// Entry `i` belongs to the `i`-th parameter that [`Params::each`] visits. It is `None` for frozen parameters and buffers, and for
/// trainable parameters that the loss did not reach: [`Grads::unreached`] lists those, so that a forgotten layer is noticed.
/// A `Grads` outlives the steps it serves; filling it again reuses its memory.
///
/// ```
/// use gradwise_core::{Grads, Param};
/// use ndarray::arr1;
///
/// let model = vec![Param::new(arr1(&[1.0_f64, 2.0])), Param::new(arr1(&[3.0]))];
/// let grads = Grads::from_arrays(&model, vec![Some(arr1(&[3.0, 4.0]).into_dyn()), None]);
/// assert_eq!(grads.global_norm(), 5.0);
/// assert_eq!(grads.unreached().collect::<Vec<_>>(), [1]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Grads<T> {
    entries: Vec<Entry<T>>,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    array: Option<ArrayD<T>>,
    trainable: bool,
    /// Sum of the array's squares, for as long as nobody can have changed it.
    squares: Option<f64>,
}

impl<T> Entry<T> {
    fn new(array: Option<ArrayD<T>>, trainable: bool) -> Self {
        Entry { array, trainable, squares: None }
    }

    /// The array, to be changed.
    fn array_mut(&mut self) -> Option<&mut ArrayD<T>> {
        self.squares = None;
        self.array.as_mut()
    }
}

impl<T: Real> Grads<T> {
    /// No gradients yet, of no model.
    pub fn new() -> Self {
        Grads { entries: Vec::new() }
    }

    /// The gradients of a model's parameters, given in their order: for loops that have no tape.
    pub fn from_arrays<P: Params<T> + ?Sized>(model: &P, arrays: Vec<Option<ArrayD<T>>>) -> Self {
        let mut entries = Vec::with_capacity(arrays.len());
        let mut arrays = arrays.into_iter();
        model.visit(|_, p| {
            let array = arrays.next().flatten();
            entries.push(Entry::new(array.filter(|_| p.is_trainable()), p.is_trainable()));
        });
        Grads { entries }
    }

    /// Makes room for a model's parameters, in their order; the arrays that no longer fit are handed to `recycle`.
    ///
    /// Afterwards every entry is empty. Called by tapes before they fill it with [`Grads::set`].
    pub fn reset(&mut self, trainable: impl Iterator<Item = bool>, recycle: &mut dyn FnMut(ArrayD<T>)) {
        let mut n = 0;
        for trainable in trainable {
            match self.entries.get_mut(n) {
                Some(entry) => {
                    entry.trainable = trainable;
                    entry.squares = None;
                    entry.array.take().into_iter().for_each(&mut *recycle);
                }
                None => self.entries.push(Entry::new(None, trainable)),
            }
            n += 1;
        }
        self.entries.drain(n..).filter_map(|entry| entry.array).for_each(recycle);
    }

    /// Sets the gradient of parameter `index`.
    ///
    /// # Panics
    /// If there is no such parameter, which is a defect of the tape that calls it.
    pub fn set(&mut self, index: usize, array: ArrayD<T>) {
        let entry = &mut self.entries[index];
        (entry.array, entry.squares) = (Some(array), None);
    }

    /// Sets the gradient of parameter `index`, together with its [`sum_of_squares`]: for who has just computed both, while the gradient
    /// was in the processor's cache. An optimizer needs the sum, and would read all gradients once more for it.
    ///
    /// # Panics
    /// As [`Grads::set`].
    pub fn set_with_squares(&mut self, index: usize, array: ArrayD<T>, squares: f64) {
        let entry = &mut self.entries[index];
        (entry.array, entry.squares) = (Some(array), Some(squares));
    }

    /// The [`sum_of_squares`] of the `index`-th gradient, if there is one. It is remembered until someone gets at the gradient to change
    /// it.
    pub fn squares(&mut self, index: usize, pool: &dyn Pool) -> Option<f64> {
        let entry = self.entries.get_mut(index)?;
        let array = entry.array.as_ref()?;
        Some(*entry.squares.get_or_insert_with(|| sum_of_squares(array, pool)))
    }

    /// The gradient of the `index`-th parameter, if it has one.
    pub fn get(&self, index: usize) -> Option<&ArrayD<T>> {
        self.entries.get(index)?.array.as_ref()
    }

    /// Mutable access to the gradient of the `index`-th parameter.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut ArrayD<T>> {
        self.entries.get_mut(index)?.array_mut()
    }

    /// How many parameters the model has, with or without a gradient.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the model has no parameters at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The gradients that are there, with their parameters' index.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &ArrayD<T>)> {
        self.entries.iter().enumerate().filter_map(|(i, e)| Some((i, e.array.as_ref()?)))
    }

    /// The gradients that are there, mutable, with their parameters' index.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut ArrayD<T>)> {
        self.entries.iter_mut().enumerate().filter_map(|(i, e)| Some((i, e.array_mut()?)))
    }

    /// Indices of trainable parameters that the loss did not reach.
    pub fn unreached(&self) -> impl Iterator<Item = usize> + '_ {
        self.entries.iter().enumerate().filter(|(_, e)| e.trainable && e.array.is_none()).map(|(i, _)| i)
    }

    /// The Euclidean norm of all gradients together, summed in `f64`.
    pub fn global_norm(&self) -> f64 {
        let squares =
            |e: &Entry<T>| e.array.as_ref().map(|array| e.squares.unwrap_or_else(|| sum_of_squares(array, &Serial)));
        self.entries.iter().filter_map(squares).sum::<f64>().sqrt()
    }

    /// Multiplies every gradient by a factor.
    pub fn scale(&mut self, factor: T) {
        for (_, g) in self.iter_mut() {
            g.mapv_inplace(|x| x * factor);
        }
    }
}

/// New values for a model's buffers, such as the running statistics of a batch norm.
///
/// A layer sits behind `&self` while it runs, so it cannot write its own running statistics. It emits them through the tape; whoever
/// owns the model applies them once a step, and not on recomputation or on the second pass of an optimizer that evaluates twice.
#[derive(Debug, Clone, Default)]
pub struct Updates<T> {
    /// The new value by the parameters' fixed order; `None` where nothing changes.
    entries: Vec<Option<ArrayD<T>>>,
}

impl<T: Real> Updates<T> {
    /// No updates yet.
    pub fn new() -> Self {
        Updates { entries: Vec::new() }
    }

    /// Sets the new value of the `index`-th parameter; the value it replaces is returned.
    pub fn set(&mut self, index: usize, value: ArrayD<T>) -> Option<ArrayD<T>> {
        if self.entries.len() <= index {
            self.entries.resize_with(index + 1, || None);
        }
        self.entries[index].replace(value)
    }

    /// The new value of the `index`-th parameter.
    pub fn get(&self, index: usize) -> Option<&ArrayD<T>> {
        self.entries.get(index)?.as_ref()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.entries.iter().all(Option::is_none)
    }

    /// Writes the new values into the model. They stay here, until [`Updates::clear`], so that their memory can be used again.
    ///
    /// Values of another shape than the parameter's are left out.
    pub fn apply<P: Params<T> + ?Sized>(&mut self, model: &mut P) {
        let mut entries = self.entries.iter_mut();
        model.visit_mut(|_, p| {
            if let Some(Some(value)) = entries.next()
                && value.shape() == p.value.shape()
            {
                p.value.assign(value);
            }
        });
    }

    /// Removes all values, handing their memory to `recycle`.
    pub fn clear(&mut self, recycle: &mut dyn FnMut(ArrayD<T>)) {
        self.entries.iter_mut().filter_map(Option::take).for_each(recycle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Param;
    use ndarray::arr1;

    #[test]
    fn sums_of_squares_are_forgotten_when_a_gradient_may_have_changed() {
        let model = vec![Param::new(arr1(&[0.0_f32, 0.0])), Param::new(arr1(&[0.0]))];
        let array = || arr1(&[3.0_f32, 4.0]).into_dyn();
        let mut grads = Grads::from_arrays(&model, vec![Some(array()), None]);
        assert_eq!(
            (grads.squares(0, &Serial), grads.squares(1, &Serial), grads.squares(2, &Serial)),
            (Some(25.0), None, None)
        );
        grads.get_mut(0).unwrap()[0] = 0.0;
        assert_eq!((grads.squares(0, &Serial), grads.global_norm()), (Some(16.0), 4.0));
        grads.iter_mut().for_each(|(_, grad)| grad.fill(1.0));
        assert_eq!(grads.squares(0, &Serial), Some(2.0));
        grads.scale(2.0);
        assert_eq!(grads.squares(0, &Serial), Some(8.0));
        grads.set(0, array());
        assert_eq!(grads.squares(0, &Serial), Some(25.0));
        // Whoever brings a sum is believed.
        grads.set_with_squares(0, array(), 36.0);
        assert_eq!((grads.squares(0, &Serial), grads.global_norm()), (Some(36.0), 6.0));
        grads.reset([true, true].into_iter(), &mut drop);
        assert_eq!((grads.squares(0, &Serial), grads.global_norm()), (None, 0.0));
    }
}
