//! Schemes that are mostly zero.

use crate::fixed::{normal, not_negative};
use crate::{Fan, Init};
use gradwise_core::{ArrayRefD, Error, Key, Real, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Ones on the diagonal and zeros elsewhere: a layer that begins by handing on what it gets.
///
/// Use it for recurrent weights under ReLU (Le, Jaitly and Hinton, *A simple way to initialize recurrent networks of rectified linear
/// units*, 2015) and for layers that are put into a trained net. A matrix need not be square: inputs without an output are dropped, and
/// outputs without an input are zero. The weight of a convolution, `[outputs, inputs, kernel…]`, has its ones at the middle of the
/// kernel (for an even size the later of both), so that it hands on each pixel. The same as PyTorch's `eye_` and `dirac_`.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{Identity, InitExt};
///
/// let weight = Identity::new(2.0)?.array::<f32>(&[2, 3], Key::new(0))?;
/// assert_eq!(weight, ndarray::array![[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]].into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Identity {
    gain: f64,
}

impl Identity {
    /// With `gain` on the diagonal.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(gain: f64) -> Result<Self> {
        Ok(Identity { gain: not_negative("identity: gain", gain)? })
    }
}

impl Default for Identity {
    fn default() -> Self {
        Identity { gain: 1.0 }
    }
}

impl<T: Real> Init<T> for Identity {
    /// # Errors
    /// If the array has fewer than two axes.
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, _: Key) -> Result<()> {
        if array.ndim() < 2 {
            return Err(Error::shape("identity", "two axes or more", array.shape()));
        }
        // The flat place of the middle, in logical order: Σ (size / 2) · stride.
        let middle = array.shape()[2..].iter().fold(0, |at, &size| at * size + size / 2);
        array.fill(T::zero());
        for (i, mut maps) in array.outer_iter_mut().enumerate() {
            if let Some(mut map) = maps.outer_iter_mut().nth(i)
                && let Some(x) = map.iter_mut().nth(middle)
            {
                *x = T::of(self.gain);
            }
        }
        Ok(())
    }
}

/// Each unit gets `k` inputs with normal weights, and zeros for all others: sums stay small however wide the layer is.
///
/// Use it for wide layers under saturating activations. Weights are `[outputs, inputs, kernel…]`; a unit with fewer inputs than `k` has
/// them all. Source: Martens, *Deep learning via Hessian-free optimization*, ICML 2010, section 5 (`k = 15`, unit variance). PyTorch's
/// `sparse_` is given the share of zeros in each *column* instead, and takes a deviation of 0.01.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{InitExt, Sparse};
///
/// let weight = Sparse::new(15, 1.0)?.array::<f32>(&[10, 100], Key::new(0))?;
/// assert!(weight.outer_iter().all(|unit| unit.iter().filter(|&&w| w != 0.0).count() == 15));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparse {
    k: usize,
    std: f64,
}

impl Sparse {
    /// `k` inputs a unit, with normal weights of a standard deviation.
    ///
    /// # Errors
    /// If `k` is 0, or the deviation is negative or not finite.
    pub fn new(k: usize, std: f64) -> Result<Self> {
        if k == 0 {
            return Err(Error::value("sparse: inputs a unit", "at least 1", k));
        }
        Ok(Sparse { k, std: not_negative("sparse: std", std)? })
    }
}

impl<T: Real> Init<T> for Sparse {
    /// # Errors
    /// If the array has fewer than two axes.
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, key: Key) -> Result<()> {
        if array.ndim() < 2 {
            return Err(Error::shape("sparse", "two axes or more", array.shape()));
        }
        let mut generator = ChaCha8Rng::seed_from_u64(key.seed());
        for mut unit in array.outer_iter_mut() {
            let mut left = self.k.min(unit.len());
            let mut places = unit.len();
            // Each set of inputs is equally likely: one after another, each is taken with the chance that is left for it
            // (Knuth, *The art of computer programming*, volume 2, algorithm S).
            for x in &mut unit {
                let take = generator.random_range(0..places) < left;
                *x = if take { T::of(self.std * normal(&mut generator)) } else { T::zero() };
                left -= usize::from(take);
                places -= 1;
            }
        }
        Ok(())
    }
}
