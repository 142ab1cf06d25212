//! Losses of one element, and their slopes.

use gradwise_core::{Error, Real, Result, flip};

use crate::math;

/// The loss of one element as a function of prediction and target: all that distinguishes the losses that are means over elements.
///
/// ```
/// use gradwise_core::{Real, Reduction};
/// use gradwise_tensor::{eager::Eager, loss::{Formula, Pointwise}};
/// use ndarray::arr1;
///
/// /// ln cosh(p - t): squared near zero, absolute far from it, smooth everywhere.
/// struct LogCosh;
///
/// impl<T: Real> Formula<T> for LogCosh {
///     fn name(&self) -> &'static str { "log_cosh" }
///     fn value(&self, _: usize, p: T, t: T) -> T {
///         let d = (p - t).abs();
///         d + (T::of(-2.0) * d).exp().ln_1p() - T::LN_2()
///     }
///     fn slope(&self, _: usize, p: T, t: T) -> T { (p - t).tanh() }
/// }
///
/// let targets = arr1(&[1.0, 2.0]).into_dyn();
/// let loss = Pointwise::with(LogCosh, &targets, Reduction::Mean)?;
/// let (value, _) = Eager::<f64>::default().forward(&loss, &[arr1(&[1.0, 2.0]).into_dyn().view()])?;
/// assert!(value[[]].abs() < 1e-15);
/// # Ok::<(), gradwise_core::Error>(())
/// ```
pub trait Formula<T: Real>: Send + Sync {
    /// The operation's name in errors and reports.
    fn name(&self) -> &'static str;

    /// The loss of an element, which is the `position`-th of its sample.
    fn value(&self, position: usize, prediction: T, target: T) -> T;

    /// The derivative of [`Formula::value`] by the prediction.
    fn slope(&self, position: usize, prediction: T, target: T) -> T;

    /// Whether a sample's loss is the sum over its elements, and not their mean.
    fn sums(&self) -> bool {
        false
    }

    /// Refuses targets that this loss has no meaning for; anything is taken unless a formula says otherwise.
    ///
    /// # Errors
    /// If it refuses.
    fn check_target(&self, target: T) -> Result<()> {
        let _ = target;
        Ok(())
    }

    /// Refuses samples of a number of elements that this formula is not made for.
    ///
    /// # Errors
    /// If it refuses.
    fn check_sample(&self, shape: &[usize], len: usize) -> Result<()> {
        let _ = (shape, len);
        Ok(())
    }
}

/// `(p - t)²`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SquaredError;

impl<T: Real> Formula<T> for SquaredError {
    fn name(&self) -> &'static str {
        "mean_squared_error"
    }
    #[inline(always)]
    fn value(&self, _: usize, prediction: T, target: T) -> T {
        (prediction - target) * (prediction - target)
    }
    #[inline(always)]
    fn slope(&self, _: usize, prediction: T, target: T) -> T {
        (prediction - target) + (prediction - target)
    }
}

/// `|p - t|`, with slope 0 where they are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AbsoluteError;

impl<T: Real> Formula<T> for AbsoluteError {
    fn name(&self) -> &'static str {
        "mean_absolute_error"
    }
    #[inline(always)]
    fn value(&self, _: usize, prediction: T, target: T) -> T {
        (prediction - target).abs()
    }
    #[inline(always)]
    fn slope(&self, _: usize, prediction: T, target: T) -> T {
        let d = prediction - target;
        // `signum` of 0 is 1; NaN stays.
        if d == T::zero() { d } else { d.signum() }
    }
}

/// Huber's loss: `d² / 2` for `|d| ≤ δ`, where `d = p - t`, and `δ (|d| - δ / 2)` beyond.
///
/// Source: Huber, *Robust estimation of a location parameter*, Annals of Mathematical Statistics 35, 1964.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HuberError {
    delta: f64,
}

impl HuberError {
    /// With the error `δ` from which on the loss grows linearly, commonly 1.
    ///
    /// # Errors
    /// If `delta` is not a positive number.
    pub fn new(delta: f64) -> Result<Self> {
        if delta > 0.0 && delta.is_finite() {
            return Ok(HuberError { delta });
        }
        Err(Error::value("huber: delta", "a positive number", delta))
    }
}

impl<T: Real> Formula<T> for HuberError {
    fn name(&self) -> &'static str {
        "huber"
    }
    #[inline(always)]
    fn value(&self, _: usize, prediction: T, target: T) -> T {
        let (d, delta, half) = ((prediction - target).abs(), T::of(self.delta), T::of(0.5));
        if d > delta { delta * (d - half * delta) } else { half * d * d }
    }
    #[inline(always)]
    fn slope(&self, _: usize, prediction: T, target: T) -> T {
        let (d, delta) = (prediction - target, T::of(self.delta));
        if d > delta {
            delta
        } else if d < -delta {
            flip!("huber/below", -delta)
        } else {
            d
        }
    }
}

/// Binary cross-entropy of a logit `x` and a target `t` in `[0, 1]`: `t softplus(-x) + (1 - t) softplus(x)`, where `softplus(x) = ln(1 +
/// exp(x))`. It never overflows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Logistic;

/// [`Logistic`] with weights `w` of the positive class: `w t softplus(-x) + (1 - t) softplus(x)`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct WeightedLogistic<'a> {
    weights: &'a [f64],
}

impl<'a> WeightedLogistic<'a> {
    /// With a weight for all elements, or one for each element of a sample.
    ///
    /// # Errors
    /// If there is no weight, or one is negative or not finite.
    pub fn new(weights: &'a [f64]) -> Result<Self> {
        const PLACE: &str = "bce_with_logits: positive weight";
        match weights.iter().find(|weight| !(**weight >= 0.0 && weight.is_finite())) {
            Some(weight) => Err(Error::value(PLACE, "a finite number, at least 0", weight)),
            None if weights.is_empty() => Err(Error::value(PLACE, "at least one weight", "none")),
            None => Ok(WeightedLogistic { weights }),
        }
    }

    #[inline(always)]
    fn weight<T: Real>(&self, position: usize) -> T {
        T::of(if self.weights.len() == 1 { self.weights[0] } else { self.weights[position] })
    }
}

/// A product in which 0 wins over infinity: a term that does not count, however large the logit.
#[inline(always)]
fn times<T: Real>(weight: T, value: T) -> T {
    if weight == T::zero() { T::zero() } else { weight * value }
}

/// `ln(1 + u)` for `0 ≤ u ≤ 1`.
///
/// For `f32` as `2 artanh(s)` with `s = u / (2 + u) ≤ 1/3`, by the series `s + s³/3 + s⁵/5 + …`, whose first term left out is below a
/// quarter of a unit in the last place. Unlike a call to the library it compiles to vector instructions.
#[inline(always)]
fn ln_1p_of_unit<T: Real>(u: T) -> T {
    if size_of::<T>() != size_of::<f32>() {
        return u.ln_1p();
    }
    let s = u / (u + T::of(2.0));
    let square = s * s;
    let mut series = T::zero();
    for n in (1..8).rev() {
        series = (series + T::of(1.0 / f64::from(2 * n + 1))) * square;
    }
    (s + s) + (s + s) * series
}

/// The loss of a logit for a target whose positive part is weighted.
#[inline(always)]
fn logistic<T: Real>(logit: T, positive: T, negative: T) -> T {
    let tail = ln_1p_of_unit(math::exp(-logit.abs()));
    // `max` would turn NaN into 0.
    let above = if logit > T::zero() { logit } else { T::zero() };
    let below = if logit > T::zero() { T::zero() } else { -logit };
    times(positive, below + tail) + times(negative, above + tail)
}

/// The derivative of [`logistic`] by the logit.
#[inline(always)]
fn logistic_slope<T: Real>(logit: T, positive: T, negative: T) -> T {
    // σ(|x|) and σ(-|x|) from one exponential that cannot overflow.
    let small = math::exp(-logit.abs());
    let (near, far) = (T::one() / (T::one() + small), small / (T::one() + small));
    let up = if logit > T::zero() { near } else { far };
    let down = if logit > T::zero() { far } else { near };
    negative * up - flip!("bce_with_logits/positive", positive * down)
}

/// Refuses what is not between off and on.
pub(super) fn check_label<T: Real>(what: &'static str, target: T) -> Result<()> {
    if (T::zero()..=T::one()).contains(&target) {
        return Ok(());
    }
    Err(Error::value(what, "a number in [0, 1]", target))
}

impl<T: Real> Formula<T> for Logistic {
    fn name(&self) -> &'static str {
        "bce_with_logits"
    }
    #[inline(always)]
    fn value(&self, _: usize, logit: T, target: T) -> T {
        logistic(logit, target, T::one() - target)
    }
    #[inline(always)]
    fn slope(&self, _: usize, logit: T, target: T) -> T {
        logistic_slope(logit, target, T::one() - target)
    }
    fn check_target(&self, target: T) -> Result<()> {
        check_label("bce_with_logits: target", target)
    }
}

impl<T: Real> Formula<T> for WeightedLogistic<'_> {
    fn name(&self) -> &'static str {
        "bce_with_logits"
    }
    #[inline(always)]
    fn value(&self, position: usize, logit: T, target: T) -> T {
        logistic(logit, self.weight::<T>(position) * target, T::one() - target)
    }
    #[inline(always)]
    fn slope(&self, position: usize, logit: T, target: T) -> T {
        logistic_slope(logit, self.weight::<T>(position) * target, T::one() - target)
    }
    fn check_target(&self, target: T) -> Result<()> {
        check_label("bce_with_logits: target", target)
    }
    fn check_sample(&self, shape: &[usize], len: usize) -> Result<()> {
        if self.weights.len() == 1 || self.weights.len() == len {
            return Ok(());
        }
        let expected = format!("{} elements a sample, as the positive weights", self.weights.len());
        Err(Error::shape("bce_with_logits", expected, shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_accurate() {
        for i in 0..=10_000 {
            let u = i as f32 / 10_000.0;
            let exact = f64::from(u).ln_1p();
            assert!((f64::from(ln_1p_of_unit(u)) - exact).abs() <= 2e-7 * exact, "{u}");
        }
        assert!(ln_1p_of_unit(f32::NAN).is_nan());
        assert_eq!(ln_1p_of_unit(1e-30_f32), 1e-30);
    }
}
