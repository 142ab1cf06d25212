//! Random numbers that depend on a seed, and are the same on every machine.

use crate::shuffle::{Purpose, below, generator};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers, of a seed and for one purpose.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    generator: ChaCha8Rng,
    /// The second of two normal numbers.
    spare: Option<f64>,
}

impl Random {
    pub(crate) fn new(purpose: Purpose, seed: u64, stream: u64) -> Self {
        Random { generator: generator(purpose, seed, stream), spare: None }
    }

    /// A number in `[0, 1)`, uniform on multiples of 2⁻⁵³.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A standard normal number (Box and Muller, *A note on the generation of random normal deviates*, 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 - u is never 0.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (2.0 * std::f64::consts::PI * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// A number in `0..bound`, each equally likely.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        below(&mut self.generator, bound as u64) as usize
    }

    /// Every order equally likely.
    pub(crate) fn shuffle<V>(&mut self, order: &mut [V]) {
        for last in (1..order.len()).rev() {
            order.swap(last, self.below(last + 1));
        }
    }
}
