//! Ranges of options, refused in words. NaN is in no range.

use gradwise_core::{Error, Result};

/// A finite number that is not negative: a strength.
pub(crate) fn not_negative(what: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        Err(Error::value(what, "a finite number of at least 0", value))
    }
}

/// A finite number.
pub(crate) fn finite(what: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::value(what, "a finite number", value)) }
}

/// A number in `[0, 1]`: a share.
pub(crate) fn share(what: &'static str, value: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(Error::value(what, "a number in [0, 1]", value)) }
}
