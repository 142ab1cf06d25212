//! The micro-kernels for x86-64 with AVX2 and FMA: 6 x 16 for `f32`, 6 x 8 for `f64`.
//!
//! Twelve of the sixteen vector registers hold the sums, two a row of the right factor, one a broadcast element of the left. Each
//! step over `k` is twelve fused multiply-adds on eight loads; two of the former start in a cycle and take four, so twelve
//! independent sums keep both units busy (van Zee and van de Geijn, *BLIS: A Framework for Rapidly Instantiating BLAS Functionality*,
//! ACM TOMS 41, 2015, describe the scheme).

#![allow(unsafe_code)] // Vector intrinsics and the pointers they take.

use super::avx2_transpose::{pack_eight_lines, put_columns};
use super::kernel::{Job, Kernel, Left, Panel, Segments, put_transposed, transpose};
use super::operand::Operand;
use super::out::{Out, Scatter};
use gradwise_core::{Floats, FloatsMut, Real};
use std::ops::Range;
use std::ptr::null_mut;

const MR: usize = 6;
/// How many rows of the right factor ahead are asked for while it is packed.
const AHEAD: usize = 16;

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

/// Where the rows of a [`Left`] begin.
#[derive(Clone, Copy)]
enum Start<X> {
    /// Packed panels of `MR` rows, with a distance from one to the next.
    Packed(*const X, usize),
    /// Rows side by side, with a stride from one `k` to the next.
    Beside(*const X, usize),
    /// Rows in one piece each, with a stride from one to the next.
    Rows(*const X, isize),
}

impl<X> Start<X> {
    /// The beginning of a factor of `X`s under the name of `T`, after a check that it has `m` rows of `depth`.
    #[inline(always)]
    fn of<T: Real>(left: Left<'_, T>, m: usize, depth: usize) -> Self {
        match left {
            Left::Packed { panels, apart } => {
                let needed = m.div_ceil(MR).checked_sub(1).map_or(0, |last| last * apart + MR * depth);
                assert!(panels.len() >= needed, "packed left factor");
                Start::Packed(panels.as_ptr().cast(), apart)
            }
            Left::Beside(panel) => {
                check_panel(depth, panel, m);
                Start::Beside(panel.data.as_ptr().cast(), panel.stride)
            }
            Left::Rows { operand, first, k } => {
                let (start, stride) = operand.line_starts(first, m, k, depth);
                Start::Rows(start.cast(), stride)
            }
        }
    }
}

/// An [`Out`] of a known type.
#[derive(Clone, Copy)]
struct Place<X> {
    start: *mut X,
    stride: usize,
    adds: bool,
    is_far: bool,
}

impl<X> Place<X> {
    /// The same place, for numbers that are `X`s under the name of `T`, after a check that it has the `m` rows of a tile.
    #[inline(always)]
    fn of<T: Real>(out: Out<'_, T>, m: usize) -> Self {
        assert!((1..=MR).contains(&m) && out.rows() >= m, "rows of the output");
        Place::strip(out)
    }

    /// The same place, for numbers that are `X`s under the name of `T`.
    #[inline(always)]
    fn strip<T: Real>(mut out: Out<'_, T>) -> Self {
        Place { start: out.as_mut_ptr().cast(), stride: out.stride(), adds: out.adds(), is_far: out.is_far() }
    }
}

/// Calls `$f::<M, …>` for `M` rows, 1 to 6.
macro_rules! by_rows {
    ($m:expr, $f:path, packs = $packs:literal, $args:tt) => {
        match $m {
            1 => by_rows!(@ $f, (1, $packs), $args),
            2 => by_rows!(@ $f, (2, $packs), $args),
            3 => by_rows!(@ $f, (3, $packs), $args),
            4 => by_rows!(@ $f, (4, $packs), $args),
            5 => by_rows!(@ $f, (5, $packs), $args),
            _ => by_rows!(@ $f, (6, $packs), $args),
        }
    };
    ($m:expr, $f:path, $args:tt) => {
        match $m {
            1 => by_rows!(@ $f, (1), $args),
            2 => by_rows!(@ $f, (2), $args),
            3 => by_rows!(@ $f, (3), $args),
            4 => by_rows!(@ $f, (4), $args),
            5 => by_rows!(@ $f, (5), $args),
            _ => by_rows!(@ $f, (6), $args),
        }
    };
    (@ $f:path, ($($generic:literal),*), ($($arg:expr),*)) => {{ use $f as kernel; kernel::<$($generic),*>($($arg),*) }};
}

macro_rules! kernels {
    ($module:ident, $t:ty, $vector:ty, $lanes:literal, $zero:ident, $load:ident, $splat:ident, $fma:ident, $add:ident, $store:ident) => {
        mod $module {
            use super::{AHEAD, MR, Place, Start};
            use crate::gemm::kernel::tile_rows;
            use crate::gemm::prefetch::prefetch;
            use std::arch::x86_64::*;

            type Vector = $vector;

            pub(super) const NR: usize = 2 * $lanes;

            /// # Safety
            /// AVX2 and FMA are available; `lhs` has `M` elements and `rhs` has `NR` at each of `depth` multiples of their strides,
            /// `out` has `NR` in each of `M` rows, and, with `PACKS`, `packed` has room for `depth · NR`.
            #[target_feature(enable = "avx2,fma")]
            pub(super) unsafe fn panels<const M: usize, const PACKS: bool>(
                depth: usize,
                mut lhs: *const $t,
                lhs_stride: usize,
                mut rhs: *const $t,
                rhs_stride: usize,
                mut packed: *mut $t,
                out: Place<$t>,
            ) {
                let mut sums = [[$zero(); 2]; M];
                // SAFETY: step `k` reads the `k`-th row of both factors, which the caller promises to exist, and writes that of `packed`.
                unsafe {
                    for _ in 0..depth {
                        let right = right::<PACKS>(&mut rhs, rhs_stride, &mut packed);
                        for i in 0..M {
                            let left = $splat(&*lhs.add(i));
                            sums[i][0] = $fma(left, right[0], sums[i][0]);
                            sums[i][1] = $fma(left, right[1], sums[i][1]);
                        }
                        lhs = lhs.wrapping_add(lhs_stride);
                    }
                    write(&sums, out);
                }
            }

            /// # Safety
            /// As for [`panels`], but `lhs` has `depth` elements from each of `M` multiples of `line_stride` on.
            #[target_feature(enable = "avx2,fma")]
            unsafe fn lines<const M: usize, const PACKS: bool>(
                depth: usize,
                lhs: *const $t,
                line_stride: isize,
                mut rhs: *const $t,
                rhs_stride: usize,
                mut packed: *mut $t,
                out: Place<$t>,
            ) {
                let lines: [*const $t; M] = std::array::from_fn(|i| lhs.wrapping_offset(i as isize * line_stride));
                let mut sums = [[$zero(); 2]; M];
                // SAFETY: step `k` reads the `k`-th element of each line and the `k`-th row of the right factor, which the caller
                // promises to exist, and writes that of `packed`.
                unsafe {
                    for k in 0..depth {
                        let right = right::<PACKS>(&mut rhs, rhs_stride, &mut packed);
                        for i in 0..M {
                            let left = $splat(&*lines[i].add(k));
                            sums[i][0] = $fma(left, right[0], sums[i][0]);
                            sums[i][1] = $fma(left, right[1], sums[i][1]);
                        }
                    }
                    write(&sums, out);
                }
            }

            /// The row of the right factor at `rhs`, which moves on to the next; with `PACKS` it is also written to `packed`.
            ///
            /// # Safety
            /// AVX2 is available; there are `NR` elements at `rhs`, and, with `PACKS`, room for as many at `packed`.
            #[inline]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn right<const PACKS: bool>(
                rhs: &mut *const $t,
                stride: usize,
                packed: &mut *mut $t,
            ) -> [Vector; 2] {
                // SAFETY: by this function's contract.
                unsafe {
                    let row = [$load(*rhs), $load(rhs.add($lanes))];
                    if PACKS {
                        prefetch::<$t, false>(rhs.wrapping_add(AHEAD * stride));
                        $store(*packed, row[0]);
                        $store(packed.add($lanes), row[1]);
                        *packed = packed.add(NR);
                    }
                    *rhs = rhs.wrapping_add(stride);
                    row
                }
            }

            /// All tiles of a strip.
            ///
            /// # Safety
            /// AVX2 and FMA are available; `left` has `m` rows of `depth` elements, `rhs` has `NR` at each of `depth` multiples of its
            /// stride, `packed`, unless it is null, room for `depth · NR`, and `out` has `NR` in each of `m` rows.
            #[target_feature(enable = "avx2,fma")]
            pub(super) unsafe fn strip(
                m: usize,
                depth: usize,
                left: Start<$t>,
                mut rhs: *const $t,
                mut rhs_stride: usize,
                packed: *mut $t,
                out: Place<$t>,
            ) {
                let mut place = out;
                let (mut row, mut tile, mut packs) = (0, 0, !packed.is_null());
                // Lines arrive while the kernel works: at a tile those of the next, as they may come from afar.
                let ask_for = |rows: std::ops::Range<usize>| {
                    for i in if out.is_far { rows } else { 0..0 } {
                        prefetch::<$t, true>(out.start.wrapping_add(i * out.stride));
                        prefetch::<$t, true>(out.start.wrapping_add(i * out.stride + NR - 1));
                    }
                };
                ask_for(0..MR.min(m));
                while row < m {
                    let n = tile_rows(m - row, MR);
                    ask_for((row + n).min(m)..(row + n + MR).min(m));
                    let (start, stride) = match left {
                        Start::Packed(start, apart) => (start.wrapping_add(tile * apart), MR as isize),
                        Start::Beside(start, stride) => (start.wrapping_add(row), stride as isize),
                        Start::Rows(start, stride) => (start.wrapping_offset(row as isize * stride), stride),
                    };
                    // SAFETY: by this function's contract; the tile's rows are among the strip's.
                    unsafe {
                        match (left, packs) {
                            (Start::Rows(..), false) => {
                                by_rows!(
                                    n,
                                    self::lines,
                                    packs = false,
                                    (depth, start, stride, rhs, rhs_stride, packed, place)
                                );
                            }
                            (Start::Rows(..), true) => {
                                by_rows!(
                                    n,
                                    self::lines,
                                    packs = true,
                                    (depth, start, stride, rhs, rhs_stride, packed, place)
                                );
                            }
                            (_, false) => {
                                let stride = stride as usize;
                                by_rows!(
                                    n,
                                    self::panels,
                                    packs = false,
                                    (depth, start, stride, rhs, rhs_stride, packed, place)
                                );
                            }
                            (_, true) => {
                                let stride = stride as usize;
                                by_rows!(
                                    n,
                                    self::panels,
                                    packs = true,
                                    (depth, start, stride, rhs, rhs_stride, packed, place)
                                );
                            }
                        }
                    }
                    if packs {
                        (rhs, rhs_stride, packs) = (packed, NR, false);
                    }
                    place.start = place.start.wrapping_add(n * place.stride);
                    (row, tile) = (row + n, tile + 1);
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

            /// All tiles of a strip.
            ///
            /// # Safety
            /// AVX2 and FMA are available; `lhs` has `offsets.len() · MR` elements for each tile of `m` rows, `rhs` has `NR` at each of
            /// `offsets`, and `out` has `NR` in each of `m` rows.
            #[target_feature(enable = "avx2,fma")]
            pub(super) unsafe fn strip_under(
                m: usize,
                mut lhs: *const $t,
                rhs: *const $t,
                offsets: &[u32],
                mut out: Place<$t>,
            ) {
                let mut row = 0;
                while row < m {
                    let n = tile_rows(m - row, MR);
                    // Lines arrive while the kernel works.
                    for i in 0..if out.is_far { n } else { 0 } {
                        prefetch::<$t, true>(out.start.wrapping_add(i * out.stride));
                        prefetch::<$t, true>(out.start.wrapping_add(i * out.stride + NR - 1));
                    }
                    // SAFETY: by this function's contract; the tile's rows are among the strip's.
                    unsafe { by_rows!(n, self::offsets, (lhs, rhs, offsets, out)) };
                    lhs = lhs.wrapping_add(offsets.len() * MR);
                    out.start = out.start.wrapping_add(n * out.stride);
                    row += n;
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
                unsafe {
                    by_rows!(
                        m,
                        single::panels,
                        packs = false,
                        (depth, lhs, strides.0, rhs, strides.1, null_mut(), out)
                    );
                }
            }
            (Floats::F64(lhs), Floats::F64(rhs)) => {
                let (lhs, rhs, out) = (lhs.as_ptr(), rhs.as_ptr(), Place::of(out, m));
                // SAFETY: as above.
                unsafe {
                    by_rows!(
                        m,
                        double::panels,
                        packs = false,
                        (depth, lhs, strides.0, rhs, strides.1, null_mut(), out)
                    );
                }
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
    fn strip_under(self, lhs: &[T], rhs: &[T], offsets: &Segments<'_>, out: Out<'_, T>) {
        let (places, m) = (offsets.offsets(), out.rows());
        assert!(lhs.len() >= m.div_ceil(MR) * places.len() * MR, "packed left factor");
        assert!(
            places.is_empty() || (offsets.len() == 1 && rhs.len() >= offsets.extent() - 1 + <Self as Kernel<T>>::NR),
            "right factor under offsets"
        );
        match (T::floats(lhs), T::floats(rhs)) {
            (Floats::F32(lhs), Floats::F32(rhs)) => {
                let (lhs, rhs) = (lhs.as_ptr(), rhs.as_ptr());
                // SAFETY: the features were detected; lengths and the largest offset were checked; an `Out` has `NR` elements in each
                // of its rows.
                unsafe { single::strip_under(m, lhs, rhs, places, Place::strip(out)) }
            }
            (Floats::F64(lhs), Floats::F64(rhs)) => {
                let (lhs, rhs) = (lhs.as_ptr(), rhs.as_ptr());
                // SAFETY: as above.
                unsafe { double::strip_under(m, lhs, rhs, places, Place::strip(out)) }
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
    fn strip(self, depth: usize, left: Left<'_, T>, right: Panel<'_, T>, packed: Option<&mut [T]>, out: Out<'_, T>) {
        check_panel(depth, right, <Self as Kernel<T>>::NR);
        let (m, stride) = (out.rows(), right.stride);
        let packed = packed.map_or(null_mut(), |packed| {
            assert!(packed.len() >= depth * <Self as Kernel<T>>::NR, "room for the right factor");
            packed.as_mut_ptr()
        });
        match T::floats(right.data) {
            Floats::F32(right) => {
                let (left, right, packed) = (Start::of(left, m, depth), right.as_ptr(), packed.cast());
                // SAFETY: the features were detected; both factors and `packed` were checked; an `Out` has `NR` elements in each of
                // its rows; `T` is `f32`.
                unsafe { single::strip(m, depth, left, right, stride, packed, Place::strip(out)) }
            }
            Floats::F64(right) => {
                let (left, right, packed) = (Start::of(left, m, depth), right.as_ptr(), packed.cast());
                // SAFETY: as above; `T` is `f64`.
                unsafe { double::strip(m, depth, left, right, stride, packed, Place::strip(out)) }
            }
        }
    }

    #[inline]
    fn put_transposed(self, tile: &[T], mut out: Scatter<'_, T>) {
        let m = out.rows();
        match (T::floats(tile), out.places().as_array()) {
            (Floats::F32(tile), Some(places)) if tile.len() >= m * single::NR => {
                // SAFETY: AVX was detected; the tile has `m` rows of sixteen; a `Scatter` has `m` numbers from each of its places on;
                // `T` is `f32`.
                unsafe { put_columns(tile.as_ptr(), m, places, out.as_mut_ptr().cast()) }
            }
            _ => put_transposed(<Self as Kernel<T>>::NR, tile, out),
        }
    }

    #[inline]
    fn transpose(self, lines: &[&[T]], panel: &mut [T]) {
        let depth = lines.first().map_or(0, |line| line.len());
        let fits = (1..=<Self as Kernel<T>>::NR).contains(&lines.len())
            && lines.iter().all(|line| line.len() == depth)
            && panel.len() >= depth * <Self as Kernel<T>>::NR;
        match T::floats_mut(panel) {
            FloatsMut::F32(panel) if fits => {
                for half in 0..2 {
                    // The last line stands in for those that are missing.
                    let line = |i: usize| lines[(half * 8 + i).min(lines.len() - 1)].as_ptr().cast();
                    // SAFETY: AVX was detected; every line has `depth` elements, and the panel sixteen times as many.
                    unsafe { pack_eight_lines(std::array::from_fn(line), depth, panel.as_mut_ptr().add(half * 8)) };
                }
                if lines.len() < single::NR {
                    panel.chunks_exact_mut(single::NR).take(depth).for_each(|row| row[lines.len()..].fill(0.0));
                }
            }
            _ => transpose(<Self as Kernel<T>>::NR, lines, panel),
        }
    }

    #[inline]
    fn transpose_lines(self, operand: &Operand<'_, T>, lines: Range<usize>, k: usize, depth: usize, panel: &mut [T]) {
        let n = lines.len();
        assert!((1..=<Self as Kernel<T>>::NR).contains(&n), "{n} lines of a panel");
        assert!(panel.len() >= depth * <Self as Kernel<T>>::NR, "room for the panel");
        let (start, stride) = operand.line_starts(lines.start, n, k, depth);
        match T::floats_mut(panel) {
            FloatsMut::F32(panel) => {
                let start = start.cast::<f32>();
                for half in 0..2 {
                    // The last line stands in for those that are missing.
                    let line = |i: usize| start.wrapping_offset((half * 8 + i).min(n - 1) as isize * stride);
                    // SAFETY: AVX was detected; every line has `depth` elements, and the panel sixteen times as many; `T` is `f32`.
                    unsafe { pack_eight_lines(std::array::from_fn(line), depth, panel.as_mut_ptr().add(half * 8)) };
                }
                if n < single::NR {
                    panel.chunks_exact_mut(single::NR).take(depth).for_each(|row| row[n..].fill(0.0));
                }
            }
            FloatsMut::F64(_) => {
                let line = |j: usize| operand.line(lines.start + j.min(n - 1), k, depth);
                let runs: [&[T]; double::NR] = std::array::from_fn(line);
                transpose(double::NR, &runs[..n], panel);
            }
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
