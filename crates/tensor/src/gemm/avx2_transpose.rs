//! Transposing `f32` through the registers of AVX: lines into a panel, and a tile into columns of the output.

#![allow(unsafe_code)] // Vector intrinsics and the pointers they take.

use std::arch::x86_64::*;

/// Writes `m` rows of sixteen by their columns.
///
/// # Safety
/// AVX is available; `tile` has `m` rows of sixteen; there are sixteen places, and `m` numbers from `out` plus each of them on.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn put_columns(tile: *const f32, m: usize, places: &[usize; 16], out: *mut f32) {
    // SAFETY: by this function's contract: rows stay below `m`, columns below sixteen.
    unsafe {
        for (half, places) in places.as_chunks::<8>().0.iter().enumerate() {
            let tile = tile.add(half * 8);
            let mut row = 0;
            while row + 8 <= m {
                let columns = transposed_square(std::array::from_fn(|i| tile.add((row + i) * 16)));
                for (column, place) in columns.into_iter().zip(places) {
                    _mm256_storeu_ps(out.add(place + row), column);
                }
                row += 8;
            }
            while row + 4 <= m {
                let columns = transposed_quads(std::array::from_fn(|i| _mm256_loadu_ps(tile.add((row + i) * 16))));
                for (i, column) in columns.into_iter().enumerate() {
                    _mm_storeu_ps(out.add(places[i] + row), _mm256_castps256_ps128(column));
                    _mm_storeu_ps(out.add(places[i + 4] + row), _mm256_extractf128_ps::<1>(column));
                }
                row += 4;
            }
            for row in row..m {
                for (i, place) in places.iter().enumerate() {
                    *out.add(place + row) = *tile.add(row * 16 + i);
                }
            }
        }
    }
}

/// Writes eight lines as columns of a panel that is sixteen wide, eight by eight through registers.
///
/// # Safety
/// AVX is available; each line has `depth` elements; `panel` has eight at each of `depth` multiples of sixteen.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn pack_eight_lines(lines: [*const f32; 8], depth: usize, panel: *mut f32) {
    let whole = depth - depth % 8;
    // SAFETY: `k` stays below `depth`, and the last block of eight ends at `whole ≤ depth`.
    unsafe {
        for k in (0..whole).step_by(8) {
            for (i, column) in transposed_square(lines.map(|line| line.add(k))).into_iter().enumerate() {
                _mm256_storeu_ps(panel.add((k + i) * 16), column);
            }
        }
        for k in whole..depth {
            for (i, line) in lines.iter().enumerate() {
                *panel.add(k * 16 + i) = *line.add(k);
            }
        }
    }
}

/// Eight numbers from each of eight rows, by columns.
///
/// # Safety
/// AVX is available, and there are eight numbers at each of `rows`.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn transposed_square(rows: [*const f32; 8]) -> [__m256; 8] {
    // SAFETY: by this function's contract.
    unsafe {
        // Row `i` beside row `i + 4`, so that no number has to change between the halves of a register afterwards.
        let pair = |i: usize, at: usize| {
            let low = _mm256_castps128_ps256(_mm_loadu_ps(rows[i].add(at)));
            _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(rows[i + 4].add(at)))
        };
        let [a, b, c, d] = transposed_quads(std::array::from_fn(|i| pair(i, 0)));
        let [e, f, g, h] = transposed_quads(std::array::from_fn(|i| pair(i, 4)));
        [a, b, c, d, e, f, g, h]
    }
}

/// Both halves of four registers, transposed four by four.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn transposed_quads([a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
    let (e, f) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
    let (g, h) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
    [
        _mm256_shuffle_ps::<0x44>(e, f),
        _mm256_shuffle_ps::<0xee>(e, f),
        _mm256_shuffle_ps::<0x44>(g, h),
        _mm256_shuffle_ps::<0xee>(g, h),
    ]
}
