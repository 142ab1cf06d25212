//! Looking at what a tape computed.

use crate::Tape;
use crate::node::{Source, kept};
use gradwise_core::{ArrayViewD, LayerReading, Real};
use ndarray::Axis;

/// What readings are taken of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    /// About how many values are looked at.
    pub(crate) sample: usize,
    /// Whether fused activations are left out.
    pub(crate) before_activation: bool,
}

/// Where a number that is not finite came from first.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// Path of the layer, or of the parameter.
    pub path: String,
    /// The operation; `"parameter"` or `"input"` if it was there from the start.
    pub op: &'static str,
    /// The number: NaN or an infinity.
    pub value: f64,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Origin { path, op, value } = self;
        if path.is_empty() { write!(f, "{op} made {value}") } else { write!(f, "{path}: {op} made {value}") }
    }
}

impl<T: Real> Tape<'_, T> {
    /// Reads about `sample` values of every operation's output from here on: see [`Tape::take_readings`].
    pub fn probe(&mut self, sample: usize) {
        self.probe = Some(Probe { sample, before_activation: false });
    }

    /// The same, with what an operation computes before the activation that is fused to its end, where there is one: such an operation is
    /// run twice. The signal that initialization is about.
    pub fn probe_before_activation(&mut self, sample: usize) {
        self.probe = Some(Probe { sample, before_activation: true });
    }

    /// The readings of the operations recorded since [`Tape::probe`], in their order.
    pub fn take_readings(&mut self) -> Vec<LayerReading> {
        std::mem::take(&mut self.readings)
    }

    /// The first value on the tape that is not finite, and who made it.
    pub fn first_not_finite(&self) -> Option<Origin> {
        (0..self.nodes.len() as u32).find_map(|i| {
            let node = &self.nodes[i as usize];
            let bad = first_not_finite(&kept(&self.nodes, i)?)?;
            let (path, op) = match &node.source {
                Source::View { .. } => return None,
                Source::Param(p) => (self.index_of(p).map_or("", |i| self.param_path(i)), "parameter"),
                Source::Input(_) | Source::Constant(_) => (self.workspace.names.path(node.scope), "input"),
                Source::Apply { op, .. } => (self.workspace.names.path(node.scope), op.name()),
            };
            Some(Origin { path: path.to_owned(), op, value: bad })
        })
    }
}

pub(crate) fn first_not_finite<T: Real>(values: &ArrayViewD<'_, T>) -> Option<f64> {
    // A sum is finite only if all its terms are, and quick to take; it may overflow, so it only says where to look.
    if let Some(slice) = values.as_slice()
        && slice.iter().map(|x| *x * T::zero()).sum::<T>() == T::zero()
    {
        return None;
    }
    values.iter().map(|x| x.as_f64()).find(|x| !x.is_finite())
}

/// Statistics of about `sample` values, evenly spread.
pub(crate) fn read<T: Real>(
    path: &str,
    op: &'static str,
    values: &ArrayViewD<'_, T>,
    Probe { sample, .. }: Probe,
    bounds: Option<[f64; 2]>,
) -> LayerReading {
    let edges = bounds.filter(|b| b.iter().all(|b| b.is_finite())).map(|[low, high]| {
        let margin = EDGE * (high - low);
        [low + margin, high - margin]
    });
    // An odd stride, so that it does not fall in step with channels or rows, whose number is mostly even.
    let stride = (values.len() / sample.max(1)).max(1) | 1;
    let (mut n, mut finite, mut zeros, mut saturated) = (0u64, 0u64, 0u64, 0u64);
    let (mut mean, mut squares) = (0.0, 0.0);
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for x in values.iter().step_by(stride) {
        let x = x.as_f64();
        n += 1;
        if !x.is_finite() {
            continue;
        }
        finite += 1;
        zeros += u64::from(x == 0.0);
        saturated += u64::from(edges.is_some_and(|[low, high]| x <= low || x >= high));
        min = min.min(x);
        max = max.max(x);
        // Welford's update: no cancellation for values far from 0.
        let delta = x - mean;
        mean += delta / finite as f64;
        squares += delta * (x - mean);
    }
    let share = |k: u64, of: u64| if of == 0 { 0.0 } else { k as f64 / of as f64 };
    LayerReading {
        path: path.to_owned(),
        op,
        shape: values.shape().to_vec(),
        mean: if finite == 0 { f64::NAN } else { mean },
        std: if finite == 0 { f64::NAN } else { (squares / finite as f64).sqrt() },
        min,
        max,
        zeros: share(zeros, finite),
        not_finite: share(n - finite, n),
        dead: dead(values),
        saturated: edges.map(|_| share(saturated, finite)),
    }
}

/// Within this share of a range from its ends, a value is saturated.
const EDGE: f64 = 0.01;

/// The share of units whose values are all the same.
fn dead<T: Real>(values: &ArrayViewD<'_, T>) -> f64 {
    match values.ndim() {
        0 | 1 => 0.0,
        3 => constant(values, 1).max(constant(values, 2)),
        _ => constant(values, 1),
    }
}

/// The share of an axis' parts whose values are all the same. A single value is no sign of death.
fn constant<T: Real>(values: &ArrayViewD<'_, T>, axis: usize) -> f64 {
    let n = values.shape()[axis];
    if n == 0 || values.len() < 2 * n {
        return 0.0;
    }
    // Of a living unit the first few values tell, so that most of the array is not read.
    let is_constant = |part: ArrayViewD<'_, T>| {
        let mut values = part.iter();
        let first = values.next();
        first.is_some_and(|first| values.all(|x| x == first))
    };
    let dead = values.axis_iter(Axis(axis)).filter(|part| is_constant(part.view())).count();
    dead as f64 / n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, IxDyn, arr2};

    fn reading(values: &ndarray::ArrayD<f64>, bounds: Option<[f64; 2]>) -> LayerReading {
        read("a", "op", &values.view(), Probe { sample: 1000, before_activation: false }, bounds)
    }

    #[test]
    fn units_that_never_change_are_dead() {
        let y = arr2(&[[0.0, 1.0, 5.0, f64::NAN], [0.0, 2.0, 5.0, f64::NAN], [0.0, 1.0, 5.0, f64::NAN]]).into_dyn();
        // A unit that puts out NaN alone is something else.
        assert_eq!(reading(&y, None).dead, 0.5);
        let images = Array::from_shape_fn(IxDyn(&[2, 3, 2, 2]), |i| if i[1] == 1 { 0.0 } else { (i[0] + i[3]) as f64 });
        assert_eq!(reading(&images, None).dead, 1.0 / 3.0);
        // The last of four features of a sequence, and one of two channels of another.
        let steps = Array::from_shape_fn(IxDyn(&[2, 3, 4]), |i| if i[2] == 3 { 1.0 } else { (i[0] + i[1]) as f64 });
        assert_eq!(reading(&steps, None).dead, 0.25);
        let channels = Array::from_shape_fn(IxDyn(&[2, 2, 5]), |i| if i[1] == 0 { 0.0 } else { (i[0] + i[2]) as f64 });
        assert_eq!(reading(&channels, None).dead, 0.5);
        // One value a unit tells nothing.
        assert_eq!(reading(&arr2(&[[0.0, 1.0]]).into_dyn(), None).dead, 0.0);
        assert_eq!(reading(&Array::zeros(IxDyn(&[0, 3])), None).dead, 0.0);
    }

    #[test]
    fn values_at_the_ends_of_a_range_are_saturated() {
        let y = arr2(&[[-1.0, -0.99, 0.0, 0.5], [0.981, 0.97, 1.0, 0.1]]).into_dyn();
        assert_eq!(reading(&y, Some([-1.0, 1.0])).saturated, Some(0.5));
        assert_eq!(reading(&y, Some([0.0, f64::INFINITY])).saturated, None);
        assert_eq!(reading(&y, None).saturated, None);
    }
}
