//! What a micro-kernel is, and how one is chosen.

use super::eight::Eight;
use super::out::Out;
use super::portable::Portable;
use crate::simd::Level;
use gradwise_core::Real;

/// The largest `NR`, and by how many elements packed buffers are longer than what they hold: copies of a fixed width may run over.
pub(crate) const SLACK: usize = 16;
/// The largest `MR`.
pub(crate) const MAX_ROWS: usize = 6;

/// A panel of a factor: what it holds at `k` begins at `data[k · stride]`. Packed panels have a stride of `MR` or `NR`; one that is read
/// where it lies has that of its matrix.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) stride: usize,
}

/// Where the terms of a sum stand in the rows of an unpacked left factor: in runs of `len` elements that begin at `offsets`.
///
/// A matrix has one run. An image that is read under a filter has one for each of its rows.
#[derive(Clone, Copy)]
pub(crate) struct Segments<'a> {
    offsets: &'a [u32],
    len: usize,
    /// How many elements a row must have for all runs to lie within it.
    extent: usize,
}

impl<'a> Segments<'a> {
    pub(crate) fn new(offsets: &'a [u32], len: usize) -> Self {
        let extent = if len == 0 { 0 } else { offsets.iter().max().map_or(0, |&last| last as usize + len) };
        Segments { offsets, len, extent }
    }

    /// One run from the beginning of the rows.
    pub(crate) fn whole(len: usize) -> Self {
        Segments { offsets: &[0], len, extent: len }
    }

    pub(crate) fn offsets(&self) -> &'a [u32] {
        self.offsets
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn extent(&self) -> usize {
        self.extent
    }

    /// The number of terms.
    pub(crate) fn depth(&self) -> usize {
        self.offsets.len() * self.len
    }
}

/// The innermost product, for one register tile: `out[i, j] ← Σₖ lhs[i, k] rhs[k, j]`, added where `out` says so.
///
/// The sum of every element runs over `k` in order, with one accumulator, in every method and for every number of rows. That is
/// what makes results independent of where tiles begin, of which factor was packed, and of how work is split between threads.
pub(crate) trait Kernel<T: Real>: Eight<T> + Copy + Send + Sync {
    /// Rows of a tile.
    const MR: usize;
    /// Columns of a tile.
    const NR: usize;

    /// With a left factor whose `m` rows lie side by side at each `k`.
    fn panels(self, m: usize, depth: usize, lhs: Panel<'_, T>, rhs: Panel<'_, T>, out: Out<'_, T>);

    /// With a packed left factor, and a right one whose row `k` is `rhs[offsets[k]..][..NR]`: an image read under a filter. The segments
    /// have a length of 1.
    fn offsets(self, m: usize, lhs: &[T], rhs: &[T], offsets: &Segments<'_>, out: Out<'_, T>);

    /// With a left factor given by its rows, at most `MR`.
    fn rows(self, rows: &[&[T]], segments: &Segments<'_>, rhs: Panel<'_, T>, out: Out<'_, T>);

    /// Packs lines, at most `NR` and all of one length, into a panel: `panel[k · NR + j] ← lines[j][k]`, and 0 where there is no line.
    fn transpose(self, lines: &[&[T]], panel: &mut [T]) {
        transpose(Self::NR, lines, panel);
    }
}

/// The plain form of [`Kernel::transpose`].
#[inline(always)]
pub(crate) fn transpose<T: Real>(width: usize, lines: &[&[T]], panel: &mut [T]) {
    let depth = lines.first().map_or(0, |line| line.len());
    for (j, line) in lines.iter().enumerate() {
        for (row, &x) in panel.chunks_exact_mut(width).zip(*line) {
            row[j] = x;
        }
    }
    if lines.len() < width {
        panel.chunks_exact_mut(width).take(depth).for_each(|row| row[lines.len()..].fill(T::zero()));
    }
}

/// Work to be done with whichever kernel is chosen. Implementations mark `run` as `#[inline(always)]`, so that all of it is compiled for
/// the kernel's processor.
pub(crate) trait Job<T: Real> {
    fn run<K: Kernel<T>>(self, kernel: K);
}

/// Runs a job with the kernel of a level; with the portable one where the processor has no other.
pub(crate) fn dispatch<T: Real>(level: Level, job: impl Job<T>) {
    #[cfg(target_arch = "x86_64")]
    if level == Level::Avx2
        && let Some(kernel) = super::avx2::Avx2::detect()
    {
        return kernel.run(job);
    }
    let _ = level;
    job.run(Portable);
}

/// The register tile of a level, `(MR, NR)`, for whoever reserves memory before a kernel is chosen.
pub(crate) fn tile_shape<T: Real>(level: Level) -> (usize, usize) {
    #[cfg(target_arch = "x86_64")]
    if level == Level::Avx2 && super::avx2::Avx2::detect().is_some() {
        return (<super::avx2::Avx2 as Kernel<T>>::MR, <super::avx2::Avx2 as Kernel<T>>::NR);
    }
    let _ = level;
    (<Portable as Kernel<T>>::MR, <Portable as Kernel<T>>::NR)
}
