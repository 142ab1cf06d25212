//! The learning-rate range test: which rates a model learns at.

use crate::{Schedule, check};
use gradwise_core::{Error, Result, flip};
use std::ops::ControlFlow;

/// Trains for some steps at rates that grow from step to step, watches the loss, and suggests a rate.
///
/// It holds no loop: its [`Schedule`] gives the rates, [`RangeTest::record`] is told the losses, and says when to stop; then
/// [`RangeTest::suggestion`] looks at the curve. Rates grow by equal factors, `first · (last / first)^(step / (steps − 1))`. The loss is
/// smoothed by a running mean (β = 0.98, bias-corrected), and the test is over when it is more than four times its least. The model is of
/// no use afterwards: train a copy, or restore it. Source: Smith, *Cyclical learning rates for training neural networks*, WACV 2017;
/// smoothing and the suggestions are fastai's.
///
/// ```
/// use gradwise_optim::{Optimizer, RangeTest, Sgd, Grads, Param, ndarray::arr1};
///
/// // f(x) = 5 x², whose gradient is 10 x: descent is fastest at 0.1, and diverges above 0.2.
/// let mut test = RangeTest::new(1e-5, 10.0, 100)?;
/// let mut params = vec![Param::new(arr1(&[1.0_f64]))];
/// let mut optimizer = Optimizer::new(Sgd::new(), test.schedule());
/// loop {
///     let x = params[0].value[[0]];
///     if test.record(5.0 * x * x).is_break() {
///         break;
///     }
///     let mut grads = Grads::from_arrays(&params, vec![Some(arr1(&[10.0 * x]).into_dyn())]);
///     optimizer.apply(&mut params, &mut grads)?;
/// }
/// let rate = test.suggestion()?.valley;
/// assert!(rate > 1e-3 && rate < 0.2, "{rate}");
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RangeTest {
    rates: RangeRates,
    smoothing: f64,
    diverged: f64,
    mean: f64,
    best: f64,
    curve: Vec<(f64, f64)>,
}

/// The rates of a [`RangeTest`]: they grow by equal factors, and stay where they end.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RangeRates {
    first: f64,
    last: f64,
    steps: u64,
}

impl Schedule for RangeRates {
    fn at(&self, step: u64) -> f64 {
        if step + 1 >= self.steps {
            return self.last;
        }
        self.first * (self.last / self.first).powf(step as f64 / (self.steps - 1) as f64)
    }
}

impl RangeTest {
    /// From the rate `first` to `last` in `steps` steps: fastai takes 10⁻⁷, 10 and 100.
    ///
    /// # Errors
    /// Unless `0 < first < last`, both are finite, and there are at least two steps.
    pub fn new(first: f64, last: f64, steps: u64) -> Result<Self> {
        let first = check::positive("range test: first rate", first)?;
        let last = check::positive("range test: last rate", last)?;
        if first >= last {
            return Err(Error::value("range test: last rate", format!("above the first one, {first}"), last));
        }
        if steps < 2 {
            return Err(Error::value("range test: steps", "at least 2", steps));
        }
        let rates = RangeRates { first, last, steps };
        Ok(RangeTest { rates, smoothing: 0.98, diverged: 4.0, mean: 0.0, best: f64::INFINITY, curve: Vec::new() })
    }

    /// Smooths losses by a running mean of another decay than 0.98; 0 takes them as they are.
    ///
    /// # Errors
    /// If it is not in `[0, 1)`.
    pub fn smoothing(self, decay: f64) -> Result<Self> {
        Ok(RangeTest { smoothing: check::below_one("range test: smoothing", decay)?, ..self })
    }

    /// Stops when the smoothed loss is more than so many times its least, in the place of 4.
    ///
    /// # Errors
    /// Unless it is above 1.
    pub fn diverged_at(self, times: f64) -> Result<Self> {
        if times > 1.0 {
            Ok(RangeTest { diverged: times, ..self })
        } else {
            Err(Error::value("range test: loss at which it stops", "a number above 1", times))
        }
    }

    /// The rates, for an optimizer.
    pub fn schedule(&self) -> RangeRates {
        self.rates
    }

    /// How many steps it has, if nothing ends it early.
    pub fn steps(&self) -> u64 {
        self.rates.steps
    }

    /// Takes note of the loss at the next rate, before the update; tells to stop when all steps are done, the loss has grown too much,
    /// or is no finite number any more.
    pub fn record(&mut self, loss: f64) -> ControlFlow<()> {
        let step = self.curve.len() as u64;
        if !loss.is_finite() || step >= self.rates.steps {
            return ControlFlow::Break(());
        }
        self.mean = self.smoothing * self.mean + (1.0 - self.smoothing) * loss;
        let smooth = self.mean / (1.0 - self.smoothing.powf((step + 1) as f64));
        self.curve.push((self.rates.at(step), smooth));
        self.best = self.best.min(smooth);
        let diverged = step > 0 && smooth > self.diverged * self.best && self.best > 0.0;
        if diverged || step + 1 >= self.rates.steps { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Rates and smoothed losses, as far as it came.
    pub fn curve(&self) -> &[(f64, f64)] {
        &self.curve
    }

    /// What the curve says, without its first tenth and its last five points, as fastai has it.
    ///
    /// # Errors
    /// As [`suggest`].
    pub fn suggestion(&self) -> Result<Suggestion> {
        let begin = self.curve.len() / 10;
        let end = self.curve.len().saturating_sub(5);
        let inner = self.curve.get(begin..end).unwrap_or_default();
        suggest(if inner.len() >= 3 { inner } else { &self.curve })
    }
}

/// Rates that a curve of losses over rates suggests.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Suggestion {
    /// Two thirds of the way through the longest run of falling losses: what to take, as a rule.
    pub valley: f64,
    /// Where the loss falls fastest by the logarithm of the rate.
    pub steepest: f64,
    /// A tenth of the rate with the least loss.
    pub minimum: f64,
}

/// Suggests rates from pairs of a rate and a loss, in the order of the rates.
///
/// The valley is fastai's: the longest subsequence of losses that fall, each below the one before, of which the point at two thirds is
/// taken.
///
/// # Errors
/// With fewer than three pairs, with rates that are not above 0 and growing, or losses that are not finite.
///
/// ```
/// use gradwise_optim::suggest;
///
/// let curve = [(1e-4, 1.0), (1e-3, 0.9), (1e-2, 0.6), (1e-1, 0.4), (1.0, 0.8)];
/// let suggestion = suggest(&curve)?;
/// assert_eq!((suggestion.steepest, suggestion.minimum), (1e-2, 1e-2));
/// assert!(suggest(&curve[..2]).is_err());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub fn suggest(curve: &[(f64, f64)]) -> Result<Suggestion> {
    if curve.len() < 3 {
        return Err(Error::value("range test: curve", "at least 3 points", curve.len()));
    }
    if let Some(pair) = curve.windows(2).find(|pair| !(pair[0].0 > 0.0 && pair[0].0 < pair[1].0)) {
        return Err(Error::value(
            "range test: rates",
            "growing ones above 0",
            format!("{} and {}", pair[0].0, pair[1].0),
        ));
    }
    if let Some((rate, loss)) = curve.iter().find(|(rate, loss)| !(loss.is_finite() && rate.is_finite())) {
        return Err(Error::value("range test: loss", format!("a finite number at the rate {rate}"), loss));
    }
    let slope = |i: usize| {
        // One-sided at the ends, else over both neighbours.
        let (a, b) = (curve[i.saturating_sub(1)], curve[(i + 1).min(curve.len() - 1)]);
        flip!("range_test/slope", b.1 - a.1) / (b.0.ln() - a.0.ln())
    };
    let at_least = |value: &dyn Fn(usize) -> f64| {
        (1..curve.len()).fold(0, |least, i| if value(i) < value(least) { i } else { least })
    };
    Ok(Suggestion {
        valley: curve[valley(curve)].0,
        steepest: curve[at_least(&slope)].0,
        minimum: curve[at_least(&|i| curve[i].1)].0 / 10.0,
    })
}

/// The point at two thirds of the longest run of falling losses, some of which may be left out.
fn valley(curve: &[(f64, f64)]) -> usize {
    let mut lengths = vec![1; curve.len()];
    let mut end = 0;
    for i in 1..curve.len() {
        for j in 0..i {
            if curve[i].1 < curve[j].1 && lengths[i] < lengths[j] + 1 {
                lengths[i] = lengths[j] + 1;
            }
        }
        if lengths[end] < lengths[i] {
            end = i;
        }
    }
    // Where it would begin if nothing were left out.
    let start = (end + 1).saturating_sub(lengths[end]);
    start + (end - start) * 2 / 3
}
