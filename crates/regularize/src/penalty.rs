//! What a penalty is.

use gradwise_core::{ArrayRefD, Real, Result};

/// A number that is added to the loss to keep weights in bounds, and its gradient.
///
/// A penalty sees one array at a time and needs no tape: its gradient is added to one that is already there.
///
/// # Contract
/// - `value` and `add_gradient` are pure functions of the weights; `add_gradient` adds the gradient of `value` (where it has several
///   subgradients, one of them) and leaves what was there.
/// - Sums are made in `f64`, whatever `T` is.
/// - An array with no elements has the value 0.
///
/// ```
/// use gradwise_core::{ArrayRefD, Error, Real, Result};
/// use gradwise_regularize::{Penalty, ndarray::{Zip, arr1}};
///
/// /// Σ log(1 + w²): a penalty that hardly minds weights that are large already.
/// struct Cauchy;
///
/// impl<T: Real> Penalty<T> for Cauchy {
///     fn value(&self, weights: &ArrayRefD<T>) -> f64 {
///         weights.iter().map(|w| w.as_f64().powi(2).ln_1p()).sum()
///     }
///     fn add_gradient(&self, weights: &ArrayRefD<T>, grad: &mut ArrayRefD<T>) -> Result<()> {
///         if weights.shape() != grad.shape() {
///             return Err(Error::shape("cauchy penalty", format!("{:?}", weights.shape()), grad.shape()));
///         }
///         Zip::from(grad).and(weights).for_each(|g, &w| *g += (w + w) / (T::one() + w * w));
///         Ok(())
///     }
/// }
///
/// let mut grad = arr1(&[10.0_f64]).into_dyn();
/// Cauchy.add_gradient(&arr1(&[1.0]).into_dyn(), &mut grad)?;
/// assert_eq!(grad[[0]], 11.0);
/// # Ok::<(), Error>(())
/// ```
pub trait Penalty<T: Real>: Send + Sync {
    /// The penalty of an array of weights.
    fn value(&self, weights: &ArrayRefD<T>) -> f64;

    /// Adds the penalty's gradient: `grad ← grad + ∂value/∂weights`.
    ///
    /// # Errors
    /// If the gradient has another shape than the weights; it is unchanged then.
    fn add_gradient(&self, weights: &ArrayRefD<T>, grad: &mut ArrayRefD<T>) -> Result<()>;
}

macro_rules! forward_penalty {
    ($($name:ty),*) => {$(
        impl<T: Real, P: Penalty<T> + ?Sized> Penalty<T> for $name {
            fn value(&self, weights: &ArrayRefD<T>) -> f64 {
                (**self).value(weights)
            }
            fn add_gradient(&self, weights: &ArrayRefD<T>, grad: &mut ArrayRefD<T>) -> Result<()> {
                (**self).add_gradient(weights, grad)
            }
        }
    )*};
}
forward_penalty!(&P, Box<P>);
