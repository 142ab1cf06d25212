//! What a training loop asks of an optimizer: one step, with as many evaluations as it wants.

use crate::Stored;
use gradwise_core::{Grads, Params, Pool, Real, Result};
use std::sync::Arc;

/// What a step did.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StepInfo<T> {
    /// Number of the step, from 0.
    pub step: u64,
    /// The loss before the update.
    pub loss: T,
    /// Learning rate of the step, before the factors of groups.
    pub learning_rate: f64,
    /// Euclidean norm of all gradients together, before clipping.
    pub grad_norm: f64,
}

/// What an update with given gradients did.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Applied {
    /// Number of the step, from 0.
    pub step: u64,
    /// Learning rate of the step, before the factors of groups.
    pub learning_rate: f64,
    /// Euclidean norm of all gradients together, before clipping.
    pub grad_norm: f64,
}

/// An optimizer as a training loop sees it.
///
/// The loop hands over the model and a function that evaluates it: the loss is returned, the gradients are filled into what the stepper
/// hands in. Most optimizers call it once; sharpness-aware minimization calls it twice, a line search many times. The gradients stay with
/// the stepper, so that no step allocates them anew, and can be looked at until the next step.
///
/// # Contract
/// - If `eval` fails, its error is returned and the model is as it was before the step.
/// - After `step`, [`Stepper::grads`] holds the gradients that the last update was made from.
/// - A stepper that remembers anything between steps shows all of it in [`Stepper::visit_state`]; one that remembers nothing needs
///   only the two required methods.
///
/// ```
/// use gradwise_core::{Grads, Param, Result};
/// use gradwise_optim::{Constant, Optimizer, Sgd, Stepper, ndarray::arr1};
///
/// // f(x) = x², f'(x) = 2x, as a loop would see it that knows neither model nor optimizer.
/// fn train(model: &mut Vec<Param<f64>>, stepper: &mut dyn Stepper<f64, Vec<Param<f64>>>) -> Result<()> {
///     for _ in 0..50 {
///         stepper.step(model, &mut |model, grads| {
///             let x = &model[0].value;
///             *grads = Grads::from_arrays(model, vec![Some(x * 2.0)]);
///             Ok(x.mapv(|x| x * x).sum())
///         })?;
///     }
///     Ok(())
/// }
/// let mut model = vec![Param::new(arr1(&[4.0]))];
/// train(&mut model, &mut Optimizer::new(Sgd::new(), Constant::new(0.2)?))?;
/// assert!(model[0].value[[0]].abs() < 1e-9);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub trait Stepper<T: Real, M: Params<T> + ?Sized> {
    /// Evaluates the model, once or more, and updates it.
    ///
    /// # Errors
    /// Those of `eval`; and if gradients and model do not fit, or a gradient is not finite.
    fn step(&mut self, model: &mut M, eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>) -> Result<StepInfo<T>>;

    /// The gradients of the last step; empty before the first one. If they were clipped by a norm, they may be those before: the
    /// factor is applied where they are used.
    fn grads(&self) -> &Grads<T>;

    /// Whether to measure, from the next step on, how far each parameter moves.
    fn measure_updates(&mut self, measure: bool) {
        let _ = measure;
    }

    /// Euclidean norm of each parameter's change in the last step, in the parameters' order, 0 for those that were not updated. Empty
    /// if it was not measured.
    fn update_norms(&self) -> &[f64] {
        &[]
    }

    /// Takes this learning rate from the next step on, in the place of its schedule's, or its schedule's again: what a
    /// [`RangeTest`](crate::RangeTest) does to an optimizer that is there already. Returns whether it can.
    fn override_rate(&mut self, rate: Option<f64>) -> bool {
        let _ = rate;
        false
    }

    /// Gives it threads for updating large parameters. Results do not depend on them, to the bit.
    fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
        let _ = pool;
    }

    /// Exchanges the model's parameters for those it should be evaluated by, and saved for use by: an average, the best ones so far. The
    /// second call puts back, to the bit, those that training goes on with, and must come before the next step. Does nothing unless the
    /// stepper or its rule keeps such parameters.
    ///
    /// Statistics that a batch norm has gathered for other weights do not fit an average; averages of buffers, or a pass over training
    /// data between the two calls, make them fit.
    ///
    /// # Errors
    /// If the model is not the one that was trained.
    fn swap_averages(&mut self, model: &mut M) -> Result<()> {
        let _ = model;
        Ok(())
    }

    /// Makes the states of a model's parameters, as the first step would: done before states are restored.
    ///
    /// # Errors
    /// If the optimizer cannot train this model.
    fn prepare(&mut self, model: &M) -> Result<()> {
        let _ = model;
        Ok(())
    }

    /// Shows everything that the next step depends on, besides the model and the options the stepper was made with, under unique names.
    /// Serves both saving and restoring: values may be replaced.
    ///
    /// # Errors
    /// If there is a state and it is not made yet, because there was neither a step nor a call of [`Stepper::prepare`].
    fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
        let _ = f;
        Ok(())
    }
}

macro_rules! forward_stepper {
    ($($name:ty),*) => {$(
        impl<T: Real, M: Params<T> + ?Sized, S: Stepper<T, M> + ?Sized> Stepper<T, M> for $name {
            fn step(
                &mut self,
                model: &mut M,
                eval: &mut dyn FnMut(&M, &mut Grads<T>) -> Result<T>,
            ) -> Result<StepInfo<T>> {
                (**self).step(model, eval)
            }
            fn grads(&self) -> &Grads<T> {
                (**self).grads()
            }
            fn measure_updates(&mut self, measure: bool) {
                (**self).measure_updates(measure);
            }
            fn update_norms(&self) -> &[f64] {
                (**self).update_norms()
            }
            fn override_rate(&mut self, rate: Option<f64>) -> bool {
                (**self).override_rate(rate)
            }
            fn use_pool(&mut self, pool: Arc<dyn Pool + Send + Sync>) {
                (**self).use_pool(pool);
            }
            fn swap_averages(&mut self, model: &mut M) -> Result<()> {
                (**self).swap_averages(model)
            }
            fn prepare(&mut self, model: &M) -> Result<()> {
                (**self).prepare(model)
            }
            fn visit_state(&mut self, f: &mut dyn FnMut(&str, Stored<'_, T>)) -> Result<()> {
                (**self).visit_state(f)
            }
        }
    )*};
}
forward_stepper!(&mut S, Box<S>);
