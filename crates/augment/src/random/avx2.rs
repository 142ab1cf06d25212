//! The same numbers as [`Noise`] makes, by AVX2's instructions.
//!
//! The compiler makes vectors of loops over arrays, but not of a function that is as long as this one and works on sixteen of them. Here
//! every operation is that of the portable form, on eight words at a time and in the same order, so that every bit is the same: a test says
//! so.

use super::bulk::{COSINE, LN, LN_EXPONENT, Noise, SINE, WIDTH};
use super::threefry::{LANES, PARITY, ROTATIONS, ROUNDS};
use std::arch::x86_64::*;

/// What [`Noise::words`] has at `LANES · i ..`, for `i` from 0 to 3.
type Words = [__m256i; 4];

/// `WIDTH` numbers.
pub(crate) type Numbers = [__m256; WIDTH / LANES];

/// The words of blocks `LANES · index ..`.
#[target_feature(enable = "avx2")]
#[inline]
fn words(noise: Noise, index: u64) -> Words {
    let key = noise.key;
    let block = index.wrapping_mul(LANES as u64);
    // Eight counters that begin at a multiple of eight differ in their low words alone.
    let low = _mm256_add_epi32(set1(block as u32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    let mut x = [low, set1((block >> 32) as u32), _mm256_setzero_si256(), _mm256_setzero_si256()];
    let schedule = [key[0], key[1], key[2], key[3], PARITY ^ key[0] ^ key[1] ^ key[2] ^ key[3]];
    inject(&mut x, &schedule, 0);
    // The rotations of an instruction are constants, so every round is written out.
    macro_rules! rounds {
        ($($round:literal)*) => {$({
            const A: i32 = ROTATIONS[$round % 8][0] as i32;
            const B: i32 = ROTATIONS[$round % 8][1] as i32;
            let (first, second) = if $round % 2 == 0 { (1, 3) } else { (3, 1) };
            x[0] = _mm256_add_epi32(x[0], x[first]);
            x[first] = _mm256_xor_si256(rotate::<A, { 32 - A }>(x[first]), x[0]);
            x[2] = _mm256_add_epi32(x[2], x[second]);
            x[second] = _mm256_xor_si256(rotate::<B, { 32 - B }>(x[second]), x[2]);
            if $round % 4 == 3 {
                inject(&mut x, &schedule, $round / 4 + 1);
            }
        })*};
    }
    const { assert!(ROUNDS == 13, "as many as are written here") };
    rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12);
    x
}

#[target_feature(enable = "avx2")]
#[inline]
fn set1(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

#[target_feature(enable = "avx2")]
#[inline]
fn rotate<const LEFT: i32, const RIGHT: i32>(x: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi32::<LEFT>(x), _mm256_srli_epi32::<RIGHT>(x))
}

#[target_feature(enable = "avx2")]
#[inline]
fn inject(x: &mut Words, schedule: &[u32; 5], n: usize) {
    for word in 0..4 {
        let key = schedule[(n + word) % 5].wrapping_add(if word == 3 { n as u32 } else { 0 });
        x[word] = _mm256_add_epi32(x[word], set1(key));
    }
}

/// `a · b + c`, rounded twice as everywhere.
#[target_feature(enable = "avx2")]
#[inline]
fn multiply_add(a: __m256, b: __m256, c: f32) -> __m256 {
    _mm256_add_ps(_mm256_mul_ps(a, b), _mm256_set1_ps(c))
}

/// As `open_unit`.
#[target_feature(enable = "avx2")]
#[inline]
fn open_unit(words: __m256i) -> __m256 {
    let high = _mm256_cvtepi32_ps(_mm256_srli_epi32::<9>(words));
    _mm256_mul_ps(_mm256_add_ps(high, _mm256_set1_ps(0.5)), _mm256_set1_ps(1.0 / (1 << 23) as f32))
}

/// As `minus_two_ln`.
#[target_feature(enable = "avx2")]
#[inline]
fn minus_two_ln(x: __m256) -> __m256 {
    let bits = _mm256_sub_epi32(_mm256_castps_si256(x), set1(0x3f35_04f3));
    let exponent = _mm256_and_si256(bits, set1(0xff80_0000));
    let mantissa = _mm256_add_epi32(_mm256_and_si256(bits, set1(0x007f_ffff)), set1(0x3f35_04f3));
    let t = _mm256_sub_ps(_mm256_castsi256_ps(mantissa), _mm256_set1_ps(1.0));
    let p = multiply_add(_mm256_set1_ps(LN[0]), t, LN[1]);
    let p = multiply_add(p, t, LN[2]);
    let p = multiply_add(p, t, LN[3]);
    let p = multiply_add(p, t, LN[4]);
    let p = multiply_add(p, t, LN[5]);
    let p = multiply_add(p, t, LN[6]);
    let whole = _mm256_mul_ps(_mm256_cvtepi32_ps(exponent), _mm256_set1_ps(LN_EXPONENT));
    _mm256_add_ps(whole, _mm256_mul_ps(t, p))
}

/// As `pair`.
#[target_feature(enable = "avx2")]
#[inline]
fn pair(words: __m256i) -> (__m256, __m256) {
    let fraction = set1(0x007f_ffff);
    let uniform = _mm256_or_si256(_mm256_and_si256(words, fraction), set1(0x3f80_0001));
    let uniform = _mm256_sub_ps(_mm256_castsi256_ps(uniform), _mm256_set1_ps(1.0));
    let radius = _mm256_sqrt_ps(minus_two_ln(uniform));
    let angle = _mm256_and_si256(_mm256_srli_epi32::<8>(words), fraction);
    let angle = _mm256_castsi256_ps(_mm256_or_si256(angle, set1(0x4000_0000)));
    let angle = _mm256_sub_ps(angle, _mm256_set1_ps(3.0));
    let z = _mm256_mul_ps(angle, angle);
    let p = multiply_add(_mm256_set1_ps(SINE[0]), z, SINE[1]);
    let sine = _mm256_mul_ps(angle, multiply_add(p, z, SINE[2]));
    let p = multiply_add(_mm256_set1_ps(COSINE[0]), z, COSINE[1]);
    let p = multiply_add(p, z, COSINE[2]);
    let cosine = multiply_add(p, z, COSINE[3]);
    let sign = _mm256_and_ps(_mm256_castsi256_ps(words), _mm256_set1_ps(-0.0));
    let cosine = _mm256_xor_ps(cosine, sign);
    // The highest bit of a word chooses.
    let exchange = _mm256_castsi256_ps(_mm256_slli_epi32::<31>(words));
    let (x, y) = (_mm256_blendv_ps(cosine, sine, exchange), _mm256_blendv_ps(sine, cosine, exchange));
    (_mm256_mul_ps(radius, x), _mm256_mul_ps(radius, y))
}

/// [`Noise::uniforms`].
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn uniforms(noise: Noise, index: u64) -> Numbers {
    let [a, b, c, d] = words(noise, index);
    [open_unit(a), open_unit(b), open_unit(c), open_unit(d)]
}

/// [`Noise::normals`] of `2 · index` and of the index after it.
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn normals(noise: Noise, index: u64) -> [Numbers; 2] {
    let [a, b, c, d] = words(noise, index);
    let (a, b, c, d) = (pair(a), pair(b), pair(c), pair(d));
    [[a.0, a.1, b.0, b.1], [c.0, c.1, d.0, d.1]]
}

/// [`Noise::laplace`].
#[target_feature(enable = "avx2")]
#[inline]
pub(crate) fn laplace(noise: Noise, index: u64) -> Numbers {
    let [a, b, c, d] = words(noise, index);
    [signed(a), signed(b), signed(c), signed(d)]
}

/// A number of Laplace's distribution of a word.
#[target_feature(enable = "avx2")]
#[inline]
fn signed(words: __m256i) -> __m256 {
    let magnitude = _mm256_mul_ps(_mm256_set1_ps(0.5), minus_two_ln(open_unit(words)));
    _mm256_xor_ps(magnitude, _mm256_castsi256_ps(_mm256_slli_epi32::<31>(words)))
}

#[cfg(test)]
#[allow(unsafe_code)] // Stores, and a call where the processor was asked.
mod tests {
    use super::*;
    use crate::Key;

    /// The numbers in memory.
    #[target_feature(enable = "avx2")]
    fn store(numbers: Numbers, out: &mut [f32; WIDTH]) {
        for (out, numbers) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(numbers) {
            // SAFETY: eight values are written where there are eight.
            unsafe { _mm256_storeu_ps(out.as_mut_ptr(), numbers) };
        }
    }

    #[target_feature(enable = "avx2")]
    fn all(noise: Noise, index: u64) -> [[f32; WIDTH]; 4] {
        let mut out = [[0.0; WIDTH]; 4];
        let [first, second] = normals(noise, index);
        for (numbers, out) in [uniforms(noise, index), laplace(noise, index), first, second].into_iter().zip(&mut out) {
            store(numbers, out);
        }
        out
    }

    #[test]
    fn every_bit_is_that_of_the_portable_form() {
        if !std::arch::is_x86_feature_detected!("avx2") {
            return;
        }
        for key in [0, 3, u64::MAX] {
            let noise = Noise::new(Key::new(key));
            for index in (0..2000).chain([u64::from(u32::MAX) / 8, u64::MAX / 2]) {
                let normals = [noise.normals(2 * index), noise.normals(2 * index + 1)];
                let expected = [noise.uniforms(index), noise.laplace(index), normals[0], normals[1]];
                // SAFETY: the processor was found to have AVX2.
                let got = unsafe { all(noise, index) };
                let bits = |x: [[f32; WIDTH]; 4]| x.map(|x| x.map(f32::to_bits));
                assert_eq!(bits(got), bits(expected), "key {key}, index {index}");
            }
        }
    }
}
