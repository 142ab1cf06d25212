//! The micro-kernels for x86-64 with AVX2 and FMA: 6 x 16 for `f32`, 6 x 8 for `f64`.
//!
//! Twelve of the sixteen vector registers hold the sums, two a row of the right factor, one a broadcast element of the left. Each
//! step over `k` is twelve fused multiply-adds on eight loads; two of the former start in a cycle and take four, so twelve
//! independent sums keep both units busy (van Zee and van de Geijn, *BLIS: A Framework for Rapidly Instantiating BLAS Functionality*,
//! ACM TOMS 41, 2015, describe the scheme).

#![allow(unsafe_code)] // Vector intrinsics and the pointers they take.

use super::kernel::{Job, Kernel, Panel, Segments, transpose};
use super::out::Out;
use gradwise_core::{Floats, FloatsMut, Real};

const MR: usize = 6;

/// Proof that the processor has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        (std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")).then_some(Avx2(()))
    }

    /// Runs a job compiled for this processor.
    pub(crate) fn run<T: Real>(self, job: impl Job<T>) {
        #[target_feature(enable = "avx2,fma")]
        fn inner<T: Real>(kernel: Avx2, job: impl Job<T>) {
            job.run(kernel);
        }
        // SAFETY: an `Avx2` exists only where both features were detected.
        unsafe { inner(self, job) }
    }
}

/// An [`Out`] of a known type.
#[derive(Clone, Copy)]
struct Place<X> {
    start: *mut X,
    stride: usize,
    adds: bool,
}

impl<X> Place<X> {
    /// The same place, for numbers that are `X`s under the name of `T`, after a check that it has `m` rows.
    #[inline(always)]
    fn of<T: Real>(mut out: Out<'_, T>, m: usize) -> Self {
        assert!((1..=MR).contains(&m) && out.rows() >= m, "rows of the output");
        Place { start: out.as_mut_ptr().cast(), stride: out.stride(), adds: out.adds() }
    }
}

macro_rules! kernels {
    ($module:ident, $t:ty, $vector:ty, $lanes:literal, $zero:ident, $load:ident, $splat:ident, $fma:ident, $add:ident, $store:ident) => {
        mod $module {
            use super::{MR, Place};
            use std::arch::x86_64::*;

            type Vector = $vector;

            pub(super) const NR: usize = 2 * $lanes;

            /// # Safety
            /// AVX2 and FMA are available; `lhs` has `M` elements and `rhs` has `NR` at each of `depth` multiples of their strides, and `out` has `NR` in each of `M` rows.
            #[target_feature(enable = "avx2,fma")]
            pub(super) unsafe fn panels<const M: usize>(
                depth: usize,
                mut lhs: *const $t,
                lhs_stride: usize,
                mut rhs: *const $t,
                rhs_stride: usize,
                out: Place<$t>,
            ) {
                let mut sums = [[$zero(); 2]; M];
                // SAFETY: step `k` reads the `k`-th row of both factors, which the caller promises to exist.
                unsafe {
                    for _ in 0..depth {
                        let right = [$load(rhs), $load(rhs.add($lanes))];
                        for i in 0..M {
                            let left = $splat(&*lhs.add(i));
                            sums[i][0] = $fma(left, right[0], sums[i][0]);
                            sums[i][1] = $fma(left, right[1], sums[i][1]);
                        }
                        lhs = lhs.wrapping_add(lhs_stride);
                        rhs = rhs.wrapping_add(rhs_stride);
                    }
                    write(&sums, out);
                }
            }

            /// # Safety
            /// AVX2 and FMA are available; each of `rows` has `len` elements at each of `offsets`, `rhs` has `NR` at each of
            /// `offsets.len() · len` multiples of `stride`, and `out` has `NR` in each of `M` rows.
            #[target_feature(enable = "avx2,fma")]
            pub(super) unsafe fn rows<const M: usize>(
                rows: [*const $t; M],
                offsets: &[u32],
                len: usize,
                mut rhs: *const $t,
                stride: usize,
                out: Place<$t>,
            ) {
                let mut sums = [[$zero(); 2]; M];
                // SAFETY: each step reads one element of every row, at an offset the caller promises to exist, and the next row of
                // the right factor.
                unsafe {
                    for &offset in offsets {
                        for at in offset as usize..offset as usize + len {
                            let right = [$load(rhs), $load(rhs.add($lanes))];
                            for i in 0..M {
                                let left = $splat(&*rows[i].add(at));
                                sums[i][0] = $fma(left, right[0], sums[i][0]);
                                sums[i][1] = $fma(left, right[1], sums[i][1]);
                            }
                            rhs = rhs.wrapping_add(stride);
                        }
                    }
                    write(&sums, out);
                }
            }

            /// # Safety
            /// AVX2 and FMA are available; `lhs` has `offsets.len() · MR` elements, `rhs` has `NR` at each of `offsets`, and `out` has
            /// `NR` in each of `M` rows.
            #[target_feature(enable = "avx2,fma")]
            pub(super) unsafe fn offsets<const M: usize>(
                mut lhs: *const $t,
                rhs: *const $t,
                offsets: &[u32],
                out: Place<$t>,
            ) {
                let mut sums = [[$zero(); 2]; M];
                // SAFETY: each step reads a row of the left factor and a row of the right one at an offset, which the caller promises to
                // exist.
                unsafe {
                    for &offset in offsets {
                        let rhs = rhs.add(offset as usize);
                        let right = [$load(rhs), $load(rhs.add($lanes))];
                        for i in 0..M {
                            let left = $splat(&*lhs.add(i));
                            sums[i][0] = $fma(left, right[0], sums[i][0]);
                            sums[i][1] = $fma(left, right[1], sums[i][1]);
                        }
                        lhs = lhs.add(MR);
                    }
                    write(&sums, out);
                }
            }

            /// # Safety
            /// AVX2 is available; `out` has `NR` elements in each of `M` rows.
            #[inline]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn write<const M: usize>(sums: &[[Vector; 2]; M], out: Place<$t>) {
                // SAFETY: the caller promises room for two vectors in each of `M` rows.
                unsafe {
                    for i in 0..M {
                        for half in 0..2 {
                            let at = out.start.add(i * out.stride + half * $lanes);
                            $store(at, if out.adds { $add($load(at), sums[i][half]) } else { sums[i][half] });
                        }
                    }
                }
            }
        }
    };
}
kernels!(
    single,
    f32,
    __m256,
    8,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_broadcast_ss,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_storeu_ps
);
kernels!(
    double,
    f64,
    __m256d,
    4,
    _mm256_setzero_pd,
    _mm256_loadu_pd,
    _mm256_broadcast_sd,
    _mm256_fmadd_pd,
    _mm256_add_pd,
    _mm256_storeu_pd
);

/// Calls `$f::<M>` for `M` rows, 1 to 6.
macro_rules! by_rows {
    ($m:expr, $f:path, $args:tt) => {
        match $m {
            1 => by_rows!(@ $f, 1, $args),
            2 => by_rows!(@ $f, 2, $args),
            3 => by_rows!(@ $f, 3, $args),
            4 => by_rows!(@ $f, 4, $args),
            5 => by_rows!(@ $f, 5, $args),
            _ => by_rows!(@ $f, 6, $args),
        }
    };
    (@ $f:path, $m:literal, ($($arg:expr),*)) => {{ use $f as kernel; kernel::<$m>($($arg),*) }};
}

impl<T: Real> Kernel<T> for Avx2 {
    const MR: usize = MR;
    const NR: usize = if size_of::<T>() == 4 { single::NR } else { double::NR };

    #[inline]
    fn panels(self, m: usize, depth: usize, lhs: Panel<'_, T>, rhs: Panel<'_, T>, out: Out<'_, T>) {
        check_panel(depth, lhs, m);
        check_panel(depth, rhs, <Self as Kernel<T>>::NR);
        let strides = (lhs.stride, rhs.stride);
        match (T::floats(lhs.data), T::floats(rhs.data)) {
            (Floats::F32(lhs), Floats::F32(rhs)) => {
                let (lhs, rhs, out) = (lhs.as_ptr(), rhs.as_ptr(), Place::of(out, m));
                // SAFETY: the features were detected; panels and rows were checked; an `Out` has `NR` elements a row.
                unsafe { by_rows!(m, single::panels, (depth, lhs, strides.0, rhs, strides.1, out)) }
            }
            (Floats::F64(lhs), Floats::F64(rhs)) => {
                let (lhs, rhs, out) = (lhs.as_ptr(), rhs.as_ptr(), Place::of(out, m));
                // SAFETY: as above.
                unsafe { by_rows!(m, double::panels, (depth, lhs, strides.0, rhs, strides.1, out)) }
            }
            _ => unreachable!("slices of one type"),
        }
    }

    #[inline]
    fn offsets(self, m: usize, lhs: &[T], rhs: &[T], offsets: &Segments<'_>, out: Out<'_, T>) {
        let places = offsets.offsets();
        assert!(lhs.len() >= places.len() * MR, "packed left factor");
        assert!(
            places.is_empty() || (offsets.len() == 1 && rhs.len() >= offsets.extent() - 1 + <Self as Kernel<T>>::NR),
            "right factor under offsets"
        );
        match (T::floats(lhs), T::floats(rhs)) {
            (Floats::F32(lhs), Floats::F32(rhs)) => {
                let (lhs, rhs, out) = (lhs.as_ptr(), rhs.as_ptr(), Place::of(out, m));
                // SAFETY: the features were detected; lengths, the largest offset and rows were checked.
                unsafe { by_rows!(m, single::offsets, (lhs, rhs, places, out)) }
            }
            (Floats::F64(lhs), Floats::F64(rhs)) => {
                let (lhs, rhs, out) = (lhs.as_ptr(), rhs.as_ptr(), Place::of(out, m));
                // SAFETY: as above.
                unsafe { by_rows!(m, double::offsets, (lhs, rhs, places, out)) }
            }
            _ => unreachable!("slices of one type"),
        }
    }

    #[inline]
    fn rows(self, rows: &[&[T]], segments: &Segments<'_>, rhs: Panel<'_, T>, out: Out<'_, T>) {
        check_panel(segments.depth(), rhs, <Self as Kernel<T>>::NR);
        let m = rows.len();
        assert!(rows.iter().all(|row| row.len() >= segments.extent()), "rows of the left factor");
        let (offsets, len, stride) = (segments.offsets(), segments.len(), rhs.stride);
        match T::floats(rhs.data) {
            Floats::F32(rhs) => {
                let (rhs, out) = (rhs.as_ptr(), Place::of(out, m));
                // SAFETY: the features were detected; lengths and rows were checked, for `M = m` rows; `T` is `f32`.
                unsafe { by_rows!(m, single::rows, (pointers(rows), offsets, len, rhs, stride, out)) }
            }
            Floats::F64(rhs) => {
                let (rhs, out) = (rhs.as_ptr(), Place::of(out, m));
                // SAFETY: as above; `T` is `f64`.
                unsafe { by_rows!(m, double::rows, (pointers(rows), offsets, len, rhs, stride, out)) }
            }
        }
    }

    #[inline]
    fn transpose(self, lines: &[&[T]], panel: &mut [T]) {
        let depth = lines.first().map_or(0, |line| line.len());
        let whole = lines.len() == <Self as Kernel<T>>::NR
            && lines.iter().all(|line| line.len() == depth)
            && panel.len() >= depth * lines.len();
        match T::floats_mut(panel) {
            FloatsMut::F32(panel) if whole => {
                for half in 0..2 {
                    // SAFETY: AVX was detected; there are sixteen lines of `depth` elements, and the panel has sixteen times as many.
                    unsafe { transpose_f32(pointers(&lines[half * 8..]), depth, panel.as_mut_ptr().add(half * 8)) };
                }
            }
            _ => transpose(<Self as Kernel<T>>::NR, lines, panel),
        }
    }
}

/// The first addresses of `M` rows, which are `X`s under the name of `T`.
#[inline(always)]
fn pointers<T, X, const M: usize>(rows: &[&[T]]) -> [*const X; M] {
    std::array::from_fn(|i| rows[i].as_ptr().cast())
}

/// Checks that a panel has `width` elements at each of `depth` steps.
#[inline(always)]
fn check_panel<T>(depth: usize, panel: Panel<'_, T>, width: usize) {
    let needed = if depth == 0 { 0 } else { (depth - 1) * panel.stride + width };
    assert!(panel.data.len() >= needed, "panel of a factor");
}

/// Writes eight lines as columns of a panel that is sixteen wide, eight by eight through registers.
///
/// # Safety
/// AVX is available; each line has `depth` elements; `panel` has eight at each of `depth` multiples of sixteen.
#[target_feature(enable = "avx2,fma")]
unsafe fn transpose_f32(lines: [*const f32; 8], depth: usize, panel: *mut f32) {
    use std::arch::x86_64::*;
    let whole = depth - depth % 8;
    // SAFETY: `k` stays below `depth`, and the last block of eight ends at `whole ≤ depth`.
    unsafe {
        for k in (0..whole).step_by(8) {
            let r: [__m256; 8] = std::array::from_fn(|i| _mm256_loadu_ps(lines[i].add(k)));
            // Pairs of lines, then pairs of pairs, within halves of a register; then the halves change places.
            let lo: [__m256; 4] = std::array::from_fn(|i| _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]));
            let hi: [__m256; 4] = std::array::from_fn(|i| _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]));
            for half in 0..2 {
                let (a, b, c, d) = (lo[2 * half], lo[2 * half + 1], hi[2 * half], hi[2 * half + 1]);
                let quads = [
                    _mm256_shuffle_ps::<0x44>(a, b),
                    _mm256_shuffle_ps::<0xee>(a, b),
                    _mm256_shuffle_ps::<0x44>(c, d),
                    _mm256_shuffle_ps::<0xee>(c, d),
                ];
                for (i, quad) in quads.into_iter().enumerate() {
                    _mm_storeu_ps(panel.add((k + i) * 16 + half * 4), _mm256_castps256_ps128(quad));
                    _mm_storeu_ps(panel.add((k + i + 4) * 16 + half * 4), _mm256_extractf128_ps::<1>(quad));
                }
            }
        }
        for k in whole..depth {
            for (i, line) in lines.iter().enumerate() {
                *panel.add(k * 16 + i) = *line.add(k);
            }
        }
    }
}
