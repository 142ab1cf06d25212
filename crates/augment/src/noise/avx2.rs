//! Noise on runs of values, by AVX2's instructions; the operations are those of the portable form, in their order.

#![allow(unsafe_code)] // Loads and stores.

use super::Distribution;
use super::additive::{Change, LAPLACE, UNIFORM};
use crate::image::ValuesMut;
use crate::random::avx2::{self, Numbers};
use crate::random::{LANES, Noise, WIDTH};
use std::arch::x86_64::*;

/// What noise does to a value, in vectors.
struct Vectors {
    mean: __m256,
    std: __m256,
    low: __m256,
    high: __m256,
    multiplies: bool,
}

impl Vectors {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new(change: Change) -> Self {
        Vectors {
            mean: _mm256_set1_ps(change.mean),
            std: _mm256_set1_ps(change.std),
            low: _mm256_set1_ps(change.low),
            high: _mm256_set1_ps(change.high),
            multiplies: change.multiplies,
        }
    }

    /// As `Change::apply`, before the rounding of bytes.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn of(&self, x: __m256, n: __m256) -> __m256 {
        let n = _mm256_add_ps(self.mean, _mm256_mul_ps(self.std, n));
        let x = _mm256_add_ps(x, if self.multiplies { _mm256_mul_ps(x, n) } else { n });
        // The second operand is what comes of a comparison with NaN.
        _mm256_min_ps(_mm256_max_ps(x, self.low), self.high)
    }
}

/// Changes values, whole chunks of [`WIDTH`], by the numbers of a distribution, if the processor has AVX2; whether it has.
pub(super) fn change(values: ValuesMut<'_>, change: Change, distribution: Distribution, noise: Noise) -> bool {
    let has = crate::simd::has_avx2();
    if has {
        // SAFETY: the processor was found to have AVX2.
        unsafe { by_distribution(values, change, distribution, noise) };
    }
    has
}

#[target_feature(enable = "avx2")]
fn by_distribution(values: ValuesMut<'_>, change: Change, distribution: Distribution, noise: Noise) {
    match distribution {
        Distribution::Gaussian => by_type(values, change, |index| avx2::normals(noise, index)),
        Distribution::Uniform => by_type(values, change, |index| {
            let (half, width) = (_mm256_set1_ps(0.5), _mm256_set1_ps(UNIFORM));
            let [a, b, c, d] = avx2::uniforms(noise, index);
            let of = |x| _mm256_mul_ps(_mm256_sub_ps(x, half), width);
            [of(a), of(b), of(c), of(d)]
        }),
        Distribution::Laplace => by_type(values, change, |index| {
            let scale = _mm256_set1_ps(LAPLACE);
            let [a, b, c, d] = avx2::laplace(noise, index);
            [_mm256_mul_ps(a, scale), _mm256_mul_ps(b, scale), _mm256_mul_ps(c, scale), _mm256_mul_ps(d, scale)]
        }),
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn by_type(values: ValuesMut<'_>, change: Change, draw: impl Fn(u64) -> Numbers) {
    match values {
        ValuesMut::U8(values) => bytes(values.as_chunks_mut().0, change, draw),
        ValuesMut::F32(values) => floats(values.as_chunks_mut().0, change, draw),
    }
}

/// Changes `chunks[i]` by `draw(i)`.
#[target_feature(enable = "avx2")]
#[inline]
fn floats(chunks: &mut [[f32; WIDTH]], change: Change, draw: impl Fn(u64) -> Numbers) {
    let vectors = Vectors::new(change);
    for (chunk, index) in chunks.iter_mut().zip(0..) {
        let numbers = draw(index);
        for (x, n) in chunk.as_chunks_mut::<LANES>().0.iter_mut().zip(numbers) {
            // SAFETY: eight values are read and written where there are eight.
            unsafe {
                let old = _mm256_loadu_ps(x.as_ptr());
                _mm256_storeu_ps(x.as_mut_ptr(), vectors.of(old, n));
            }
        }
    }
}

/// [`floats`] of bytes.
#[target_feature(enable = "avx2")]
#[inline]
fn bytes(chunks: &mut [[u8; WIDTH]], change: Change, draw: impl Fn(u64) -> Numbers) {
    let vectors = Vectors::new(change);
    let (zero, white, half) = (_mm256_setzero_ps(), _mm256_set1_ps(255.0), _mm256_set1_ps(0.5));
    for (chunk, index) in chunks.iter_mut().zip(0..) {
        let numbers = draw(index);
        let mut rounded = [_mm256_setzero_si256(); WIDTH / LANES];
        for ((x, n), rounded) in chunk.as_chunks::<LANES>().0.iter().zip(numbers).zip(&mut rounded) {
            // SAFETY: eight bytes are read where there are eight.
            let old = unsafe { _mm_loadl_epi64(x.as_ptr().cast()) };
            let new = vectors.of(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(old)), n);
            let new = _mm256_min_ps(_mm256_max_ps(new, zero), white);
            *rounded = _mm256_cvttps_epi32(_mm256_add_ps(new, half));
        }
        // Two packings, each within halves of a vector, and then the halves' words in order.
        let [a, b, c, d] = rounded;
        let packed = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
        let ordered = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        // SAFETY: 32 bytes are written where there are 32.
        unsafe { _mm256_storeu_si256(chunk.as_mut_ptr().cast(), ordered) };
    }
}
