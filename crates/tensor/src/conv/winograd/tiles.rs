//! Images cut into tiles, and the tiles' values at the points.

use super::transform::{POINTS, VALUES, data, spread};
use crate::gemm::eight::Eight;
use crate::gemm::prefetch::prefetch_slice;
use gradwise_core::{Real, Scratch};
use std::ops::Range;

pub(super) use crate::gemm::eight::{LANES, Lanes};

/// Outputs of a tile each way.
pub(super) const TILE: usize = 4;

/// The tiles that cover the outputs of a batch, in rows across each image.
#[derive(Clone, Copy)]
pub(super) struct Tiling {
    /// Height and width of the outputs.
    pub(super) out: [usize; 2],
    /// Tiles down and across an image.
    pub(super) grid: [usize; 2],
    n: usize,
}

impl Tiling {
    pub(super) fn new(n: usize, out: [usize; 2]) -> Self {
        Tiling { out, grid: out.map(|len| len.div_ceil(TILE)), n }
    }

    /// Rows of tiles in all images.
    pub(super) fn n_rows(&self) -> usize {
        self.n * self.grid[0]
    }

    /// Where the tiles of a block of `rows` rows begin, if rows of tiles are `row` elements apart and tiles `TILE`, from `first` on. There
    /// are so many as fill groups of lanes.
    pub(super) fn starts<T: Real>(&self, rows: usize, row: usize, first: usize, scratch: &mut Scratch<T>) -> Vec<u32> {
        let across = self.grid[1];
        let mut starts = scratch.take_words((rows * across).next_multiple_of(LANES));
        for (tile, start) in starts.iter_mut().enumerate() {
            // Lanes beyond the last tile repeat it.
            let tile = tile.min(rows * across - 1);
            *start = (tile / across * row + first + tile % across * TILE) as u32;
        }
        starts
    }

    /// How many rows of tiles make a block of about `tiles`.
    pub(super) fn rows_of(&self, tiles: usize) -> usize {
        (tiles / self.grid[1]).clamp(1, self.n_rows())
    }

    /// The image of a row of tiles, and its place in there.
    pub(super) fn place(&self, row: usize) -> (usize, usize) {
        (row / self.grid[0], row % self.grid[0])
    }
}

/// Where the values of a block's tiles stand: at each point, for each channel, tile by tile.
#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) channels: usize,
    /// From a channel to the next: the tiles, and something that keeps channels from falling into the same sets of a cache.
    pub(super) stride: usize,
}

impl Values {
    pub(super) fn new(channels: usize, tiles: usize) -> Self {
        Values { channels, stride: tiles.next_multiple_of(16) + LANES }
    }

    pub(super) fn len(&self) -> usize {
        VALUES * self.channels * self.stride
    }

    #[inline(always)]
    pub(super) fn at(&self, point: usize, channel: usize) -> usize {
        (point * self.channels + channel) * self.stride
    }
}

/// Images to be read tile by tile: `[n, channels, h, w]`.
#[derive(Clone, Copy)]
pub(super) struct Images<'a, T> {
    pub(super) data: &'a [T],
    pub(super) channels: usize,
    pub(super) size: [usize; 2],
    /// Rows and columns of zeros before the first.
    pub(super) padding: [usize; 2],
}

/// Zeros to the left of a row, so that padding needs no care.
const MARGIN: usize = 8;

/// The length of a row that is transformed down: the image's, zeros on both sides, and what the last tile's piece runs over by.
fn row_len(width: usize) -> usize {
    MARGIN + width.next_multiple_of(TILE) + 2 * TILE
}

/// Rows of tiles that are transformed down, to be transformed across: for each the six rows of points, and before all of them a row of
/// zeros.
pub(super) struct Rows<'a, T> {
    buffer: &'a mut [T],
    /// Where each tile's piece begins in a row of tiles' first row.
    starts: &'a [u32],
}

/// The memory for [`Rows`].
pub(super) fn rows_len(rows: usize, width: usize) -> usize {
    (1 + rows * POINTS) * row_len(width)
}

impl<'a, T: Real> Rows<'a, T> {
    pub(super) fn new(buffer: &'a mut [T], starts: &'a [u32]) -> Self {
        // What is beside the image is zero, down and across; only the image's own columns are ever written.
        buffer.fill(T::zero());
        Rows { buffer, starts }
    }
}

impl<T: Real> Images<'_, T> {
    /// The starts that [`Rows`] needs for tiles of these images.
    pub(super) fn starts(&self, tiling: Tiling, rows: usize, scratch: &mut Scratch<T>) -> Vec<u32> {
        let row = row_len(self.size[1]);
        tiling.starts(rows, POINTS * row, MARGIN - self.padding[1], scratch)
    }

    /// The values `Bᵀ d B` of the tiles of some rows.
    #[inline(always)]
    pub(super) fn data<K: Eight<T>>(
        &self,
        k: K,
        tiling: Tiling,
        rows: Range<usize>,
        values: Values,
        out: &mut [T],
        buffer: &mut Rows<'_, T>,
    ) {
        self.transform(
            k,
            tiling,
            rows,
            values,
            out,
            buffer,
            #[inline(always)]
            |d| data(k, d),
            #[inline(always)]
            |d| data(k, d),
        );
    }

    /// The values `A y Aᵀ` of the tiles of some rows.
    #[inline(always)]
    pub(super) fn spread<K: Eight<T>>(
        &self,
        k: K,
        tiling: Tiling,
        rows: Range<usize>,
        values: Values,
        out: &mut [T],
        buffer: &mut Rows<'_, T>,
    ) {
        self.transform(
            k,
            tiling,
            rows,
            values,
            out,
            buffer,
            #[inline(always)]
            |y| spread(k, y),
            #[inline(always)]
            |[y0, y1, y2, y3, ..]: [Lanes<T>; 6]| spread(k, [y0, y1, y2, y3]),
        );
    }

    /// Transforms `N` rows of pixels for each row of tiles, first down, where neighbours are treated alike, then across.
    #[inline(always)]
    fn transform<K: Eight<T>, const N: usize>(
        &self,
        k: K,
        tiling: Tiling,
        rows: Range<usize>,
        values: Values,
        out: &mut [T],
        buffer: &mut Rows<'_, T>,
        down: impl Fn([Lanes<T>; N]) -> [Lanes<T>; POINTS],
        across: impl Fn([Lanes<T>; 6]) -> [Lanes<T>; POINTS],
    ) {
        let [height, width] = self.size;
        let row_len = row_len(width);
        let (zeros, buffer_rows) = buffer.buffer.split_at_mut(row_len);
        let starts = buffer.starts.as_chunks::<LANES>().0;
        let groups = (rows.len() * tiling.grid[1]).div_ceil(LANES);
        for channel in 0..self.channels {
            for (row, to) in rows.clone().zip(buffer_rows.chunks_exact_mut(POINTS * row_len)) {
                let (image, y) = tiling.place(row);
                let plane = (image * self.channels + channel) * height * width;
                // The channel after the next will be read soon.
                let soon = plane + 2 * height * width + y * TILE * width;
                prefetch_slice(&self.data[soon.min(self.data.len())..(soon + TILE * width).min(self.data.len())]);
                let plane = &self.data[plane..plane + height * width];
                let mut sources: [&[T]; N] = [&zeros[..width]; N];
                for i in 0..N {
                    let y = (y * TILE + i).wrapping_sub(self.padding[0]);
                    if y < height {
                        sources[i] = &plane[y * width..][..width];
                    }
                }
                for x in 0..width.div_ceil(LANES) {
                    // The last group may overlap the one before.
                    let x = (x * LANES).min(width - LANES);
                    let mut column = [Lanes::zero(); N];
                    for i in 0..N {
                        column[i] = Lanes::load(&sources[i][x..]);
                    }
                    let column = down(column);
                    for i in 0..POINTS {
                        column[i].store(&mut to[i * row_len + MARGIN + x..]);
                    }
                }
            }
            for (group, starts) in starts[..groups].iter().enumerate() {
                for i in 0..POINTS {
                    let tiles = across(k.pieces(&buffer_rows[i * row_len..], starts));
                    for j in 0..POINTS {
                        tiles[j].store(&mut out[values.at(i * POINTS + j, channel) + group * LANES..]);
                    }
                }
            }
        }
    }
}
