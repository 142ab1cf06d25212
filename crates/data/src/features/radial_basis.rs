//! Nearness to places of the feature space.

use super::table;
use crate::shuffle::{Purpose, shuffle_for};
use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::{Array2, ArrayD, Axis};

/// How near each sample is to each of some centres: `exp(−γ ‖x − c‖²)`.
///
/// Use it to give a linear model of few features bumps to build from. Scale the features first: distance takes them all alike. Source:
/// Broomhead and Lowe, *Multivariable functional interpolation and adaptive networks*, 1988.
///
/// ```
/// use gradwise_data::RadialBasis;
/// use ndarray::array;
///
/// let basis = RadialBasis::new(array![[0.0, 0.0], [1.0, 0.0]].into_dyn(), 1.0)?;
/// let x = basis.transform(&array![[0.0, 0.0]].into_dyn())?;
/// assert_eq!(x, array![[1.0, (-1.0_f64).exp()]].into_dyn());
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RadialBasis {
    centres: Array2<f64>,
    gamma: f64,
}

const WHAT: &str = "radial basis";

impl RadialBasis {
    /// Of centres `[n, features]`, and γ.
    ///
    /// # Errors
    /// If there is no centre, a value is not finite, or γ is not positive and finite.
    pub fn new<T: Real>(centres: ArrayD<T>, gamma: f64) -> Result<Self> {
        if !(gamma > 0.0 && gamma.is_finite()) {
            return Err(DataError::value("radial basis: gamma", "a positive number", gamma));
        }
        let centres = table(WHAT, &centres, None)?.mapv(|x| x.as_f64());
        if centres.nrows() == 0 {
            return Err(DataError::shape(WHAT, "at least one centre", centres.shape()));
        }
        match centres.iter().enumerate().find(|(_, c)| !c.is_finite()) {
            Some((i, c)) => Err(DataError::value(WHAT, "finite centres", format!("{c} at position {i}"))),
            None => Ok(RadialBasis { centres, gamma }),
        }
    }

    /// Of `n` random samples of the training part as centres, all of them different rows, and `γ = 1 / (2 m²)` for the median distance `m`
    /// between two centres (1 where that is 0).
    ///
    /// # Errors
    /// If there are not so many samples, `n` is 0, or a value is not finite.
    pub fn fit<T: Real>(x: &ArrayRefD<T>, n: usize, seed: u64) -> Result<Self> {
        let x = table(WHAT, x, None)?;
        if n == 0 || n > x.nrows() {
            let expected = format!("at least 1 and at most the {} samples", x.nrows());
            return Err(DataError::value("radial basis: centres", expected, n));
        }
        let mut order: Vec<usize> = (0..x.nrows()).collect();
        shuffle_for(Purpose::Features, &mut order, seed, 0);
        let basis = RadialBasis::new(x.select(Axis(0), &order[..n]).into_dyn(), 1.0)?;
        let mut distances: Vec<f64> = Vec::new();
        for i in 0..n {
            distances.extend((0..i).map(|j| distance(&basis.centres, i, &basis.centres, j).sqrt()));
        }
        distances.sort_unstable_by(f64::total_cmp);
        let median = if distances.is_empty() { 0.0 } else { crate::scaler::quantile(&distances, 0.5) };
        let gamma = if median > 0.0 { 0.5 / (median * median) } else { 1.0 };
        Ok(RadialBasis { gamma, ..basis })
    }

    /// The nearness of samples `[N, features]` to each centre, as `[N, n]`.
    ///
    /// # Errors
    /// If there is another number of features.
    pub fn transform<T: Real>(&self, x: &ArrayRefD<T>) -> Result<ArrayD<T>> {
        let x = table(WHAT, x, Some(self.centres.ncols()))?.mapv(|x| x.as_f64());
        let near = |(i, c): (usize, usize)| T::of((-self.gamma * distance(&x, i, &self.centres, c)).exp());
        Ok(Array2::from_shape_fn((x.nrows(), self.centres.nrows()), near).into_dyn())
    }

    /// How many centres there are.
    pub fn n_features(&self) -> usize {
        self.centres.nrows()
    }

    /// How fast nearness falls with the squared distance.
    pub fn gamma(&self) -> f64 {
        self.gamma
    }
}

/// The squared distance of two rows.
fn distance(a: &Array2<f64>, i: usize, b: &Array2<f64>, j: usize) -> f64 {
    a.row(i).iter().zip(b.row(j)).map(|(a, b)| (a - b) * (a - b)).sum()
}
