//! Rows of pixels of three bytes, reversed by AVX2's instructions: the compiler moves them byte by byte.

#![allow(unsafe_code)] // Loads and stores.

use crate::image::ValuesMut;
use std::arch::x86_64::*;

/// Writes the pixels of a row in reverse order, if they are bytes and the processor has AVX2; whether it has.
pub(super) fn reverse(source: Option<&[u8]>, target: ValuesMut<'_>) -> bool {
    let (Some(source), ValuesMut::U8(target), true) = (source, target, crate::simd::has_avx2()) else {
        return false;
    };
    // SAFETY: the processor was found to have AVX2.
    unsafe { three_bytes(source, target) };
    true
}

#[target_feature(enable = "avx2")]
fn three_bytes(source: &[u8], target: &mut [u8]) {
    let order = _mm_setr_epi8(13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, 0);
    let len = source.len().min(target.len());
    // Five pixels at a time: of sixteen bytes that are read the first is not theirs, of those written the last, which the next five write again.
    let mut done = 0;
    while done + 16 <= len {
        let (Some(from), Some(to)) = (source[..len - done].last_chunk::<16>(), target[done..].first_chunk_mut::<16>())
        else {
            break;
        };
        // SAFETY: sixteen bytes are read and written where there are sixteen.
        unsafe {
            let pixels = _mm_shuffle_epi8(_mm_loadu_si128(from.as_ptr().cast()), order);
            _mm_storeu_si128(to.as_mut_ptr().cast(), pixels);
        }
        done += 15;
    }
    let rest = source[..len - done].as_chunks::<3>().0.iter().rev();
    target[done..].as_chunks_mut::<3>().0.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
}
