//! Numbers that are drawn between two bounds.

use crate::{Error, Random, Result};

/// A number between two others, uniform, or a fixed one.
///
/// `0.1.into()` is always 0.1, `(-0.1, 0.1).into()` is uniform between the two.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Range {
    /// The least value.
    pub low: f64,
    /// The greatest value.
    pub high: f64,
}

impl From<f64> for Range {
    fn from(value: f64) -> Self {
        Range { low: value, high: value }
    }
}

impl From<(f64, f64)> for Range {
    fn from((low, high): (f64, f64)) -> Self {
        Range { low, high }
    }
}

impl Range {
    /// Draws a number.
    pub fn draw(self, random: &mut Random) -> f64 {
        random.between(self.low, self.high)
    }

    /// Draws a whole number: the bounds are rounded inwards, and each number between them is as likely as another.
    pub(super) fn draw_whole(self, random: &mut Random) -> usize {
        let (low, high) = (self.low.ceil(), self.high.floor());
        low as usize + random.below((high - low) as u32 + 1) as usize
    }

    /// The range, if it lies within bounds and contains a whole number.
    pub(super) fn whole_within(self, low: f64, high: f64, transform: &str, parameter: &str) -> Result<Self> {
        let range = self.within(low, high, transform, parameter)?;
        if range.low.ceil() > range.high.floor() {
            let got = format!("({}, {})", range.low, range.high);
            return Err(Error::parameter(transform, parameter, "a range that contains an integer", got));
        }
        Ok(range)
    }

    /// The range, if it lies within bounds.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it does not, if it is inverted, or if a bound is NaN.
    pub fn within(self, low: f64, high: f64, transform: &str, parameter: &str) -> Result<Self> {
        if low <= self.low && self.low <= self.high && self.high <= high {
            return Ok(self);
        }
        let expected = match (low.is_finite(), high.is_finite()) {
            (true, true) => format!("a number or an ascending pair within [{low}, {high}]"),
            (true, false) => format!("a number or an ascending pair of at least {low}"),
            (false, true) => format!("a number or an ascending pair of at most {high}"),
            (false, false) => "a number or an ascending pair".to_owned(),
        };
        let got = if self.low.total_cmp(&self.high).is_eq() {
            format!("{}", self.low)
        } else {
            format!("({}, {})", self.low, self.high)
        };
        Err(Error::parameter(transform, parameter, expected, got))
    }
}

/// A probability, checked.
pub(crate) fn probability(p: f64, transform: &str) -> Result<f64> {
    if (0.0..=1.0).contains(&p) { Ok(p) } else { Err(Error::parameter(transform, "probability", "within [0, 1]", p)) }
}
