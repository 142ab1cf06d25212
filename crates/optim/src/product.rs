//! A matrix product for rules that need one: small, without a packing buffer, the same bits on any number of threads.

use crate::parts::each_part;
use gradwise_core::{Pool, Real, simd};

/// Columns of a tile: as many sums of a row are in registers at once.
const COLUMNS: usize = 16;

/// Rows of a tile: what is read of `B` serves all of them.
const ROWS: usize = 4;

/// `C ← α A B + β D`, matrices in rows: `A` is `[m, k]`, `B` `[k, n]`, `C` and `D` `[m, n]`; `D` is left out if it is empty.
///
/// Threads split the rows of `C`; each number is one sum in one order.
pub(crate) fn product<T: Real>(
    pool: &dyn Pool,
    [k, n]: [usize; 2],
    (alpha, a): (T, &[T]),
    b: &[T],
    (beta, d): (T, &[T]),
    c: &mut [T],
) {
    each_part(pool, c, n, k, |first, c| {
        let rows = c.len() / n.max(1);
        let a = &a[first / n.max(1) * k..][..rows * k];
        let d = if d.is_empty() { d } else { &d[first..][..c.len()] };
        simd::vectorize(
            #[inline(always)]
            || {
                let quads = rows / ROWS * ROWS;
                for row in (0..quads).step_by(ROWS) {
                    stripe::<T, ROWS>(row, [k, n], (alpha, a), b, (beta, d), c);
                }
                for row in quads..rows {
                    stripe::<T, 1>(row, [k, n], (alpha, a), b, (beta, d), c);
                }
            },
        );
    });
}

/// Some rows of the result, tile by tile.
#[inline(always)]
fn stripe<T: Real, const R: usize>(row: usize, [k, n]: [usize; 2], a: (T, &[T]), b: &[T], d: (T, &[T]), c: &mut [T]) {
    let whole = n / COLUMNS * COLUMNS;
    for column in (0..whole).step_by(COLUMNS) {
        tile::<T, R>([row, column, COLUMNS], [k, n], a, b, d, c);
    }
    if whole < n {
        tile::<T, R>([row, whole, n - whole], [k, n], a, b, d, c);
    }
}

#[inline(always)]
fn tile<T: Real, const R: usize>(
    [row, column, width]: [usize; 3],
    [k, n]: [usize; 2],
    (alpha, a): (T, &[T]),
    b: &[T],
    (beta, d): (T, &[T]),
    c: &mut [T],
) {
    let mut sums = [[T::zero(); COLUMNS]; R];
    for p in 0..k {
        let b = &b[p * n + column..][..width];
        for r in 0..R {
            let x = a[(row + r) * k + p];
            for (sum, &b) in sums[r][..width].iter_mut().zip(b) {
                *sum += x * b;
            }
        }
    }
    for r in 0..R {
        let at = (row + r) * n + column;
        for l in 0..width {
            let added = if d.is_empty() { T::zero() } else { beta * d[at + l] };
            c[at + l] = alpha * sums[r][l] + added;
        }
    }
}

/// `B ← Aᵀ` for `A` of `rows` rows and `columns` columns, in squares that stay in cache.
pub(crate) fn transpose<T: Real>(pool: &dyn Pool, [rows, columns]: [usize; 2], a: &[T], b: &mut [T]) {
    const SIDE: usize = 16;
    each_part(pool, b, rows, 1, |first, b| {
        let first = first / rows.max(1);
        let n = b.len() / rows.max(1);
        for column in (0..n).step_by(SIDE) {
            for row in (0..rows).step_by(SIDE) {
                for j in column..(column + SIDE).min(n) {
                    for i in row..(row + SIDE).min(rows) {
                        b[j * rows + i] = a[i * columns + first + j];
                    }
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_core::{Serial, ndarray::Array2};

    #[test]
    fn products_and_transposes_of_every_small_size() {
        for m in 0..7 {
            for k in 0..5 {
                for n in [0, 1, 3, 15, 16, 17, 33] {
                    let numbers = |rows, columns, by: usize| {
                        Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 7 + j * by) % 11) as f64 - 5.0)
                    };
                    let (a, b, d) = (numbers(m, k, 3), numbers(k, n, 5), numbers(m, n, 2));
                    let slices = |x: &Array2<f64>| x.iter().copied().collect::<Vec<_>>();
                    let mut c = vec![f64::NAN; m * n];
                    product(&Serial, [k, n], (0.5, &slices(&a)), &slices(&b), (2.0, &slices(&d)), &mut c);
                    assert_eq!(c, slices(&(a.dot(&b) * 0.5 + &d * 2.0)), "{m} {k} {n}");
                    product(&Serial, [k, n], (1.0, &slices(&a)), &slices(&b), (1.0, &[][..]), &mut c);
                    assert_eq!(c, slices(&a.dot(&b)));
                    let mut turned = vec![f64::NAN; m * n];
                    transpose(&Serial, [m, n], &slices(&d), &mut turned);
                    assert_eq!(turned, d.t().iter().copied().collect::<Vec<_>>());
                }
            }
        }
    }
}
