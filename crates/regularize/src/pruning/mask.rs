//! Which weights of an array are kept.

use crate::check;
use gradwise_core::{ArrayRefD, Error, Real, Result};

/// Which weights of an array are kept, one bit each; the others are zero.
///
/// A mask is chosen by the weights' magnitude, applied to the weights after each step, and grows sparser with [`Mask::prune`]: what was
/// removed stays removed. Source: Han et al., *Learning both weights and connections for efficient neural networks*, NIPS 2015.
///
/// ```
/// use gradwise_regularize::{Mask, ndarray::arr1};
///
/// let mut weights = arr1(&[0.1_f32, -2.0, 0.3, -0.2]).into_dyn();
/// let mut mask = Mask::full(&weights);
/// mask.prune(&weights, 0.5)?;
/// mask.apply(&mut weights)?;
/// assert_eq!(weights, arr1(&[0.0, -2.0, 0.3, 0.0]).into_dyn());
/// assert_eq!((mask.sparsity(), mask.is_kept(3)), (0.5, false));
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Fields", into = "Fields"))]
pub struct Mask {
    len: usize,
    /// Bit `i % 64` of word `i / 64` is set if weight `i`, in logical order, is kept. Bits beyond the length are not.
    words: Vec<u64>,
}

impl Mask {
    /// All weights are kept.
    pub fn full<T: Real>(weights: &ArrayRefD<T>) -> Self {
        let len = weights.len();
        let mut words = vec![u64::MAX; len.div_ceil(64)];
        if let (Some(last), rest @ 1..) = (words.last_mut(), len % 64) {
            *last = (1 << rest) - 1;
        }
        Mask { len, words }
    }

    /// Removes kept weights, the smallest magnitudes first, until the share `sparsity` of all is removed: `round(sparsity · n)`.
    ///
    /// Nothing happens where as many are removed already. Of equal magnitudes the first in order go first; a NaN goes last.
    ///
    /// # Errors
    /// If the share is not in `[0, 1]`, or the array has another number of weights than the mask; it is unchanged then.
    pub fn prune<T: Real>(&mut self, weights: &ArrayRefD<T>, sparsity: f64) -> Result<()> {
        prune_together(&mut [self], &[weights], sparsity)
    }

    /// Sets the removed weights to zero: after each step of an optimizer, or on a gradient.
    ///
    /// # Errors
    /// If the array has another number of weights than the mask; it is unchanged then.
    pub fn apply<T: Real>(&self, weights: &mut ArrayRefD<T>) -> Result<()> {
        self.check(weights)?;
        if let Some(values) = weights.as_slice_mut() {
            for (chunk, &word) in values.chunks_mut(64).zip(&self.words) {
                if word == u64::MAX {
                    continue;
                }
                for (i, w) in chunk.iter_mut().enumerate() {
                    if word >> i & 1 == 0 {
                        *w = T::zero();
                    }
                }
            }
        } else {
            weights.iter_mut().enumerate().filter(|&(i, _)| !self.is_kept(i)).for_each(|(_, w)| *w = T::zero());
        }
        Ok(())
    }

    /// Whether a weight is kept, by its place in logical order; not if there is no such place.
    pub fn is_kept(&self, index: usize) -> bool {
        self.words.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// How many weights are kept.
    pub fn n_kept(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// How many weights there are, kept or not.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The share of weights that are removed; 0 where there are none.
    pub fn sparsity(&self) -> f64 {
        if self.len == 0 { 0.0 } else { (self.len - self.n_kept()) as f64 / self.len as f64 }
    }

    fn check<T: Real>(&self, weights: &ArrayRefD<T>) -> Result<()> {
        if weights.len() == self.len {
            return Ok(());
        }
        Err(Error::shape("mask", format!("an array of the mask's {} weights", self.len), weights.shape()))
    }

    fn remove(&mut self, index: usize) {
        self.words[index / 64] &= !(1 << (index % 64));
    }
}

/// Removes the smallest of all weights, until the share of all arrays together is removed.
pub(crate) fn prune_together<T: Real>(masks: &mut [&mut Mask], weights: &[&ArrayRefD<T>], sparsity: f64) -> Result<()> {
    check::share("pruning: sparsity", sparsity)?;
    for (mask, weights) in masks.iter().zip(weights) {
        mask.check(weights)?;
    }
    let n: usize = masks.iter().map(|mask| mask.len).sum();
    let n_kept: usize = masks.iter().map(|mask| mask.n_kept()).sum();
    let missing = ((sparsity * n as f64).round() as usize).saturating_sub(n - n_kept);
    if missing == 0 {
        return Ok(());
    }
    // A NaN is no small weight: with the sign bit cleared, the total order puts it last.
    let magnitude = |w: &T| w.as_f64().abs();
    let mut kept = Vec::with_capacity(n_kept);
    for (mask, weights) in masks.iter().zip(weights) {
        kept.extend(weights.iter().enumerate().filter(|&(i, _)| mask.is_kept(i)).map(|(_, w)| magnitude(w)));
    }
    let (below, &mut threshold, _) = kept.select_nth_unstable_by(missing - 1, f64::total_cmp);
    let mut ties = missing - below.iter().filter(|m| m.total_cmp(&threshold).is_lt()).count();
    for (mask, weights) in masks.iter_mut().zip(weights) {
        for (i, w) in weights.iter().enumerate() {
            if !mask.is_kept(i) {
                continue;
            }
            let order = magnitude(w).total_cmp(&threshold);
            if order.is_lt() || (order.is_eq() && ties > 0) {
                ties -= usize::from(order.is_eq());
                mask.remove(i);
            }
        }
    }
    Ok(())
}

/// What is saved.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Fields {
    len: usize,
    words: Vec<u64>,
}

#[cfg(feature = "serde")]
impl From<Mask> for Fields {
    fn from(Mask { len, words }: Mask) -> Self {
        Fields { len, words }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Fields> for Mask {
    type Error = Error;

    fn try_from(Fields { len, words }: Fields) -> Result<Self> {
        let beyond = words.last().is_some_and(|last| len % 64 > 0 && last >> (len % 64) != 0);
        if words.len() != len.div_ceil(64) || beyond {
            let expected = format!("{} words, and no bit beyond the {len} weights", len.div_ceil(64));
            return Err(Error::value("mask", expected, format!("{} words", words.len())));
        }
        Ok(Mask { len, words })
    }
}
