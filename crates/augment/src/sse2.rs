//! What the vector instructions do that every x86-64 processor has.

#![allow(unsafe_code)] // Instructions; none of them touches memory.

use std::arch::x86_64::*;

/// A value between four pixels, by products of pairs of 16-bit numbers that are added up.
///
/// A row's eight bytes hold a pixel of `STEP` values, the next one, and whatever follows. `right` and `below` are weights in 128ths. The sums are those
/// of [`Pixel::bilinear`](crate::Pixel) for bytes, none of which is rounded before the end.
#[inline(always)]
pub(crate) fn four_pixels<const STEP: usize>(upper: [u8; 8], lower: [u8; 8], right: i32, below: i32) -> [u8; 4] {
    // SAFETY: every x86-64 processor has SSE2.
    unsafe {
        let zero = _mm_setzero_si128();
        let rows = _mm_packs_epi32(across::<STEP>(upper, right), across::<STEP>(lower, right));
        let pairs = _mm_unpacklo_epi16(rows, _mm_srli_si128::<8>(rows));
        let sums = _mm_madd_epi16(pairs, weights(below));
        let rounded = _mm_srai_epi32::<14>(_mm_add_epi32(sums, _mm_set1_epi32(1 << 13)));
        let words = _mm_packs_epi32(rounded, zero);
        _mm_cvtsi128_si32(_mm_packus_epi16(words, zero)).to_le_bytes()
    }
}

/// Each value of a pixel and the next one's, weighted and added: 32-bit numbers.
#[inline(always)]
fn across<const STEP: usize>(row: [u8; 8], right: i32) -> __m128i {
    let next = u64::from_le_bytes(row) >> (8 * STEP);
    // SAFETY: every x86-64 processor has SSE2.
    unsafe {
        let pixel = _mm_cvtsi64_si128(i64::from_le_bytes(row));
        let pairs = _mm_unpacklo_epi8(pixel, _mm_cvtsi64_si128(next.cast_signed()));
        _mm_madd_epi16(_mm_unpacklo_epi8(pairs, _mm_setzero_si128()), weights(right))
    }
}

/// The weights of the first and the second of each pair.
#[inline(always)]
fn weights(second: i32) -> __m128i {
    // SAFETY: every x86-64 processor has SSE2.
    unsafe { _mm_set1_epi32((128 - second) | second << 16) }
}
