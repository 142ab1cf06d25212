//! Each sample on its own scale.

use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};

/// Shifts and scales each sample by itself to mean 0 and standard deviation 1: `y = (x - mean) / max(std, least)`.
///
/// Use it for images and signals whose brightness or loudness differs and means nothing. It learns nothing, so that there is nothing to
/// fit or save, and what it takes away (each sample's mean and scale) is gone: [`SampleScaler::transform`] returns it for who needs it.
/// A sample's deviation counts as at least `least`, by default `1/√n` for `n` values, so that noise in an even image is not blown up. The
/// same as TensorFlow's `per_image_standardization`.
///
/// ```
/// use gradwise_data::SampleScaler;
/// use ndarray::array;
///
/// // A faint and a strong image of the same thing, and an even one.
/// let mut x = array![[[1.0, 2.0], [2.0, 3.0]], [[0.0, 100.0], [100.0, 200.0]], [[7.0, 7.0], [7.0, 7.0]]].into_dyn();
/// let statistics = SampleScaler::new().transform(&mut x)?;
/// assert_eq!(x[[0, 0, 0]], x[[1, 0, 0]]);
/// assert_eq!(x[[2, 0, 0]], 0.0);
/// assert_eq!(statistics[1], (100.0, 5000.0_f64.sqrt()));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct SampleScaler {
    least: Option<f64>,
}

impl SampleScaler {
    /// With a least deviation of `1/√n`.
    pub fn new() -> Self {
        SampleScaler::default()
    }

    /// With another least deviation, in the unit of the values.
    ///
    /// # Errors
    /// If it is not positive and finite.
    pub fn least_deviation(self, least: f64) -> Result<Self> {
        if least > 0.0 && least.is_finite() {
            return Ok(SampleScaler { least: Some(least) });
        }
        Err(DataError::value("sample scaler: least deviation", "a positive number", least))
    }

    /// Scales each sample of `x` (`N × …`), and returns what each was shifted and divided by.
    ///
    /// # Errors
    /// If there is no axis of samples.
    pub fn transform<T: Real>(&self, x: &mut ArrayRefD<T>) -> Result<Vec<(f64, f64)>> {
        if x.ndim() == 0 {
            return Err(DataError::shape("sample scaler", "a first axis of samples", x.shape()));
        }
        let scale = |mut sample: ndarray::ArrayViewMutD<'_, T>| {
            let n = sample.len().max(1) as f64;
            let mean = sample.iter().map(|v| v.as_f64()).sum::<f64>() / n;
            let squares: f64 = sample.iter().map(|v| (v.as_f64() - mean).powi(2)).sum();
            let scale = (squares / n).sqrt().max(self.least.unwrap_or(n.sqrt().recip()));
            sample.map_inplace(|v| *v = T::of((v.as_f64() - mean) / scale));
            (mean, scale)
        };
        Ok(x.outer_iter_mut().map(scale).collect())
    }
}
