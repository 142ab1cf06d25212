//! Normal numbers, multiplied or added.

use super::drop::check_rate;
use super::linear::{Draw, noise};
use crate::math;
use gradwise_core::{Error, Key, Real, Result};

/// Gaussian dropout: in training elements are multiplied by normal numbers of mean 1 and variance `p / (1 - p)`, that of the factors of
/// [`Dropout`](crate::Dropout) with rate `p`; in evaluation `y = x`.
///
/// Source: Srivastava et al., *Dropout*, JMLR 15, 2014, section 10; Keras's `GaussianDropout`.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_tensor::{eager::Eager, noise::GaussianDropout};
/// use ndarray::ArrayD;
///
/// let x: ArrayD<f64> = ArrayD::ones(vec![10, 1000]);
/// let (y, _) = Eager::default().training(true).key(Key::new(1)).forward(&GaussianDropout::new(0.5)?, &[x.view()])?;
/// assert!((y.mean().unwrap() - 1.0).abs() < 0.05 && (y.var(0.0) - 1.0).abs() < 0.05);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GaussianDropout {
    rate: f64,
}

impl GaussianDropout {
    /// With the variance of dropout of this rate.
    ///
    /// # Errors
    /// If the rate is not in `[0, 1)`.
    pub fn new(rate: f64) -> Result<Self> {
        Ok(GaussianDropout { rate: check_rate("gaussian_dropout: rate", rate)? })
    }

    /// The rate.
    pub fn rate(&self) -> f64 {
        self.rate
    }
}

/// Noise: in training normal numbers of mean 0 and a standard deviation are added; in evaluation `y = x`. On inputs it is augmentation, on hidden
/// values a regularizer.
///
/// Source: Bishop, *Training with noise is equivalent to Tikhonov regularization*, Neural Computation 7, 1995.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_tensor::{eager::Eager, noise::GaussianNoise};
/// use ndarray::ArrayD;
///
/// let x: ArrayD<f64> = ArrayD::zeros(vec![10, 1000]);
/// let (y, _) = Eager::default().training(true).key(Key::new(1)).forward(&GaussianNoise::new(0.1)?, &[x.view()])?;
/// assert!((y.std(0.0) - 0.1).abs() < 0.005);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GaussianNoise {
    deviation: f64,
}

impl GaussianNoise {
    /// Of this standard deviation.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(deviation: f64) -> Result<Self> {
        if deviation >= 0.0 && deviation.is_finite() {
            return Ok(GaussianNoise { deviation });
        }
        Err(Error::value("gaussian_noise: deviation", "a finite number, at least 0", deviation))
    }

    /// The standard deviation.
    pub fn deviation(&self) -> f64 {
        self.deviation
    }
}

noise!(GaussianDropout, GaussianNoise);

/// Two independent normal numbers.
///
/// By Marsaglia's polar method (*A convenient method for generating normal variables*, SIAM Review 6, 1964): it takes a logarithm and a root, which are
/// computed alike everywhere, and no sine.
fn pair(key: Key) -> [f64; 2] {
    for attempt in 0.. {
        let [u, v] = [2 * attempt, 2 * attempt + 1].map(|counter| 2.0 * key.uniform(counter) - 1.0);
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            let scale = (-2.0 * math::ln(s) / s).sqrt();
            return [u * scale, v * scale];
        }
    }
    // A quarter of the square is missed each time.
    unreachable!("2^64 points outside of the circle")
}

/// Sets elements from an even `start` on to `shift + scale z`.
fn normals<T: Real>(key: Key, start: usize, shift: f64, scale: f64, out: &mut [T]) {
    for (i, out) in (start / 2..).zip(out.chunks_mut(2)) {
        let z = pair(key.with(i as u64));
        out.iter_mut().zip(z).for_each(|(out, z)| *out = T::of(shift + scale * z));
    }
}

impl<T: Real> Draw<T> for GaussianDropout {
    const NAME: &'static str = "gaussian_dropout";

    fn is_active(&self) -> bool {
        self.rate > 0.0
    }
    fn draw(&self, key: Key, start: usize, _: usize, a: &mut [T], _: &mut [T]) {
        normals(key, start, 1.0, (self.rate / (1.0 - self.rate)).sqrt(), a);
    }
}

impl<T: Real> Draw<T> for GaussianNoise {
    const NAME: &'static str = "gaussian_noise";

    fn is_active(&self) -> bool {
        self.deviation > 0.0
    }
    fn draw(&self, key: Key, start: usize, _: usize, _: &mut [T], b: &mut [T]) {
        normals(key, start, 0.0, self.deviation, b);
    }
}
