//! Random orders that depend on a seed and a number, and on nothing else.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What an order is for. The same seed gives unrelated orders for different purposes, so that the split of a set with seed 0
/// tells nothing about the batches of seed 0.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Batches = 1,
    Split = 2,
    Folds = 3,
    Features = 4,
    Synthetic = 5,
    Balance = 6,
    Shift = 7,
    Curve = 8,
    Sequences = 9,
}

/// Puts `order` into the random order of a seed and an epoch, the same one on every machine and in every version.
///
/// Every order of the list is equally likely (Fisher and Yates, in the form of Durstenfeld, *Algorithm 235*, CACM 1964). The
/// random bits are those of the ChaCha generator with 8 rounds, whose key is the seed and whose stream is the epoch.
///
/// ```
/// let mut order: Vec<usize> = (0..100).collect();
/// gradwise_data::shuffle(&mut order, 7, 0);
/// let mut again: Vec<usize> = (0..100).collect();
/// gradwise_data::shuffle(&mut again, 7, 0);
/// assert_eq!(order, again);
/// ```
pub fn shuffle<V>(order: &mut [V], seed: u64, epoch: u64) {
    shuffle_for(Purpose::Batches, order, seed, epoch);
}

/// The generator of a seed, for a purpose, at the beginning of a stream.
pub(crate) fn generator(purpose: Purpose, seed: u64, stream: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = purpose as u8;
    let mut random = ChaCha8Rng::from_seed(key);
    random.set_stream(stream);
    random
}

pub(crate) fn shuffle_for<V>(purpose: Purpose, order: &mut [V], seed: u64, stream: u64) {
    let mut random = generator(purpose, seed, stream);
    for last in (1..order.len()).rev() {
        order.swap(last, below(&mut random, last as u64 + 1) as usize);
    }
}

/// A number in `0..bound`, each equally likely.
///
/// The high half of `random × bound` is nearly uniform; the few products that would favour some numbers are drawn again
/// (Lemire, *Fast random integer generation in an interval*, TOMACS 2019). It is written out here because an order is part of
/// a run's identity, which must not change when a library finds a better way to draw.
pub(crate) fn below(random: &mut ChaCha8Rng, bound: u64) -> u64 {
    let surplus = bound.wrapping_neg() % bound;
    loop {
        let product = u128::from(random.next_u64()) * u128::from(bound);
        if product as u64 >= surplus {
            return (product >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orders_are_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..6000 {
            let mut order = [0, 1, 2];
            shuffle(&mut order, 11, epoch);
            *counts.entry(order).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Five standard deviations of a binomial with n = 6000, p = 1/6.
        assert!(counts.values().all(|&n: &i32| (n - 1000).abs() < 145), "{counts:?}");
    }

    #[test]
    fn the_order_of_a_seed_is_fixed_for_good() {
        let order = |seed, epoch| {
            let mut order: Vec<u8> = (0..8).collect();
            shuffle(&mut order, seed, epoch);
            order
        };
        // From a second implementation of the generator and of the drawing, in another language.
        assert_eq!(order(0, 0), [4, 5, 0, 7, 3, 6, 2, 1]);
        assert_eq!(order(1, 5), [0, 2, 1, 3, 4, 5, 7, 6]);
    }

    #[test]
    fn purposes_are_unrelated() {
        let order = |purpose| {
            let mut order: Vec<u8> = (0..30).collect();
            shuffle_for(purpose, &mut order, 3, 0);
            order
        };
        assert_ne!(order(Purpose::Batches), order(Purpose::Split));
        assert_ne!(order(Purpose::Split), order(Purpose::Folds));
    }
}
