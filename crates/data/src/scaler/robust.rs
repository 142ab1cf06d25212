//! To median 0 and a spread of 1, whatever a few wild values are.

use super::{Groups, Per, check_finite, check_some};
use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Key, Real};

/// Shifts and scales values so that, on what it was fitted on, each group has median 0 and an interquartile range of 1.
///
/// `y = (x - median) / (q₃ - q₁)`, with quantiles between two values interpolated linearly. Use it for tables with outliers, which a
/// mean and a standard deviation follow and a median does not. The same as scikit-learn's `RobustScaler`; [`RobustScaler::quantiles`] sets
/// others than the quartiles. A group whose range is 0 has no scale: it is divided by 1.
///
/// Fit it on the training part only. Quantiles cannot be joined from pieces, so values are kept while it is fitted: all of them up to
/// [`RobustScaler::MOST_VALUES`] a group, beyond that a random sample of so many (Vitter, *Random sampling with a reservoir*, 1985,
/// algorithm R), whose median is that of the whole to within 0.8 % of the ranks (one standard error). The sample depends on the values
/// and their order alone. What is saved is the result, without the values: a scaler that was restored cannot go on learning.
///
/// ```
/// use gradwise_data::{Per, RobustScaler};
/// use ndarray::array;
///
/// let train = array![[1.0], [2.0], [3.0], [4.0], [1000.0]].into_dyn();
/// let scaler = RobustScaler::fit(Per::Feature, &train)?;
/// assert_eq!((scaler.medians(), scaler.scales()), (&[3.0][..], &[2.0][..]));
///
/// let mut x = train.clone();
/// scaler.transform(&mut x)?;
/// assert_eq!(x[[0, 0]], -1.0);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Fields", into = "Fields"))]
pub struct RobustScaler {
    per: Per,
    low: f64,
    high: f64,
    /// Values seen in each group.
    count: u64,
    /// A sample of each group's values; none of a scaler that was restored.
    sample: Option<Vec<Vec<f64>>>,
    medians: Vec<f64>,
    scales: Vec<f64>,
}

const WHAT: &str = "robust scaler";

impl RobustScaler {
    /// The most values of a group that are kept.
    pub const MOST_VALUES: usize = 4096;

    /// A scaler that has seen nothing yet.
    pub fn new(per: Per) -> Self {
        let (sample, medians, scales) = (Some(Vec::new()), Vec::new(), Vec::new());
        RobustScaler { per, low: 0.25, high: 0.75, count: 0, sample, medians, scales }
    }

    /// The range between two other quantiles for a scale.
    ///
    /// # Errors
    /// If they are not in `[0, 1]` and in order, or something was fitted already.
    pub fn quantiles(self, low: f64, high: f64) -> Result<Self> {
        if !(low >= 0.0 && low < high && high <= 1.0) {
            return Err(DataError::value(WHAT, "quantiles in [0, 1] in order", format!("{low} and {high}")));
        }
        if self.count > 0 {
            return Err(DataError::value(WHAT, "quantiles that are set before the first fit", "a fitted scaler"));
        }
        Ok(RobustScaler { low, high, ..self })
    }

    /// The scaler of all values of `x` (`N × …`).
    ///
    /// # Errors
    /// As [`RobustScaler::partial_fit`].
    pub fn fit<T: Real>(per: Per, x: &ArrayRefD<T>) -> Result<Self> {
        let mut scaler = RobustScaler::new(per);
        scaler.partial_fit(x)?;
        Ok(scaler)
    }

    /// Takes more values in (`N × …`).
    ///
    /// # Errors
    /// If there are no values, some are not finite, they are not of the shape of the earlier ones, or the scaler was restored. It is
    /// then as it was.
    pub fn partial_fit<T: Real>(&mut self, x: &ArrayRefD<T>) -> Result<()> {
        let Some(sample) = &mut self.sample else {
            return Err(DataError::value(WHAT, "a scaler that has kept its values", "one that was restored"));
        };
        let groups = match self.count {
            0 => Groups::of(WHAT, self.per, x.shape())?,
            _ => Groups::fitted(WHAT, self.per, x.shape(), self.medians.len())?,
        };
        check_some(WHAT, x)?;
        check_finite(WHAT, x)?;
        sample.resize(groups.n, Vec::new());
        let mut seen = vec![self.count; groups.n];
        groups.each(x, |g, v| {
            let (kept, v) = (&mut sample[g], v.as_f64());
            if kept.len() < Self::MOST_VALUES {
                kept.push(v);
            } else {
                // Each of the values so far is kept with the same chance.
                let bits = Key::new(g as u64).bits(seen[g]);
                let place = (u128::from(bits) * u128::from(seen[g] + 1)) >> 64;
                if let Some(old) = kept.get_mut(place as usize) {
                    *old = v;
                }
            }
            seen[g] += 1;
        });
        self.count = seen[0];
        let mut sorted = Vec::new();
        (self.medians, self.scales) = sample
            .iter()
            .map(|values| {
                sorted.clone_from(values);
                sorted.sort_unstable_by(f64::total_cmp);
                let range = quantile(&sorted, self.high) - quantile(&sorted, self.low);
                (quantile(&sorted, 0.5), if range > 0.0 && range.is_finite() { range } else { 1.0 })
            })
            .unzip();
        Ok(())
    }

    /// Replaces each value by `(x - median) / scale` of its group. Allocates nothing.
    ///
    /// # Errors
    /// If it was not fitted, or on another number of features or channels.
    pub fn transform<T: Real>(&self, x: &mut ArrayRefD<T>) -> Result<()> {
        let groups = Groups::fitted(WHAT, self.per, x.shape(), self.medians.len())?;
        groups.map(x, |g, v| T::of((v.as_f64() - self.medians[g]) / self.scales[g]));
        Ok(())
    }

    /// Replaces each value by `x · scale + median` of its group: undoes [`RobustScaler::transform`], up to rounding. Allocates nothing.
    ///
    /// # Errors
    /// As [`RobustScaler::transform`].
    pub fn inverse_transform<T: Real>(&self, x: &mut ArrayRefD<T>) -> Result<()> {
        let groups = Groups::fitted(WHAT, self.per, x.shape(), self.medians.len())?;
        groups.map(x, |g, v| T::of(v.as_f64() * self.scales[g] + self.medians[g]));
        Ok(())
    }

    /// How many values each group has seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The median of each group; none before the first fit.
    pub fn medians(&self) -> &[f64] {
        &self.medians
    }

    /// What each group is divided by: the range between its quantiles, or 1 where that is 0.
    pub fn scales(&self) -> &[f64] {
        &self.scales
    }
}

/// The quantile of sorted values, of which there are some, interpolated linearly between two neighbours (Hyndman and Fan 1996, type 7).
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (below, part) = (place as usize, place.fract());
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    // So written, equal neighbours give themselves and not something near them.
    sorted[below] + part * (above - sorted[below])
}

/// What is saved: the result.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Fields {
    per: Per,
    low: f64,
    high: f64,
    count: u64,
    medians: Vec<f64>,
    scales: Vec<f64>,
}

#[cfg(feature = "serde")]
impl From<RobustScaler> for Fields {
    fn from(RobustScaler { per, low, high, count, medians, scales, .. }: RobustScaler) -> Self {
        Fields { per, low, high, count, medians, scales }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Fields> for RobustScaler {
    type Error = DataError;

    fn try_from(Fields { per, low, high, count, medians, scales }: Fields) -> Result<Self> {
        let scaler = RobustScaler::new(per).quantiles(low, high)?;
        let sound = medians.len() == scales.len()
            && (count == 0) == medians.is_empty()
            && medians.iter().all(|median| median.is_finite())
            && scales.iter().all(|scale| *scale > 0.0 && scale.is_finite());
        if !sound {
            let expected = "one finite median and one positive scale a group, and none without values";
            return Err(DataError::value(WHAT, expected, "other fields"));
        }
        let sample = if count == 0 { scaler.sample } else { None };
        Ok(RobustScaler { per, low, high, count, sample, medians, scales })
    }
}
