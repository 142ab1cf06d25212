//! Sums by lanes: as fast as the memory, and as exact as `f64` where it matters.

use gradwise_core::Real;

/// Independent partial sums: so many that additions need not wait for each other, and so few that they stay in registers. (Of 16, a row
/// of 512 numbers takes three to four times as long, of 64 half as long again.)
pub(super) const LANES: usize = 32;

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
        add_run(&mut lanes, x, y, z, &f);
        for k in 0..K {
            total[k] += fold(&lanes[k]);
        }
    }
    total
}

/// Adds `f(x, y, z)` of the elements of three runs of one length to partial sums, each element to the next one in turn.
#[inline(always)]
pub(super) fn add_run<T: Real, const K: usize>(
    sums: &mut [[T; LANES]; K],
    x: &[T],
    y: &[T],
    z: &[T],
    f: impl Fn(T, T, T) -> [T; K],
) {
    let ((x, x_rest), (y, y_rest), (z, z_rest)) = (x.as_chunks(), y.as_chunks(), z.as_chunks());
    // A copy of their own is what the compiler keeps in registers.
    let mut lanes = *sums;
    for ((x, y), z) in x.iter().zip(y).zip(z) {
        let (x, y, z): (&[T; LANES], &[T; LANES], &[T; LANES]) = (x, y, z);
        for j in 0..LANES {
            let terms = f(x[j], y[j], z[j]);
            for k in 0..K {
                lanes[k][j] += terms[k];
            }
        }
    }
    *sums = lanes;
    for (j, ((&x, &y), &z)) in x_rest.iter().zip(y_rest).zip(z_rest).enumerate().take(LANES) {
        let terms = f(x, y, z);
        for k in 0..K {
            sums[k][j] += terms[k];
        }
    }
}

/// The sum of partial sums.
#[inline(always)]
pub(crate) fn fold<T: Real>(partial: &[T]) -> f64 {
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
    let [sum] = sums(
        x,
        x,
        x,
        #[inline(always)]
        |x, _, _| [x],
    );
    let pivot = T::of(sum / n);
    let [rest, squares] = sums(
        x,
        x,
        x,
        #[inline(always)]
        |x, _, _| [x - pivot, (x - pivot) * (x - pivot)],
    );
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
