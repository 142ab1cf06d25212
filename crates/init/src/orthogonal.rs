//! Schemes whose rows or columns are orthogonal.

use crate::fixed::{normal, not_negative};
use crate::{Fan, Init};
use gradwise_core::{ArrayRefD, Error, Key, Real, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A random matrix with orthogonal rows, or columns where there are fewer of them: it changes no length, only directions.
///
/// A weight `[outputs, inputs, kernel…]` is taken as a matrix `[outputs, inputs · kernel]`, and `W Wᵀ = gain² I` for at most as many rows
/// as columns, `Wᵀ W = gain² I` otherwise; all such matrices are equally likely (Haar measure). Use it for very deep and for recurrent
/// nets, whose signals go through many products. Sources: Saxe, McClelland and Ganguli, *Exact solutions to the nonlinear dynamics of
/// learning in deep linear neural networks*, ICLR 2014; Mezzadri, *How to generate random matrices from the classical compact groups*,
/// 2007. The same as PyTorch's `orthogonal_` and Keras's `Orthogonal`.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{InitExt, Orthogonal};
/// use ndarray::{Array2, Ix2};
///
/// let weight = Orthogonal::new(1.0)?.array::<f64>(&[3, 5], Key::new(0))?.into_dimensionality::<Ix2>().unwrap();
/// let error = weight.dot(&weight.t()) - Array2::<f64>::eye(3);
/// assert!(error.iter().all(|e| e.abs() < 1e-12));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orthogonal {
    gain: f64,
}

impl Orthogonal {
    /// Vectors of length `gain`: that of the activation that follows ([`Nonlinearity::gain`](crate::Nonlinearity::gain)).
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(gain: f64) -> Result<Self> {
        Ok(Orthogonal { gain: not_negative("orthogonal: gain", gain)? })
    }
}

impl<T: Real> Init<T> for Orthogonal {
    /// # Errors
    /// If the array has fewer than two axes.
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, key: Key) -> Result<()> {
        let (rows, columns) = match array.shape() {
            [rows, rest @ ..] if !rest.is_empty() => (*rows, rest.iter().product()),
            shape => return Err(Error::shape("orthogonal", "two axes or more", shape)),
        };
        let vectors = orthonormal(rows.min(columns), rows.max(columns), key);
        let at = |r: usize, c: usize| if rows <= columns { vectors[r][c] } else { vectors[c][r] };
        for (r, mut row) in array.outer_iter_mut().enumerate() {
            row.iter_mut().enumerate().for_each(|(c, x)| *x = T::of(self.gain * at(r, c)));
        }
        Ok(())
    }
}

/// A convolution that is [`Orthogonal`] at the middle of its kernel and zero elsewhere: it hands on each pixel's length exactly.
///
/// Use it to train plain convolutional nets of hundreds or thousands of layers. Weights are `[outputs, inputs, kernel…]` with at least as
/// many outputs as inputs (whose columns are orthonormal) and kernels of odd size, which have a middle. Source: Xiao et al.,
/// *Dynamical isometry and a mean field theory of CNNs: how to train 10,000-layer vanilla convolutional neural networks*, ICML 2018,
/// algorithm 1. The same as TensorFlow's `ConvolutionDeltaOrthogonal`, which takes the middle of an even kernel, too.
///
/// ```
/// use gradwise_core::Key;
/// use gradwise_init::{DeltaOrthogonal, InitExt};
///
/// let weight = DeltaOrthogonal::new(1.0)?.array::<f32>(&[4, 2, 3, 3], Key::new(0))?;
/// assert!(weight[[0, 0, 1, 1]] != 0.0 && weight[[0, 0, 0, 1]] == 0.0);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeltaOrthogonal {
    gain: f64,
}

impl DeltaOrthogonal {
    /// Vectors of length `gain`: that of the activation that follows ([`Nonlinearity::gain`](crate::Nonlinearity::gain)).
    ///
    /// # Errors
    /// If it is negative or not finite.
    pub fn new(gain: f64) -> Result<Self> {
        Ok(DeltaOrthogonal { gain: not_negative("delta-orthogonal: gain", gain)? })
    }
}

impl<T: Real> Init<T> for DeltaOrthogonal {
    /// # Errors
    /// If the array has fewer than three axes, more inputs than outputs, or a kernel of even size.
    fn fill(&self, array: &mut ArrayRefD<T>, _: Fan, key: Key) -> Result<()> {
        const OP: &str = "delta-orthogonal";
        let (outputs, inputs, middle) = match array.shape() {
            [outputs, inputs, kernel @ ..] if !kernel.is_empty() && kernel.iter().all(|k| k % 2 == 1) => {
                (*outputs, *inputs, kernel.iter().product::<usize>() / 2)
            }
            shape => return Err(Error::shape(OP, "[outputs, inputs, kernel…] with a kernel of odd size", shape)),
        };
        if outputs < inputs {
            return Err(Error::shape(OP, "at least as many outputs as inputs", array.shape()));
        }
        let vectors = orthonormal(inputs, outputs, key);
        array.fill(T::zero());
        for (o, mut maps) in array.outer_iter_mut().enumerate() {
            for (i, mut map) in maps.outer_iter_mut().enumerate() {
                if let Some(x) = map.iter_mut().nth(middle) {
                    *x = T::of(self.gain * vectors[i][o]);
                }
            }
        }
        Ok(())
    }
}

/// `n` orthonormal vectors of `m ≥ n` numbers, uniformly distributed.
///
/// Normal vectors are made orthogonal one after another (Gram and Schmidt). Each keeps the direction of what is left of it, which is what
/// makes the distribution uniform; a decomposition by reflections would need its signs corrected. What rounding leaves of the earlier
/// vectors is taken out a second time ("twice is enough": Giraud, Langou and Rozložník 2005).
fn orthonormal(n: usize, m: usize, key: Key) -> Vec<Vec<f64>> {
    let mut generator = ChaCha8Rng::seed_from_u64(key.seed());
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(n);
    while vectors.len() < n {
        let mut vector: Vec<f64> = (0..m).map(|_| normal(&mut generator)).collect();
        let before = dot(&vector, &vector).sqrt();
        for _ in 0..2 {
            for earlier in &vectors {
                let share = dot(earlier, &vector);
                vector.iter_mut().zip(earlier).for_each(|(x, e)| *x -= share * e);
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        // Of a vector that lies, but for rounding, among the earlier ones only noise is left. It is drawn again.
        if norm > 1e-8 * before {
            vector.iter_mut().for_each(|x| *x /= norm);
            vectors.push(vector);
        }
    }
    vectors
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
