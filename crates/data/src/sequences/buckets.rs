//! Batches of sequences that are nearly as long as each other.

use crate::draw::Random;
use crate::shuffle::Purpose;
use crate::{DataError, Result};

/// Divides sequences into batches of similar lengths, in the random order of a seed and an epoch: less is filled up, less is computed in
/// vain.
///
/// The sequences are put into random order, cut into pools of `pool` batches, and each pool is sorted by length before it becomes
/// batches, which come in random order. A pool of one batch is a plain shuffle; one of all sequences sorts them all, so that the same
/// ones always meet: 10 to 100 batches are usual. The order depends on the seed and the epoch alone. The last batch of the last pool may
/// be smaller. Each list is one for [`Samples::gather`](crate::Samples::gather) of [`Sequences`](crate::Sequences).
///
/// ```
/// let lengths = [3, 90, 5, 88, 4, 91];
/// let batches = gradwise_data::length_buckets(&lengths, 3, 2, 42, 0)?;
/// let longest = |batch: &Vec<usize>| batch.iter().map(|&i| lengths[i]).max();
/// assert!(batches.iter().any(|batch| longest(batch) == Some(5)));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If there is no sequence, or the size of a batch or of a pool is 0.
pub fn length_buckets(
    lengths: &[usize],
    batch_size: usize,
    pool: usize,
    seed: u64,
    epoch: u64,
) -> Result<Vec<Vec<usize>>> {
    if lengths.is_empty() {
        return Err(DataError::value("length buckets: sequences", "at least one", "none"));
    }
    if batch_size == 0 || pool == 0 {
        let got = format!("{batch_size} and {pool}");
        return Err(DataError::value("length buckets: batch size and batches in a pool", "at least 1 of each", got));
    }
    let mut random = Random::new(Purpose::Sequences, seed, epoch);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    random.shuffle(&mut order);
    let mut batches = Vec::new();
    for pool in order.chunks_mut(batch_size.saturating_mul(pool)) {
        // A stable sort: equal lengths keep their random order.
        pool.sort_by_key(|&i| lengths[i]);
        batches.extend(pool.chunks(batch_size).map(<[usize]>::to_vec));
    }
    random.shuffle(&mut batches);
    Ok(batches)
}
