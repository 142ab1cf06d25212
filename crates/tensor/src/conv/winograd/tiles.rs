//! Images cut into tiles, and the tiles' values at the points.

use super::transform::{POINTS, VALUES, data, spread};
use crate::gemm::eight::Eight;
use gradwise_core::Real;
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

    /// How many rows of tiles make a block of about `tiles`.
    pub(super) fn rows_of(&self, tiles: usize) -> usize {
        (tiles / self.grid[1]).clamp(1, self.n_rows())
    }

    /// The image of a row of tiles, and its place in there.
    fn place(&self, row: usize) -> (usize, usize) {
        (row / self.grid[0], row % self.grid[0])
    }
}

/// Where the values of a block's tiles stand: at each point, for each channel, tile by tile.
#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) channels: usize,
    /// From a channel to the next: the tiles, and room for a group of lanes to run over.
    pub(super) stride: usize,
}

impl Values {
    pub(super) fn new(channels: usize, tiles: usize) -> Self {
        Values { channels, stride: tiles.next_multiple_of(16) + LANES }
    }

    pub(super) fn len(&self) -> usize {
        // One group of lanes more: what the very last row of tiles runs over by.
        VALUES * self.channels * self.stride + LANES
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

/// Memory to transform a row of tiles in.
pub(super) fn rows_len(width: usize) -> usize {
    let row = row_len(width);
    (POINTS + 1) * row
}

fn row_len(width: usize) -> usize {
    MARGIN + width.next_multiple_of(TILE * LANES) + 2 * TILE * LANES
}

impl<T: Real> Images<'_, T> {
    /// The values `Bᵀ d B` of the tiles of some rows.
    #[inline(always)]
    pub(super) fn data<K: Eight<T>>(
        &self,
        k: K,
        tiling: Tiling,
        rows: Range<usize>,
        values: Values,
        out: &mut [T],
        buffer: &mut [T],
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
        buffer: &mut [T],
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
        buffer: &mut [T],
        down: impl Fn([Lanes<T>; N]) -> [Lanes<T>; POINTS],
        across: impl Fn([Lanes<T>; 6]) -> [Lanes<T>; POINTS],
    ) {
        let [height, width] = self.size;
        let row_len = row_len(width);
        // What is beside the image is zero, down and across; only the image's own columns are ever written.
        buffer.fill(T::zero());
        let (zeros, buffer) = buffer.split_at_mut(row_len);
        for channel in 0..self.channels {
            for (i, row) in rows.clone().enumerate() {
                let (image, y) = tiling.place(row);
                let plane = &self.data[(image * self.channels + channel) * height * width..][..height * width];
                let sources: [&[T]; N] = std::array::from_fn(|i| {
                    let y = (y * TILE + i).wrapping_sub(self.padding[0]);
                    if y < height { &plane[y * width..][..width] } else { &zeros[..width] }
                });
                for x in 0..width.div_ceil(LANES) {
                    // The last group may overlap the one before.
                    let x = (x * LANES).min(width - LANES);
                    let mut column = [Lanes::zero(); N];
                    for i in 0..N {
                        column[i] = Lanes::load(&sources[i][x..]);
                    }
                    let column = down(column);
                    for i in 0..POINTS {
                        column[i].store(&mut buffer[i * row_len + MARGIN + x..]);
                    }
                }
                for first in (0..tiling.grid[1]).step_by(LANES) {
                    let tile = i * tiling.grid[1] + first;
                    for i in 0..POINTS {
                        let from = i * row_len + MARGIN - self.padding[1] + first * TILE;
                        let tiles = across(k.pieces(&buffer[from..]));
                        for j in 0..POINTS {
                            // Lanes beyond the row's last tile are written over by the next row's.
                            tiles[j].store(&mut out[values.at(i * POINTS + j, channel) + tile..]);
                        }
                    }
                }
            }
        }
    }
}
