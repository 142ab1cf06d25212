//! Arithmetic on eight numbers at once, for the parts of kernels that are not products.

use super::strips::{Strip, TAPS, correlate, slide};
use gradwise_core::Real;

/// How many numbers.
pub(crate) const LANES: usize = 8;

/// Eight numbers.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Lanes<T>(pub(crate) [T; LANES]);

impl<T: Real> Lanes<T> {
    #[inline(always)]
    pub(crate) fn zero() -> Self {
        Lanes([T::zero(); LANES])
    }

    /// The first eight of a slice.
    #[inline(always)]
    pub(crate) fn load(slice: &[T]) -> Self {
        let mut lanes = Self::zero();
        lanes.0.copy_from_slice(&slice[..LANES]);
        lanes
    }

    #[inline(always)]
    pub(crate) fn store(self, slice: &mut [T]) {
        slice[..LANES].copy_from_slice(&self.0);
    }
}

/// What is done with eight numbers. What is provided is plain Rust; a level overrides it with its instructions.
pub(crate) trait Eight<T: Real>: Copy {
    #[inline(always)]
    fn add(self, mut a: Lanes<T>, b: Lanes<T>) -> Lanes<T> {
        for i in 0..LANES {
            a.0[i] += b.0[i];
        }
        a
    }

    #[inline(always)]
    fn sub(self, mut a: Lanes<T>, b: Lanes<T>) -> Lanes<T> {
        for i in 0..LANES {
            a.0[i] -= b.0[i];
        }
        a
    }

    #[inline(always)]
    fn scale(self, mut a: Lanes<T>, factor: f64) -> Lanes<T> {
        for i in 0..LANES {
            a.0[i] *= T::of(factor);
        }
        a
    }

    /// `a · b + c`, in one rounding where there is an instruction for it.
    #[inline(always)]
    fn mul_add(self, a: Lanes<T>, b: Lanes<T>, mut c: Lanes<T>) -> Lanes<T> {
        for i in 0..LANES {
            c.0[i] += a.0[i] * b.0[i];
        }
        c
    }

    /// `a · factor + b`, in one rounding where there is an instruction for it.
    #[inline(always)]
    fn scale_add(self, a: Lanes<T>, factor: f64, mut b: Lanes<T>) -> Lanes<T> {
        for i in 0..LANES {
            b.0[i] += a.0[i] * T::of(factor);
        }
        b
    }

    /// Every second element of fifteen.
    #[inline(always)]
    fn every_second(self, data: &[T]) -> Lanes<T> {
        let mut lanes = Lanes::zero();
        let data = &data[..2 * LANES - 1];
        for i in 0..LANES {
            lanes.0[i] = data[2 * i];
        }
        lanes
    }

    /// Raises maxima, and sets their places, where one of `values` is above its maximum so far: NaN is above all but a NaN before it.
    #[inline(always)]
    fn raise(self, values: Lanes<T>, place: u32, best: &mut Lanes<T>, places: &mut [u32; LANES]) {
        for i in 0..LANES {
            let (x, before) = (values.0[i], best.0[i]);
            if x > before || (x.is_nan() && !before.is_nan()) {
                (best.0[i], places[i]) = (x, place);
            }
        }
    }

    /// The elements of two groups in turn: those of the first at even places.
    #[inline(always)]
    fn laced(self, even: Lanes<T>, odd: Lanes<T>) -> [Lanes<T>; 2] {
        let mut both = [Lanes::zero(); 2];
        for i in 0..LANES {
            both[i / (LANES / 2)].0[2 * i % LANES] = even.0[i];
            both[i / (LANES / 2)].0[2 * i % LANES + 1] = odd.0[i];
        }
        both
    }

    /// Eight pieces, six wide, taken apart by columns: element `j` of piece `i` is `data[starts[i] + j]`. Eight elements from each start
    /// on must exist.
    #[inline(always)]
    fn pieces(self, data: &[T], starts: &[u32; LANES]) -> [Lanes<T>; 6] {
        let mut columns = [Lanes::zero(); 6];
        for i in 0..LANES {
            let piece = &data[starts[i] as usize..][..LANES];
            for j in 0..6 {
                columns[j].0[i] = piece[j];
            }
        }
        columns
    }

    /// Puts eight pieces, four wide, given by columns, to where they begin.
    #[inline(always)]
    fn put_pieces(self, columns: [Lanes<T>; 4], data: &mut [T], starts: &[u32; LANES]) {
        for i in 0..LANES {
            let piece = &mut data[starts[i] as usize..][..4];
            for j in 0..4 {
                piece[j] = columns[j].0[i];
            }
        }
    }

    /// `out[y · pitch + x] ← bias + Σ weights[i, j] data[y + i, x + j]`, for each row of a strip.
    #[inline(always)]
    fn slide(self, strip: Strip<'_, T>, weights: &[T; TAPS], bias: T, out: &mut [T], pitch: usize) {
        slide(
            self,
            strip,
            weights,
            bias,
            #[inline(always)]
            |y, sum| sum.store(&mut out[y * pitch..]),
        );
    }

    /// `sums[i, j] ← sums[i, j] + Σ factor[y · pitch + x] data[y + i, x + j]`, over the rows of a strip.
    #[inline(always)]
    fn correlate(self, strip: Strip<'_, T>, factor: &[T], pitch: usize, sums: &mut [Lanes<T>; TAPS]) {
        correlate(
            self,
            strip,
            #[inline(always)]
            |y| Lanes::load(&factor[y * pitch..]),
            sums,
        );
    }
}
