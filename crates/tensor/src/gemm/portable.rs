//! The micro-kernel for every processor, in plain Rust.

use super::eight::Eight;
use super::kernel::{Kernel, Panel, Segments};
use super::out::Out;
use gradwise_core::Real;

const MR: usize = 4;
const NR: usize = 8;

/// A 4 x 8 tile: eight accumulators of four `f32`, half of what the smallest targets have in vector registers.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl<T: Real> Eight<T> for Portable {}

impl<T: Real> Kernel<T> for Portable {
    const MR: usize = MR;
    const NR: usize = NR;

    #[inline]
    fn panels(self, m: usize, depth: usize, lhs: Panel<'_, T>, rhs: Panel<'_, T>, out: Out<'_, T>) {
        let mut sums = [[T::zero(); NR]; MR];
        for k in 0..depth {
            let left = &lhs.data[k * lhs.stride..];
            // The last panel of a matrix that is read where it lies may be shorter than a tile.
            let left = if let Some((left, _)) = left.split_first_chunk::<MR>() {
                *left
            } else {
                std::array::from_fn(|i| left[i.min(m - 1)])
            };
            add_outer(&mut sums, &left, &rhs.data[k * rhs.stride..]);
        }
        write(&sums, out);
    }

    #[inline]
    fn offsets(self, _: usize, lhs: &[T], rhs: &[T], offsets: &Segments<'_>, out: Out<'_, T>) {
        let mut sums = [[T::zero(); NR]; MR];
        for (lhs, &offset) in lhs.as_chunks::<MR>().0.iter().zip(offsets.offsets()) {
            add_outer(&mut sums, lhs, &rhs[offset as usize..]);
        }
        write(&sums, out);
    }

    #[inline]
    fn rows(self, rows: &[&[T]], segments: &Segments<'_>, rhs: Panel<'_, T>, out: Out<'_, T>) {
        let mut sums = [[T::zero(); NR]; MR];
        let mut k = 0;
        for &offset in segments.offsets() {
            let run = |i: usize| &rows[i.min(rows.len() - 1)][offset as usize..][..segments.len()];
            let runs: [&[T]; MR] = std::array::from_fn(run);
            for at in 0..segments.len() {
                add_outer(&mut sums, &runs.map(|run| run[at]), &rhs.data[k * rhs.stride..]);
                k += 1;
            }
        }
        write(&sums, out);
    }
}

#[inline(always)]
fn add_outer<T: Real>(sums: &mut [[T; NR]; MR], lhs: &[T; MR], rhs: &[T]) {
    let rhs = &rhs[..NR];
    for i in 0..MR {
        for j in 0..NR {
            sums[i][j] += lhs[i] * rhs[j];
        }
    }
}

#[inline(always)]
fn write<T: Real>(sums: &[[T; NR]; MR], mut out: Out<'_, T>) {
    sums.iter().enumerate().for_each(|(i, sums)| out.put(i, sums));
}
