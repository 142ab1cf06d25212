//! What a micro-kernel is, and how one is chosen.

use super::eight::Eight;
use super::operand::Operand;
use super::out::{Out, Scatter};
use super::portable::Portable;
use crate::simd::Level;
use gradwise_core::Real;
use std::ops::Range;

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

/// The left factor of a strip of tiles: the rows of a product's tiles, one below the other.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a, T> {
    /// Packed panels of `MR` rows, `apart` elements from one to the next; each holds the rows of one tile, see [`tile_rows`].
    Packed { panels: &'a [T], apart: usize },
    /// Rows that lie side by side at each `k`.
    Beside(Panel<'a, T>),
    /// Rows in one piece each: `rows` of an operand from `first` on, from `k` on.
    Rows { operand: &'a Operand<'a, T>, first: usize, k: usize },
}

/// How many rows the next tile has where `left` rows are to come: `mr`, but for the last two.
///
/// A tile of fewer than four rows waits for its own sums, so that it takes as long as one of four. Where one would be left over, the
/// last two tiles share their rows.
#[inline(always)]
pub(crate) fn tile_rows(left: usize, mr: usize) -> usize {
    if left > mr && left <= mr + mr / 2 { left.div_ceil(2) } else { left.min(mr) }
}

/// The rows of tile `i` of a strip of `n` rows.
pub(crate) fn rows_of_tile(n: usize, mr: usize, i: usize) -> Range<usize> {
    let start = (0..i).fold(0, |start, _| start + tile_rows(n - start, mr));
    start..start + tile_rows(n - start, mr)
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

    /// A strip of tiles with one right factor, as many as `out` has rows for.
    ///
    /// With `packed`, a buffer for `NR` elements at each `k`, the right factor is also written there, one row after the other: its
    /// rows pass through registers anyway, and reading them for their own sake would cost more.
    #[inline(always)]
    fn strip(
        self,
        depth: usize,
        left: Left<'_, T>,
        right: Panel<'_, T>,
        packed: Option<&mut [T]>,
        mut out: Out<'_, T>,
    ) {
        let mut right = right;
        if let Some(packed) = packed {
            for (k, row) in packed.chunks_exact_mut(Self::NR).take(depth).enumerate() {
                row.copy_from_slice(&right.data[k * right.stride..][..Self::NR]);
            }
            right = Panel { data: packed, stride: Self::NR };
        }
        let (mut row, mut tile) = (0, 0);
        while row < out.rows() {
            let m = tile_rows(out.rows() - row, Self::MR);
            let out = out.tile(row, m);
            match left {
                Left::Packed { panels, apart } => {
                    let panel = Panel { data: &panels[tile * apart..], stride: Self::MR };
                    self.panels(m, depth, panel, right, out);
                }
                Left::Beside(Panel { data, stride }) => {
                    self.panels(m, depth, Panel { data: &data[row..], stride }, right, out);
                }
                Left::Rows { operand, first, k } => {
                    let line = |i: usize| operand.line(first + row + i.min(m - 1), k, depth);
                    let lines: [&[T]; MAX_ROWS] = std::array::from_fn(line);
                    self.rows(&lines[..m], &Segments::whole(depth), right, out);
                }
            }
            (row, tile) = (row + m, tile + 1);
        }
    }

    /// A strip of tiles, as many as `out` has rows for, of a left factor in packed panels one after the other, and a right one under
    /// offsets: see [`Kernel::offsets`].
    #[inline(always)]
    fn strip_under(self, lhs: &[T], rhs: &[T], offsets: &Segments<'_>, mut out: Out<'_, T>) {
        let (mut row, mut panels) = (0, lhs);
        while row < out.rows() {
            let m = tile_rows(out.rows() - row, Self::MR);
            self.offsets(m, panels, rhs, offsets, out.tile(row, m));
            panels = &panels[Self::MR * offsets.depth()..];
            row += m;
        }
    }

    /// Writes a tile, given as rows of `NR`, by its columns.
    #[inline(always)]
    fn put_transposed(self, tile: &[T], out: Scatter<'_, T>) {
        put_transposed(Self::NR, tile, out);
    }

    /// Packs lines, at most `NR` and all of one length, into a panel: `panel[k · NR + j] ← lines[j][k]`, and 0 where there is no line.
    fn transpose(self, lines: &[&[T]], panel: &mut [T]) {
        transpose(Self::NR, lines, panel);
    }

    /// [`Kernel::transpose`] of `lines`, at most `NR`, of an operand with whole lines, `depth` elements of each from `k` on.
    #[inline(always)]
    fn transpose_lines(self, operand: &Operand<'_, T>, lines: Range<usize>, k: usize, depth: usize, panel: &mut [T]) {
        let n = lines.len();
        let line = |j: usize| if j < n { operand.line(lines.start + j, k, depth) } else { &[][..] };
        let runs: [&[T]; SLACK] = std::array::from_fn(line);
        self.transpose(&runs[..n], panel);
    }
}

/// The plain form of [`Kernel::put_transposed`].
#[inline(always)]
pub(crate) fn put_transposed<T: Real>(width: usize, tile: &[T], mut out: Scatter<'_, T>) {
    for column in 0..out.places().len() {
        for row in 0..out.rows() {
            *out.element(column, row) = tile[row * width + column];
        }
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
