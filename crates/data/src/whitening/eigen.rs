//! Eigenvalues and eigenvectors of a symmetric matrix.
//!
//! The matrix is first made tridiagonal by Householder reflections, then diagonal by implicit QL steps with Wilkinson's shift, as in Golub
//! and Van Loan, *Matrix computations*, sections 8.3 and 8.5: about `9 d³` operations. It is written here because the linear algebra
//! packages that have it are larger than all of this crate. Vectors are kept as rows, so that a rotation of two works on contiguous
//! memory.

use crate::{DataError, Result};

/// Eigenvalues in falling order, and for each its eigenvector of length 1, one after another.
///
/// `matrix` is symmetric, `d` rows of `d` numbers; only finite numbers converge.
pub(super) fn symmetric(mut matrix: Vec<f64>, d: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut vectors = vec![0.0; d * d];
    (0..d).for_each(|i| vectors[i * d + i] = 1.0);
    let (mut diagonal, mut beside) = tridiagonal(&mut matrix, d, &mut vectors);
    implicit_ql(&mut diagonal, &mut beside, d, &mut vectors)?;
    let mut order: Vec<usize> = (0..d).collect();
    order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]));
    let sorted = order.iter().flat_map(|&i| {
        let vector = &vectors[i * d..(i + 1) * d];
        // A vector and its opposite are as good as each other; the one whose largest part is positive is taken.
        let largest =
            vector.iter().copied().fold(0.0, |most: f64, x| if x.abs() > most.abs() + 1e-12 { x } else { most });
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        vector.iter().map(move |x| sign * x)
    });
    let sorted = sorted.collect();
    Ok((order.iter().map(|&i| diagonal[i]).collect(), sorted))
}

/// Makes a matrix `A` tridiagonal, `A = Qᵀ T Q`, and writes `Q` over `vectors`, which holds the identity. Returns the diagonal of `T` and,
/// for each index, the element left of it (0 for the first).
fn tridiagonal(a: &mut [f64], d: usize, vectors: &mut [f64]) -> (Vec<f64>, Vec<f64>) {
    let mut reflections: Vec<(usize, Vec<f64>)> = Vec::new();
    for k in 0..d.saturating_sub(2) {
        // Reflects the part of column k below the one beside the diagonal onto that one: H = I - v vᵀ with |v|² = 2.
        let column: Vec<f64> = (k + 1..d).map(|i| a[i * d + k]).collect();
        let below: f64 = column[1..].iter().map(|x| x * x).sum();
        if below == 0.0 {
            continue;
        }
        let norm = (column[0] * column[0] + below).sqrt();
        let alpha = if column[0] > 0.0 { -norm } else { norm };
        let mut v = column;
        v[0] -= alpha;
        let length = (v[0] * v[0] + below).sqrt();
        v.iter_mut().for_each(|x| *x *= std::f64::consts::SQRT_2 / length);
        // A ← H A H = A - v wᵀ - w vᵀ, where p = A v and w = p - (pᵀ v / 2) v, on the part beyond k.
        let first = k + 1;
        let row = |a: &[f64], i: usize| -> f64 { dot(&a[i * d + first..(i + 1) * d], &v) };
        let mut w: Vec<f64> = (first..d).map(|i| row(a, i)).collect();
        let half = 0.5 * dot(&w, &v);
        w.iter_mut().zip(&v).for_each(|(w, v)| *w -= half * v);
        for i in first..d {
            let (vi, wi) = (v[i - first], w[i - first]);
            let row = &mut a[i * d + first..(i + 1) * d];
            row.iter_mut().zip(w.iter().zip(&v)).for_each(|(x, (w, v))| *x -= vi * w + wi * v);
        }
        for i in first..d {
            let x = if i == first { alpha } else { 0.0 };
            (a[i * d + k], a[k * d + i]) = (x, x);
        }
        reflections.push((first, v));
    }
    // Q = H_last … H₁, built from the last on, when most of it is still the identity: Q ← Q H touches the columns from `first` on.
    for (first, v) in reflections.iter().rev() {
        for i in *first..d {
            let row = &mut vectors[i * d + first..(i + 1) * d];
            let share = dot(row, v);
            row.iter_mut().zip(v).for_each(|(x, v)| *x -= share * v);
        }
    }
    let diagonal = (0..d).map(|i| a[i * d + i]).collect();
    let beside = (0..d).map(|i| if i == 0 { 0.0 } else { a[i * d + i - 1] }).collect();
    (diagonal, beside)
}

/// Makes a tridiagonal matrix diagonal, and turns the rows of `vectors` along.
fn implicit_ql(diagonal: &mut [f64], beside: &mut [f64], d: usize, vectors: &mut [f64]) -> Result<()> {
    // Element i of `e` couples i and i + 1.
    let e = &mut beside[..];
    e.rotate_left(usize::from(d > 0));
    for l in 0..d {
        for round in 0.. {
            // The block from l to m is what is still coupled.
            let coupled = |&m: &usize| {
                let scale = diagonal[m].abs() + diagonal[m + 1].abs();
                e[m].abs() > f64::EPSILON * scale
            };
            let m = (l..d - 1).find(|m| !coupled(m)).unwrap_or(d - 1);
            if m == l {
                break;
            }
            if round == 60 {
                let got = format!("none for value {l} of {d} after {round} steps");
                return Err(DataError::value("eigenvalues", "convergence", got));
            }
            // Wilkinson's shift: the eigenvalue of the leading 2 x 2 block that is nearer to its first element.
            let p = (diagonal[l + 1] - diagonal[l]) / (2.0 * e[l]);
            let r = p.hypot(1.0);
            let mut g = diagonal[m] - diagonal[l] + e[l] / (p + if p >= 0.0 { r } else { -r });
            let (mut s, mut c, mut shift) = (1.0, 1.0, 0.0);
            let mut split = false;
            for i in (l..m).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                let r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    // The bulge has vanished: the block falls apart here.
                    diagonal[i + 1] -= shift;
                    e[m] = 0.0;
                    split = true;
                    break;
                }
                (s, c) = (f / r, g / r);
                g = diagonal[i + 1] - shift;
                let t = (diagonal[i] - g) * s + 2.0 * c * b;
                shift = s * t;
                diagonal[i + 1] = g + shift;
                g = c * t - b;
                let (head, tail) = vectors.split_at_mut((i + 1) * d);
                for (x, y) in head[i * d..].iter_mut().zip(&mut tail[..d]) {
                    (*y, *x) = (s * *x + c * *y, c * *x - s * *y);
                }
            }
            if !split {
                diagonal[l] -= shift;
                e[l] = g;
                e[m] = 0.0;
            }
        }
    }
    Ok(())
}

/// Over eight partial sums, which do not wait for each other.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `A v = λ v` for each pair, in falling order, with orthonormal vectors.
    fn check(matrix: &[f64], d: usize) {
        let (values, vectors) = symmetric(matrix.to_vec(), d).unwrap();
        let scale = matrix.iter().fold(1e-300, |most: f64, x| most.max(x.abs())) * d as f64;
        assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
        for (i, (value, vector)) in values.iter().zip(vectors.chunks_exact(d.max(1))).enumerate() {
            for (j, row) in matrix.chunks_exact(d.max(1)).enumerate() {
                let product: f64 = row.iter().zip(vector).map(|(a, v)| a * v).sum();
                assert!((product - value * vector[j]).abs() <= 1e-13 * scale, "{matrix:?}: {i}: {product} {value}");
            }
            for (j, other) in vectors.chunks_exact(d.max(1)).enumerate() {
                let product: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
                assert!((product - f64::from(i == j)).abs() < 1e-12, "{i} {j}: {product}");
            }
        }
    }

    #[test]
    fn matrices_with_equal_or_no_values_are_taken_apart() {
        check(&[], 0);
        check(&[3.0], 1);
        check(&[0.0; 9], 3);
        check(&[1.0, 0.0, 0.0, 1.0], 2);
        check(&[1.0; 25], 5);
        check(&[2.0, 0.0, 0.0, 0.0, 2.0, 1e-300, 0.0, 1e-300, 2.0], 3);
        let graded: Vec<f64> = (0..36).map(|at| 10_f64.powi(-(at / 6 + at % 6))).collect();
        check(&graded, 6);
        // The trace is the sum of all.
        let (values, _) = symmetric(vec![2.0, -1.0, 1.0, -1.0, 3.0, 0.0, 1.0, 0.0, 2.0], 3).unwrap();
        let trace: f64 = values.iter().sum();
        assert!((trace - 7.0).abs() < 1e-12);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn random_matrices_are_taken_apart(d in 1_usize..12, numbers in prop::collection::vec(-1.0_f64..1.0, 144), rank in 0_usize..12) {
            let mut matrix = vec![0.0; d * d];
            for (i, row) in numbers.chunks_exact(d).take(d).enumerate() {
                for j in 0..d {
                    // Sums of products: positive and of low rank; or anything symmetric.
                    matrix[i * d + j] = if rank == 0 { row[j] + numbers[j * d + i] } else {
                        (0..rank).map(|k| numbers[(i * 7 + k * 11) % 144] * numbers[(j * 7 + k * 11) % 144]).sum()
                    };
                }
            }
            check(&matrix, d);
        }
    }
}
