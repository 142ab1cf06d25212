//! Noise on runs of values, by AVX2's instructions; the operations are those of the portable form, in their order.

#![allow(unsafe_code)] // Loads and stores.

use super::Distribution;
use super::additive::{Change, LAPLACE, UNIFORM};
use crate::image::ValuesMut;
use crate::pixel::Pixel;
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

    /// Changes a chunk, or what is read of `old` into it.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn floats(&self, old: Option<&[f32; WIDTH]>, chunk: &mut [f32; WIDTH], numbers: Numbers) {
        for (i, (x, n)) in chunk.as_chunks_mut::<LANES>().0.iter_mut().zip(numbers).enumerate() {
            let old = old.map_or(&*x, |old| &old.as_chunks::<LANES>().0[i]);
            // SAFETY: eight values are read and written where there are eight.
            unsafe {
                let old = _mm256_loadu_ps(old.as_ptr());
                _mm256_storeu_ps(x.as_mut_ptr(), self.of(old, n));
            }
        }
    }

    /// [`Vectors::floats`] of bytes.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn bytes(&self, old: Option<&[u8; WIDTH]>, chunk: &mut [u8; WIDTH], numbers: Numbers) {
        let old = old.unwrap_or(chunk);
        let mut rounded = [_mm256_setzero_si256(); WIDTH / LANES];
        for ((x, n), rounded) in old.as_chunks::<LANES>().0.iter().zip(numbers).zip(&mut rounded) {
            // SAFETY: eight bytes are read where there are eight.
            let old = unsafe { _mm_loadl_epi64(x.as_ptr().cast()) };
            let new = self.of(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(old)), n);
            // The range that is kept is within that of bytes.
            *rounded = _mm256_cvttps_epi32(_mm256_add_ps(new, _mm256_set1_ps(0.5)));
        }
        // Two packings, each within halves of a vector, and then the halves' words in order.
        let [a, b, c, d] = rounded;
        let packed = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
        let ordered = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        // SAFETY: 32 bytes are written where there are 32.
        unsafe { _mm256_storeu_si256(chunk.as_mut_ptr().cast(), ordered) };
    }
}

/// Changes values, or those read `from` elsewhere, by the numbers of a distribution, if the processor has AVX2; whether it has.
pub(super) fn change(
    from: (Option<&[u8]>, Option<&[f32]>),
    values: ValuesMut<'_>,
    change: Change,
    distribution: Distribution,
    noise: Noise,
) -> bool {
    let has = crate::simd::has_avx2();
    if has {
        // SAFETY: the processor was found to have AVX2.
        unsafe { by_distribution(from, values, change, distribution, noise) };
    }
    has
}

#[target_feature(enable = "avx2")]
fn by_distribution(
    from: (Option<&[u8]>, Option<&[f32]>),
    values: ValuesMut<'_>,
    change: Change,
    distribution: Distribution,
    noise: Noise,
) {
    match distribution {
        Distribution::Gaussian => by_type(from, values, change, |index| avx2::normals(noise, index)),
        Distribution::Uniform => by_type(from, values, change, |index| {
            let (half, width) = (_mm256_set1_ps(0.5), _mm256_set1_ps(UNIFORM));
            let [a, b, c, d] = avx2::uniforms(noise, index);
            let of = |x| _mm256_mul_ps(_mm256_sub_ps(x, half), width);
            [[of(a), of(b), of(c), of(d)]]
        }),
        Distribution::Laplace => by_type(from, values, change, |index| {
            let scale = _mm256_set1_ps(LAPLACE);
            let [a, b, c, d] = avx2::laplace(noise, index);
            let of = |x| _mm256_mul_ps(x, scale);
            [[of(a), of(b), of(c), of(d)]]
        }),
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn by_type<const N: usize>(
    from: (Option<&[u8]>, Option<&[f32]>),
    values: ValuesMut<'_>,
    change: Change,
    draw: impl Fn(u64) -> [Numbers; N],
) {
    let vectors = Vectors::new(change);
    match values {
        ValuesMut::U8(values) => by_chunks(from.0, values, draw, |old, new, numbers| vectors.bytes(old, new, numbers)),
        ValuesMut::F32(values) => {
            by_chunks(from.1, values, draw, |old, new, numbers| vectors.floats(old, new, numbers));
        }
    }
}

/// Changes chunks of [`WIDTH`] values, `N` of them together by `draw(i)`; what is left at the end goes through memory of that size.
#[target_feature(enable = "avx2")]
#[inline]
fn by_chunks<P: Pixel, const N: usize>(
    from: Option<&[P]>,
    values: &mut [P],
    draw: impl Fn(u64) -> [Numbers; N],
    change: impl Fn(Option<&[P; WIDTH]>, &mut [P; WIDTH], Numbers),
) {
    let (chunks, rest) = values.as_chunks_mut::<WIDTH>();
    let (olds, old_rest) = from.map_or((None, None), |from| {
        let (olds, rest) = from.as_chunks::<WIDTH>();
        (Some(olds), Some(rest))
    });
    let old = |i: usize| olds.map(|olds| &olds[i]);
    let (groups, left) = chunks.as_chunks_mut::<N>();
    let n = groups.len();
    for (i, group) in groups.iter_mut().enumerate() {
        let numbers = draw(i as u64);
        for j in 0..N {
            change(old(i * N + j), &mut group[j], numbers[j]);
        }
    }
    if left.is_empty() && rest.is_empty() {
        return;
    }
    let numbers = draw(n as u64);
    for (j, chunk) in left.iter_mut().enumerate() {
        change(old(n * N + j), chunk, numbers[j]);
    }
    if !rest.is_empty() {
        let mut last = [P::default(); WIDTH];
        last[..rest.len()].copy_from_slice(old_rest.unwrap_or(rest));
        change(None, &mut last, numbers[left.len()]);
        rest.copy_from_slice(&last[..rest.len()]);
    }
}
