//! To mean 0 and standard deviation 1.

use super::{Groups, Per, check_finite, check_some};
use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};

/// Shifts and scales values so that, on what it was fitted on, each group has mean 0 and standard deviation 1.
///
/// `y = (x - mean) / std`, where `std² = Σ (x - mean)² / n` over the group's values. A group of one constant value has no
/// scale: it is divided by 1 and becomes 0.
///
/// Fit it on the training part only: a scaler that has seen the test part lets the model know something of it. Statistics are
/// kept in f64 and may be gathered piece by piece: the mean and the sum of squares of each piece are taken in two passes,
/// shifted by its first value, and joined with those before (Chan, Golub and LeVeque, *Updating formulae and a pairwise
/// algorithm for computing sample variances*, 1979).
///
/// ```
/// use gradwise_data::{Per, StandardScaler};
/// use ndarray::array;
///
/// let train = array![[1.0, 500.0], [2.0, 500.0], [3.0, 500.0]].into_dyn();
/// let scaler = StandardScaler::fit(Per::Feature, &train)?;
/// assert_eq!((scaler.means(), scaler.scales()), (&[2.0, 500.0][..], &[(2.0_f64 / 3.0).sqrt(), 1.0][..]));
///
/// let mut x = train.clone();
/// scaler.transform(&mut x)?;
/// assert_eq!(x[[1, 0]], 0.0);
/// scaler.inverse_transform(&mut x)?;
/// assert!((x - train).iter().all(|d: &f64| d.abs() < 1e-12));
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Fields", into = "Fields"))]
pub struct StandardScaler {
    per: Per,
    /// Values in each group.
    count: u64,
    means: Vec<f64>,
    /// Sum of squared differences from the mean.
    squares: Vec<f64>,
    scales: Vec<f64>,
}

impl StandardScaler {
    /// A scaler that has seen nothing yet.
    pub fn new(per: Per) -> Self {
        StandardScaler { per, count: 0, means: Vec::new(), squares: Vec::new(), scales: Vec::new() }
    }

    /// The scaler of all values of `x` (`N × …`).
    ///
    /// # Errors
    /// As [`StandardScaler::partial_fit`].
    pub fn fit<T: Real>(per: Per, x: &ArrayRefD<T>) -> Result<Self> {
        let mut scaler = StandardScaler::new(per);
        scaler.partial_fit(x)?;
        Ok(scaler)
    }

    /// Takes more values in (`N × …`): afterwards it is as if fitted on all of them at once.
    ///
    /// # Errors
    /// If there are no values, some are not finite or so large that their squares are not, or they are not of the shape of
    /// the earlier ones. The scaler is then as it was.
    pub fn partial_fit<T: Real>(&mut self, x: &ArrayRefD<T>) -> Result<()> {
        const WHAT: &str = "standard scaler";
        let groups = match self.count {
            0 => Groups::of(WHAT, self.per, x.shape())?,
            _ => Groups::fitted(WHAT, self.per, x.shape(), self.means.len())?,
        };
        check_some(WHAT, x)?;
        check_finite(WHAT, x)?;
        let count = (x.len() / groups.n) as u64;

        // Differences from a value of the group are small where the values are large and alike, and exactly 0 where they are
        // constant.
        let mut shifts = vec![f64::NAN; groups.n];
        let mut means = vec![0.0; groups.n];
        groups.each(x, |g, v| {
            if shifts[g].is_nan() {
                shifts[g] = v.as_f64();
            }
            means[g] += v.as_f64() - shifts[g];
        });
        means.iter_mut().for_each(|mean| *mean /= count as f64);
        let mut squares = vec![0.0; groups.n];
        groups.each(x, |g, v| squares[g] += (v.as_f64() - shifts[g] - means[g]).powi(2));
        means.iter_mut().zip(&shifts).for_each(|(mean, shift)| *mean += shift);

        if self.count > 0 {
            let (before, now) = (self.count as f64, count as f64);
            let total = before + now;
            for g in 0..groups.n {
                let delta = means[g] - self.means[g];
                means[g] = self.means[g] + delta * (now / total);
                squares[g] += self.squares[g] + delta * delta * (before * (now / total));
            }
        }
        if let Some(g) = (0..groups.n).find(|&g| !(means[g].is_finite() && squares[g].is_finite())) {
            return Err(DataError::value(WHAT, "values whose squares are finite", format!("larger ones in group {g}")));
        }
        self.count += count;
        self.means = means;
        self.squares = squares;
        self.rescale();
        Ok(())
    }

    /// Replaces each value by `(x - mean) / scale` of its group. Allocates nothing.
    ///
    /// # Errors
    /// If it was not fitted, or on another number of features or channels.
    pub fn transform<T: Real>(&self, x: &mut ArrayRefD<T>) -> Result<()> {
        let groups = Groups::fitted("standard scaler", self.per, x.shape(), self.means.len())?;
        groups.map(x, |g, v| T::of((v.as_f64() - self.means[g]) / self.scales[g]));
        Ok(())
    }

    /// Replaces each value by `x · scale + mean` of its group: undoes [`StandardScaler::transform`], up to rounding.
    /// Allocates nothing.
    ///
    /// # Errors
    /// As [`StandardScaler::transform`].
    pub fn inverse_transform<T: Real>(&self, x: &mut ArrayRefD<T>) -> Result<()> {
        let groups = Groups::fitted("standard scaler", self.per, x.shape(), self.means.len())?;
        groups.map(x, |g, v| T::of(v.as_f64() * self.scales[g] + self.means[g]));
        Ok(())
    }

    /// Which values share a scale.
    pub fn per(&self) -> Per {
        self.per
    }

    /// How many values each group has seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of each group; none before the first fit.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// What each group is divided by: its standard deviation, or 1 where it is constant.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }

    fn rescale(&mut self) {
        let count = self.count as f64;
        let scale = |&squares: &f64| {
            let std = (squares / count).sqrt();
            if std > 0.0 { std } else { 1.0 }
        };
        self.scales = self.squares.iter().map(scale).collect();
    }
}

/// What is saved: the statistics, from which the scales follow.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Fields {
    per: Per,
    count: u64,
    means: Vec<f64>,
    squares: Vec<f64>,
}

#[cfg(feature = "serde")]
impl From<StandardScaler> for Fields {
    fn from(StandardScaler { per, count, means, squares, .. }: StandardScaler) -> Self {
        Fields { per, count, means, squares }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Fields> for StandardScaler {
    type Error = DataError;

    fn try_from(Fields { per, count, means, squares }: Fields) -> Result<Self> {
        let sound = means.len() == squares.len()
            && (count == 0) == means.is_empty()
            && means.iter().all(|mean| mean.is_finite())
            && squares.iter().all(|sum| *sum >= 0.0 && sum.is_finite());
        if !sound {
            let expected = "one finite mean and one sum of squares a group, and none without values";
            return Err(DataError::value("standard scaler", expected, "other fields"));
        }
        let mut scaler = StandardScaler { per, count, means, squares, scales: Vec::new() };
        scaler.rescale();
        Ok(scaler)
    }
}
