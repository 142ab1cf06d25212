//! Pixels between four of a copied plane, eight at a time, by AVX2's instructions; the results are those of the plain form, bit by bit.

#![allow(unsafe_code)] // Loads at computed places, within a slice that is measured first, and stores.

use super::block::{BLOCK, Block, GROUP};
use super::stage::Staged;
use std::arch::x86_64::*;

/// Values that a group is written into: its own, and what vectors of a fixed size write after them.
const ROOM: usize = 32;

/// The first `n` pixels of a block, if the processor has AVX2; whether it has.
pub(super) fn bytes<const STEP: usize>(staged: Staged<'_, u8>, block: &Block, n: usize, out: &mut [u8]) -> bool {
    let has = crate::simd::has_avx2();
    if has {
        // SAFETY: the processor was found to have AVX2.
        unsafe { groups_of_bytes::<STEP>(staged, block, n, out) };
    }
    has
}

/// [`bytes`] of floating-point numbers.
pub(super) fn floats<const STEP: usize>(staged: Staged<'_, f32>, block: &Block, n: usize, out: &mut [f32]) -> bool {
    let has = crate::simd::has_avx2();
    if has {
        // SAFETY: the processor was found to have AVX2.
        unsafe { groups_of_floats::<STEP>(staged, block, n, out) };
    }
    has
}

#[target_feature(enable = "avx2")]
fn groups_of_bytes<const STEP: usize>(staged: Staged<'_, u8>, block: &Block, n: usize, out: &mut [u8]) {
    groups::<u8, STEP>(staged, block, n, out, |staged, group, out| group_of_bytes::<STEP>(staged, group, out));
}

#[target_feature(enable = "avx2")]
fn groups_of_floats<const STEP: usize>(staged: Staged<'_, f32>, block: &Block, n: usize, out: &mut [f32]) {
    groups::<f32, STEP>(staged, block, n, out, |staged, group, out| group_of_floats::<STEP>(staged, group, out));
}

/// Numbers at equal distances, in units of 2⁻³², as wholes and parts: the first `n` and the rest of a group, if the processor has AVX2; whether it has.
pub(super) fn line(start: i64, step: i64, n: usize, whole: &mut [i32; BLOCK], part: &mut [u32; BLOCK]) -> bool {
    let has = crate::simd::has_avx2();
    if has {
        // SAFETY: the processor was found to have AVX2.
        unsafe { groups_of_points(start, step, n, whole, part) };
    }
    has
}

#[target_feature(enable = "avx2")]
fn groups_of_points(start: i64, step: i64, n: usize, whole: &mut [i32; BLOCK], part: &mut [u32; BLOCK]) {
    let at = |i: i64| start + i * step;
    // In an order that the shuffles of halves bring into the right one.
    let mut first = _mm256_setr_epi64x(at(0), at(1), at(4), at(5));
    let mut second = _mm256_setr_epi64x(at(2), at(3), at(6), at(7));
    let step = _mm256_set1_epi64x(at(GROUP as i64) - start);
    let groups = whole.as_chunks_mut::<GROUP>().0.iter_mut().zip(part.as_chunks_mut::<GROUP>().0);
    for (whole, part) in groups.take(n.div_ceil(GROUP)) {
        let (a, b) = (_mm256_castsi256_ps(first), _mm256_castsi256_ps(second));
        // SAFETY: eight numbers of 32 bits are written where there are eight.
        unsafe {
            _mm256_storeu_ps(whole.as_mut_ptr().cast(), _mm256_shuffle_ps::<0xdd>(a, b));
            _mm256_storeu_ps(part.as_mut_ptr().cast(), _mm256_shuffle_ps::<0x88>(a, b));
        }
        (first, second) = (_mm256_add_epi64(first, step), _mm256_add_epi64(second, step));
    }
}

/// Eight pixels: where they begin in a copy, and the parts of the way to the next, in units of 2⁻³².
struct Group {
    at: [u32; GROUP],
    right: __m256i,
    below: __m256i,
}

/// All groups, into the target if there is room for all that vectors write.
#[target_feature(enable = "avx2")]
#[inline]
fn groups<P: Copy + Default, const STEP: usize>(
    staged: Staged<'_, P>,
    block: &Block,
    n: usize,
    out: &mut [P],
    write: impl Fn(Staged<'_, P>, Group, &mut [P; ROOM]),
) {
    // What all loads rely on: they read no more than these values from a place of the copy on.
    assert!(staged.is_sound::<STEP>());
    for start in (0..n.min(BLOCK)).step_by(GROUP) {
        let group = Group::new::<P, STEP>(&staged, block, start);
        let out = &mut out[start * STEP..];
        if let Some(out) = out.first_chunk_mut() {
            write(staged, group, out);
        } else {
            let mut all = [P::default(); ROOM];
            write(staged, group, &mut all);
            let n = out.len().min(GROUP * STEP);
            out[..n].copy_from_slice(&all[..n]);
        }
    }
}

impl Group {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new<P, const STEP: usize>(staged: &Staged<'_, P>, block: &Block, start: usize) -> Self {
        let ((left, right), (top, bottom)) = (staged.columns(), staged.rows());
        let column = clamped(integers(&block.x, start), left, right);
        let row = clamped(integers(&block.y, start), top, bottom);
        let column = _mm256_mullo_epi32(column, _mm256_set1_epi32(STEP as i32));
        let row = _mm256_mullo_epi32(row, _mm256_set1_epi32(staged.stride() as i32));
        let mut at = [0; GROUP];
        // SAFETY: eight numbers are written where there are eight.
        unsafe { _mm256_storeu_si256(at.as_mut_ptr().cast(), _mm256_add_epi32(row, column)) };
        Group { at, right: integers(&block.fx, start), below: integers(&block.fy, start) }
    }
}

/// Eight numbers of a block.
#[target_feature(enable = "avx2")]
#[inline]
fn integers<T>(values: &[T; BLOCK], start: usize) -> __m256i {
    const { assert!(size_of::<T>() == 4) };
    let values = &values[start..][..GROUP];
    // SAFETY: eight numbers of 32 bits are read where there are eight.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

/// Within two bounds, from the lower one.
#[target_feature(enable = "avx2")]
#[inline]
fn clamped(x: __m256i, low: i32, high: i32) -> __m256i {
    let (low, high) = (_mm256_set1_epi32(low), _mm256_set1_epi32(high));
    _mm256_sub_epi32(_mm256_min_epi32(_mm256_max_epi32(x, low), high), low)
}

/// What is subtracted from bytes, so that they become signed: the instruction that multiplies bytes wants one signed factor, and weights go up to 128.
const BIAS: u8 = 128;

/// The places in eight bytes of a pixel's values, each with the next pixel's, twice.
const fn pairs<const STEP: usize>() -> [i8; 16] {
    let mut order = [-1; 16];
    let mut i = 0;
    while i < 16 {
        let (eight, channel, next) = (i / 8, i % 8 / 2, i % 2);
        if channel < STEP {
            order[i] = (8 * eight + channel + STEP * next) as i8;
        }
        i += 1;
    }
    order
}

/// The places in four pixels of four bytes of those that are channels.
const fn channels<const STEP: usize>() -> [i8; 16] {
    let mut order = [-1; 16];
    let mut i = 0;
    while i < 4 * STEP {
        order[i] = (i / STEP * 4 + i % STEP) as i8;
        i += 1;
    }
    order
}

/// In both halves of a vector.
#[target_feature(enable = "avx2")]
#[inline]
fn twice(order: [i8; 16]) -> __m256i {
    // SAFETY: sixteen bytes are read where there are sixteen.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(order.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
#[inline]
fn group_of_bytes<const STEP: usize>(staged: Staged<'_, u8>, group: Group, out: &mut [u8; ROOM]) {
    let Group { at, right, below } = group;
    let (values, stride) = (staged.values().as_ptr(), staged.stride());
    // 128ths, as the plain form rounds them.
    let weight = |part: __m256i| {
        let half = _mm256_add_epi32(_mm256_srli_epi32::<1>(part), _mm256_set1_epi32(1 << 23));
        _mm256_srli_epi32::<24>(half)
    };
    let (right, below) = (weight(right), weight(below));
    // Pairs of bytes, 128 - w and w, twice; and pairs of words.
    let across = _mm256_mullo_epi32(right, _mm256_set1_epi32(0x00ff_00ff));
    let across = _mm256_add_epi32(across, _mm256_set1_epi32(0x0080_0080));
    let down = _mm256_sub_epi32(_mm256_slli_epi32::<16>(below), below);
    let down = _mm256_add_epi32(down, _mm256_set1_epi32(128));
    let bias = _mm256_set1_epi8(BIAS as i8);
    // Sums are too small by 128 times 128².
    let rounded = |sum: __m256i| {
        let sum = _mm256_add_epi32(sum, _mm256_set1_epi32((1 << 21) + (1 << 13)));
        _mm256_srai_epi32::<14>(sum)
    };
    if STEP == 1 {
        let row = |offset: usize| {
            // SAFETY: `groups` asserted that so many values can be read at every place, and a row below.
            let four = |i: usize| unsafe { values.add(at[i] as usize + offset).cast::<i32>().read_unaligned() };
            _mm256_setr_epi32(four(0), four(1), four(2), four(3), four(4), four(5), four(6), four(7))
        };
        // Two bytes of the upper row, then two of the lower one.
        let four = _mm256_blend_epi16::<0xaa>(row(0), _mm256_slli_epi32::<16>(row(stride)));
        let rows = _mm256_maddubs_epi16(across, _mm256_xor_si256(four, bias));
        let sums = rounded(_mm256_madd_epi16(rows, down));
        let words = _mm256_packs_epi32(sums, sums);
        let bytes = _mm256_packus_epi16(words, words);
        let eight = _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256::<1>(bytes));
        // SAFETY: eight bytes are written where there are more.
        return unsafe { _mm_storel_epi64(out.as_mut_ptr().cast(), eight) };
    }
    let order = twice(const { pairs::<STEP>() });
    // Eight bytes of four pixels each: two in each half of a vector.
    let row = |offset: usize, [a, b, c, d]: [usize; 4]| {
        // SAFETY: `groups` asserted that so many values can be read at every place, and a row below.
        let eight = |i: usize| unsafe { values.add(at[i] as usize + offset).cast::<i64>().read_unaligned() };
        let four = _mm256_set_epi64x(eight(d), eight(c), eight(b), eight(a));
        _mm256_shuffle_epi8(_mm256_xor_si256(four, bias), order)
    };
    let four = |pixels: [usize; 4], weights: __m256i| {
        let upper = _mm256_maddubs_epi16(weights, row(0, pixels));
        let lower = _mm256_maddubs_epi16(weights, row(stride, pixels));
        (_mm256_unpacklo_epi16(upper, lower), _mm256_unpackhi_epi16(upper, lower))
    };
    let (first, second) = four([0, 1, 4, 5], _mm256_unpacklo_epi32(across, across));
    let (third, fourth) = four([2, 3, 6, 7], _mm256_unpackhi_epi32(across, across));
    let first = rounded(_mm256_madd_epi16(first, _mm256_shuffle_epi32::<0x00>(down)));
    let second = rounded(_mm256_madd_epi16(second, _mm256_shuffle_epi32::<0x55>(down)));
    let third = rounded(_mm256_madd_epi16(third, _mm256_shuffle_epi32::<0xaa>(down)));
    let fourth = rounded(_mm256_madd_epi16(fourth, _mm256_shuffle_epi32::<0xff>(down)));
    let (words, more) = (_mm256_packs_epi32(first, second), _mm256_packs_epi32(third, fourth));
    let bytes = _mm256_shuffle_epi8(_mm256_packus_epi16(words, more), twice(const { channels::<STEP>() }));
    // SAFETY: sixteen bytes are written at 0, and at 16 at most, where there are 32.
    unsafe {
        _mm_storeu_si128(out.as_mut_ptr().cast(), _mm256_castsi256_si128(bytes));
        _mm_storeu_si128(out.as_mut_ptr().add(4 * STEP).cast(), _mm256_extracti128_si256::<1>(bytes));
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn group_of_floats<const STEP: usize>(staged: Staged<'_, f32>, group: Group, out: &mut [f32; ROOM]) {
    let Group { at, right, below } = group;
    let (values, stride) = (staged.values().as_ptr(), staged.stride());
    let weight = |part: __m256i| {
        let part = _mm256_cvtepi32_ps(_mm256_srli_epi32::<8>(part));
        _mm256_mul_ps(part, _mm256_set1_ps(1.0 / (1 << 24) as f32))
    };
    let (right, below) = (weight(right), weight(below));
    let toward = |a: __m256, b: __m256, share: __m256| {
        let rest = _mm256_sub_ps(_mm256_set1_ps(1.0), share);
        _mm256_add_ps(_mm256_mul_ps(a, rest), _mm256_mul_ps(b, share))
    };
    if STEP == 1 {
        // A pixel and its neighbour, and those below.
        let four = |i: usize| {
            // SAFETY: `groups` asserted that so many values can be read at every place, and a row below.
            let two = |offset: usize| unsafe { values.add(at[i] as usize + offset).cast::<i64>().read_unaligned() };
            _mm_set_epi64x(two(stride), two(0))
        };
        let pixels = |i: usize| _mm256_castsi256_ps(_mm256_set_m128i(four(i + 4), four(i)));
        let (first, second, third, fourth) = (pixels(0), pixels(1), pixels(2), pixels(3));
        // All left ones, upper and lower; all right ones; then by rows.
        let (left, more_left) = (_mm256_shuffle_ps::<0x88>(first, second), _mm256_shuffle_ps::<0x88>(third, fourth));
        let (next, more_next) = (_mm256_shuffle_ps::<0xdd>(first, second), _mm256_shuffle_ps::<0xdd>(third, fourth));
        let (a, c) = (_mm256_shuffle_ps::<0x88>(left, more_left), _mm256_shuffle_ps::<0xdd>(left, more_left));
        let (b, d) = (_mm256_shuffle_ps::<0x88>(next, more_next), _mm256_shuffle_ps::<0xdd>(next, more_next));
        let eight = toward(toward(a, b, right), toward(c, d, right), below);
        // SAFETY: eight numbers are written where there are more.
        return unsafe { _mm256_storeu_ps(out.as_mut_ptr(), eight) };
    }
    // Two pixels, one in each half of a vector.
    let two = |i: usize, right: __m256, below: __m256| {
        // SAFETY: `groups` asserted that so many values can be read at every place, and a row below.
        let row = |offset: usize| unsafe {
            let place = |i: usize| values.add(at[i] as usize + offset);
            _mm256_loadu2_m128(place(i + 4), place(i))
        };
        let upper = toward(row(0), row(STEP), right);
        let lower = toward(row(stride), row(stride + STEP), right);
        toward(upper, lower, below)
    };
    let pixels = [
        two(0, _mm256_permute_ps::<0x00>(right), _mm256_permute_ps::<0x00>(below)),
        two(1, _mm256_permute_ps::<0x55>(right), _mm256_permute_ps::<0x55>(below)),
        two(2, _mm256_permute_ps::<0xaa>(right), _mm256_permute_ps::<0xaa>(below)),
        two(3, _mm256_permute_ps::<0xff>(right), _mm256_permute_ps::<0xff>(below)),
    ];
    // In order, as each writes four values, of which the next pixel's writes some again.
    for (i, pixels) in pixels.iter().enumerate() {
        // SAFETY: four numbers are written, the last at 28 at most, where there are 32.
        unsafe { _mm_storeu_ps(out.as_mut_ptr().add(i * STEP), _mm256_castps256_ps128(*pixels)) };
    }
    for (i, pixels) in pixels.iter().enumerate() {
        // SAFETY: as above.
        unsafe { _mm_storeu_ps(out.as_mut_ptr().add((i + 4) * STEP), _mm256_extractf128_ps::<1>(*pixels)) };
    }
}
