//! Whether two sets of samples come from one distribution.

mod classifier;
mod correction;
mod distributions;
mod mmd;
mod report;
mod single;

pub use classifier::{classifier_test, classifier_test_with};
pub use correction::{benjamini_hochberg, holm};
pub use mmd::mmd_test;
pub use report::{Correction, ShiftReport, ShiftTest};
pub use single::{chi_square_test, ks_test};

/// What a test of two samples found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoSample {
    /// How different they are, by the test's own measure.
    pub statistic: f64,
    /// The chance of a statistic at least as large if both came from one distribution.
    pub p_value: f64,
}
