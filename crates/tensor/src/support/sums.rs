//! Sums by lanes: as fast as the memory, and as exact as `f64` where it matters.

use gradwise_core::Real;

/// Independent partial sums, so that the additions of one do not wait for each other: four AVX2 registers of `f32` for two sums.
const LANES: usize = 16;

/// Elements that are summed in the type itself before the partial sums go into an `f64`: with 16 lanes, each partial sum has at most
/// 32 terms, so the rounding error stays within a few units of the last place whatever the length.
const CHUNK: usize = 512;

/// `K` sums over `f(x, y, z)` of three slices of one length, in an order that depends on the length alone.
///
/// Pass the same slice again where fewer are needed: the compiler loads it once.
#[inline(always)]
pub(crate) fn sums<T: Real, const K: usize>(x: &[T], y: &[T], z: &[T], f: impl Fn(T, T, T) -> [T; K]) -> [f64; K] {
    let mut total = [0.0; K];
    for ((x, y), z) in x.chunks(CHUNK).zip(y.chunks(CHUNK)).zip(z.chunks(CHUNK)) {
        let mut lanes = [[T::zero(); LANES]; K];
        let ((xs, x_rest), (ys, y_rest), (zs, z_rest)) = (x.as_chunks(), y.as_chunks(), z.as_chunks());
        for ((x, y), z) in xs.iter().zip(ys).zip(zs) {
            let (x, y, z): (&[T; LANES], &[T; LANES], &[T; LANES]) = (x, y, z);
            for i in 0..LANES {
                let terms = f(x[i], y[i], z[i]);
                for k in 0..K {
                    lanes[k][i] += terms[k];
                }
            }
        }
        for (i, ((&x, &y), &z)) in x_rest.iter().zip(y_rest).zip(z_rest).enumerate() {
            let terms = f(x, y, z);
            for k in 0..K {
                lanes[k][i] += terms[k];
            }
        }
        for k in 0..K {
            total[k] += lanes[k].iter().map(|&v| v.as_f64()).sum::<f64>();
        }
    }
    total
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
        for n in [0, 1, 15, 16, 17, 511, 512, 513, 2000] {
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
