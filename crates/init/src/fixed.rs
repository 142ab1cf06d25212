//! Schemes that do not look at the fan.

use crate::{Fan, Init, init::draw};
use gradwise_core::{ArrayRefD, Error, Key, Real, Result};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// All zeros: biases. Weights that begin equal stay equal, so it is not for them.
///
/// It is also for the scale (γ) of the last normalization of a residual branch: with 0 each block begins as the identity, and the net as a
/// shallow one, which makes its first steps easier ("zero γ": Goyal et al., *Accurate, large minibatch SGD*, 2017, section 5.1).
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{InitExt, Zeros};
///
/// assert_eq!(Zeros.array::<f32>(&[3], Key::new(0))?.sum(), 0.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Zeros;

impl<T: Real> Init<T> for Zeros {
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, _: Key) -> Result<()> {
        array.fill(T::zero());
        Ok(())
    }
}

/// The same number everywhere: scales that begin with 1, biases of forget gates. Not for weights, whose units would never differ.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{Constant, InitExt};
///
/// assert_eq!(Constant::new(1.0)?.array::<f32>(&[3], Key::new(0))?.sum(), 3.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant(f64);

impl Constant {
    /// All elements are `value`.
    ///
    /// # Errors
    /// If it is not finite.
    pub fn new(value: f64) -> Result<Self> {
        Ok(Constant(finite("constant: value", value)?))
    }
}

impl<T: Real> Init<T> for Constant {
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, _: Key) -> Result<()> {
        array.fill(T::of(self.0));
        Ok(())
    }
}

/// The uniform distribution on `[low, high)`. Rounded to `f32`, a value just below `high` may become `high`.
///
/// Use it where a recipe names the bounds; its standard deviation, `(high − low) / √12`, does not know the fan.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{InitExt, Uniform};
///
/// let weight = Uniform::new(-0.05, 0.05)?.array::<f64>(&[10, 10], Key::new(0))?;
/// assert!(weight.iter().all(|w| w.abs() <= 0.05));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    low: f64,
    high: f64,
}

impl Uniform {
    /// Uniform on `[low, high)`.
    ///
    /// # Errors
    /// If the bounds are not finite or not in order.
    pub fn new(low: f64, high: f64) -> Result<Self> {
        finite("uniform: low", low)?;
        if high >= low && (high - low).is_finite() {
            Ok(Uniform { low, high })
        } else {
            Err(Error::value("uniform: high", format!("a finite number of at least {low}"), high))
        }
    }
}

impl<T: Real> Init<T> for Uniform {
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, key: Key) -> Result<()> {
        draw(array, key, |generator| uniform(generator, self.low, self.high));
        Ok(())
    }
}

/// The normal distribution.
///
/// Use it where a recipe names the deviation, as for embeddings; it does not know the fan.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{InitExt, Normal};
///
/// let table = Normal::new(0.0, 0.02)?.array::<f64>(&[1000, 8], Key::new(0))?;
/// assert!(table.mean().unwrap().abs() < 0.002);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    mean: f64,
    std: f64,
}

impl Normal {
    /// Normal with a mean and a standard deviation.
    ///
    /// # Errors
    /// If they are not finite, or the deviation is negative.
    pub fn new(mean: f64, std: f64) -> Result<Self> {
        Ok(Normal { mean: finite("normal: mean", mean)?, std: not_negative("normal: std", std)? })
    }
}

impl<T: Real> Init<T> for Normal {
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, key: Key) -> Result<()> {
        draw(array, key, |generator| self.mean + self.std * normal(generator));
        Ok(())
    }
}

/// The normal distribution without its tails: no unit begins with an extreme weight.
///
/// `std` is that of the normal distribution before its tails are cut; what is left of it at the usual cut of 2 is 0.8796 of it.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{InitExt, TruncatedNormal};
///
/// let weight = TruncatedNormal::new(0.0, 0.02)?.array::<f64>(&[100, 10], Key::new(0))?;
/// assert!(weight.iter().all(|w| w.abs() <= 0.04));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruncatedNormal {
    mean: f64,
    std: f64,
    cut: f64,
}

impl TruncatedNormal {
    /// Normal with a mean and a standard deviation, cut off at two deviations from the mean.
    ///
    /// # Errors
    /// If they are not finite, or the deviation is negative.
    pub fn new(mean: f64, std: f64) -> Result<Self> {
        let mean = finite("truncated normal: mean", mean)?;
        Ok(TruncatedNormal { mean, std: not_negative("truncated normal: std", std)?, cut: 2.0 })
    }

    /// Cut off at `cut` standard deviations from the mean instead.
    ///
    /// # Errors
    /// If that is not a positive number.
    pub fn with_cut(self, cut: f64) -> Result<Self> {
        if cut > 0.0 {
            Ok(TruncatedNormal { cut, ..self })
        } else {
            Err(Error::value("truncated normal: cut", "a positive number", cut))
        }
    }
}

impl<T: Real> Init<T> for TruncatedNormal {
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, key: Key) -> Result<()> {
        draw(array, key, |generator| self.mean + self.std * truncated_normal(generator, self.cut));
        Ok(())
    }
}

pub(crate) fn uniform(generator: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * generator.random::<f64>()
}

pub(crate) fn normal(generator: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(generator)
}

/// A standard normal number in `[-cut, cut]`, by rejection: from the normal itself where most of it lies inside, and from the
/// uniform distribution where little does. Either way more than 60 % of the draws are kept.
pub(crate) fn truncated_normal(generator: &mut ChaCha8Rng, cut: f64) -> f64 {
    loop {
        if cut >= 1.0 {
            let z = normal(generator);
            if z.abs() <= cut {
                return z;
            }
        } else {
            let z = uniform(generator, -cut, cut);
            if generator.random::<f64>() <= (-0.5 * z * z).exp() {
                return z;
            }
        }
    }
}

pub(crate) fn finite(what: &'static str, x: f64) -> Result<f64> {
    if x.is_finite() { Ok(x) } else { Err(Error::value(what, "a finite number", x)) }
}

pub(crate) fn not_negative(what: &'static str, x: f64) -> Result<f64> {
    if x >= 0.0 && x.is_finite() { Ok(x) } else { Err(Error::value(what, "a finite number of at least 0", x)) }
}
