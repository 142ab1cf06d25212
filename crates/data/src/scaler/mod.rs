//! Bringing inputs to a common scale, learned from the training part alone.

mod min_max;
mod per_sample;
mod robust;
mod standard;

pub use min_max::MinMaxScaler;
pub use per_sample::SampleScaler;
pub use robust::RobustScaler;
pub use standard::StandardScaler;

pub(crate) use robust::quantile;

use crate::{DataError, Result};
use gradwise_core::{ArrayRefD, Real};

/// Which values share one scale. The first axis counts samples, the second one channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Per {
    /// Each place in a sample has its own: the columns of a table.
    #[default]
    Feature,
    /// Each index of the second axis has its own: the colours of images.
    Channel,
    /// All values share one: grey images, whose pixels are of one kind.
    All,
}

/// How an array's values, in order, fall into groups: `outer` times, each group has `inner` neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Groups {
    n: usize,
    inner: usize,
}

impl Groups {
    /// The groups of an array (`N × …`).
    fn of(what: &'static str, per: Per, shape: &[usize]) -> Result<Self> {
        match (per, shape) {
            (Per::Feature, [_, sample @ ..]) => Ok(Groups { n: sample.iter().product(), inner: 1 }),
            (Per::Channel, [_, channels, rest @ ..]) => Ok(Groups { n: *channels, inner: rest.iter().product() }),
            (Per::All, [_, sample @ ..]) => Ok(Groups { n: 1, inner: sample.iter().product() }),
            (Per::Channel, _) => Err(DataError::shape(what, "an axis of samples and one of channels", shape)),
            (_, []) => Err(DataError::shape(what, "a first axis of samples", shape)),
        }
    }

    /// The same, if there are as many as were fitted.
    fn fitted(what: &'static str, per: Per, shape: &[usize], n: usize) -> Result<Self> {
        let groups = Groups::of(what, per, shape)?;
        if n == 0 {
            return Err(DataError::value(what, "a scaler that was fitted", "one that has seen no sample"));
        }
        if groups.n != n {
            let kind = if per == Per::Channel { "channels" } else { "values a sample" };
            return Err(DataError::shape(what, format!("{n} {kind}, as it was fitted on"), shape));
        }
        Ok(groups)
    }

    /// Calls `f` with each value and the group it belongs to.
    fn each<T: Real>(self, x: &ArrayRefD<T>, mut f: impl FnMut(usize, T)) {
        let Some(values) = x.as_slice() else {
            return x.iter().enumerate().for_each(|(i, &v)| f(i / self.inner % self.n, v));
        };
        for sample in values.chunks_exact((self.n * self.inner).max(1)) {
            for (group, part) in sample.chunks_exact(self.inner).enumerate() {
                part.iter().for_each(|&v| f(group, v));
            }
        }
    }

    /// Replaces each value by what `f` makes of it and its group.
    fn map<T: Real>(self, x: &mut ArrayRefD<T>, f: impl Fn(usize, T) -> T) {
        if x.is_empty() {
            return;
        }
        let Some(values) = x.as_slice_mut() else {
            return x.iter_mut().enumerate().for_each(|(i, v)| *v = f(i / self.inner % self.n, *v));
        };
        for sample in values.chunks_exact_mut(self.n * self.inner) {
            for (group, part) in sample.chunks_exact_mut(self.inner).enumerate() {
                part.iter_mut().for_each(|v| *v = f(group, *v));
            }
        }
    }
}

/// Refuses values that would spoil every statistic, telling where the first one stands.
pub(crate) fn check_finite<T: Real>(what: &'static str, x: &ArrayRefD<T>) -> Result<()> {
    match x.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        Some((i, v)) => Err(DataError::value(what, "finite values", format!("{v} at position {i}"))),
        None => Ok(()),
    }
}

/// Refuses arrays without values, which tell nothing of a scale.
pub(crate) fn check_some<T: Real>(what: &'static str, x: &ArrayRefD<T>) -> Result<()> {
    if x.is_empty() { Err(DataError::shape(what, "at least one value", x.shape())) } else { Ok(()) }
}
