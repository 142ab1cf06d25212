//! Looking at what a tape computed.

use crate::Tape;
use crate::node::{Source, kept};
use gradwise_core::{ArrayViewD, LayerReading, Real};

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
        self.probe = Some(sample);
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
pub(crate) fn read<T: Real>(path: &str, op: &'static str, values: &ArrayViewD<'_, T>, sample: usize) -> LayerReading {
    // An odd stride, so that it does not fall in step with channels or rows, whose number is mostly even.
    let stride = (values.len() / sample.max(1)).max(1) | 1;
    let (mut n, mut finite, mut zeros) = (0u64, 0u64, 0u64);
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
    }
}
