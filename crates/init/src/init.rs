//! The trait, and the generator behind its implementations.

use crate::Fan;
use gradwise_core::{ArrayRefD, Error, Key, Param, Real, Result};
use ndarray::{ArrayD, IxDyn};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A way to give the parameters of a layer their first values.
///
/// # Contract
/// - Every element is written; what the array held before is not read.
/// - The values depend on the array's shape, the fan and the key, and on nothing else: not on strides, not on threads.
/// - They are drawn at `f64` and rounded, so that a model in `f32` starts where its twin in `f64` does.
///
/// An initializer of your own is one method:
///
/// ```
/// use gradwise_core::{ArrayRefD, Key, Real, Result};
/// use gradwise_init::{Fan, Init, InitExt};
///
/// /// Ones on the diagonal: a linear layer that begins as the identity.
/// struct Identity;
///
/// impl<T: Real> Init<T> for Identity {
///     fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, _: Key) -> Result<()> {
///         for (index, x) in array.indexed_iter_mut() {
///             *x = if index[0] == index[1] { T::one() } else { T::zero() };
///         }
///         Ok(())
///     }
/// }
///
/// assert_eq!(Identity.array::<f32>(&[2, 2], Key::new(0))?, ndarray::arr2(&[[1.0, 0.0], [0.0, 1.0]]).into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub trait Init<T: Real>: Send + Sync {
    /// Fills an array.
    ///
    /// # Errors
    /// If the scheme has no meaning for such an array.
    fn fill(&self, array: &mut ArrayRefD<T>, fan: Fan, key: Key) -> Result<()>;
}

impl<T: Real, I: Init<T> + ?Sized> Init<T> for &I {
    fn fill(&self, array: &mut ArrayRefD<T>, fan: Fan, key: Key) -> Result<()> {
        (**self).fill(array, fan, key)
    }
}

impl<T: Real, I: Init<T> + ?Sized> Init<T> for Box<I> {
    fn fill(&self, array: &mut ArrayRefD<T>, fan: Fan, key: Key) -> Result<()> {
        (**self).fill(array, fan, key)
    }
}

/// New arrays and parameters from an initializer; implemented for all of them.
pub trait InitExt {
    /// A new array of a shape in the order `[outputs, inputs, kernel…]`, from which the fan follows ([`Fan::of_shape`]).
    ///
    /// # Errors
    /// If the scheme has no meaning for such a shape, or there is no room for it.
    fn array<T: Real>(&self, shape: &[usize], key: Key) -> Result<ArrayD<T>>
    where
        Self: Init<T>,
    {
        self.array_with(shape, Fan::of_shape(shape), key)
    }

    /// A new array whose fan does not follow from its shape: a bias, a transposed kernel.
    ///
    /// # Errors
    /// If the scheme has no meaning for such a shape, or there is no room for it.
    fn array_with<T: Real>(&self, shape: &[usize], fan: Fan, key: Key) -> Result<ArrayD<T>>
    where
        Self: Init<T>,
    {
        let mut array = zeros(shape)?;
        self.fill(&mut array, fan, key)?;
        Ok(array)
    }

    /// A new trainable parameter of a shape in the order `[outputs, inputs, kernel…]`.
    ///
    /// # Errors
    /// If the scheme has no meaning for such a shape, or there is no room for it.
    fn param<T: Real>(&self, shape: &[usize], key: Key) -> Result<Param<T>>
    where
        Self: Init<T>,
    {
        Ok(Param::new(self.array(shape, key)?))
    }
}
impl<I: ?Sized> InitExt for I {}

/// A new array, if there can be one.
fn zeros<T: Real>(shape: &[usize]) -> Result<ArrayD<T>> {
    let refused = || Error::value("init: shape", "an array that fits into memory", format!("{shape:?}"));
    let len = shape.iter().try_fold(1_usize, |len, &n| len.checked_mul(n)).ok_or_else(refused)?;
    let mut values = Vec::new();
    values.try_reserve_exact(len).map_err(|_| refused())?;
    values.resize(len, T::zero());
    ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|_| refused())
}

/// Fills an array, in its logical order, with draws from the generator of a key.
pub(crate) fn draw<T: Real>(array: &mut ArrayRefD<T>, key: Key, mut sample: impl FnMut(&mut ChaCha8Rng) -> f64) {
    // A stream generator rather than the key's own bits: initial weights deserve the better generator, and are drawn once.
    let mut generator = ChaCha8Rng::seed_from_u64(key.seed());
    for x in array.iter_mut() {
        *x = T::of(sample(&mut generator));
    }
}
