//! What a draw depends on.

use super::threefry::threefry;

/// The third counter word of derivations: draws have 0 there, so that a key derived never equals bits drawn.
const DERIVATION: u32 = 1;

/// The fourth word of derivations for batches; others have 0 there.
const BATCH: u32 = 1;

/// A key of the counter-based generator: a seed, and everything that was added to it.
///
/// Randomness is never a state that passes from image to image. A key is derived from the seed, the epoch, the sample's index and the place
/// in the pipeline, and all that is drawn there depends on the key alone: not on threads, not on the order of samples, not on what the
/// neighbours in the pipeline drew. The bits are those of Threefry-4x32 with 13 rounds (Salmon, Moraes, Dror and Shaw, *Parallel random
/// numbers: as easy as 1, 2, 3*, SC 2011), the same on every machine.
///
/// ```
/// use gradwise_augment::Key;
///
/// let sample = Key::new(42).epoch(3).sample(17);
/// assert_eq!(sample, Key::new(42).epoch(3).sample(17));
/// assert_ne!(sample, Key::new(42).epoch(4).sample(17));
/// assert!((0.0..1.0).contains(&sample.random().uniform()));
/// // What mixes a batch has a key of its own.
/// assert_ne!(Key::new(42).epoch(3).batch(17), sample);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Key(pub(super) [u32; 4]);

impl Key {
    /// The key of a seed.
    pub const fn new(seed: u64) -> Self {
        Key([seed as u32, (seed >> 32) as u32, 0, 0])
    }

    /// The key of an epoch under this seed. Epochs differ, so that a sample is not the same picture again.
    #[must_use]
    pub fn epoch(self, epoch: u64) -> Self {
        self.with(epoch)
    }

    /// The key of a sample under this epoch, by its index in the whole data set (not in its batch).
    #[must_use]
    pub fn sample(self, index: u64) -> Self {
        self.with(index)
    }

    /// The key of a batch under this epoch, by its index, for what is drawn for all its samples together, as by [`Mix`](crate::Mix): no
    /// sample has the same.
    #[must_use]
    pub fn batch(self, index: u64) -> Self {
        Key(threefry([index as u32, (index >> 32) as u32, DERIVATION, BATCH], self.0))
    }

    /// The key derived from this one and a number, such as a place in a pipeline. Order matters.
    ///
    /// [`Key::epoch`] and [`Key::sample`] are this, under names that say what is counted.
    #[must_use]
    pub fn with(self, n: u64) -> Self {
        Key(threefry([n as u32, (n >> 32) as u32, DERIVATION, 0], self.0))
    }

    /// A generator of this key's draws, from their beginning.
    pub fn random(self) -> super::Random {
        super::Random::new(self)
    }
}
