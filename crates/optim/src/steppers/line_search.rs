//! How far to go along a direction: the strong Wolfe conditions.

use gradwise_core::Result;

/// Along a direction: how far, the loss there, its slope in the direction, and the gradient.
#[derive(Clone, Debug)]
pub(crate) struct Point<T> {
    pub(crate) at: f64,
    pub(crate) loss: f64,
    pub(crate) slope: f64,
    pub(crate) grad: Vec<T>,
}

impl<T> Point<T> {
    fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.slope.is_finite()
    }
}

/// Sufficient decrease: the share of the first slope by which the loss must fall (Nocedal and Wright's c₁).
const DECREASE: f64 = 1e-4;

/// Curvature: the share of the first slope that may be left (their c₂ for quasi-Newton methods).
const CURVATURE: f64 = 0.9;

/// Finds a point that satisfies the strong Wolfe conditions,
///
/// ```text
/// f(t) ≤ f(0) + c₁ t f′(0)   and   |f′(t)| ≤ c₂ |f′(0)|
/// ```
///
/// by bracketing and cubic interpolation, in `evaluations` evaluations at most; returns the best point it has come to and how many it
/// took. It gives up a bracket that is narrower than `narrowest`. Nocedal and Wright, *Numerical optimization*, 2006, algorithms 3.5 and
/// 3.6, with the safeguards of Schmidt's minFunc, which PyTorch has as well: interpolations that hug an end of the bracket are moved
/// inwards.
pub(crate) fn strong_wolfe<T: Clone>(
    evaluate: &mut dyn FnMut(f64) -> Result<Point<T>>,
    start: Point<T>,
    first: f64,
    evaluations: u64,
    narrowest: f64,
) -> Result<(Point<T>, u64)> {
    let (loss, slope) = (start.loss, start.slope);
    let decreases = |point: &Point<T>| point.loss <= loss + DECREASE * point.at * slope;
    let is_flat = |point: &Point<T>| point.slope.abs() <= -CURVATURE * slope;
    let (mut new, mut n) = (evaluate(first)?, 1);
    let mut last = start.clone();
    let mut tries = 0;
    // The two ends of an interval that holds such a point.
    let mut ends = loop {
        if tries >= evaluations {
            break [start, new];
        }
        if !new.is_finite() || !decreases(&new) || (tries > 1 && new.loss >= last.loss) {
            break [last, new];
        }
        if is_flat(&new) {
            return Ok((new, n));
        }
        if new.slope >= 0.0 {
            break [last, new];
        }
        let bounds = (new.at + 0.01 * (new.at - last.at), 10.0 * new.at);
        let next = evaluate(cubic(&last, &new, bounds))?;
        last = std::mem::replace(&mut new, next);
        n += 1;
        tries += 1;
    };
    let mut low = lower(&ends);
    let mut hugged = false;
    while tries < evaluations {
        let (left, right) = (ends[0].at.min(ends[1].at), ends[0].at.max(ends[1].at));
        if right - left < narrowest {
            break;
        }
        let mut at = cubic(&ends[0], &ends[1], (left, right));
        let margin = 0.1 * (right - left);
        if (right - at).min(at - left) < margin {
            if hugged || at >= right || at <= left {
                at = if (at - right).abs() < (at - left).abs() { right - margin } else { left + margin };
                hugged = false;
            } else {
                hugged = true;
            }
        } else {
            hugged = false;
        }
        let new = evaluate(at)?;
        n += 1;
        tries += 1;
        if !new.is_finite() || !decreases(&new) || new.loss >= ends[low].loss {
            ends[1 - low] = new;
            low = lower(&ends);
            continue;
        }
        let done = is_flat(&new);
        if !done && new.slope * (ends[1 - low].at - ends[low].at) >= 0.0 {
            // What was the lower end is the other one now.
            ends[1 - low] = ends[low].clone();
        }
        ends[low] = new;
        if done {
            break;
        }
    }
    let [a, b] = ends;
    Ok((if low == 0 { a } else { b }, n))
}

/// The index of the lower end; one that is not finite is lower than none.
fn lower<T>(ends: &[Point<T>; 2]) -> usize {
    let [a, b] = ends.each_ref().map(|end| if end.is_finite() { end.loss } else { f64::INFINITY });
    usize::from(b < a)
}

/// Where the cubic through two points with their slopes is least, within bounds; their middle if there is no such place.
fn cubic<T>(a: &Point<T>, b: &Point<T>, (low, high): (f64, f64)) -> f64 {
    let (a, b) = if a.at <= b.at { (a, b) } else { (b, a) };
    let one = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.at - b.at);
    let two = one * one - a.slope * b.slope;
    let at = b.at - (b.at - a.at) * ((b.slope + two.sqrt() - one) / (b.slope - a.slope + 2.0 * two.sqrt()));
    if two >= 0.0 && at.is_finite() { at.clamp(low, high) } else { 0.5 * (low + high) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches along a function of one number.
    fn search(f: impl Fn(f64) -> (f64, f64), first: f64) -> (f64, u64) {
        let point = |at: f64| {
            let (loss, slope) = f(at);
            Point { at, loss, slope, grad: vec![slope] }
        };
        let start = point(0.0);
        let (end, n) = strong_wolfe(&mut |at| Ok(point(at)), start.clone(), first, 25, 1e-9).unwrap();
        assert!(end.loss <= start.loss + DECREASE * end.at * start.slope, "no decrease at {}", end.at);
        assert!(end.slope.abs() <= CURVATURE * start.slope.abs(), "too steep at {}", end.at);
        (end.at, n)
    }

    #[test]
    fn conditions_hold_from_steps_that_are_far_too_small_and_too_large() {
        for first in [1e-6, 1e-2, 1.0, 1e3, 1e6] {
            search(|t| ((t - 3.0).powi(2), 2.0 * (t - 3.0)), first);
            search(|t| ((t - 3.0).powi(4), 4.0 * (t - 3.0).powi(3)), first);
            search(|t| (-(t / (t * t + 2.0)), (t * t - 2.0) / (t * t + 2.0).powi(2)), first.min(10.0));
        }
    }

    #[test]
    fn what_is_not_finite_is_stepped_back_from() {
        // A barrier at 1, as of a logarithm.
        let (at, _) = search(|t| (-(1.0 - t).ln() - 3.0 * t, 1.0 / (1.0 - t) - 3.0), 50.0);
        assert!(at < 1.0);
    }
}
