//! All features, one by one.

use super::{TwoSample, benjamini_hochberg, holm, ks_test};
use crate::whitening::n_features;
use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};
use ndarray::Axis;

/// How p-values of many features are corrected for their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Correction {
    /// The level is the chance of any false alarm: see [`holm`].
    #[default]
    Holm,
    /// The level is the share of alarms that are false: see [`benjamini_hochberg`].
    BenjaminiHochberg,
    /// None: the level is the chance of a false alarm for each feature, and among a hundred features some will be.
    None,
}

/// Which features of two sets are distributed differently: the test of Kolmogorov and Smirnov on each, corrected for their number.
///
/// Use it before trusting a test part, and on data in use: if they are distributed unlike the training data, results will be worse than
/// measured. It looks at features one by one; [`mmd_test`](super::mmd_test) also sees how they go together.
///
/// ```
/// use gradwise_data::{Correction, ShiftTest};
/// use ndarray::Array2;
///
/// let noise = |i: usize, j: usize| ((i * 7919 + j * 104729) % 1000) as f64 / 1000.0;
/// let before = Array2::from_shape_fn((200, 3), |(i, j)| noise(i, j)).into_dyn();
/// let after = Array2::from_shape_fn((200, 3), |(i, j)| noise(i + 300, j) + if j == 1 { 0.3 } else { 0.0 }).into_dyn();
/// let report = ShiftTest::new(0.05, Correction::Holm)?.compare(&before, &after)?;
/// assert_eq!(report.shifted().collect::<Vec<_>>(), [1]);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShiftTest {
    level: f64,
    correction: Correction,
}

/// What was found for each feature.
#[derive(Clone, Debug, PartialEq)]
pub struct ShiftReport {
    level: f64,
    /// The test of each feature, by itself.
    pub features: Vec<TwoSample>,
    /// The p-value of each, corrected for their number.
    pub adjusted: Vec<f64>,
}

impl ShiftTest {
    /// At a level, such as 0.05, with a correction.
    ///
    /// # Errors
    /// If the level is not between 0 and 1.
    pub fn new(level: f64, correction: Correction) -> Result<Self> {
        if level > 0.0 && level < 1.0 {
            return Ok(ShiftTest { level, correction });
        }
        Err(DataError::value("shift test: level", "a number above 0 and below 1", level))
    }

    /// Compares samples (`N × …`) with others; the values of each are its features.
    ///
    /// # Errors
    /// If a set has no samples, they have different numbers of features, or a value is NaN.
    pub fn compare<T: Real>(&self, a: &ArrayRefD<T>, b: &ArrayRefD<T>) -> Result<ShiftReport> {
        let d = n_features("shift test", a, None)?;
        n_features("shift test", b, Some(d))?;
        let table = |x: &ArrayRefD<T>| -> Vec<f64> { x.iter().map(|v| v.as_f64()).collect() };
        let (n, m) = (a.len_of(Axis(0)), b.len_of(Axis(0)));
        let (a, b) = (table(a), table(b));
        let column = |x: &[f64], n: usize, j: usize| -> Vec<f64> { (0..n).map(|i| x[i * d + j]).collect() };
        let test = |j: usize| ks_test(&column(&a, n, j), &column(&b, m, j));
        let features = (0..d).map(test).collect::<Result<Vec<TwoSample>>>()?;
        let p_values: Vec<f64> = features.iter().map(|test| test.p_value).collect();
        let adjusted = match self.correction {
            Correction::Holm => holm(&p_values),
            Correction::BenjaminiHochberg => benjamini_hochberg(&p_values),
            Correction::None => p_values,
        };
        Ok(ShiftReport { level: self.level, features, adjusted })
    }
}

impl ShiftReport {
    /// The features whose corrected p-value is below the level, the most certain first.
    pub fn shifted(&self) -> impl Iterator<Item = usize> + '_ {
        let mut order: Vec<usize> = (0..self.adjusted.len()).filter(|&j| self.adjusted[j] < self.level).collect();
        order.sort_by(|&a, &b| self.features[a].p_value.total_cmp(&self.features[b].p_value));
        order.into_iter()
    }

    /// Whether any feature is distributed differently.
    pub fn is_shift(&self) -> bool {
        self.shifted().next().is_some()
    }
}
