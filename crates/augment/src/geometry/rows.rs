//! Bytes between two rows and two columns, sixteen at a time, by AVX2's instructions; the results are those of the plain form, bit by bit.

#![allow(unsafe_code)] // Loads and stores.

use std::arch::x86_64::*;

/// Values that vectors take at once.
const PIECE: usize = 16;

/// [`Sampled::toward`](super::Sampled) for a row, if it is long enough and the processor has AVX2; whether that is so.
pub(super) fn toward(first: &[u8], second: &[u8], share: i16, out: &mut [i16]) -> bool {
    let does = crate::simd::has_avx2() && out.len() >= PIECE;
    if does {
        // SAFETY: the processor was found to have AVX2.
        unsafe { toward_pieces(first, second, share, out) };
    }
    does
}

/// [`Sampled::between`](super::Sampled) for a row, as [`toward`].
pub(super) fn between(first: &[i16], second: &[i16], share: i16, out: &mut [u8]) -> bool {
    let does = crate::simd::has_avx2() && out.len() >= PIECE;
    if does {
        // SAFETY: the processor was found to have AVX2.
        unsafe { between_pieces(first, second, share, out) };
    }
    does
}

#[target_feature(enable = "avx2")]
fn toward_pieces(first: &[u8], second: &[u8], share: i16, out: &mut [i16]) {
    let share = _mm256_set1_epi16(share);
    pieces(first, second, out, |first: &[u8; PIECE], second, out: &mut [i16; PIECE]| {
        // SAFETY: sixteen values are read and written where there are sixteen.
        unsafe {
            let first = _mm256_cvtepu8_epi16(_mm_loadu_si128(first.as_ptr().cast()));
            let second = _mm256_cvtepu8_epi16(_mm_loadu_si128(second.as_ptr().cast()));
            let way = _mm256_slli_epi16::<7>(_mm256_sub_epi16(second, first));
            let fine = _mm256_add_epi16(_mm256_slli_epi16::<6>(first), _mm256_mulhi_epi16(way, share));
            _mm256_storeu_si256(out.as_mut_ptr().cast(), fine);
        }
    });
}

#[target_feature(enable = "avx2")]
fn between_pieces(first: &[i16], second: &[i16], share: i16, out: &mut [u8]) {
    let (share, half) = (_mm256_set1_epi16(share), _mm256_set1_epi16(33));
    pieces(first, second, out, |first: &[i16; PIECE], second, out: &mut [u8; PIECE]| {
        // SAFETY: sixteen values are read and written where there are sixteen.
        unsafe {
            let first = _mm256_loadu_si256(first.as_ptr().cast());
            let second = _mm256_loadu_si256(second.as_ptr().cast());
            let way = _mm256_slli_epi16::<1>(_mm256_sub_epi16(second, first));
            let fine = _mm256_add_epi16(first, _mm256_mulhi_epi16(way, share));
            let words = _mm256_srai_epi16::<6>(_mm256_add_epi16(fine, half));
            let bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(out.as_mut_ptr().cast(), bytes);
        }
    });
}

/// Every piece of rows that have one; the last two may overlap.
#[target_feature(enable = "avx2")]
#[inline]
fn pieces<A, B>(first: &[A], second: &[A], out: &mut [B], write: impl Fn(&[A; PIECE], &[A; PIECE], &mut [B; PIECE])) {
    let n = out.len();
    let (first, second) = (&first[..n], &second[..n]);
    for start in (0..n - PIECE).step_by(PIECE).chain([n - PIECE]) {
        let (first, second) = (first[start..].first_chunk(), second[start..].first_chunk());
        if let (Some(first), Some(second), Some(out)) = (first, second, out[start..].first_chunk_mut()) {
            write(first, second, out);
        }
    }
}
