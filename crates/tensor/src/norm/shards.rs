//! Two numbers of each channel, over all shards of a batch.

use crate::support::{Planes, WIDTH, channels};
use gradwise_core::{Cx, Real, Result};
use std::ops::Range;

/// Two numbers for each channel of a block.
pub(super) type Pair = [[f64; WIDTH]; 2];

/// Two numbers of each channel, side by side, and behind them how many values of a channel they are of.
pub(super) struct Gathered {
    own: Vec<f64>,
    all: Vec<f64>,
}

impl Gathered {
    /// Computes the numbers of this shard's samples, block of channels by block, and brings them together with those of the other shards.
    /// `None` if the batch is in one piece: then they are best computed right where they are used, while the channel is in the cache.
    ///
    /// `merge(numbers so far, of how many values, numbers of one more shard, of how many values)` is called in the shards' order.
    pub(super) fn of<T: Real>(
        planes: Planes,
        work: usize,
        cx: &mut Cx<'_, T>,
        numbers: &(dyn Fn(&Range<usize>) -> Pair + Sync),
        merge: fn([f64; 2], f64, [f64; 2], f64) -> [f64; 2],
    ) -> Result<Option<Self>> {
        if cx.pool.shards() == 1 {
            return Ok(None);
        }
        let n = 2 * planes.channels;
        let (mut own, mut all) = (cx.scratch.take_sums(n + 1), cx.scratch.take_sums(n + 1));
        own[n] = planes.count() as f64;
        all.fill(0.0);
        channels::<T, f64>(cx.pool, work, planes, &mut [], &mut own[..n], &|range, _, own| {
            let [a, b] = numbers(&range);
            own.as_chunks_mut().0.iter_mut().zip(a.into_iter().zip(b)).for_each(|(own, (a, b))| *own = [a, b]);
        });
        cx.pool.gather(&own, &mut |part| {
            let (so_far, more) = (all[n], part[n]);
            for (all, part) in all[..n].as_chunks_mut().0.iter_mut().zip(part[..n].as_chunks().0) {
                *all = merge(*all, so_far, *part, more);
            }
            all[n] += more;
        })?;
        Ok(Some(Gathered { own, all }))
    }

    /// The numbers of this shard, for a block of channels.
    pub(super) fn own(&self, channels: &Range<usize>) -> Pair {
        block(&self.own, channels)
    }

    /// The numbers of the whole batch, for a block of channels.
    pub(super) fn all(&self, channels: &Range<usize>) -> Pair {
        block(&self.all, channels)
    }

    /// Values of a channel in the whole batch.
    pub(super) fn count(&self) -> f64 {
        self.all[self.all.len() - 1]
    }

    /// Gives the memory back.
    pub(super) fn release<T: Real>(self, cx: &mut Cx<'_, T>) {
        cx.scratch.give_sums(self.own);
        cx.scratch.give_sums(self.all);
    }
}

fn block(numbers: &[f64], channels: &Range<usize>) -> Pair {
    let mut pair = [[0.0; WIDTH]; 2];
    for (j, [a, b]) in numbers[2 * channels.start..2 * channels.end].as_chunks().0.iter().enumerate() {
        (pair[0][j], pair[1][j]) = (*a, *b);
    }
    pair
}

/// Mean and biased variance of two sets of values together, from those of each (Chan, Golub and LeVeque, *Updating formulae and a pairwise
/// algorithm for computing sample variances*, 1979).
pub(super) fn merge_moments([mean, variance]: [f64; 2], n: f64, [more, spread]: [f64; 2], m: f64) -> [f64; 2] {
    if m == 0.0 {
        return [mean, variance];
    }
    let (old, new) = (n / (n + m), m / (n + m));
    let distance = more - mean;
    [mean + distance * new, variance * old + spread * new + distance * distance * old * new]
}

/// Sums are added.
pub(super) fn merge_sums(sums: [f64; 2], _: f64, more: [f64; 2], _: f64) -> [f64; 2] {
    [sums[0] + more[0], sums[1] + more[1]]
}
