//! A penalty on units that look for the same thing.

use crate::{Penalty, check};
use gradwise_core::ndarray::linalg::general_mat_mul;
use gradwise_core::ndarray::{ArrayView2, ArrayViewMut2, ShapeError};
use gradwise_core::{ArrayRefD, Error, Real, Result, flip};
use std::sync::Mutex;

/// Soft orthogonality, `λ ‖W Wᵀ − I‖²`: the rows of a weight are drawn towards unit length and right angles.
///
/// Such a layer keeps the length of signals and gradients, which helps very deep nets, and its units are not copies of each other. A
/// weight `[outputs, inputs, kernel…]` is taken as a matrix `[outputs, inputs · kernel]`; where it has more rows than columns, whose rows
/// cannot all be orthogonal, the columns are (`Wᵀ W`). The gradient is `4 λ (W Wᵀ − I) W`. Sources: Bansal, Chen and Wang, *Can we gain
/// more from orthogonality regularizations in training deep CNNs?*, NeurIPS 2018 (λ from 10⁻² down to 10⁻⁶ there, falling during
/// training).
///
/// [`Orthogonality::off_diagonal`] leaves the lengths free: `λ ‖W Wᵀ ⊙ (1 − I)‖²`, of Brock, Donahue and Simonyan, *Large scale GAN
/// training*, ICLR 2019, eq. 3 (λ = 10⁻⁴). Keras's `OrthogonalRegularizer(factor)` is another one: the mean *absolute* product of rows
/// that were brought to unit length first.
///
/// The value of an array with fewer than two axes is NaN, its gradient an error. A pass takes `n² m` multiplications for `n` vectors of
/// `m` numbers, and keeps `n² + 2 n m` numbers from one pass to the next.
///
/// ```
/// use gradwise_regularize::{Orthogonality, Penalty, ndarray::arr2};
///
/// let penalty = Orthogonality::new(0.5)?;
/// let rotation = arr2(&[[0.6_f64, -0.8], [0.8, 0.6]]).into_dyn();
/// assert!(penalty.value(&rotation) < 1e-12);
/// // Rows of length √2 at right angles: lengths alone are wrong.
/// let weights = arr2(&[[1.0_f64, 1.0], [1.0, -1.0]]).into_dyn();
/// assert_eq!(penalty.value(&weights), 0.5 * 2.0);
/// assert_eq!(penalty.off_diagonal().value(&weights), 0.0);
/// # Ok::<(), gradwise_regularize::Error>(())
/// ```
#[derive(Debug)]
pub struct Orthogonality {
    strength: f64,
    diagonal: bool,
    scratch: Mutex<Scratch>,
}

/// Memory for the pass over one array, used again for the next.
#[derive(Debug, Default)]
struct Scratch {
    weights: Vec<f64>,
    gram: Vec<f64>,
    product: Vec<f64>,
}

/// The vectors that are to be orthogonal: `n` of `m` numbers, rows of the matrix or, if `turned`, its columns.
#[derive(Clone, Copy)]
struct Vectors {
    n: usize,
    m: usize,
    turned: bool,
}

impl Orthogonality {
    /// With strength λ.
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(strength: f64) -> Result<Self> {
        let strength = check::not_negative("orthogonality: strength", strength)?;
        Ok(Orthogonality { strength, diagonal: true, scratch: Mutex::default() })
    }

    /// On the angles alone, whatever the lengths are.
    #[must_use]
    pub fn off_diagonal(self) -> Self {
        Orthogonality { diagonal: false, ..self }
    }

    fn vectors<T: Real>(weights: &ArrayRefD<T>) -> Result<Vectors> {
        let [rows, rest @ ..] = weights.shape() else {
            return Err(Error::shape("orthogonality", "two axes or more", weights.shape()));
        };
        if rest.is_empty() {
            return Err(Error::shape("orthogonality", "two axes or more", weights.shape()));
        }
        let columns = rest.iter().product();
        Ok(Vectors { n: *rows.min(&columns), m: *rows.max(&columns), turned: *rows > columns })
    }

    /// Runs `f` on scratch memory that holds the vectors and `G − I` (or `G ⊙ (1 − I)`), where G is their Gram matrix.
    fn with_gram<T: Real, R>(
        &self,
        weights: &ArrayRefD<T>,
        f: impl FnOnce(&mut Scratch, Vectors) -> Result<R>,
    ) -> Result<R> {
        let vectors @ Vectors { n, m, turned } = Self::vectors(weights)?;
        // The memory is kept for the next pass. Whoever finds it in use, on another thread, takes memory of their own.
        let mut kept = self.scratch.try_lock();
        let mut own = Scratch::default();
        let scratch = kept.as_deref_mut().unwrap_or(&mut own);
        scratch.weights.resize(n * m, 0.0);
        for (r, row) in weights.outer_iter().enumerate() {
            for (c, w) in row.iter().enumerate() {
                scratch.weights[if turned { c * m + r } else { r * m + c }] = w.as_f64();
            }
        }
        scratch.gram.resize(n * n, 0.0);
        let view = matrix(&scratch.weights, n, m)?;
        general_mat_mul(1.0, &view, &view.t(), 0.0, &mut matrix_mut(&mut scratch.gram, n, n)?);
        for i in 0..n {
            let at = &mut scratch.gram[i * n + i];
            *at = if self.diagonal { *at - flip!("orthogonality/identity", 1.0) } else { 0.0 };
        }
        f(scratch, vectors)
    }
}

fn matrix(values: &[f64], n: usize, m: usize) -> Result<ArrayView2<'_, f64>> {
    ArrayView2::from_shape((n, m), values).map_err(other)
}

fn matrix_mut(values: &mut [f64], n: usize, m: usize) -> Result<ArrayViewMut2<'_, f64>> {
    ArrayViewMut2::from_shape((n, m), values).map_err(other)
}

fn other(error: ShapeError) -> Error {
    Error::Other(format!("orthogonality: {error}"))
}

impl<T: Real> Penalty<T> for Orthogonality {
    fn value(&self, weights: &ArrayRefD<T>) -> f64 {
        let sum = self.with_gram(weights, |scratch, _| Ok(scratch.gram.iter().map(|g| g * g).sum::<f64>()));
        sum.map_or(f64::NAN, |sum| self.strength * sum)
    }

    fn add_gradient(&self, weights: &ArrayRefD<T>, grad: &mut ArrayRefD<T>) -> Result<()> {
        if weights.shape() != grad.shape() {
            let expected = format!("a gradient of the weights' shape {:?}", weights.shape());
            return Err(Error::shape("orthogonality", expected, grad.shape()));
        }
        self.with_gram(weights, |Scratch { weights, gram, product }, Vectors { n, m, turned }| {
            product.resize(n * m, 0.0);
            let (gram, weights) = (matrix(gram, n, n)?, matrix(weights, n, m)?);
            general_mat_mul(
                flip!("orthogonality/gram", 4.0 * self.strength),
                &gram,
                &weights,
                0.0,
                &mut matrix_mut(product, n, m)?,
            );
            for (r, mut row) in grad.outer_iter_mut().enumerate() {
                for (c, g) in row.iter_mut().enumerate() {
                    *g += T::of(product[if turned { c * m + r } else { r * m + c }]);
                }
            }
            Ok(())
        })
    }
}

impl Clone for Orthogonality {
    fn clone(&self) -> Self {
        Orthogonality { strength: self.strength, diagonal: self.diagonal, scratch: Mutex::default() }
    }
}

impl PartialEq for Orthogonality {
    fn eq(&self, other: &Self) -> bool {
        (self.strength, self.diagonal) == (other.strength, other.diagonal)
    }
}
