//! Kernels by channel over arrays `[samples, channels, inner…]`.
//!
//! A block of channels is worked on by one task from its statistics to its output, so that its second pass finds it in the cache.
//! With an inner size above 1 a block is one channel, whose memory is a run of `inner` elements in each sample. With an inner size of 1
//! it is up to [`WIDTH`] columns of a matrix, which are worked on side by side.

#![allow(unsafe_code)] // Channels of one slice, interleaved in memory, go to different threads.

use super::sums::{TERMS, accumulate, fold};
use crate::parallel::{Parts, n_tasks, share};
use gradwise_core::{Pool, Real};
use std::ops::Range;

/// The most channels in one block.
pub(crate) const WIDTH: usize = 64;

/// The longest run of elements that is summed side by side.
const RUN: usize = 256;

/// The sizes of an array seen as `[samples, channels, inner]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes {
    pub(crate) samples: usize,
    pub(crate) channels: usize,
    pub(crate) inner: usize,
}

impl Planes {
    /// Of a shape with at least two axes.
    pub(crate) fn of(shape: &[usize]) -> Self {
        Planes { samples: shape[0], channels: shape[1], inner: shape[2..].iter().product() }
    }

    /// Elements of each channel.
    pub(crate) fn count(&self) -> usize {
        self.samples * self.inner
    }

    /// Elements in all.
    pub(crate) fn len(&self) -> usize {
        self.count() * self.channels
    }

    /// Where a block of channels lies in a sample.
    fn range(&self, sample: usize, channels: &Range<usize>) -> Range<usize> {
        let at = |channel: usize| (sample * self.channels + channel) * self.inner;
        at(channels.start)..at(channels.end)
    }
}

/// A block of channels of the output, of which one task is the only owner.
pub(crate) struct Block<'a, T> {
    parts: &'a Parts<'a, T>,
    planes: Planes,
    channels: Range<usize>,
}

impl<T> Block<'_, T> {
    fn row(&mut self, sample: usize) -> &mut [T] {
        // SAFETY: `channels` below makes one block of each range of channels, the ranges do not overlap, and the borrow of `self`
        // keeps two rows of one block from being alive at once.
        unsafe { self.parts.part(self.planes.range(sample, &self.channels)) }
    }
}

/// Runs `f(channels, their block of out, their statistics)` for all blocks of channels.
///
/// `stats` has `stats.len() / channels` numbers for each channel, side by side. `out` may be empty if `f` does not write to it.
pub(crate) fn channels<T: Real>(
    pool: &dyn Pool,
    work: usize,
    planes: Planes,
    out: &mut [T],
    stats: &mut [T],
    f: &(dyn Fn(Range<usize>, &mut Block<'_, T>, &mut [T]) + Sync),
) {
    if planes.channels == 0 {
        return;
    }
    let n_stats = stats.len() / planes.channels;
    let (out, stats) = (Parts::new(out), Parts::new(stats));
    let width = if planes.inner == 1 { WIDTH } else { 1 };
    let n = n_tasks(pool, work).min(planes.channels.div_ceil(width));
    let task = |i: usize| {
        let mine = share(planes.channels, width, n, i);
        for start in mine.clone().step_by(width) {
            let channels = start..(start + width).min(mine.end);
            // SAFETY: shares do not overlap, and neither do the blocks of one share.
            let stats = unsafe { stats.part(channels.start * n_stats..channels.end * n_stats) };
            let mut block = Block { parts: &out, planes, channels: channels.clone() };
            f(channels, &mut block, stats);
        }
    };
    if n == 1 { task(0) } else { pool.run(n, &task) }
}

/// `K` sums for each channel of a block over `f(coefficients of the channel, x, y, z)`.
#[inline(always)]
pub(crate) fn channel_sums<T: Real, const M: usize, const K: usize>(
    planes: Planes,
    channels: &Range<usize>,
    coefficients: &[[T; WIDTH]; M],
    [x, y, z]: [&[T]; 3],
    f: impl Fn([T; M], T, T, T) -> [T; K],
) -> [[f64; WIDTH]; K] {
    let mut total = [[0.0; WIDTH]; K];
    // A run of each sample at a time is added to partial sums side by side; after some samples they go into the totals.
    let whole = (channels.end - channels.start) * planes.inner;
    let length = if planes.inner == 1 { WIDTH } else { RUN };
    let c = std::array::from_fn(|m| coefficients[m][0]);
    for first in (0..planes.samples).step_by(TERMS) {
        let samples = first..(first + TERMS).min(planes.samples);
        for offset in (0..whole).step_by(length) {
            let run = |sample: usize| {
                let start = planes.range(sample, channels).start + offset;
                start..start + length.min(whole - offset)
            };
            if planes.inner == 1 {
                let mut partial = [[T::zero(); WIDTH]; K];
                for at in samples.clone().map(run) {
                    accumulate(&mut partial, &x[at.clone()], &y[at.clone()], &z[at], |j, x, y, z| {
                        f(std::array::from_fn(|m| coefficients[m][j]), x, y, z)
                    });
                }
                for k in 0..K {
                    for j in 0..WIDTH {
                        total[k][j] += partial[k][j].as_f64();
                    }
                }
            } else {
                let mut partial = [[T::zero(); RUN]; K];
                for at in samples.clone().map(run) {
                    accumulate(&mut partial, &x[at.clone()], &y[at.clone()], &z[at], |_, x, y, z| f(c, x, y, z));
                }
                for k in 0..K {
                    total[k][0] += fold(&partial[k][..length.min(whole - offset)]);
                }
            }
        }
    }
    total
}

/// Sets each element of a block by `f(out, coefficients of the channel, x, y, z)`.
#[inline(always)]
pub(crate) fn channel_map<T: Real, const M: usize>(
    block: &mut Block<'_, T>,
    coefficients: &[[T; WIDTH]; M],
    [x, y, z]: [&[T]; 3],
    f: impl Fn(&mut T, [T; M], T, T, T),
) {
    let planes = block.planes;
    let c = std::array::from_fn(|m| coefficients[m][0]);
    for sample in 0..planes.samples {
        let at = planes.range(sample, &block.channels);
        let (x, y, z, out) = (&x[at.clone()], &y[at.clone()], &z[at.clone()], block.row(sample));
        if planes.inner == 1 {
            // The compiler sees from this that no index is out of range.
            let len = at.len().min(WIDTH);
            let (x, y, z, out) = (&x[..len], &y[..len], &z[..len], &mut out[..len]);
            for j in 0..len {
                f(&mut out[j], std::array::from_fn(|m| coefficients[m][j]), x[j], y[j], z[j]);
            }
        } else {
            for (((&x, &y), &z), out) in x.iter().zip(y).zip(z).zip(out) {
                f(out, c, x, y, z);
            }
        }
    }
}
