//! The axes a reduction runs over.

use crate::nest::MAX_AXES;
use gradwise_core::{Error, Result};
use ndarray::{Dimension, IxDyn};

/// The axes of a reduction, as its caller names them. Axes count from 0; a list may be in any order, but names no axis twice.
///
/// ```
/// use gradwise_tensor::Axes;
///
/// assert_eq!(Axes::from([0, 2]), Axes::List(vec![0, 2]));
/// assert_eq!(Axes::from(1), Axes::List(vec![1]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Axes {
    /// Every axis: the result is one number.
    #[default]
    All,
    /// These axes. The empty list reduces nothing.
    List(Vec<usize>),
}

impl From<usize> for Axes {
    fn from(axis: usize) -> Self {
        Axes::List(vec![axis])
    }
}

impl From<&[usize]> for Axes {
    fn from(axes: &[usize]) -> Self {
        Axes::List(axes.to_vec())
    }
}

impl From<Vec<usize>> for Axes {
    fn from(axes: Vec<usize>) -> Self {
        Axes::List(axes)
    }
}

impl<const N: usize> From<[usize; N]> for Axes {
    fn from(axes: [usize; N]) -> Self {
        Axes::List(axes.to_vec())
    }
}

impl Axes {
    /// The axes of an array of this shape.
    ///
    /// # Errors
    /// [`Error::Index`] for an axis that the array has not, [`Error::Value`] for one named twice, [`Error::Shape`] for an array of more
    /// than 64 axes.
    pub fn of(&self, op: &'static str, shape: &[usize]) -> Result<AxisSet> {
        AxisSet::check_ndim(op, shape)?;
        let Axes::List(list) = self else {
            return Ok(AxisSet::of(0..shape.len()));
        };
        let mut set = AxisSet::default();
        for (position, &axis) in list.iter().enumerate() {
            if axis >= shape.len() {
                return Err(Error::Index { op, index: axis, bound: shape.len(), position });
            }
            if set.contains(axis) {
                return Err(Error::value(op, "each axis once", format_args!("axes {list:?}")));
            }
            set = AxisSet(set.0 | 1 << axis);
        }
        Ok(set)
    }
}

/// A set of axes of an array with at most 64.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AxisSet(u64);

impl AxisSet {
    /// The set of these axes.
    ///
    /// # Panics
    /// If one is not below 64.
    pub fn of(axes: impl IntoIterator<Item = usize>) -> Self {
        AxisSet(axes.into_iter().fold(0, |set, axis| {
            assert!(axis < 64, "axis {axis}: an array has at most 64");
            set | 1 << axis
        }))
    }

    /// Whether an axis is in the set.
    pub fn contains(self, axis: usize) -> bool {
        axis < 64 && self.0 >> axis & 1 == 1
    }

    /// How many elements of an array of this shape are reduced to one.
    pub fn count(self, shape: &[usize]) -> usize {
        (0..shape.len()).filter(|&a| self.contains(a)).map(|a| shape[a]).product()
    }

    /// The shape without these axes, or with length 1 in them if `keep`.
    pub fn reduced(self, shape: &[usize], keep: bool) -> IxDyn {
        let mut out =
            IxDyn::zeros(if keep { shape.len() } else { (0..shape.len()).filter(|&a| !self.contains(a)).count() });
        let kept = (0..shape.len()).filter(|&a| keep || !self.contains(a));
        for (o, axis) in out.slice_mut().iter_mut().zip(kept) {
            *o = if self.contains(axis) { 1 } else { shape[axis] };
        }
        out
    }

    /// Refuses arrays with more axes than a set can tell apart.
    pub(crate) fn check_ndim(op: &'static str, shape: &[usize]) -> Result<()> {
        if shape.len() <= MAX_AXES { Ok(()) } else { Err(Error::shape(op, "at most 64 axes", shape)) }
    }
}
