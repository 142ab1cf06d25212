//! Rows of pixels of three values, reversed by AVX2's instructions: the compiler moves them value by value. And memory asked for ahead.

#![allow(unsafe_code)] // Loads and stores.

use crate::image::ValuesMut;
use crate::pixel::Pixel;
use std::arch::x86_64::*;

/// Writes the pixels of a row in reverse order, if the processor has AVX2; whether it has.
pub(super) fn reverse<P: Pixel>(source: &[P], target: &mut [P]) -> bool {
    if !crate::simd::has_avx2() {
        return false;
    }
    let (bytes, floats) = (P::bytes(source), P::floats(source));
    match (P::concrete(target), bytes, floats) {
        // SAFETY: the processor was found to have AVX2.
        (ValuesMut::U8(target), Some(source), _) => unsafe { three_bytes(source, target) },
        // SAFETY: as above.
        (ValuesMut::F32(target), _, Some(source)) => unsafe { three_floats(source, target) },
        _ => return false,
    }
    true
}

/// Asks for the memory of values, line by line, without waiting for it.
#[inline(always)]
pub(super) fn prefetch<P>(values: &[P]) {
    const LINE: usize = 64;
    let start = values.as_ptr().cast::<i8>();
    for byte in (0..size_of_val(values)).step_by(LINE) {
        // SAFETY: a place within the values; and it is a hint, of which nothing is read. All processors of this kind have it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(byte)) };
    }
}

/// How often a loop does what it does before it asks whether there is room.
const TIMES: usize = 4;

#[target_feature(enable = "avx2")]
fn three_bytes(source: &[u8], target: &mut [u8]) {
    // Five pixels in each half of a vector: of sixteen bytes that are read the first is not theirs, of those written the last, which the next five write
    // again.
    const GROUP: usize = 30;
    let order = _mm256_setr_epi8(
        13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, 0, //
        13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, 0,
    );
    groups::<u8, GROUP, { TIMES * GROUP + 1 }>(source, target, |from, to| {
        for i in 0..TIMES {
            // SAFETY: sixteen bytes are read before `from.len() - GROUP * i` and 15 before that, and written from `GROUP * i` and 15 after it, of one more
            // than `TIMES` groups have.
            unsafe {
                let end = from.as_ptr().add(from.len() - GROUP * i);
                let (last, first) = (_mm_loadu_si128(end.sub(16).cast()), _mm_loadu_si128(end.sub(31).cast()));
                let pixels = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(last), first);
                let pixels = _mm256_shuffle_epi8(pixels, order);
                let start = to.as_mut_ptr().add(GROUP * i);
                _mm_storeu_si128(start.cast(), _mm256_castsi256_si128(pixels));
                _mm_storeu_si128(start.add(15).cast(), _mm256_extracti128_si256::<1>(pixels));
            }
        }
    });
}

#[target_feature(enable = "avx2")]
fn three_floats(source: &[f32], target: &mut [f32]) {
    // Two pixels: of eight numbers that are read the first two are not theirs, of those written the last two, which the next two pixels write again.
    const GROUP: usize = 6;
    let order = _mm256_setr_epi32(5, 6, 7, 2, 3, 4, 0, 1);
    groups::<f32, GROUP, { TIMES * GROUP + 2 }>(source, target, |from, to| {
        for i in 0..TIMES {
            // SAFETY: eight numbers are read before `from.len() - GROUP * i` and written from `GROUP * i` on, of two more than `TIMES` groups have.
            unsafe {
                let end = from.as_ptr().add(from.len() - GROUP * i);
                let pixels = _mm256_permutevar8x32_ps(_mm256_loadu_ps(end.sub(8)), order);
                _mm256_storeu_ps(to.as_mut_ptr().add(GROUP * i), pixels);
            }
        }
    });
}

/// Moves as many groups as fit by `move_groups`, which may read and write up to `ROOM` values, from the source's end and from the target's beginning; the rest
/// pixel by pixel.
#[target_feature(enable = "avx2")]
#[inline]
fn groups<P: Pixel, const GROUP: usize, const ROOM: usize>(
    source: &[P],
    target: &mut [P],
    move_groups: impl Fn(&[P; ROOM], &mut [P; ROOM]),
) {
    let len = source.len().min(target.len());
    let mut done = 0;
    while let (Some(from), Some(to)) =
        (source[..len - done].last_chunk::<ROOM>(), target[done..len].first_chunk_mut::<ROOM>())
    {
        move_groups(from, to);
        done += TIMES * GROUP;
    }
    let rest = source[..len - done].as_chunks::<3>().0.iter().rev();
    target[done..len].as_chunks_mut::<3>().0.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
}
