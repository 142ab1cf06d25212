//! What more data would bring.

use crate::draw::Random;
use crate::scaler::quantile;
use crate::shuffle::Purpose;
use crate::{DataError, Result};

/// The error on held-out data against the number of training samples: `error(n) = a + b n^(−c)`, with `a ≥ 0` what no data will take away.
///
/// Train on growing parts of the data (an eighth, a quarter, a half, all), measure the error of each, and fit: the curve predicts the
/// error of more data than there is, with how uncertain that is. Use it to decide between more data and another model. Fitted by least
/// squares, weighted by the points' own spread where it is known; for each exponent `c` the rest is linear, so `c` alone is searched,
/// over `[0.01, 3]`. The uncertainty is that of a parametric bootstrap: the fit is repeated on points drawn anew about the curve. It
/// assumes that the curve *is* a power law: far beyond the data it may bend. Sources: Hestness et al., *Deep learning scaling is
/// predictable, empirically*, 2017; Cortes et al., *Learning curves: asymptotic values and rate of convergence*, NIPS 1993; Efron 1979
/// (bootstrap).
///
/// ```
/// use gradwise_data::LearningCurve;
///
/// // 5 % that no data will take away, and 2 n^(-1/2).
/// let points: Vec<(f64, f64)> = [100.0, 200.0, 400.0, 800.0_f64].map(|n| (n, 0.05 + 2.0 / n.sqrt())).to_vec();
/// let curve = LearningCurve::fit(&points, None)?;
/// assert!((curve.at(3200.0) - (0.05 + 2.0 / 3200_f64.sqrt())).abs() < 1e-6);
/// assert!((curve.exponent() - 0.5).abs() < 1e-4 && (curve.floor() - 0.05).abs() < 1e-4);
/// # Ok::<(), gradwise_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LearningCurve {
    points: Vec<(f64, f64)>,
    /// The spread of each point.
    spreads: Vec<f64>,
    power: Power,
}

/// The parameters of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Power {
    floor: f64,
    scale: f64,
    exponent: f64,
}

impl Power {
    fn at(self, n: f64) -> f64 {
        self.floor + self.scale * n.powf(-self.exponent)
    }
}

/// A predicted error, with the interval that holds it with the chance that was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// What the curve says.
    pub error: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

const EXPONENTS: std::ops::RangeInclusive<f64> = 0.01..=3.0;

impl LearningCurve {
    /// The curve through points of (training samples, error), of which several may have one number of samples, as from several seeds.
    ///
    /// `spreads` are the standard deviations of the errors, if they are known, as from several seeds; otherwise one for all is estimated
    /// from how far the points lie from the curve.
    ///
    /// # Errors
    /// If there are fewer than three different numbers of samples (four points without spreads), a number is not positive or not finite,
    /// an error is negative or not finite, or there is not one positive spread a point.
    pub fn fit(points: &[(f64, f64)], spreads: Option<&[f64]>) -> Result<Self> {
        const WHAT: &str = "learning curve";
        if let Some((n, error)) =
            points.iter().find(|(n, e)| !(*n > 0.0 && n.is_finite() && *e >= 0.0 && e.is_finite()))
        {
            let expected = "positive numbers of samples and errors from 0";
            return Err(DataError::value(WHAT, expected, format!("an error of {error} for {n} samples")));
        }
        let mut sizes: Vec<f64> = points.iter().map(|p| p.0).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        sizes.dedup();
        let least = if spreads.is_some() { 3 } else { 4 };
        if sizes.len() < 3 || points.len() < least {
            let expected = format!("at least {least} points with 3 different numbers of samples");
            return Err(DataError::value(WHAT, expected, format!("{} with {}", points.len(), sizes.len())));
        }
        if let Some(spreads) = spreads {
            if spreads.len() != points.len() {
                let expected = format!("{} spreads, one a point", points.len());
                return Err(DataError::shape(WHAT, expected, &[spreads.len()]));
            }
            if let Some(bad) = spreads.iter().find(|s| !(**s > 0.0 && s.is_finite())) {
                return Err(DataError::value("learning curve: spread", "a positive number", bad));
            }
        }
        let weights: Vec<f64> =
            spreads.map_or_else(|| vec![1.0; points.len()], |s| s.iter().map(|s| s.powi(-2)).collect());
        let power = least_squares(points, &weights);
        let spreads = spreads.map_or_else(
            || {
                let squares: f64 = points.iter().map(|&(n, e)| (e - power.at(n)).powi(2)).sum();
                vec![(squares / (points.len() - 3) as f64).sqrt(); points.len()]
            },
            <[f64]>::to_vec,
        );
        Ok(LearningCurve { points: points.to_vec(), spreads, power })
    }

    /// The error that the curve says for a number of training samples.
    pub fn at(&self, n: f64) -> f64 {
        self.power.at(n)
    }

    /// The same with its uncertainty: the interval that holds the curve with a chance of `level`, such as 0.9, by `repeats` fits on points
    /// drawn anew. The seed tells which; 200 repeats are enough for a plot.
    ///
    /// # Errors
    /// If the level is not between 0 and 1, there are no repeats, or `n` is not positive.
    pub fn predict(&self, n: f64, level: f64, repeats: usize, seed: u64) -> Result<Prediction> {
        if !(level > 0.0 && level < 1.0) {
            return Err(DataError::value("learning curve: level", "a number above 0 and below 1", level));
        }
        if repeats == 0 {
            return Err(DataError::value("learning curve: repeats", "at least 1", repeats));
        }
        if !(n > 0.0 && n.is_finite()) {
            return Err(DataError::value("learning curve: samples", "a positive number", n));
        }
        let weights: Vec<f64> = self.spreads.iter().map(|s| if *s > 0.0 { s.powi(-2) } else { 1.0 }).collect();
        let mut random = Random::new(Purpose::Curve, seed, 0);
        let mut drawn = self.points.clone();
        let mut errors = Vec::with_capacity(repeats);
        for _ in 0..repeats {
            for ((point, spread), (n, _)) in drawn.iter_mut().zip(&self.spreads).zip(&self.points) {
                point.1 = self.power.at(*n) + spread * random.normal();
            }
            errors.push(least_squares(&drawn, &weights).at(n));
        }
        errors.sort_unstable_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - level);
        Ok(Prediction { error: self.at(n), low: quantile(&errors, tail), high: quantile(&errors, 1.0 - tail) })
    }

    /// `a`: the error that more data will not take away.
    pub fn floor(&self) -> f64 {
        self.power.floor
    }

    /// `b`: what the error is made of besides, at one sample.
    pub fn scale(&self) -> f64 {
        self.power.scale
    }

    /// `c`: how fast that falls. With ½, four times the data halve it.
    pub fn exponent(&self) -> f64 {
        self.power.exponent
    }
}

/// The curve of the least weighted squares: the best exponent of a fine grid, and then of ever finer ones about it (by golden sections).
fn least_squares(points: &[(f64, f64)], weights: &[f64]) -> Power {
    let cost = |c: f64| linear(points, weights, c).1;
    let (low, high) = (EXPONENTS.start().ln(), EXPONENTS.end().ln());
    const GRID: usize = 60;
    let at = |i: usize| (low + (high - low) * i as f64 / GRID as f64).exp();
    let costs: Vec<f64> = (0..=GRID).map(|i| cost(at(i))).collect();
    let best = (0..=GRID).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap_or(0);
    let (mut a, mut b) = (at(best.saturating_sub(1)), at((best + 1).min(GRID)));
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let (mut x, mut y) = (b - GOLDEN * (b - a), a + GOLDEN * (b - a));
    let (mut cost_x, mut cost_y) = (cost(x), cost(y));
    for _ in 0..60 {
        if cost_x <= cost_y {
            (b, y, cost_y) = (y, x, cost_x);
            x = b - GOLDEN * (b - a);
            cost_x = cost(x);
        } else {
            (a, x, cost_x) = (x, y, cost_y);
            y = a + GOLDEN * (b - a);
            cost_y = cost(y);
        }
    }
    linear(points, weights, 0.5 * (a + b)).0
}

/// For one exponent, the floor and scale of the least squares, both at least 0, and the squares.
fn linear(points: &[(f64, f64)], weights: &[f64], exponent: f64) -> (Power, f64) {
    // About the weighted means, which does not cancel.
    let total: f64 = weights.iter().sum();
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| points.iter().zip(weights).map(|(p, w)| w * f(p)).sum::<f64>() / total;
    let power = |p: &(f64, f64)| p.0.powf(-exponent);
    let (x, y) = (mean(&power), mean(&|p| p.1));
    let (xx, xy) = (mean(&|p| (power(p) - x).powi(2)), mean(&|p| (power(p) - x) * (p.1 - y)));
    let mut scale = if xx > 0.0 { xy / xx } else { 0.0 };
    let mut floor = y - scale * x;
    // On the bounds, whichever is crossed, the other parameter alone is fitted.
    if scale < 0.0 {
        (scale, floor) = (0.0, y);
    } else if floor < 0.0 {
        let squares = mean(&|p| power(p).powi(2));
        (floor, scale) = (0.0, if squares > 0.0 { mean(&|p| power(p) * p.1).max(0.0) / squares } else { 0.0 });
    }
    let power = Power { floor, scale, exponent };
    (power, mean(&|p| (p.1 - power.at(p.0)).powi(2)))
}
