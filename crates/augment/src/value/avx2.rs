//! Pixels of three values taken apart and put together by AVX2's instructions: the compiler moves them value by value.

#![allow(unsafe_code)] // Loads and stores.

use super::block::{BLOCK, Planes};
use crate::image::ValuesMut;
use std::arch::x86_64::*;

/// Pixels that are moved together.
const GROUP: usize = 8;

/// Writes the values of pixels into planes, as far as whole groups go, if the processor has AVX2: how many pixels.
pub(super) fn apart(bytes: Option<&[u8]>, floats: Option<&[f32]>, planes: &mut Planes) -> usize {
    if !crate::simd::has_avx2() {
        return 0;
    }
    // SAFETY: the processor was found to have AVX2.
    unsafe {
        match (bytes, floats) {
            (Some(bytes), _) => bytes_apart(bytes.as_chunks().0, planes),
            (None, Some(floats)) => floats_apart(floats.as_chunks().0, planes),
            (None, None) => 0,
        }
    }
}

/// Writes planes of whole numbers, or of any, into pixels, as far as whole groups go, if the processor has AVX2: how many pixels.
pub(super) fn together(planes: &Planes, pixels: ValuesMut<'_>) -> usize {
    if !crate::simd::has_avx2() {
        return 0;
    }
    // SAFETY: the processor was found to have AVX2.
    unsafe {
        match pixels {
            ValuesMut::U8(bytes) => bytes_together(planes, bytes.as_chunks_mut().0),
            ValuesMut::F32(floats) => floats_together(planes, floats.as_chunks_mut().0),
        }
    }
}

/// The groups of each plane.
fn groups(planes: &Planes) -> [&[[f32; GROUP]; BLOCK / GROUP]; 3] {
    planes.each_ref().map(|plane| plane.as_chunks().0.first_chunk().expect("a block is whole groups"))
}

/// [`groups`], to write.
fn groups_mut(planes: &mut Planes) -> [&mut [[f32; GROUP]; BLOCK / GROUP]; 3] {
    planes.each_mut().map(|plane| plane.as_chunks_mut().0.first_chunk_mut().expect("a block is whole groups"))
}

#[target_feature(enable = "avx2")]
fn bytes_apart(pixels: &[[u8; 3 * GROUP]], planes: &mut Planes) -> usize {
    // Each byte of a channel at the bottom of a word; the second half's first pixel is four bytes from its beginning.
    let first = _mm256_setr_epi8(
        0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1, //
        4, -1, -1, -1, 7, -1, -1, -1, 10, -1, -1, -1, 13, -1, -1, -1,
    );
    let next = _mm256_set1_epi32(1);
    let second = _mm256_add_epi32(first, next);
    let third = _mm256_add_epi32(second, next);
    let [red, green, blue] = groups_mut(planes);
    for (((pixels, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
        // SAFETY: sixteen bytes are read from the first on and from the ninth on, where there are 24; eight numbers are written where there are
        // eight.
        unsafe {
            let start = pixels.as_ptr();
            let (low, high) = (_mm_loadu_si128(start.cast()), _mm_loadu_si128(start.add(8).cast()));
            let both = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high);
            let of = |order| _mm256_cvtepi32_ps(_mm256_shuffle_epi8(both, order));
            _mm256_storeu_ps(red.as_mut_ptr(), of(first));
            _mm256_storeu_ps(green.as_mut_ptr(), of(second));
            _mm256_storeu_ps(blue.as_mut_ptr(), of(third));
        }
    }
    GROUP * pixels.len()
}

#[target_feature(enable = "avx2")]
fn bytes_together(planes: &Planes, pixels: &mut [[u8; 3 * GROUP]]) -> usize {
    // Words without their highest byte: twelve bytes in each half, then 24 in a row.
    let packed = _mm256_setr_epi8(
        0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, //
        0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1,
    );
    let ordered = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);
    let [red, green, blue] = groups(planes);
    for (((pixels, red), green), blue) in pixels.iter_mut().zip(red).zip(green).zip(blue) {
        // SAFETY: eight numbers are read where there are eight; 16 bytes and then eight are written where there are 24.
        unsafe {
            let of = |x: &[f32; GROUP]| _mm256_cvttps_epi32(_mm256_loadu_ps(x.as_ptr()));
            let (green, blue) = (_mm256_slli_epi32::<8>(of(green)), _mm256_slli_epi32::<16>(of(blue)));
            let words = _mm256_or_si256(_mm256_or_si256(of(red), green), blue);
            let bytes = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(words, packed), ordered);
            let start = pixels.as_mut_ptr();
            _mm_storeu_si128(start.cast(), _mm256_castsi256_si128(bytes));
            _mm_storel_epi64(start.add(16).cast(), _mm256_extracti128_si256::<1>(bytes));
        }
    }
    GROUP * pixels.len()
}

#[target_feature(enable = "avx2")]
fn floats_apart(pixels: &[[f32; 3 * GROUP]], planes: &mut Planes) -> usize {
    let [red, green, blue] = groups_mut(planes);
    for (((pixels, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
        // SAFETY: four numbers are read from every fourth on of 24; eight are written where there are eight.
        unsafe {
            let four = |i: usize| _mm_loadu_ps(pixels.as_ptr().add(4 * i));
            // Four pixels in each half.
            let both = |i: usize| _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(four(i)), four(i + 3));
            // r0 g0 b0 r1, g1 b1 r2 g2, b2 r3 g3 b3.
            let (a, b, c) = (both(0), both(1), both(2));
            let late = _mm256_shuffle_ps::<0b10_01_11_10>(b, c); // r2 g2 r3 g3
            let early = _mm256_shuffle_ps::<0b01_00_10_01>(a, b); // g0 b0 g1 b1
            _mm256_storeu_ps(red.as_mut_ptr(), _mm256_shuffle_ps::<0b10_00_11_00>(a, late));
            _mm256_storeu_ps(green.as_mut_ptr(), _mm256_shuffle_ps::<0b11_01_10_00>(early, late));
            _mm256_storeu_ps(blue.as_mut_ptr(), _mm256_shuffle_ps::<0b11_00_11_01>(early, c));
        }
    }
    GROUP * pixels.len()
}

#[target_feature(enable = "avx2")]
fn floats_together(planes: &Planes, pixels: &mut [[f32; 3 * GROUP]]) -> usize {
    let [red, green, blue] = groups(planes);
    for (((pixels, red), green), blue) in pixels.iter_mut().zip(red).zip(green).zip(blue) {
        // SAFETY: eight numbers are read where there are eight; four are written from every fourth on of 24.
        unsafe {
            let of = |x: &[f32; GROUP]| _mm256_loadu_ps(x.as_ptr());
            let (red, green, blue) = (of(red), of(green), of(blue));
            let even = _mm256_shuffle_ps::<0b10_00_10_00>(red, green); // r0 r2 g0 g2
            let odd = _mm256_shuffle_ps::<0b11_01_11_01>(green, blue); // g1 g3 b1 b3
            let rest = _mm256_shuffle_ps::<0b11_01_10_00>(blue, red); // b0 b2 r1 r3
            let parts = [
                _mm256_shuffle_ps::<0b10_00_10_00>(even, rest), // r0 g0 b0 r1
                _mm256_shuffle_ps::<0b11_01_10_00>(odd, even),  // g1 b1 r2 g2
                _mm256_shuffle_ps::<0b11_01_11_01>(rest, odd),  // b2 r3 g3 b3
            ];
            let start = pixels.as_mut_ptr();
            for (i, part) in parts.into_iter().enumerate() {
                _mm_storeu_ps(start.add(4 * i), _mm256_castps256_ps128(part));
                _mm_storeu_ps(start.add(4 * (i + 3)), _mm256_extractf128_ps::<1>(part));
            }
        }
    }
    GROUP * pixels.len()
}
