//! To a range.

use super::{Groups, Per, check_finite, check_some};
use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};

/// Shifts and scales values so that, on what it was fitted on, each group spans `[low, high]`.
///
/// `y = low + (x - min) · (high - low) / (max - min)`. A group of one constant value becomes `low`. Values outside of what it
/// was fitted on come to lie outside of the range.
///
/// ```
/// use gradwise_data::{MinMaxScaler, Per};
/// use ndarray::array;
///
/// let mut x = array![[0.0_f32, 5.0], [8.0, 5.0], [16.0, 5.0]].into_dyn();
/// let scaler = MinMaxScaler::fit(Per::Feature, 0.0, 1.0, &x)?;
/// scaler.transform(&mut x)?;
/// assert_eq!(x, array![[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]].into_dyn());
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Fields", into = "Fields"))]
pub struct MinMaxScaler {
    per: Per,
    low: f64,
    high: f64,
    mins: Vec<f64>,
    maxs: Vec<f64>,
}

impl MinMaxScaler {
    /// A scaler to `[low, high]` that has seen nothing yet.
    ///
    /// # Errors
    /// If `low` is not below `high`, or one is not finite.
    pub fn new(per: Per, low: f64, high: f64) -> Result<Self> {
        if !(low < high && (high - low).is_finite()) {
            return Err(DataError::value(
                "min-max scaler: range",
                "finite numbers, low < high",
                format!("[{low}, {high}]"),
            ));
        }
        Ok(MinMaxScaler { per, low, high, mins: Vec::new(), maxs: Vec::new() })
    }

    /// The scaler to `[low, high]` of all values of `x` (`N × …`).
    ///
    /// # Errors
    /// As [`MinMaxScaler::new`] and [`MinMaxScaler::partial_fit`].
    pub fn fit<T: Real>(per: Per, low: f64, high: f64, x: &ArrayRefD<T>) -> Result<Self> {
        let mut scaler = MinMaxScaler::new(per, low, high)?;
        scaler.partial_fit(x)?;
        Ok(scaler)
    }

    /// Takes more values in (`N × …`): afterwards it is as if fitted on all of them at once.
    ///
    /// # Errors
    /// If there are no values, some are not finite or too far apart for their difference to be, or they are not of the shape
    /// of the earlier ones. The scaler is then as it was.
    pub fn partial_fit<T: Real>(&mut self, x: &ArrayRefD<T>) -> Result<()> {
        const WHAT: &str = "min-max scaler";
        let groups = match self.mins.len() {
            0 => Groups::of(WHAT, self.per, x.shape())?,
            n => Groups::fitted(WHAT, self.per, x.shape(), n)?,
        };
        check_some(WHAT, x)?;
        check_finite(WHAT, x)?;
        let (mut mins, mut maxs) = (self.mins.clone(), self.maxs.clone());
        mins.resize(groups.n, f64::INFINITY);
        maxs.resize(groups.n, f64::NEG_INFINITY);
        groups.each(x, |g, v| {
            mins[g] = mins[g].min(v.as_f64());
            maxs[g] = maxs[g].max(v.as_f64());
        });
        if let Some(g) = (0..groups.n).find(|&g| !(maxs[g] - mins[g]).is_finite()) {
            let got = format!("[{}, {}] in group {g}", mins[g], maxs[g]);
            return Err(DataError::value(WHAT, "values whose span is finite", got));
        }
        (self.mins, self.maxs) = (mins, maxs);
        Ok(())
    }

    /// Brings each value to the range. Allocates nothing.
    ///
    /// # Errors
    /// If it was not fitted, or on another number of features or channels.
    pub fn transform<T: Real>(&self, x: &mut ArrayRefD<T>) -> Result<()> {
        let groups = Groups::fitted("min-max scaler", self.per, x.shape(), self.mins.len())?;
        groups.map(x, |g, v| T::of(self.low + (v.as_f64() - self.mins[g]) / self.span(g) * (self.high - self.low)));
        Ok(())
    }

    /// Undoes [`MinMaxScaler::transform`], up to rounding. Allocates nothing.
    ///
    /// # Errors
    /// As [`MinMaxScaler::transform`].
    pub fn inverse_transform<T: Real>(&self, x: &mut ArrayRefD<T>) -> Result<()> {
        let groups = Groups::fitted("min-max scaler", self.per, x.shape(), self.mins.len())?;
        groups.map(x, |g, v| T::of(self.mins[g] + (v.as_f64() - self.low) / (self.high - self.low) * self.span(g)));
        Ok(())
    }

    /// The smallest value of each group; none before the first fit.
    pub fn mins(&self) -> &[f64] {
        &self.mins
    }

    /// The largest value of each group; none before the first fit.
    pub fn maxs(&self) -> &[f64] {
        &self.maxs
    }

    /// What a group is divided by: its span, or 1 where it is constant.
    fn span(&self, group: usize) -> f64 {
        let span = self.maxs[group] - self.mins[group];
        if span > 0.0 { span } else { 1.0 }
    }
}

/// What is saved.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Fields {
    per: Per,
    low: f64,
    high: f64,
    mins: Vec<f64>,
    maxs: Vec<f64>,
}

#[cfg(feature = "serde")]
impl From<MinMaxScaler> for Fields {
    fn from(MinMaxScaler { per, low, high, mins, maxs }: MinMaxScaler) -> Self {
        Fields { per, low, high, mins, maxs }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Fields> for MinMaxScaler {
    type Error = DataError;

    fn try_from(Fields { per, low, high, mins, maxs }: Fields) -> Result<Self> {
        let scaler = MinMaxScaler::new(per, low, high)?;
        let ordered = |(min, max): (&f64, &f64)| min <= max && min.is_finite() && max.is_finite();
        if mins.len() != maxs.len() || !mins.iter().zip(&maxs).all(ordered) {
            let expected = "one finite minimum and one maximum a group";
            return Err(DataError::value("min-max scaler", expected, "other fields"));
        }
        Ok(MinMaxScaler { mins, maxs, ..scaler })
    }
}
