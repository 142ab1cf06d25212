//! Ranges of hyper-parameters, refused in words. NaN is in no range.

use gradwise_core::{Error, Result};

/// A finite number that is not negative: a learning rate, a strength.
pub(crate) fn not_negative(what: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        Err(Error::value(what, "a finite number of at least 0", value))
    }
}

/// A finite number above zero: a divisor, a threshold.
pub(crate) fn positive(what: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(Error::value(what, "a finite number above 0", value)) }
}

/// A number in `[0, 1)`: a momentum, the decay of a running mean.
pub(crate) fn below_one(what: &'static str, value: f64) -> Result<f64> {
    if (0.0..1.0).contains(&value) { Ok(value) } else { Err(Error::value(what, "a number in [0, 1)", value)) }
}

/// A number in `[0, 1]`: a share.
pub(crate) fn share(what: &'static str, value: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(Error::value(what, "a number in [0, 1]", value)) }
}

/// A number of steps of at least one.
pub(crate) fn steps(what: &'static str, n: u64) -> Result<u64> {
    if n > 0 { Ok(n) } else { Err(Error::value(what, "at least 1 step", n)) }
}
