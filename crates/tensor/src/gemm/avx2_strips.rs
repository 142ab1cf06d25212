//! [`strips`](super::strips) of eight `f32` with AVX2 and FMA.
//!
//! Nine weights, three shifted rows, and what is known of three sums are fifteen of the sixteen registers, and nine fused
//! multiply-adds on three loads keep both units busy, if little else is done: so lengths are checked once for a strip.

#![allow(unsafe_code)] // Vector intrinsics and the pointers they take.

use super::strips::{SIDE, TAPS};
use std::arch::x86_64::*;

/// Three loads of a row, shifted by one.
///
/// # Safety
/// AVX is available, and there are ten numbers at `row`.
#[inline(always)]
unsafe fn under(row: *const f32) -> [__m256; SIDE] {
    // SAFETY: by this function's contract.
    unsafe { [_mm256_loadu_ps(row), _mm256_loadu_ps(row.add(1)), _mm256_loadu_ps(row.add(2))] }
}

/// # Safety
/// FMA is available.
#[inline(always)]
unsafe fn add_row([a, b, c]: [__m256; SIDE], w: [__m256; SIDE], sum: __m256) -> __m256 {
    // SAFETY: by this function's contract.
    unsafe { _mm256_fmadd_ps(c, w[2], _mm256_fmadd_ps(b, w[1], _mm256_fmadd_ps(a, w[0], sum))) }
}

/// `out[y, x] ← bias + Σ weights[i, j] data[y + i, x + j]` for eight `x`.
///
/// # Safety
/// AVX2 and FMA are available; `data` has ten elements in each of `rows + 2` rows, `pitch` apart, and `out` has eight in each of `rows`
/// rows, `out_pitch` apart.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn slide(
    mut data: *const f32,
    pitch: usize,
    weights: &[f32; TAPS],
    bias: f32,
    rows: usize,
    mut out: *mut f32,
    out_pitch: usize,
) {
    // SAFETY: rows are read and written in order, as many as the caller promises.
    unsafe {
        let w = |i: usize| [0, 1, 2].map(|j| _mm256_set1_ps(weights[SIDE * i + j]));
        let (above, middle, below) = (w(0), w(1), w(2));
        let bias = _mm256_set1_ps(bias);
        let row = under(data);
        let mut this = add_row(row, above, bias);
        data = data.wrapping_add(pitch);
        let row = under(data);
        this = add_row(row, middle, this);
        let mut next = add_row(row, above, bias);
        for _ in 0..rows {
            data = data.wrapping_add(pitch);
            let row = under(data);
            _mm256_storeu_ps(out, add_row(row, below, this));
            this = add_row(row, middle, next);
            next = add_row(row, above, bias);
            out = out.wrapping_add(out_pitch);
        }
    }
}

/// `sums[i, j] ← sums[i, j] + Σ factor[y, x] data[y + i, x + j]`, for eight `x` apart, over the rows.
///
/// # Safety
/// AVX2 and FMA are available; `data` has ten elements in each of `rows + 2` rows, `pitch` apart, and `factor` has eight in each of
/// `rows` rows, `factor_pitch` apart.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn correlate(
    mut data: *const f32,
    pitch: usize,
    mut factor: *const f32,
    factor_pitch: usize,
    rows: usize,
    sums: &mut [__m256; TAPS],
) {
    let mut all = *sums;
    let mut add = |row: [__m256; SIDE], factors: [__m256; SIDE]| {
        for i in 0..SIDE {
            for j in 0..SIDE {
                all[SIDE * i + j] = _mm256_fmadd_ps(row[j], factors[i], all[SIDE * i + j]);
            }
        }
    };
    // SAFETY: rows are read in order, as many as the caller promises.
    unsafe {
        let zero = _mm256_setzero_ps();
        let [mut above, mut highest] = [zero; 2];
        for _ in 0..rows {
            let own = _mm256_loadu_ps(factor);
            add(under(data), [own, above, highest]);
            (highest, above) = (above, own);
            data = data.wrapping_add(pitch);
            factor = factor.wrapping_add(factor_pitch);
        }
        add(under(data), [zero, above, highest]);
        add(under(data.wrapping_add(pitch)), [zero, zero, above]);
    }
    *sums = all;
}
