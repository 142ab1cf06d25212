//! How far numbers are from those they should be.

use crate::Mean;
use crate::batch::{Weights, alike, own_methods};
use gradwise_core::{ArrayRefD, Metric, Real, Result};

/// Adds the mean over each sample's entries of `error(p - y)`.
fn update<T: Real>(
    op: &'static str,
    mean: &mut Mean,
    predictions: &ArrayRefD<T>,
    targets: &ArrayRefD<T>,
    weights: Option<&[f64]>,
    error: fn(f64) -> f64,
) -> Result<()> {
    let weights = Weights::new(op, alike(op, predictions, targets)?, weights)?;
    for (i, (p, y)) in predictions.outer_iter().zip(targets.outer_iter()).enumerate() {
        let sum: f64 = p.iter().zip(y).map(|(p, y)| error(p.as_f64() - y.as_f64())).sum();
        mean.add(sum / p.len() as f64, weights.of(i));
    }
    Ok(())
}

macro_rules! mean_error {
    ($(#[$doc:meta])* $type:ident, $name:literal, $error:expr, $value:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $type(Mean);

        impl $type {
            /// An error that has seen nothing.
            pub fn new() -> Self {
                $type(Mean::named($name))
            }

            /// The error so far, at least 0; NaN before the first sample.
            pub fn value(&self) -> f64 {
                $value(self.0.value())
            }

            #[doc = concat!("Its name in reports: `", $name, "`.")]
            pub fn name(&self) -> &str {
                self.0.name()
            }

            /// Forgets all samples.
            pub fn reset(&mut self) {
                self.0.reset();
            }
        }

        impl Default for $type {
            fn default() -> Self {
                $type::new()
            }
        }

        impl<T: Real> Metric<T, ArrayRefD<T>> for $type {
            own_methods!();

            fn update(
                &mut self,
                predictions: &ArrayRefD<T>,
                targets: &ArrayRefD<T>,
                weights: Option<&[f64]>,
            ) -> Result<()> {
                update($name, &mut self.0, predictions, targets, weights, $error)
            }
        }
    };
}

mean_error! {
    /// The mean squared error: `Σ wᵢ ‖pᵢ - yᵢ‖² / (d Σ wᵢ)`, for samples of `d` entries.
    ///
    /// Predictions and targets are arrays of one shape `N × …`.
    ///
    /// ```
    /// use gradwise_metrics::{MeanSquaredError, Metric};
    /// use ndarray::array;
    ///
    /// let mut mse = MeanSquaredError::new();
    /// mse.update(&array![[1.0], [5.0]].into_dyn(), &*array![[2.0], [2.0]].into_dyn(), None)?;
    /// assert_eq!(mse.value(), 5.0);
    /// # Ok::<(), gradwise_core::Error>(())
    /// ```
    MeanSquaredError, "mse", |d| d * d, |mean: f64| mean
}

mean_error! {
    /// The root of the mean squared error, in the targets' own unit: `√MSE`, see [`MeanSquaredError`].
    ///
    /// The root is taken of the mean over all samples: it is not a mean of batches' roots.
    RootMeanSquaredError, "rmse", |d| d * d, f64::sqrt
}

mean_error! {
    /// The mean absolute error: `Σ wᵢ ‖pᵢ - yᵢ‖₁ / (d Σ wᵢ)`, for samples of `d` entries.
    ///
    /// Predictions and targets are arrays of one shape `N × …`. One wild prediction moves it less than the squared error.
    MeanAbsoluteError, "mae", f64::abs, |mean: f64| mean
}
