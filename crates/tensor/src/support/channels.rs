//! Kernels by channel over arrays `[samples, channels, inner…]`.
//!
//! A block of channels is worked on by one task from its statistics to its output, so that its second pass finds it in the cache.
//! Its memory is a run of neighbouring channels in each sample; a single channel's runs would be short and far apart, which neither the
//! processor's prefetching nor its page table is good at. So a block is as many channels as the cache bears. With an inner size of 1 they
//! are columns of a matrix, which are worked on side by side.

#![allow(unsafe_code)] // Channels of one slice, interleaved in memory, go to different threads.

use super::sums::{LANES, TERMS, add_run, fold};
use crate::parallel::{Parts, n_tasks, share};
use gradwise_core::{Pool, Real};
use std::ops::Range;

/// The most channels in one block.
pub(crate) const WIDTH: usize = 64;

/// Bytes of an array that a block of channels has, unless a single channel has more: a fraction of the last-level cache, since two or
/// three arrays are worked on at once. The second level is of no use, because runs whose distance is a power of two compete for a few of
/// its lines.
const BLOCK_BYTES: usize = 2 << 20;

/// Samples whose rows are summed in one go where the inner size is 1.
const ROWS: usize = 32;

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
pub(crate) fn channels<T: Real, S: Real>(
    pool: &dyn Pool,
    work: usize,
    planes: Planes,
    out: &mut [T],
    stats: &mut [S],
    f: &(dyn Fn(Range<usize>, &mut Block<'_, T>, &mut [S]) + Sync),
) {
    channels_of(pool, work, planes, [out], stats, &|range, [block], stats| f(range, block, stats));
}

/// [`channels`] with several outputs.
pub(crate) fn channels_of<T: Real, S: Real, const N: usize>(
    pool: &dyn Pool,
    work: usize,
    planes: Planes,
    outs: [&mut [T]; N],
    stats: &mut [S],
    f: &(dyn Fn(Range<usize>, [&mut Block<'_, T>; N], &mut [S]) + Sync),
) {
    if planes.channels == 0 {
        return;
    }
    let n_stats = stats.len() / planes.channels;
    let (outs, stats) = (outs.map(Parts::new), Parts::new(stats));
    let fits = BLOCK_BYTES / (size_of::<T>() * planes.count().max(1));
    let width = if planes.inner == 1 { WIDTH } else { fits.clamp(1, WIDTH) };
    // Columns of a matrix stay together by whole cache lines.
    let unit = if planes.inner == 1 { 16 } else { 1 };
    let n = n_tasks(pool, work).min(planes.channels.div_ceil(unit));
    let task = |i: usize| {
        let mine = share(planes.channels, unit, n, i);
        for start in mine.clone().step_by(width) {
            let channels = start..(start + width).min(mine.end);
            // SAFETY: shares do not overlap, and neither do the blocks of one share.
            let stats = unsafe { stats.part(channels.start * n_stats..channels.end * n_stats) };
            let mut blocks = outs.each_ref().map(|parts| Block { parts, planes, channels: channels.clone() });
            f(channels, blocks.each_mut(), stats);
        }
    };
    if n == 1 { task(0) } else { crate::parallel::run(pool, n, &task) }
}

/// `K` sums for each channel of a block over `f(coefficients of the channel, x, y, z)`.
#[inline(always)]
pub(crate) fn channel_sums<T: Real, const M: usize, const K: usize>(
    planes: Planes,
    channels: &Range<usize>,
    coefficients: &[[T; WIDTH]; M],
    arrays: [&[T]; 3],
    f: impl Fn([T; M], T, T, T) -> [T; K],
) -> [[f64; WIDTH]; K] {
    if planes.inner == 1 {
        return column_sums(planes, channels, coefficients, arrays, f);
    }
    let [x, y, z] = arrays;
    let mut total = [[0.0; WIDTH]; K];
    let width = channels.len().min(WIDTH);
    // Partial sums of some samples, or of a part of a long run, go into the totals before they lose digits.
    let chunk = LANES * TERMS;
    let n_samples = (chunk / planes.inner.max(1)).max(1);
    let mut partial = [[[T::zero(); LANES]; K]; WIDTH];
    for first in (0..planes.samples).step_by(n_samples) {
        partial[..width].fill([[T::zero(); LANES]; K]);
        for sample in first..(first + n_samples).min(planes.samples) {
            let start = planes.range(sample, channels).start;
            for (j, partial) in partial[..width].iter_mut().enumerate() {
                let run = start + j * planes.inner..start + (j + 1) * planes.inner;
                let c = std::array::from_fn(|m| coefficients[m][j]);
                for ((x, y), z) in
                    x[run.clone()].chunks(chunk).zip(y[run.clone()].chunks(chunk)).zip(z[run].chunks(chunk))
                {
                    add_run(
                        partial,
                        x,
                        y,
                        z,
                        #[inline(always)]
                        |x, y, z| f(c, x, y, z),
                    );
                    if planes.inner > chunk {
                        for k in 0..K {
                            total[k][j] += fold(&partial[k]);
                            partial[k] = [T::zero(); LANES];
                        }
                    }
                }
            }
        }
        for (j, partial) in partial[..width].iter().enumerate() {
            for k in 0..K {
                total[k][j] += fold(&partial[k]);
            }
        }
    }
    total
}

/// [`channel_sums`] of the columns of a matrix.
#[inline(always)]
fn column_sums<T: Real, const M: usize, const K: usize>(
    planes: Planes,
    channels: &Range<usize>,
    coefficients: &[[T; WIDTH]; M],
    [x, y, z]: [&[T]; 3],
    f: impl Fn([T; M], T, T, T) -> [T; K],
) -> [[f64; WIDTH]; K] {
    let mut total = [[0.0; WIDTH]; K];
    let width = channels.len().min(WIDTH);
    for first in (0..planes.samples).step_by(ROWS) {
        let mut partial = [[T::zero(); WIDTH]; K];
        for sample in first..(first + ROWS).min(planes.samples) {
            let at = planes.range(sample, channels).start;
            let (x, y, z) = (&x[at..at + width], &y[at..at + width], &z[at..at + width]);
            for j in 0..width {
                let terms = f(std::array::from_fn(|m| coefficients[m][j]), x[j], y[j], z[j]);
                for k in 0..K {
                    partial[k][j] += terms[k];
                }
            }
        }
        for k in 0..K {
            for j in 0..WIDTH {
                total[k][j] += partial[k][j].as_f64();
            }
        }
    }
    total
}

/// Sets the elements of `N` blocks of the same channels to `f(coefficients of the channel, x, y, z)`, or adds that to those blocks that
/// do not come `first`.
///
/// It begins with the last sample, which the cache holds best after a pass over all of them.
#[inline(always)]
pub(crate) fn channel_map<T: Real, const M: usize, const N: usize>(
    planes: Planes,
    channels: &Range<usize>,
    blocks: [&mut Block<'_, T>; N],
    first: [bool; N],
    coefficients: &[[T; WIDTH]; M],
    arrays: [&[T]; 3],
    f: impl Fn([T; M], T, T, T) -> [T; N],
) {
    // A loop of its own for the commonest case, which reads nothing that it is going to overwrite.
    if first == [true; N] {
        map_with(
            planes,
            channels,
            blocks,
            coefficients,
            arrays,
            f,
            #[inline(always)]
            |_, _, value| value,
        );
    } else {
        map_with(
            planes,
            channels,
            blocks,
            coefficients,
            arrays,
            f,
            #[inline(always)]
            |n, old, value| {
                if first[n] { value } else { old + value }
            },
        );
    }
}

/// [`channel_map`], where `write(number of the block, old element, value)` is the new element.
#[inline(always)]
fn map_with<T: Real, const M: usize, const N: usize>(
    planes: Planes,
    channels: &Range<usize>,
    mut blocks: [&mut Block<'_, T>; N],
    coefficients: &[[T; WIDTH]; M],
    [x, y, z]: [&[T]; 3],
    f: impl Fn([T; M], T, T, T) -> [T; N],
    write: impl Fn(usize, T, T) -> T,
) {
    let width = channels.len().min(WIDTH);
    for sample in (0..planes.samples).rev() {
        let at = planes.range(sample, channels);
        let (x, y, z) = (&x[at.clone()], &y[at.clone()], &z[at]);
        let mut out = blocks.each_mut().map(|block| block.row(sample));
        if planes.inner == 1 {
            // First into other memory: so the compiler knows that nothing that is read is changed, and that no index is out of range.
            let mut values = [[T::zero(); WIDTH]; N];
            let (x, y, z) = (&x[..width], &y[..width], &z[..width]);
            for j in 0..width {
                let value = f(std::array::from_fn(|m| coefficients[m][j]), x[j], y[j], z[j]);
                for n in 0..N {
                    values[n][j] = value[n];
                }
            }
            for n in 0..N {
                out[n].iter_mut().zip(&values[n][..width]).for_each(|(out, &value)| *out = write(n, *out, value));
            }
            continue;
        }
        let len = planes.inner;
        for j in 0..width {
            let c = std::array::from_fn(|m| coefficients[m][j]);
            let run = j * len..(j + 1) * len;
            let (x, y, z) = (&x[run.clone()][..len], &y[run.clone()][..len], &z[run.clone()][..len]);
            let out = out.each_mut().map(|out| &mut out[run.clone()][..len]);
            for i in 0..len {
                let value = f(c, x[i], y[i], z[i]);
                for n in 0..N {
                    out[n][i] = write(n, out[n][i], value[n]);
                }
            }
        }
    }
}
