//! Factors copied into the order in which a micro-kernel reads them.
//!
//! A panel holds `width` lines, element by element: `panel[k · width + j] = line j at k`. Lines that are missing at the edge are zeros;
//! their results are computed and dropped.

use super::kernel::{Kernel, tile_rows};
use super::operand::Operand;
use gradwise_core::Real;
use std::ops::Range;

/// Packs up to `NR` lines into a panel of the right factor.
#[inline(always)]
pub(crate) fn right<T: Real, K: Kernel<T>>(
    kernel: K,
    operand: &Operand<'_, T>,
    lines: Range<usize>,
    k: usize,
    depth: usize,
    panel: &mut [T],
) {
    if operand.has_whole_lines() {
        kernel.transpose_lines(operand, lines, k, depth, panel);
    } else {
        cuts_or_elements(operand, lines, k, depth, K::NR, panel);
    }
}

/// Packs lines into panels of the left factor, one for each tile of a strip, see [`tile_rows`], and `MR` wide.
#[inline(always)]
pub(crate) fn left<T: Real, K: Kernel<T>>(
    _: K,
    operand: &Operand<'_, T>,
    lines: Range<usize>,
    k: usize,
    depth: usize,
    panels: &mut [T],
) {
    let mut start = lines.start;
    for panel in panels.chunks_exact_mut((K::MR * depth).max(1)) {
        let n = tile_rows(lines.end - start, K::MR);
        if n == 0 {
            break;
        }
        if operand.has_whole_lines() {
            for j in 0..K::MR {
                if j < n {
                    let line = operand.line(start + j, k, depth);
                    for (row, &x) in panel.chunks_exact_mut(K::MR).zip(line) {
                        row[j] = x;
                    }
                } else {
                    panel.chunks_exact_mut(K::MR).for_each(|row| row[j] = T::zero());
                }
            }
        } else {
            cuts_or_elements(operand, start..start + n, k, depth, K::MR, panel);
        }
        start += n;
    }
}

#[inline(always)]
fn cuts_or_elements<T: Real>(
    operand: &Operand<'_, T>,
    lines: Range<usize>,
    k: usize,
    depth: usize,
    width: usize,
    panel: &mut [T],
) {
    let n = lines.len();
    let rows = panel.chunks_exact_mut(width).take(depth).enumerate();
    // The widths of the commonest panels, known at compile time: a few loads and stores a row.
    if operand.has_whole_cuts() && n == 16 {
        rows.for_each(|(at, row)| row[..16].copy_from_slice(&operand.cut(lines.start, k + at, 16)[..16]));
    } else if operand.has_whole_cuts() && n == 6 {
        rows.for_each(|(at, row)| row[..6].copy_from_slice(&operand.cut(lines.start, k + at, 6)[..6]));
    } else if operand.has_whole_cuts() {
        for (at, row) in rows {
            row[..n].copy_from_slice(operand.cut(lines.start, k + at, n));
            row[n..].fill(T::zero());
        }
    } else {
        for (at, row) in rows {
            for j in 0..n {
                row[j] = operand.get(lines.start + j, k + at);
            }
            row[n..].fill(T::zero());
        }
    }
}
