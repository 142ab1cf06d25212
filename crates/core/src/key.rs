//! Randomness as a value.

use std::fmt;

/// A key of a counter-based random generator.
///
/// Randomness in gradwise is never a global state. A key is derived, step by step, from everything a draw may depend on (seed,
/// step, layer path, position of the operation, sample), and [`Key::bits`] turns a key and a counter into 64 random bits. The same
/// key and counter give the same bits on every machine, in any order, on any number of threads.
///
/// The mixing function is the finalizer of SplitMix64 (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*,
/// OOPSLA 2014), applied twice to key and counter. It is meant for dropout masks and noise, not for cryptography.
///
/// ```
/// use gradwise_core::Key;
///
/// let key = Key::new(7).with(3).with_str("encoder.dropout");
/// assert_eq!(key, Key::new(7).with(3).with_str("encoder.dropout"));
/// assert_ne!(key.bits(0), key.bits(1));
/// assert!((0.0..1.0).contains(&key.uniform(12)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Key(u64);

/// The golden ratio in 64-bit fixed point: an odd constant whose multiples are spread evenly (Weyl sequence).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Key {
    /// The key of a seed.
    #[inline]
    pub const fn new(seed: u64) -> Self {
        Key(mix(seed.wrapping_add(GOLDEN)))
    }

    /// The key derived from this one and a number: a step, a sample, a position. Order matters.
    #[inline]
    #[must_use]
    pub const fn with(self, n: u64) -> Self {
        Key(mix(self.0 ^ mix(n.wrapping_add(GOLDEN))).wrapping_add(GOLDEN))
    }

    /// The key derived from this one and a name, such as a layer's path (FNV-1a over its bytes, then [`Key::with`]).
    #[inline]
    #[must_use]
    pub const fn with_str(self, name: &str) -> Self {
        let bytes = name.as_bytes();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut i = 0;
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            i += 1;
        }
        self.with(hash)
    }

    /// The 64 random bits of a counter.
    #[inline]
    pub const fn bits(self, counter: u64) -> u64 {
        mix(self.0 ^ mix(self.0.wrapping_add(counter.wrapping_mul(GOLDEN))))
    }

    /// A number in `[0, 1)`, uniform on multiples of 2⁻⁵³.
    #[inline]
    pub fn uniform(self, counter: u64) -> f64 {
        // The 53 high bits are as many as an f64 can hold without rounding up to 1.
        (self.bits(counter) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// The key as a seed for another generator.
    #[inline]
    pub const fn seed(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:016x})", self.0)
    }
}
