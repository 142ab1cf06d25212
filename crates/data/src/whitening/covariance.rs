//! Means and covariances, gathered piece by piece.

use crate::scaler::{check_finite, check_some};
use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

/// The means of features, and how they vary together: `C = Σ (x - mean)(x - mean)ᵀ / n`.
///
/// Samples may come in pieces; those of each are taken about the piece's own mean and joined with those before (Chan, Golub and LeVeque
/// 1979), in `f64`. `d` features take `8 d²` bytes: 5 MB for the 784 pixels of MNIST, 75 MB for the 3,072 numbers of CIFAR-10.
///
/// ```
/// use gradwise_data::Covariance;
/// use ndarray::array;
///
/// let mut covariance = Covariance::new();
/// covariance.add(&array![[1.0, 2.0], [3.0, 6.0]].into_dyn())?;
/// covariance.add(&array![[2.0, 4.0]].into_dyn())?;
/// assert_eq!(covariance.means(), [2.0, 4.0]);
/// assert!((covariance.matrix()[[0, 1]] - 4.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Fields", into = "Fields"))]
pub struct Covariance {
    count: u64,
    means: Vec<f64>,
    /// `Σ (x - mean)(x - mean)ᵀ`, all of it, row by row.
    moments: Vec<f64>,
}

/// Samples that are worked on at once: so many fit a cache.
const CHUNK: usize = 256;

impl Covariance {
    /// No samples yet.
    pub fn new() -> Self {
        Covariance::default()
    }

    /// Takes samples in (`N × …`): the values of each are its features.
    ///
    /// # Errors
    /// If there is none, they have another number of features than those before, or a value is not finite. It is then as it was.
    pub fn add<T: Real>(&mut self, x: &ArrayRefD<T>) -> Result<()> {
        let d = n_features("covariance", x, (self.count > 0).then_some(self.means.len()))?;
        check_some("covariance", x)?;
        check_finite("covariance", x)?;
        if self.count == 0 {
            self.means = vec![0.0; d];
            self.moments = vec![0.0; d * d];
        }
        let n = x.shape()[0];
        let mut rows = Vec::with_capacity(CHUNK.min(n) * d);
        for start in (0..n).step_by(CHUNK) {
            let end = (start + CHUNK).min(n);
            rows.clear();
            for i in start..end {
                rows.extend(x.index_axis(Axis(0), i).iter().map(|v| v.as_f64()));
            }
            self.join(&mut rows, end - start);
        }
        Ok(())
    }

    /// Joins a few rows.
    fn join(&mut self, rows: &mut [f64], n: usize) {
        let d = self.means.len();
        let mut means = vec![0.0; d];
        for row in rows.chunks_exact(d) {
            means.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / n as f64);
        }
        for row in rows.chunks_exact_mut(d) {
            row.iter_mut().zip(&means).for_each(|(x, mean)| *x -= mean);
        }
        let (before, now) = (self.count as f64, n as f64);
        let share = now / (before + now);
        let differences: Vec<f64> = means.iter().zip(&self.means).map(|(now, before)| now - before).collect();
        let rows = view(rows, n, d);
        let mut moments = ArrayViewMut2::from_shape((d, d), &mut self.moments)
            .unwrap_or_else(|_| unreachable!("there are d rows of d moments"));
        general_mat_mul(1.0, &rows.t(), &rows, 1.0, &mut moments);
        if self.count > 0 {
            let differences = view(&differences, d, 1);
            general_mat_mul(before * share, &differences, &differences.t(), 1.0, &mut moments);
        }
        self.means.iter_mut().zip(&differences).for_each(|(mean, difference)| *mean += share * difference);
        self.count += n as u64;
    }

    /// How many samples it has seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of each feature; none before the first sample.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// The covariances; an empty matrix before the first sample.
    pub fn matrix(&self) -> Array2<f64> {
        let (d, n) = (self.means.len(), self.count.max(1) as f64);
        Array2::from_shape_fn((d, d), |(i, j)| self.moments[i * d + j] / n)
    }
}

fn view(values: &[f64], n: usize, d: usize) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((n, d), values).unwrap_or_else(|_| unreachable!("there are n rows of d values"))
}

/// The number of features of samples, if it is the one that is known.
pub(crate) fn n_features<T: Real>(what: &'static str, x: &ArrayRefD<T>, known: Option<usize>) -> Result<usize> {
    let [_, sample @ ..] = x.shape() else {
        return Err(DataError::shape(what, "a first axis of samples", x.shape()));
    };
    let d: usize = sample.iter().product();
    match known {
        Some(n) if n != d => {
            Err(DataError::shape(what, format!("{n} values a sample, as it was fitted on"), x.shape()))
        }
        _ => Ok(d),
    }
}

/// What is saved.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Fields {
    count: u64,
    means: Vec<f64>,
    moments: Vec<f64>,
}

#[cfg(feature = "serde")]
impl From<Covariance> for Fields {
    fn from(Covariance { count, means, moments }: Covariance) -> Self {
        Fields { count, means, moments }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Fields> for Covariance {
    type Error = DataError;

    fn try_from(Fields { count, means, moments }: Fields) -> Result<Self> {
        let d = means.len();
        let sound = (count == 0) == means.is_empty()
            && d.checked_mul(d) == Some(moments.len())
            && means.iter().chain(&moments).all(|x| x.is_finite())
            && (0..d).all(|i| moments[i * d + i] >= 0.0);
        if sound {
            return Ok(Covariance { count, means, moments });
        }
        Err(DataError::value(
            "covariance",
            "d finite means and d x d moments, and none without samples",
            "other fields",
        ))
    }
}
