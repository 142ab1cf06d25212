//! An axis: a range of numbers, even or logarithmic, and where its ticks are.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// An axis from one number to another, which may be the smaller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    from: f64,
    to: f64,
    log: bool,
    /// Whether there is nothing between whole numbers.
    whole: bool,
}

impl Axis {
    /// An even axis between two numbers, kept apart.
    pub(crate) fn between(from: f64, to: f64) -> Self {
        let to =
            if (to - from).abs() < f64::MIN_POSITIVE { from + if from == 0.0 { 1.0 } else { from.abs() } } else { to };
        Axis { from, to, log: false, whole: false }
    }

    /// An axis for all finite numbers among some, with a little room at its ends.
    pub(crate) fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let Some([min, max]) = range(values) else { return Axis::between(0.0, 1.0) };
        if min == max {
            let room = if min == 0.0 { 1.0 } else { min.abs() / 2.0 };
            return Axis::between(min - room, max + room);
        }
        // Half of each, because the difference of two numbers of an f64 need not be one.
        let room = (max / 2.0 - min / 2.0) * 0.08;
        // Losses, norms and shares begin at 0, and seldom far from it.
        let low = if min >= 0.0 && min < 0.25 * max { 0.0 } else { min - room };
        Axis::between(low.max(f64::MIN), (max + room).min(f64::MAX))
    }

    /// The same for numbers of which some are much larger than others: logarithmic, if all are above 0 and lie far apart.
    pub(crate) fn stretched(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        match range(values.iter().copied()) {
            Some([min, max]) if min > 0.0 && max / min > 30.0 => Axis::log(min, max),
            _ => Axis::around(values),
        }
    }

    /// A logarithmic axis between two numbers above 0.
    pub(crate) fn log(min: f64, max: f64) -> Self {
        let room = (max / min).powf(0.04).max(1.1);
        Axis { from: (min / room).max(f64::MIN_POSITIVE), to: (max * room).min(f64::MAX), log: true, whole: false }
    }

    /// The same axis, with ticks at whole numbers alone.
    pub(crate) fn whole(self, whole: bool) -> Self {
        Axis { whole, ..self }
    }

    /// Where on the axis a number is, from 0 to 1.
    pub(crate) fn place(&self, x: f64) -> f64 {
        if self.log {
            (x.max(f64::MIN_POSITIVE) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (x / 2.0 - self.from / 2.0) / (self.to / 2.0 - self.from / 2.0)
        }
    }

    /// At most about `n` round numbers on it.
    pub(crate) fn ticks(&self, n: usize) -> Vec<f64> {
        let (low, high) = (self.from.min(self.to), self.from.max(self.to));
        let n = n.max(2);
        let mut ticks = if self.log { log_ticks(low, high, n) } else { even_ticks(low, high, n) };
        ticks.retain(|x| !self.whole || x.fract() == 0.0);
        if ticks.is_empty() { vec![low, high] } else { ticks }
    }
}

/// The smallest and the largest finite number.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> Option<[f64; 2]> {
    let finite = values.into_iter().filter(|x| x.is_finite());
    finite.fold(None, |range, x| Some(range.map_or([x; 2], |[min, max]: [f64; 2]| [min.min(x), max.max(x)])))
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn even_ticks(low: f64, high: f64, n: usize) -> Vec<f64> {
    let least = (high / n as f64 - low / n as f64).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|step| *step >= least * 0.999_999);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    // Numbers so close to each other that no step separates them have no ticks between them.
    if !step.is_finite() || !(0.0..=2.0 * n as f64 + 2.0).contains(&(last - first)) {
        return Vec::new();
    }
    (0..=(last - first) as u32).map(|i| (first + f64::from(i)) * step).collect()
}

/// Powers of ten, every one or every so many; where there are few, with twice and five times them.
fn log_ticks(low: f64, high: f64, n: usize) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let power = |k: i32| 10_f64.powi(k);
    let inside = |x: &f64| (low..=high).contains(x);
    let tens: Vec<f64> = (first..=last).map(power).filter(inside).collect();
    if tens.len() < 3 {
        return (first..=last).flat_map(|k| [1.0, 2.0, 5.0].map(|m| m * power(k))).filter(inside).collect();
    }
    let every = tens.len().div_ceil(n);
    tens.into_iter().step_by(every).collect()
}

impl From<Range<f64>> for Axis {
    fn from(range: Range<f64>) -> Self {
        Axis::between(range.start, range.end)
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        crate::number::tick(*value)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let length = f64::from(limit.1 - limit.0);
        // A number far outside ends at the edge, not beyond what a coordinate can be.
        limit.0 + (self.place(*value).clamp(-1.0, 2.0) * length).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        self.ticks(hint.max_num_points())
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_on_the_axis() {
        assert_eq!(Axis::between(0.0, 10.0).ticks(5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(Axis::between(3.0, 0.0).ticks(3), [0.0, 1.0, 2.0, 3.0], "the other way round");
        assert_eq!(Axis::between(1.0, 3.0).whole(true).ticks(8), [1.0, 2.0, 3.0]);
        assert_eq!(Axis::log(1e-4, 1.0).ticks(9).len(), 5);
        assert_eq!(Axis::log(2.0, 60.0).ticks(9), [2.0, 5.0, 10.0, 20.0, 50.0]);
        assert!(Axis::log(1e-300, 1e300).ticks(6).len() <= 7);
        let extreme = [[-f64::MAX, f64::MAX], [1.0, 1.0 + f64::EPSILON], [0.0, 5e-324], [-0.0, 0.0], [1e300, 1e301]];
        for [min, max] in extreme {
            let axis = Axis::around([min, max]);
            let ticks = axis.ticks(6);
            assert!(!ticks.is_empty() && ticks.len() < 16 && ticks.iter().all(|x| x.is_finite()), "{axis:?} {ticks:?}");
            assert!([min, max].iter().all(|x| axis.place(*x).is_finite()), "{axis:?}");
        }
    }

    #[test]
    fn an_axis_takes_what_is_there() {
        assert_eq!(Axis::around([f64::NAN, f64::INFINITY]), Axis::between(0.0, 1.0));
        assert!(Axis::stretched([1e-3, 1.0, f64::NAN]).log);
        assert!(!Axis::stretched([0.0, 1.0]).log && !Axis::stretched([0.5, 1.0]).log);
        assert_eq!(Axis::around([0.1, 2.0]).range().start, 0.0);
        assert!(Axis::around([0.97, 0.99]).range().start > 0.9);
    }
}
