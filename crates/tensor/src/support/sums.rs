//! Sums by lanes: as fast as the memory, and as exact as `f64` where it matters.

use gradwise_core::Real;

/// Independent partial sums, kept in memory: the compiler turns the loop over them into vector instructions whatever the terms are,
/// which it does not for sums kept in registers.
const LANES: usize = 64;

/// Terms of each partial sum before it goes into an `f64`: the rounding error stays within a few units of the last place, whatever the
/// length.
pub(super) const TERMS: usize = 32;

/// `K` sums over `f(x, y, z)` of three slices of one length, in an order that depends on the length alone.
///
/// Pass the same slice again where fewer are needed: the compiler loads it once.
#[inline(always)]
pub(crate) fn sums<T: Real, const K: usize>(x: &[T], y: &[T], z: &[T], f: impl Fn(T, T, T) -> [T; K]) -> [f64; K] {
    const CHUNK: usize = LANES * TERMS;
    let mut total = [0.0; K];
    for ((x, y), z) in x.chunks(CHUNK).zip(y.chunks(CHUNK)).zip(z.chunks(CHUNK)) {
        let mut lanes = [[T::zero(); LANES]; K];
        for ((x, y), z) in x.chunks(LANES).zip(y.chunks(LANES)).zip(z.chunks(LANES)) {
            accumulate(&mut lanes, x, y, z, |_, x, y, z| f(x, y, z));
        }
        for k in 0..K {
            total[k] += fold(&lanes[k][..x.len().min(LANES)]);
        }
    }
    total
}

/// Adds `f(j, x, y, z)` of the `j`-th elements to the `j`-th partial sums.
#[inline(always)]
pub(super) fn accumulate<T: Real, const N: usize, const K: usize>(
    sums: &mut [[T; N]; K],
    x: &[T],
    y: &[T],
    z: &[T],
    f: impl Fn(usize, T, T, T) -> [T; K],
) {
    // The compiler sees from this that no index is out of range.
    let len = x.len().min(N);
    let (x, y, z) = (&x[..len], &y[..len], &z[..len]);
    for j in 0..len {
        let terms = f(j, x[j], y[j], z[j]);
        for k in 0..K {
            sums[k][j] += terms[k];
        }
    }
}

/// The sum of partial sums.
#[inline(always)]
pub(super) fn fold<T: Real>(partial: &[T]) -> f64 {
    let mut total = [0.0; 4];
    let (quads, rest) = partial.as_chunks::<4>();
    for quad in quads {
        for i in 0..4 {
            total[i] += quad[i].as_f64();
        }
    }
    for (total, x) in total.iter_mut().zip(rest) {
        *total += x.as_f64();
    }
    (total[0] + total[1]) + (total[2] + total[3])
}

/// Mean and biased variance of a slice that fits into the cache: one pass for the mean, one for the deviations from it, corrected by
/// what the mean's rounding leaves (Chan, Golub and LeVeque, *Algorithms for computing the sample variance*, 1983).
#[inline(always)]
pub(crate) fn moments<T: Real>(x: &[T]) -> (f64, f64) {
    let n = x.len() as f64;
    let [sum] = sums(x, x, x, |x, _, _| [x]);
    let pivot = T::of(sum / n);
    let [rest, squares] = sums(x, x, x, |x, _, _| [x - pivot, (x - pivot) * (x - pivot)]);
    // Not `max`, which would turn the NaN of bad input into 0.
    let variance = squares / n - (rest / n).powi(2);
    (pivot.as_f64() + rest / n, if variance < 0.0 { 0.0 } else { variance })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_summed_once() {
        for n in [0, 1, 2, 63, 64, 65, 2047, 2048, 2049, 5000] {
            let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let [sum, count] = sums(&x, &x, &x, |x, _, _| [x, 1.0]);
            assert_eq!(sum, (0..n).sum::<usize>() as f64);
            assert_eq!(count, n as f64);
        }
    }

    #[test]
    fn a_large_mean_does_not_cancel() {
        // The values are exact in f32: the mean is 10⁶ and the variance 1.
        let x: Vec<f32> = (0..1000).map(|i| if i % 2 == 0 { 999_999.0 } else { 1_000_001.0 }).collect();
        assert_eq!(moments(&x), (1e6, 1.0));
    }
}
