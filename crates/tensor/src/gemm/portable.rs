//! The micro-kernel for every processor, in plain Rust.

use super::kernel::{Kernel, Rhs, Segments, Tile};
use gradwise_core::Real;

const MR: usize = 4;
const NR: usize = 8;

/// A 4 x 8 tile: eight accumulators of four `f32`, half of what the smallest targets have in vector registers.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl<T: Real> Kernel<T> for Portable {
    const MR: usize = MR;
    const NR: usize = NR;

    #[inline]
    fn packed(self, _: usize, depth: usize, lhs: &[T], rhs: Rhs<'_, T>, tile: &mut Tile<T>) {
        let mut sums = [[T::zero(); NR]; MR];
        for (k, lhs) in lhs.as_chunks::<MR>().0[..depth].iter().enumerate() {
            add_outer(&mut sums, lhs, rhs, k);
        }
        write(&sums, tile);
    }

    #[inline]
    fn rows(self, rows: &[&[T]], segments: &Segments<'_>, rhs: Rhs<'_, T>, tile: &mut Tile<T>) {
        let mut sums = [[T::zero(); NR]; MR];
        let mut k = 0;
        for &offset in segments.offsets() {
            let run = |i: usize| &rows[i.min(rows.len() - 1)][offset as usize..][..segments.len()];
            let runs: [&[T]; MR] = std::array::from_fn(run);
            for at in 0..segments.len() {
                add_outer(&mut sums, &runs.map(|run| run[at]), rhs, k);
                k += 1;
            }
        }
        write(&sums, tile);
    }
}

#[inline(always)]
fn add_outer<T: Real>(sums: &mut [[T; NR]; MR], lhs: &[T; MR], rhs: Rhs<'_, T>, k: usize) {
    let rhs = &rhs.data[k * rhs.stride..][..NR];
    for i in 0..MR {
        for j in 0..NR {
            sums[i][j] += lhs[i] * rhs[j];
        }
    }
}

#[inline(always)]
fn write<T: Real>(sums: &[[T; NR]; MR], tile: &mut Tile<T>) {
    for (row, sums) in tile.0.as_chunks_mut::<NR>().0.iter_mut().zip(sums) {
        *row = *sums;
    }
}
