//! Waves of features, for a net to see fine detail of coordinates.

use super::table;
use crate::shuffle::Purpose;
use crate::{DataError, Result, draw};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{Array2, ArrayD};

/// Random waves of features: `(cos 2π b·x, sin 2π b·x)` for `n` random directions and frequencies `b ~ N(0, σ² I)`.
///
/// A net whose inputs are coordinates learns the coarse alone; given waves, it learns detail as fine as σ is large (with coordinates in
/// `[0, 1]`, 1 for the coarse and 10 for a photograph). Source: Tancik et al., *Fourier features let networks learn high frequency
/// functions in low dimensional domains*, NeurIPS 2020. Up to a factor, products of these features approximate a Gaussian kernel: Rahimi
/// and Recht, *Random features for large-scale kernel machines*, NIPS 2007 (with `σ = √(2γ) / 2π` for `exp(−γ‖x − y‖²)`).
///
/// ```
/// use gradwise_data::FourierFeatures;
/// use ndarray::array;
///
/// let features = FourierFeatures::new(2, 64, 10.0, 42)?;
/// let x = features.transform(&array![[0.25_f64, 0.5], [0.25, 0.5001]].into_dyn())?;
/// assert_eq!(x.shape(), [2, 128]);
/// assert!((x[[0, 0]].powi(2) + x[[0, 64]].powi(2) - 1.0).abs() < 1e-12);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FourierFeatures {
    /// `[inputs, n]`, times 2π.
    frequencies: Array2<f64>,
}

impl FourierFeatures {
    /// `n` waves of `n_inputs` features, which make `2 n` features: all cosines, then all sines. The seed tells the waves: the same one
    /// gives the same.
    ///
    /// # Errors
    /// If there are no waves, or σ is not positive and finite.
    pub fn new(n_inputs: usize, n: usize, sigma: f64, seed: u64) -> Result<Self> {
        if n == 0 {
            return Err(DataError::value("Fourier features: waves", "at least 1", n));
        }
        if !(sigma > 0.0 && sigma.is_finite()) {
            return Err(DataError::value("Fourier features: sigma", "a positive number", sigma));
        }
        let mut random = draw::Random::new(Purpose::Features, seed, 0);
        let scale = 2.0 * std::f64::consts::PI * sigma;
        Ok(FourierFeatures { frequencies: Array2::from_shape_simple_fn((n_inputs, n), || scale * random.normal()) })
    }

    /// The waves of samples `[N, features]`, as `[N, 2 n]`.
    ///
    /// # Errors
    /// If there is another number of features.
    pub fn transform<T: Real>(&self, x: &ArrayRefD<T>) -> Result<ArrayD<T>> {
        let (inputs, n) = self.frequencies.dim();
        let x = table("Fourier features", x, Some(inputs))?;
        let phases = x.mapv(|x| x.as_f64()).dot(&self.frequencies);
        let wave = |(i, c): (usize, usize)| T::of(if c < n { phases[[i, c]].cos() } else { phases[[i, c - n]].sin() });
        Ok(Array2::from_shape_fn((x.nrows(), 2 * n), wave).into_dyn())
    }
}

/// Waves of each feature at frequencies that double: `(x, sin πx, cos πx, sin 2πx, cos 2πx, …, cos 2^(n−1)πx)` for `n` octaves.
///
/// It is for coordinates in `[−1, 1]`, of which a net shall see details down to `2^(1−n)`. Samples `[N, features]` become
/// `[N, features · (1 + 2 n)]`: first the features themselves, then for each octave the sines of all, then their cosines. Source:
/// Mildenhall et al., *NeRF: representing scenes as neural radiance fields for view synthesis*, ECCV 2020, eq. 4.
///
/// ```
/// let x = gradwise_data::positional_encoding(&ndarray::array![[0.5_f64]].into_dyn(), 2)?;
/// let expected = [0.5, 1.0, 0.0, 0.0, -1.0];
/// assert!(x.iter().zip(expected).all(|(x, e)| (x - e).abs() < 1e-12));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
///
/// # Errors
/// If samples are not a table, or there are more than 52 octaves, beyond which a number has no digits left.
pub fn positional_encoding<T: Real>(x: &ArrayRefD<T>, octaves: usize) -> Result<ArrayD<T>> {
    let x = table("positional encoding", x, None)?;
    if octaves > 52 {
        return Err(DataError::value("positional encoding: octaves", "at most 52", octaves));
    }
    let d = x.ncols();
    let wave = |(i, c): (usize, usize)| {
        let (block, value) = (c / d, x[[i, c % d]]);
        if block == 0 {
            return value;
        }
        let octave = (block - 1) / 2;
        let phase = std::f64::consts::PI * (octave as f64).exp2() * value.as_f64();
        T::of(if block % 2 == 1 { phase.sin() } else { phase.cos() })
    };
    Ok(Array2::from_shape_fn((x.nrows(), d * (1 + 2 * octaves)), wave).into_dyn())
}
