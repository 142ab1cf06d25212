//! Weights.

use super::step::LocalFilter;
use super::weighted::Taps;
use crate::exact::exp;
use crate::geometry::Map;

/// Half of a kernel of one direction, from its centre: weight `i` is that of the two values `i` away; the centre's, which is such a pair with itself,
/// is half of what it counts. The first `n` count, and sum to ½.
#[derive(Clone, Copy, Debug)]
pub(super) struct Half {
    weights: [f32; LocalFilter::MAX_RADIUS + 1],
    n: usize,
}

impl Half {
    /// In proportion to some weights, the centre's in full.
    fn of(radius: usize, weight: impl Fn(usize) -> f64) -> Self {
        let radius = radius.min(LocalFilter::MAX_RADIUS);
        let sum: f64 = weight(0) + 2.0 * (1..=radius).map(&weight).sum::<f64>();
        let mut weights = [0.0; LocalFilter::MAX_RADIUS + 1];
        for (i, out) in weights.iter_mut().enumerate().take(radius + 1) {
            *out = (weight(i) * if i == 0 { 0.5 } else { 1.0 } / sum) as f32;
        }
        Half { weights, n: radius + 1 }
    }

    pub(super) fn weights(&self) -> &[f32] {
        &self.weights[..self.n]
    }
}

/// Gauss's bell.
pub(super) fn gaussian(sigma: f32, radius: usize) -> Half {
    let scale = -0.5 / (f64::from(sigma) * f64::from(sigma)).max(1e-12);
    Half::of(radius, |i| exp(scale * (i * i) as f64))
}

/// The same everywhere.
pub(super) fn uniform(radius: usize) -> Half {
    Half::of(radius, |_| 1.0)
}

/// A line through the centre: the mean of points along it, close together, each between four pixels. Half of the points stand for all, as the
/// others lie opposite.
pub(super) fn line(length: f32, angle: f32, taps: &mut Taps<f32>) {
    /// Points a pixel of length.
    const DENSITY: f64 = 8.0;
    let half = f64::from(length) / 2.0;
    let n = (half * DENSITY).ceil().max(1.0);
    let radius = half.ceil() as i32 + 1;
    taps.clear(radius as usize);
    for i in 0..n as usize {
        // Exact for quarter turns.
        let along = (i as f64 + 0.5) / n * half;
        let (x, y) = Map::rotation(angle.into()).point(along, 0.0);
        let (column, row) = (x.floor(), y.floor());
        let (fx, fy) = (x - column, y - row);
        let corners =
            [(0, 0, (1.0 - fx) * (1.0 - fy)), (1, 0, fx * (1.0 - fy)), (0, 1, (1.0 - fx) * fy), (1, 1, fx * fy)];
        for (dx, dy, weight) in corners {
            taps.add(column as i32 + dx, row as i32 + dy, (0.5 * weight / n) as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_sum_to_a_half() {
        for half in [gaussian(0.0, 3), gaussian(0.8, 2), gaussian(40.0, 127), uniform(0), uniform(9)] {
            assert!((half.weights().iter().sum::<f32>() - 0.5).abs() < 1e-5);
        }
        assert_eq!(gaussian(0.0, 2).weights(), [0.5, 0.0, 0.0]);
        let expected = (-0.5_f64 / 0.64).exp();
        let half = gaussian(0.8, 2);
        assert!((f64::from(half.weights()[1] / (2.0 * half.weights()[0])) - expected).abs() < 1e-6);
    }

    #[test]
    fn lines() {
        let mut taps = Taps::default();
        let weight = |taps: &Taps<f32>, x: i32, y: i32| -> f32 {
            let of =
                |place: (i32, i32)| taps.iter().filter(|tap| tap.place == place).map(|tap| tap.weight).sum::<f32>();
            of((x, y)) + of((-x, -y))
        };
        line(3.0, 0.0, &mut taps);
        // A line of 3 pixels' length, each sample spread over the two nearest pixels: the integral of a triangle over [-1.5, 1.5].
        for (x, expected) in [(0, 1.0 / 3.0), (1, 7.0 / 24.0), (2, 1.0 / 24.0), (3, 0.0)] {
            assert!((weight(&taps, x, 0) - expected).abs() < 2e-3, "{x}: {}", weight(&taps, x, 0));
            assert_eq!(weight(&taps, x, 1), 0.0);
        }
        line(9.0, 90.0, &mut taps);
        assert!(taps.iter().all(|tap| tap.place.0 == 0), "a vertical line");
        line(9.0, 45.0, &mut taps);
        assert!(weight(&taps, 2, 2) > 0.05 && weight(&taps, 2, -2) == 0.0, "down to the right");
        assert!((taps.iter().map(|tap| tap.weight).sum::<f32>() - 0.5).abs() < 1e-6);
        line(0.0, 30.0, &mut taps);
        assert!((weight(&taps, 0, 0) - 1.0).abs() < 1e-6, "a line without length changes nothing");
    }
}
