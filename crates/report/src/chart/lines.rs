//! Curves, with bands around them.

use super::axis::Axis;
use super::sheet::{Failed, Key, Scale, Sheet, draw_area, draw_line, legend_height, width};
use crate::draw::{Drawing, Ink};
use crate::number::number;
use crate::table::Table;
use plotters::element::Circle;

/// Points on a curve before it is summed up: more than the eye tells apart.
const MOST_POINTS: usize = 120;

/// A figure of curves.
pub(crate) struct Lines {
    /// What is to the right.
    pub(crate) x: String,
    /// What is upwards.
    pub(crate) y: String,
    pub(crate) format_y: fn(f64) -> String,
    /// Whether the axis to the right is logarithmic.
    pub(crate) log_x: bool,
    /// Whether the axis upwards may be.
    pub(crate) stretch_y: bool,
    pub(crate) curves: Vec<Curve>,
}

/// A curve: the middle of several, or one by itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    pub(crate) name: String,
    /// Which colour it has.
    pub(crate) color: usize,
    pub(crate) dashed: bool,
    /// `[x, mean, smallest, largest]`.
    pub(crate) points: Vec<[f64; 4]>,
}

impl Curve {
    /// A curve of several runs' values: their mean, and their smallest and largest. Long curves are summed up in pieces of equal width; of
    /// a single run, the band is then what its values do within a piece.
    pub(crate) fn of(name: impl Into<String>, color: usize, dashed: bool, runs: &[Vec<[f64; 2]>]) -> Self {
        let mut places: Vec<f64> = runs.iter().flatten().map(|point| point[0]).filter(|x| x.is_finite()).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let (first, last) = (places.first().copied().unwrap_or(0.0), places.last().copied().unwrap_or(1.0));
        let exact = places.len() <= MOST_POINTS;
        let n = if exact { places.len() } else { MOST_POINTS };
        let piece = |x: f64| {
            if exact {
                return places.partition_point(|place| *place < x);
            }
            (((x - first) / (last - first) * n as f64) as usize).min(n - 1)
        };
        // Of each piece: the runs' means in it, the sum of places, and the values' range.
        let mut means: Vec<Vec<f64>> = vec![Vec::new(); n];
        let mut ranges: Vec<[f64; 2]> = vec![[f64::INFINITY, f64::NEG_INFINITY]; n];
        let mut sums: Vec<[f64; 2]> = vec![[0.0; 2]; n];
        for run in runs {
            let mut of_run: Vec<[f64; 2]> = vec![[0.0; 2]; n];
            for [x, y] in run.iter().filter(|point| point[0].is_finite()) {
                let k = piece(*x);
                sums[k] = [sums[k][0] + x, sums[k][1] + 1.0];
                if y.is_finite() {
                    of_run[k] = [of_run[k][0] + y, of_run[k][1] + 1.0];
                    ranges[k] = [ranges[k][0].min(*y), ranges[k][1].max(*y)];
                }
            }
            for (k, [sum, count]) in of_run.into_iter().enumerate().filter(|(_, [_, count])| *count > 0.0) {
                means[k].push(sum / count);
            }
        }
        let point = |k: usize| {
            let x = sums[k][0] / sums[k][1];
            let of = &means[k];
            if of.is_empty() {
                return [x, f64::NAN, f64::NAN, f64::NAN];
            }
            let mean = of.iter().sum::<f64>() / of.len() as f64;
            let [low, high] = if runs.len() == 1 {
                ranges[k]
            } else {
                [of.iter().copied().fold(f64::INFINITY, f64::min), of.iter().copied().fold(f64::NEG_INFINITY, f64::max)]
            };
            [x, mean, low, high]
        };
        let points = (0..n).filter(|k| sums[*k][1] > 0.0).map(point).collect();
        Curve { name: name.into(), color, dashed, points }
    }

    /// Whether there is anything to be seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.points.iter().all(|point| !point[1].is_finite())
    }

    /// Pieces without gaps.
    fn pieces(&self) -> impl Iterator<Item = &[[f64; 4]]> {
        self.points.split(|point| !point[1].is_finite()).filter(|piece| !piece.is_empty())
    }
}

impl Lines {
    pub(crate) fn draw(&self) -> Result<Drawing, Failed> {
        let keys: Vec<Key> = self
            .curves
            .iter()
            .map(|c| Key { name: c.name.clone(), ink: Ink::series(c.color), dashed: c.dashed, solid: false })
            .collect();
        let top = legend_height(&keys).max(12.0);
        let sheet = Sheet::new(top + 330.0);
        sheet.legend(&keys)?;
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let heights = || points().flat_map(|point| [point[1], point[2], point[3]]);
        let y = if self.stretch_y { Axis::stretched(heights()) } else { Axis::around(heights()) };
        let x = match super::axis::range(points().map(|point| point[0])) {
            Some([min, max]) if self.log_x && min > 0.0 => Axis::log(min, max),
            Some([min, max]) if min < max => {
                // The last step of an epoch begins a little before its end.
                let end = if max.ceil() - max < 0.05 * max { max.ceil() } else { max };
                let whole = points().all(|point| point[0].fract() == 0.0);
                Axis::between(if min < 0.1 * max { min.min(0.0) } else { min }, end).whole(whole)
            }
            Some([x, _]) => Axis::around([x]),
            None => Axis::between(0.0, 1.0),
        };
        let widest = y.ticks(6).into_iter().map(|tick| width(&(self.format_y)(tick), 11.0)).fold(0.0, f32::max);
        let x = Scale { axis: x, name: &self.x, format: crate::number::tick, ticks: true };
        let y = Scale { axis: y, name: &self.y, format: self.format_y, ticks: true };
        let mut plot = sheet.plot([widest + 40.0, top, 20.0, 44.0], &x, &y)?;
        for curve in &self.curves {
            let ink = Ink::series(curve.color);
            sheet.canvas.begin(&curve.name);
            for piece in curve.pieces() {
                if piece.iter().any(|[_, _, low, high]| low < high) {
                    let up = piece.iter().map(|[x, _, _, high]| (*x, *high));
                    let down = piece.iter().rev().map(|[x, _, low, _]| (*x, *low));
                    draw_area(&mut plot, up.chain(down).collect(), ink, 0.18)?;
                }
                if let [[x, y, ..]] = piece {
                    plot.draw_series(std::iter::once(Circle::new((*x, *y), 30, super::sheet::filled(ink, 1.0))))?;
                } else {
                    sheet.canvas.dashed(curve.dashed);
                    draw_line(&mut plot, piece.iter().map(|[x, y, ..]| (*x, *y)).collect(), ink, 1.8)?;
                    sheet.canvas.dashed(false);
                }
            }
            sheet.canvas.end();
        }
        drop(plot);
        Ok(sheet.finish())
    }

    /// The numbers: first, best and last of each curve.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(["curve", "first", "smallest", "largest", "last", "points"]);
        for curve in &self.curves {
            let means = || curve.points.iter().map(|point| point[1]);
            let finite: Vec<f64> = means().filter(|y| y.is_finite()).collect();
            let of = |x: Option<f64>| number(x.unwrap_or(f64::NAN));
            let min = finite.iter().copied().reduce(f64::min);
            let max = finite.iter().copied().reduce(f64::max);
            let n = finite.len().to_string();
            table.push([curve.name.clone(), of(means().next()), of(min), of(max), of(means().next_back()), n]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_runs_are_a_mean_and_a_band() {
        let curve = Curve::of("a", 0, false, &[vec![[1.0, 2.0], [2.0, f64::NAN]], vec![[1.0, 4.0], [2.0, 5.0]]]);
        assert_eq!(curve.points, [[1.0, 3.0, 2.0, 4.0], [2.0, 5.0, 5.0, 5.0]]);
    }

    #[test]
    fn long_curves_are_summed_up_and_lose_no_extreme() {
        let long: Vec<[f64; 2]> = (0..10_000).map(|i| [f64::from(i), if i == 5000 { 99.0 } else { 1.0 }]).collect();
        let curve = Curve::of("a", 0, false, &[long]);
        assert_eq!(curve.points.len(), MOST_POINTS);
        assert_eq!(curve.points.iter().map(|p| p[3]).fold(0.0, f64::max), 99.0);
        assert!(curve.points.windows(2).all(|pair| pair[0][0] < pair[1][0]));
    }

    #[test]
    fn gaps_stay_gaps() {
        let curve = Curve::of("a", 0, false, &[vec![[0.0, 1.0], [1.0, f64::NAN], [2.0, 1.0], [3.0, 2.0]]]);
        assert_eq!(curve.pieces().map(<[_]>::len).collect::<Vec<_>>(), [1, 2]);
        assert!(Curve::of("b", 0, false, &[vec![[0.0, f64::INFINITY]]]).is_empty());
        assert!(Curve::of("c", 0, false, &[]).is_empty());
    }
}
