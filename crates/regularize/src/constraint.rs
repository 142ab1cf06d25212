//! Bounds that weights are brought back to after each step.

use crate::{Groups, check};
use gradwise_core::{ArrayRefD, Error, Real, Result, flip};

/// A set that weights must stay in: after a step, those that left it are brought back.
///
/// A penalty draws weights towards a region, a constraint holds them there (projected gradient descent).
///
/// # Contract
/// - Applying it twice is, up to rounding, applying it once (but for [`MinMaxNorm`] with a rate below 1, which goes there step by step).
/// - It depends on the weights alone. NaN stays NaN, so that a run that has gone wrong is not hidden.
///
/// ```
/// use gradwise_core::{ArrayRefD, Real, Result};
/// use gradwise_regularize::{Constraint, ndarray::arr1};
///
/// /// Weights between -1 and 1, as of a Wasserstein critic.
/// struct Clipped;
///
/// impl<T: Real> Constraint<T> for Clipped {
///     fn apply(&self, weights: &mut ArrayRefD<T>) -> Result<()> {
///         weights.map_inplace(|w| *w = num_traits::clamp(*w, -T::one(), T::one()));
///         Ok(())
///     }
/// }
///
/// let mut weights = arr1(&[-3.0_f32, 0.5]).into_dyn();
/// Clipped.apply(&mut weights)?;
/// assert_eq!(weights, arr1(&[-1.0, 0.5]).into_dyn());
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
pub trait Constraint<T: Real>: Send + Sync {
    /// Brings weights into the set.
    ///
    /// # Errors
    /// If it has no meaning for an array of that shape, which is unchanged then.
    fn apply(&self, weights: &mut ArrayRefD<T>) -> Result<()>;
}

macro_rules! forward_constraint {
    ($($name:ty),*) => {$(
        impl<T: Real, C: Constraint<T> + ?Sized> Constraint<T> for $name {
            fn apply(&self, weights: &mut ArrayRefD<T>) -> Result<()> {
                (**self).apply(weights)
            }
        }
    )*};
}
forward_constraint!(&C, Box<C>);

/// Each group's norm is at most a maximum: `w ← w · min(1, max / ‖w‖)`.
///
/// Beside dropout it allows large learning rates, since no unit's weights can run away. Source: Srivastava et al., *Dropout*, 2014,
/// section 5.1 (maxima of 3 to 4); the same as Keras's `MaxNorm` without its ε.
///
/// ```
/// use gradwise_regularize::{Constraint, Groups, MaxNorm, ndarray::arr2};
///
/// let mut weights = arr2(&[[6.0_f64, 8.0], [1.0, 0.0]]).into_dyn();
/// MaxNorm::new(5.0, Groups::Axis(0))?.apply(&mut weights)?;
/// assert_eq!(weights, arr2(&[[3.0, 4.0], [1.0, 0.0]]).into_dyn());
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MaxNorm {
    max: f64,
    groups: Groups,
}

impl MaxNorm {
    /// Norms of at most `max`.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(max: f64, groups: Groups) -> Result<Self> {
        Ok(MaxNorm { max: check::not_negative("max norm: maximum", max)?, groups })
    }
}

impl<T: Real> Constraint<T> for MaxNorm {
    fn apply(&self, weights: &mut ArrayRefD<T>) -> Result<()> {
        self.groups.rescale("max norm", weights, |norm| {
            if norm > self.max { flip!("max_norm/factor", self.max / norm) } else { 1.0 }
        })
    }
}

/// Each group's norm is 1: `w ← w / ‖w‖`. A group of zeros has no direction and stays as it is.
///
/// Use it where only directions matter, as for embeddings that are compared by their angle. The same as Keras's `UnitNorm` without its ε.
///
/// ```
/// use gradwise_regularize::{Constraint, Groups, UnitNorm, ndarray::arr2};
///
/// let mut weights = arr2(&[[3.0_f64, 4.0], [0.0, 0.0]]).into_dyn();
/// UnitNorm::new(Groups::Axis(0)).apply(&mut weights)?;
/// assert!((weights[[0, 0]] - 0.6).abs() < 1e-12 && weights[[1, 0]] == 0.0);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct UnitNorm {
    groups: Groups,
}

impl UnitNorm {
    /// Norms of 1.
    #[must_use]
    pub const fn new(groups: Groups) -> Self {
        UnitNorm { groups }
    }
}

impl<T: Real> Constraint<T> for UnitNorm {
    fn apply(&self, weights: &mut ArrayRefD<T>) -> Result<()> {
        self.groups.rescale("unit norm", weights, |norm| {
            if norm > 0.0 { flip!("unit_norm/factor", norm.recip()) } else { 1.0 }
        })
    }
}

/// Each group's norm is between a minimum and a maximum: `w ← w · (r · clip(‖w‖, min, max) + (1 − r) ‖w‖) / ‖w‖`.
///
/// The rate `r` is 1 unless set: norms are brought into the range at once, and with a smaller one they go a part of the way at each
/// step. A group of zeros has no direction and stays as it is. Use it where units must not die either. The same as Keras's `MinMaxNorm`
/// without its ε.
///
/// ```
/// use gradwise_regularize::{Constraint, Groups, MinMaxNorm, ndarray::arr1};
///
/// let mut weights = arr1(&[0.6_f64, 0.8]).into_dyn();
/// MinMaxNorm::new(3.0, 4.0, Groups::All)?.rate(0.5)?.apply(&mut weights)?;
/// assert!((weights[[0]] - 1.2).abs() < 1e-12);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MinMaxNorm {
    min: f64,
    max: f64,
    rate: f64,
    groups: Groups,
}

impl MinMaxNorm {
    /// Norms from `min` to `max`.
    ///
    /// # Errors
    /// If one is negative or not finite, or they are not in order.
    pub fn new(min: f64, max: f64, groups: Groups) -> Result<Self> {
        let min = check::not_negative("min-max norm: minimum", min)?;
        let max = check::not_negative("min-max norm: maximum", max)?;
        if max < min {
            return Err(Error::value("min-max norm: maximum", format!("at least the minimum {min}"), max));
        }
        Ok(MinMaxNorm { min, max, rate: 1.0, groups })
    }

    /// Which part of the way norms go at once.
    ///
    /// # Errors
    /// If it is not in `[0, 1]`.
    pub fn rate(self, rate: f64) -> Result<Self> {
        Ok(MinMaxNorm { rate: check::share("min-max norm: rate", rate)?, ..self })
    }
}

impl<T: Real> Constraint<T> for MinMaxNorm {
    fn apply(&self, weights: &mut ArrayRefD<T>) -> Result<()> {
        self.groups.rescale("min-max norm", weights, |norm| {
            let wanted = norm.clamp(self.min, self.max);
            if norm > 0.0 && wanted != norm {
                (flip!("min_max_norm/wanted", self.rate * wanted) + (1.0 - self.rate) * norm) / norm
            } else {
                1.0
            }
        })
    }
}

/// No weight is negative: `w ← max(w, 0)`.
///
/// Use it where weights are amounts: mixtures, additive parts of an image (Lee and Seung, *Learning the parts of objects by non-negative
/// matrix factorization*, 1999), or outputs that must not fall when an input rises.
///
/// ```
/// use gradwise_regularize::{Constraint, NonNegative, ndarray::arr1};
///
/// let mut weights = arr1(&[-3.0_f32, 0.5]).into_dyn();
/// NonNegative.apply(&mut weights)?;
/// assert_eq!(weights, arr1(&[0.0, 0.5]).into_dyn());
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NonNegative;

impl<T: Real> Constraint<T> for NonNegative {
    fn apply(&self, weights: &mut ArrayRefD<T>) -> Result<()> {
        weights.map_inplace(|w| {
            // `max` of a NaN would be 0.
            if flip!("non_negative/weight", *w) < T::zero() {
                *w = T::zero();
            }
        });
        Ok(())
    }
}
