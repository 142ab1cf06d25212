//! Arithmetic on eight `f32` at once with AVX2 and FMA. For `f64`, which gradients are checked in, the plain form serves.

#![allow(unsafe_code)] // Vector intrinsics.

use super::avx2::Avx2;
use super::avx2_strips;
use super::eight::{Eight, LANES, Lanes};
use super::portable::Portable;
use super::strips::{Strip, TAPS};
use gradwise_core::{Floats, FloatsMut, Real};
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
    fn mul_add(self, a: Lanes<T>, b: Lanes<T>, c: Lanes<T>) -> Lanes<T> {
        if !is_single::<T>() {
            return Portable.mul_add(a, b, c);
        }
        unsafe { lanes(_mm256_fmadd_ps(vector(a), vector(b), vector(c))) }
    }

    #[inline(always)]
    fn scale_add(self, a: Lanes<T>, factor: f64, b: Lanes<T>) -> Lanes<T> {
        if !is_single::<T>() {
            return Portable.scale_add(a, factor, b);
        }
        unsafe { lanes(_mm256_fmadd_ps(vector(a), _mm256_set1_ps(factor as f32), vector(b))) }
    }

    #[inline(always)]
    fn every_second(self, data: &[T]) -> Lanes<T> {
        if !is_single::<T>() {
            return Portable.every_second(data);
        }
        let data = data[..2 * LANES - 1].as_ptr().cast::<f32>();
        unsafe {
            // Elements 0, 2, 4, 6 of the first eight, and 1, 3, 5, 7 of the last eight, which begin at the eighth.
            let (low, high) = (_mm256_loadu_ps(data), _mm256_loadu_ps(data.add(LANES - 1)));
            let halves = _mm256_castps_pd(_mm256_shuffle_ps::<0xd8>(low, high));
            lanes(_mm256_castpd_ps(_mm256_permute4x64_pd::<0xd8>(halves)))
        }
    }

    #[inline(always)]
    fn raise(self, values: Lanes<T>, place: u32, best: &mut Lanes<T>, places: &mut [u32; LANES]) {
        if !is_single::<T>() {
            return Portable.raise(values, place, best, places);
        }
        unsafe {
            let (x, before) = (vector(values), vector(*best));
            // Not below, nor equal, which NaN is not either; and no NaN before.
            let above = _mm256_cmp_ps::<_CMP_NLE_UQ>(x, before);
            let take = _mm256_and_ps(above, _mm256_cmp_ps::<_CMP_ORD_Q>(before, before));
            *best = lanes(_mm256_blendv_ps(before, x, take));
            let at = places.as_mut_ptr().cast();
            let place = _mm256_set1_epi32(place.cast_signed());
            _mm256_storeu_si256(at, _mm256_blendv_epi8(_mm256_loadu_si256(at), place, _mm256_castps_si256(take)));
        }
    }

    #[inline(always)]
    fn laced(self, even: Lanes<T>, odd: Lanes<T>) -> [Lanes<T>; 2] {
        if !is_single::<T>() {
            return Portable.laced(even, odd);
        }
        unsafe {
            let (even, odd) = (vector(even), vector(odd));
            let (low, high) = (_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd));
            [lanes(_mm256_permute2f128_ps::<0x20>(low, high)), lanes(_mm256_permute2f128_ps::<0x31>(low, high))]
        }
    }

    #[inline(always)]
    fn pieces(self, data: &[T], starts: &[u32; LANES]) -> [Lanes<T>; 6] {
        if !is_single::<T>() {
            return Portable.pieces(data, starts);
        }
        // One check for all: eight would take as long as the arithmetic.
        let last = starts.iter().fold(0, |last, &start| last.max(start)) as usize;
        assert!(last + LANES <= data.len(), "pieces within the data");
        let mut at = [std::ptr::null(); LANES];
        for i in 0..LANES {
            at[i] = data.as_ptr().cast::<f32>().wrapping_add(starts[i] as usize);
        }
        // Pieces `i` and `i + 4` share a vector: transposing 4 x 4 within both halves of four vectors gives four columns in order.
        unsafe {
            let [a, b] = [pair(at[0], at[4]), pair(at[1], at[5])];
            let [c0, c1, c2, c3] = transposed([a, b, pair(at[2], at[6]), pair(at[3], at[7])]);
            for at in &mut at {
                *at = at.add(4);
            }
            let low = _mm256_unpacklo_ps(pair(at[0], at[4]), pair(at[1], at[5]));
            let high = _mm256_unpacklo_ps(pair(at[2], at[6]), pair(at[3], at[7]));
            let (c4, c5) = (_mm256_shuffle_ps::<0x44>(low, high), _mm256_shuffle_ps::<0xee>(low, high));
            [lanes(c0), lanes(c1), lanes(c2), lanes(c3), lanes(c4), lanes(c5)]
        }
    }

    #[inline(always)]
    fn put_pieces(self, columns: [Lanes<T>; 4], data: &mut [T], starts: &[u32; LANES]) {
        if !is_single::<T>() {
            return Portable.put_pieces(columns, data, starts);
        }
        let last = starts.iter().fold(0, |last, &start| last.max(start)) as usize;
        assert!(last + 4 <= data.len(), "pieces within the data");
        let start = data.as_mut_ptr().cast::<f32>();
        let at = |i: usize| start.wrapping_add(starts[i] as usize);
        unsafe {
            let columns = [vector(columns[0]), vector(columns[1]), vector(columns[2]), vector(columns[3])];
            let pairs = transposed(columns);
            for i in 0..4 {
                _mm_storeu_ps(at(i), _mm256_castps256_ps128(pairs[i]));
                _mm_storeu_ps(at(i + 4), _mm256_extractf128_ps::<1>(pairs[i]));
            }
        }
    }

    #[inline(always)]
    fn slide(self, strip: Strip<'_, T>, weights: &[T; TAPS], bias: T, out: &mut [T], pitch: usize) {
        let Strip { data, pitch: data_pitch, rows } = strip;
        if rows == 0 {
            return;
        }
        assert!(data.len() >= strip.extent() && out.len() >= (rows - 1) * pitch + LANES, "rows of a strip");
        match (T::floats(data), T::floats(weights), T::floats(&[bias]), T::floats_mut(out)) {
            (Floats::F32(data), Floats::F32(weights), Floats::F32(&[bias]), FloatsMut::F32(out)) => {
                let weights = weights.first_chunk().unwrap_or_else(|| unreachable!("nine weights"));
                unsafe { avx2_strips::slide(data.as_ptr(), data_pitch, weights, bias, rows, out.as_mut_ptr(), pitch) };
            }
            _ => Portable.slide(strip, weights, bias, out, pitch),
        }
    }

    #[inline(always)]
    fn correlate(self, strip: Strip<'_, T>, factor: &[T], pitch: usize, sums: &mut [Lanes<T>; TAPS]) {
        let Strip { data, pitch: data_pitch, rows } = strip;
        if rows == 0 {
            return;
        }
        assert!(data.len() >= strip.extent() && factor.len() >= (rows - 1) * pitch + LANES, "rows of a strip");
        match (T::floats(data), T::floats(factor)) {
            (Floats::F32(data), Floats::F32(factor)) => {
                let mut all = sums.map(|sum| unsafe { vector(sum) });
                unsafe { avx2_strips::correlate(data.as_ptr(), data_pitch, factor.as_ptr(), pitch, rows, &mut all) };
                *sums = all.map(|sum| unsafe { lanes(sum) });
            }
            _ => Portable.correlate(strip, factor, pitch, sums),
        }
    }
}

/// Four numbers, and four others, as the halves of a vector.
///
/// # Safety
/// AVX is available, and there are four numbers at each place.
#[inline(always)]
unsafe fn pair(low: *const f32, high: *const f32) -> __m256 {
    // SAFETY: by this function's contract.
    unsafe { _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high)) }
}

/// Both halves of four vectors, transposed 4 x 4.
///
/// # Safety
/// AVX is available.
#[inline(always)]
unsafe fn transposed([q0, q1, q2, q3]: [__m256; 4]) -> [__m256; 4] {
    // SAFETY: by this function's contract.
    unsafe {
        let (a, b) = (_mm256_unpacklo_ps(q0, q1), _mm256_unpacklo_ps(q2, q3));
        let (c, d) = (_mm256_unpackhi_ps(q0, q1), _mm256_unpackhi_ps(q2, q3));
        [
            _mm256_shuffle_ps::<0x44>(a, b),
            _mm256_shuffle_ps::<0xee>(a, b),
            _mm256_shuffle_ps::<0x44>(c, d),
            _mm256_shuffle_ps::<0xee>(c, d),
        ]
    }
}
