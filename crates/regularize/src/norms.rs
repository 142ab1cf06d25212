//! Penalties on the size of weights: L1, L2, and both.

use crate::{Penalty, check};
use gradwise_core::{ArrayRefD, Error, Real, Result, flip, ndarray::Zip};

/// The L2 penalty, `λ/2 Σ w²`: many small weights rather than a few large ones. Its gradient is `λ w`.
///
/// The half is there so that λ is the λ of weight decay. To get the same as
/// - PyTorch's `weight_decay = d` in SGD or Adam (which is coupled: added to the gradient): `λ = d`;
/// - Keras's `regularizers.L2(l)`, which is `l Σ w²`: `λ = 2 l`;
/// - ridge regression's `α ‖w‖²` beside a *sum* of squared errors: `λ = 2 α`.
///
/// Source: Krogh and Hertz, *A simple weight decay can improve generalization*, NIPS 1991.
///
/// ```
/// use gradwise_regularize::{L2, Penalty, ndarray::arr1};
///
/// let weights = arr1(&[3.0_f32, -4.0]).into_dyn();
/// assert_eq!(L2::new(0.2)?.value(&weights), 0.1 * 25.0);
/// assert_eq!(L2::new(-1.0).unwrap_err().to_string(), "l2: strength: expected a finite number of at least 0, got -1");
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct L2 {
    strength: f64,
}

impl L2 {
    /// With strength λ.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(strength: f64) -> Result<Self> {
        Ok(L2 { strength: check::not_negative("l2: strength", strength)? })
    }
}

impl<T: Real> Penalty<T> for L2 {
    fn value(&self, weights: &ArrayRefD<T>) -> f64 {
        0.5 * self.strength * sum_of(weights, |w| w * w)
    }

    fn add_gradient(&self, weights: &ArrayRefD<T>, grad: &mut ArrayRefD<T>) -> Result<()> {
        let strength = T::of(self.strength);
        add("l2", weights, grad, |w| flip!("l2/weight", strength * w))
    }
}

/// The L1 penalty, `λ Σ |w|`: weights that are of little use become (nearly) zero. Its gradient is `λ sign(w)`, 0 at 0.
///
/// The same as Keras's `regularizers.L1(λ)`. Gradient descent makes weights hover around zero, it does not set them to it; to remove
/// them, prune those that are small. Source: Tibshirani, *Regression shrinkage and selection via the lasso*, 1996.
///
/// ```
/// use gradwise_regularize::{L1, Penalty, ndarray::arr1};
///
/// let weights = arr1(&[3.0_f32, 0.0, -4.0]).into_dyn();
/// let mut grad = arr1(&[1.0_f32, 1.0, 1.0]).into_dyn();
/// let l1 = L1::new(0.5)?;
/// assert_eq!(l1.value(&weights), 3.5);
/// l1.add_gradient(&weights, &mut grad)?;
/// assert_eq!(grad, arr1(&[1.5, 1.0, 0.5]).into_dyn());
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct L1 {
    strength: f64,
}

impl L1 {
    /// With strength λ.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(strength: f64) -> Result<Self> {
        Ok(L1 { strength: check::not_negative("l1: strength", strength)? })
    }
}

impl<T: Real> Penalty<T> for L1 {
    fn value(&self, weights: &ArrayRefD<T>) -> f64 {
        self.strength * sum_of(weights, f64::abs)
    }

    fn add_gradient(&self, weights: &ArrayRefD<T>, grad: &mut ArrayRefD<T>) -> Result<()> {
        let strength = T::of(self.strength);
        add("l1", weights, grad, |w| flip!("l1/sign", strength * sign(w)))
    }
}

/// The elastic net, `λ₁ Σ |w| + λ₂/2 Σ w²`: as sparse as L1, and as calm as L2 where weights go together.
///
/// Keras's `L1L2(a, b)` is `λ₁ = a`, `λ₂ = 2 b`; scikit-learn's `alpha` and `l1_ratio` are [`ElasticNet::with_ratio`]. Source: Zou and
/// Hastie, *Regularization and variable selection via the elastic net*, 2005.
///
/// ```
/// use gradwise_regularize::{ElasticNet, Penalty, ndarray::arr1};
///
/// let weights = arr1(&[3.0_f64, -4.0]).into_dyn();
/// assert_eq!(ElasticNet::new(0.5, 0.2)?.value(&weights), 0.5 * 7.0 + 0.1 * 25.0);
/// assert_eq!(ElasticNet::with_ratio(1.0, 0.25)?, ElasticNet::new(0.25, 0.75)?);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ElasticNet {
    l1: f64,
    l2: f64,
}

impl ElasticNet {
    /// With strengths λ₁ and λ₂.
    ///
    /// # Errors
    /// If one is negative or not finite.
    pub fn new(l1: f64, l2: f64) -> Result<Self> {
        Ok(ElasticNet {
            l1: check::not_negative("elastic net: l1 strength", l1)?,
            l2: check::not_negative("elastic net: l2 strength", l2)?,
        })
    }

    /// With one strength, divided between L1 (the share `l1_ratio`) and L2 (the rest).
    ///
    /// # Errors
    /// If the strength is negative or not finite, or the share is not in `[0, 1]`.
    pub fn with_ratio(strength: f64, l1_ratio: f64) -> Result<Self> {
        let strength = check::not_negative("elastic net: strength", strength)?;
        let ratio = check::share("elastic net: l1 ratio", l1_ratio)?;
        Ok(ElasticNet { l1: strength * ratio, l2: strength * (1.0 - ratio) })
    }
}

impl<T: Real> Penalty<T> for ElasticNet {
    fn value(&self, weights: &ArrayRefD<T>) -> f64 {
        sum_of(weights, |w| self.l1 * w.abs() + 0.5 * self.l2 * w * w)
    }

    fn add_gradient(&self, weights: &ArrayRefD<T>, grad: &mut ArrayRefD<T>) -> Result<()> {
        let (l1, l2) = (T::of(self.l1), T::of(self.l2));
        add("elastic net", weights, grad, |w| {
            flip!("elastic_net/sign", l1 * sign(w)) + flip!("elastic_net/weight", l2 * w)
        })
    }
}

/// −1, 0 or 1; NaN stays NaN. (`signum` of a float is 1 at 0.)
fn sign<T: Real>(w: T) -> T {
    if w == T::zero() { w } else { w.signum() }
}

/// `grad ← grad + f(weights)`, elementwise.
fn add<T: Real>(
    penalty: &'static str,
    weights: &ArrayRefD<T>,
    grad: &mut ArrayRefD<T>,
    f: impl Fn(T) -> T,
) -> Result<()> {
    if weights.shape() != grad.shape() {
        let expected = format!("a gradient of the weights' shape {:?}", weights.shape());
        return Err(Error::shape(penalty, expected, grad.shape()));
    }
    Zip::from(grad).and(weights).for_each(|g, &w| *g += f(w));
    Ok(())
}

/// `Σ f(w)` in `f64`, over eight independent partial sums so that the additions do not wait for each other.
pub(crate) fn sum_of<T: Real>(weights: &ArrayRefD<T>, f: impl Fn(f64) -> f64) -> f64 {
    let Some(slice) = weights.as_slice_memory_order() else {
        return weights.iter().map(|w| f(w.as_f64())).sum();
    };
    let (chunks, rest) = slice.as_chunks::<8>();
    let mut partial = [0.0_f64; 8];
    for chunk in chunks {
        for (sum, w) in partial.iter_mut().zip(chunk) {
            *sum += f(w.as_f64());
        }
    }
    partial.iter().sum::<f64>() + rest.iter().map(|w| f(w.as_f64())).sum::<f64>()
}
