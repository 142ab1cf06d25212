//! Arithmetic on eight `f32` at once with AVX2 and FMA. For `f64`, which gradients are checked in, the plain form serves.

#![allow(unsafe_code)] // Vector intrinsics.

use super::avx2::Avx2;
use super::eight::{Eight, Lanes};
use super::portable::Portable;
use gradwise_core::Real;
use std::arch::x86_64::*;
use std::mem::transmute_copy;

/// Whether a `T` is an `f32`: there are two real types, of different sizes.
const fn is_single<T>() -> bool {
    size_of::<T>() == size_of::<f32>()
}

/// # Safety
/// `T` is `f32`.
#[inline(always)]
unsafe fn vector<T>(lanes: Lanes<T>) -> __m256 {
    // SAFETY: eight `f32`, by the caller's promise, are a vector.
    unsafe { transmute_copy(&lanes) }
}

/// # Safety
/// `T` is `f32`.
#[inline(always)]
unsafe fn lanes<T>(vector: __m256) -> Lanes<T> {
    // SAFETY: a vector is eight `f32`, by the caller's promise `T`s.
    unsafe { transmute_copy(&vector) }
}

// SAFETY, of all blocks below: an `Avx2` exists only where AVX2 and FMA were detected, and `is_single` says that `T` is `f32`.
#[allow(clippy::undocumented_unsafe_blocks)]
impl<T: Real> Eight<T> for Avx2 {
    #[inline(always)]
    fn add(self, a: Lanes<T>, b: Lanes<T>) -> Lanes<T> {
        if !is_single::<T>() {
            return Portable.add(a, b);
        }
        unsafe { lanes(_mm256_add_ps(vector(a), vector(b))) }
    }

    #[inline(always)]
    fn sub(self, a: Lanes<T>, b: Lanes<T>) -> Lanes<T> {
        if !is_single::<T>() {
            return Portable.sub(a, b);
        }
        unsafe { lanes(_mm256_sub_ps(vector(a), vector(b))) }
    }

    #[inline(always)]
    fn scale(self, a: Lanes<T>, factor: f64) -> Lanes<T> {
        if !is_single::<T>() {
            return Portable.scale(a, factor);
        }
        unsafe { lanes(_mm256_mul_ps(vector(a), _mm256_set1_ps(factor as f32))) }
    }

    #[inline(always)]
    fn scale_add(self, a: Lanes<T>, factor: f64, b: Lanes<T>) -> Lanes<T> {
        if !is_single::<T>() {
            return Portable.scale_add(a, factor, b);
        }
        unsafe { lanes(_mm256_fmadd_ps(vector(a), _mm256_set1_ps(factor as f32), vector(b))) }
    }

    #[inline(always)]
    fn pieces(self, row: &[T]) -> [Lanes<T>; 6] {
        if !is_single::<T>() {
            return Portable.pieces(row);
        }
        let row = row[..40].as_ptr().cast::<f32>();
        // Element `4 i + j` is the `j`-th of quad `i`. Quads `i` and `i + 4` share a vector: transposing 4 x 4 within both halves of four
        // vectors gives the columns in order.
        unsafe {
            let pair = |i: usize| {
                let low = _mm256_castps128_ps256(_mm_loadu_ps(row.add(4 * i)));
                _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(row.add(4 * i + 16)))
            };
            let (q0, q1, q2, q3, q4) = (pair(0), pair(1), pair(2), pair(3), pair(4));
            let (a, b) = (_mm256_unpacklo_ps(q0, q1), _mm256_unpacklo_ps(q2, q3));
            let (c, d) = (_mm256_unpackhi_ps(q0, q1), _mm256_unpackhi_ps(q2, q3));
            // The last two columns are the first two, one quad on.
            let (e, f) = (_mm256_unpacklo_ps(q1, q2), _mm256_unpacklo_ps(q3, q4));
            [
                lanes(_mm256_shuffle_ps::<0x44>(a, b)),
                lanes(_mm256_shuffle_ps::<0xee>(a, b)),
                lanes(_mm256_shuffle_ps::<0x44>(c, d)),
                lanes(_mm256_shuffle_ps::<0xee>(c, d)),
                lanes(_mm256_shuffle_ps::<0x44>(e, f)),
                lanes(_mm256_shuffle_ps::<0xee>(e, f)),
            ]
        }
    }

    #[inline(always)]
    fn row_of(self, columns: [Lanes<T>; 4]) -> [T; 32] {
        if !is_single::<T>() {
            return Portable.row_of(columns);
        }
        unsafe {
            let [q0, q1, q2, q3] = [vector(columns[0]), vector(columns[1]), vector(columns[2]), vector(columns[3])];
            let (a, b) = (_mm256_unpacklo_ps(q0, q1), _mm256_unpacklo_ps(q2, q3));
            let (c, d) = (_mm256_unpackhi_ps(q0, q1), _mm256_unpackhi_ps(q2, q3));
            // Quads 0 and 4, 1 and 5, 2 and 6, 3 and 7.
            let r0 = _mm256_shuffle_ps::<0x44>(a, b);
            let r1 = _mm256_shuffle_ps::<0xee>(a, b);
            let r2 = _mm256_shuffle_ps::<0x44>(c, d);
            let r3 = _mm256_shuffle_ps::<0xee>(c, d);
            let row = [
                _mm256_permute2f128_ps::<0x20>(r0, r1),
                _mm256_permute2f128_ps::<0x20>(r2, r3),
                _mm256_permute2f128_ps::<0x31>(r0, r1),
                _mm256_permute2f128_ps::<0x31>(r2, r3),
            ];
            transmute_copy(&row)
        }
    }
}
