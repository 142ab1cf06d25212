//! A part of an array, by ranges with steps.

use super::{only, only_slot};
use crate::dense::copy;
use gradwise_core::{ArrayRefD, ArrayViewD, At, Cx, Error, Needs, Real, Result, Saved, Slot, arity};
use ndarray::IxDyn;
use std::ops::{Range, RangeFrom, RangeFull, RangeTo};

/// A range along an axis, and the step within it.
///
/// ```
/// use gradwise_tensor::Span;
///
/// let even = Span::from(..).step(2)?;
/// assert_eq!(even.len(7), Some(4));
/// assert!(Span::from(..).step(0).is_err());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: usize,
    end: Option<usize>,
    step: usize,
}

impl Span {
    /// Every `step`-th index of this one, beginning with its first.
    ///
    /// # Errors
    /// [`Error::Value`] if the step is 0.
    pub fn step(self, step: usize) -> Result<Self> {
        match step {
            0 => Err(Error::value("slice: step", "at least 1", step)),
            _ if step > isize::MAX as usize => Err(Error::value("slice: step", "at most isize::MAX", step)),
            _ => Ok(Span { step, ..self }),
        }
    }

    /// How many indices it selects of an axis of this length; `None` if it goes beyond the axis or begins after its end.
    pub fn len(&self, axis_len: usize) -> Option<usize> {
        let end = self.end.unwrap_or(axis_len);
        (self.start <= end && end <= axis_len).then(|| (end - self.start).div_ceil(self.step))
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Span { start: range.start, end: Some(range.end), step: 1 }
    }
}

impl From<RangeFrom<usize>> for Span {
    fn from(range: RangeFrom<usize>) -> Self {
        Span { start: range.start, end: None, step: 1 }
    }
}

impl From<RangeTo<usize>> for Span {
    fn from(range: RangeTo<usize>) -> Self {
        Span { start: 0, end: Some(range.end), step: 1 }
    }
}

impl From<RangeFull> for Span {
    fn from(_: RangeFull) -> Self {
        Span { start: 0, end: None, step: 1 }
    }
}

/// A part of an array: a [`Span`] for each of its leading axes, and everything of the others.
///
/// The gradient of what is left out is 0.
///
/// ```
/// use gradwise_tensor::{Slice, Span, eager::Eager};
/// use ndarray::arr2;
///
/// let x = arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).into_dyn();
/// let slice = Slice::new([Span::from(1..), Span::from(..).step(2)?]);
/// let (y, _) = Eager::default().forward(&slice, &[x.view()])?;
/// assert_eq!(y, arr2(&[[4.0, 6.0]]).into_dyn());
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The ranges, by axis.
    pub spans: Vec<Span>,
}

impl Slice {
    /// By these ranges.
    pub fn new(spans: impl IntoIterator<Item = Span>) -> Self {
        Slice { spans: spans.into_iter().collect() }
    }

    /// By one range along one axis.
    pub fn along(axis: usize, span: impl Into<Span>) -> Self {
        let mut spans = vec![Span::from(..); axis];
        spans.push(span.into());
        Slice { spans }
    }

    fn check(&self, shape: &[usize]) -> Result<IxDyn> {
        if self.spans.len() > shape.len() {
            return Err(Error::shape("slice", format!("at least {} axes", self.spans.len()), shape));
        }
        let mut out = IxDyn(shape);
        for (axis, span) in self.spans.iter().enumerate() {
            let Some(len) = span.len(shape[axis]) else {
                let end = span.end.unwrap_or(shape[axis]);
                return Err(if end > shape[axis] {
                    Error::Index { op: "slice", index: end, bound: shape[axis] + 1, position: axis }
                } else {
                    Error::value("slice: range", "a start not after the end", format_args!("{}..{end}", span.start))
                });
            };
            out[axis] = len;
        }
        Ok(out)
    }

    fn of_axis(&self, axis: usize) -> ndarray::Slice {
        self.spans.get(axis).map_or(ndarray::Slice::from(..), |span| {
            // Both fit: they are not beyond the axis, whose length ndarray keeps below isize::MAX.
            ndarray::Slice::new(span.start as isize, span.end.map(|end| end as isize), span.step as isize)
        })
    }
}

crate::once::compiled_once!(Slice);

impl<T: Real> crate::once::OpKernel<T> for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn out_shape(&self, inputs: &[&[usize]]) -> Result<IxDyn> {
        let [x] = arity("slice", inputs)?;
        self.check(x)
    }
    fn forward(
        &self,
        inputs: &[ArrayViewD<'_, T>],
        out: &mut ArrayRefD<T>,
        _: &mut Saved<T>,
        _: &mut Cx<'_, T>,
    ) -> Result<()> {
        let x = only("slice", inputs)?;
        self.check(x.shape())?;
        copy(x.slice_each_axis(|a| self.of_axis(a.axis.index())), out.view_mut());
        Ok(())
    }
    fn backward(&self, at: At<'_, T>, grads: &mut [Option<Slot<'_, T>>], _: &mut Cx<'_, T>) -> Result<()> {
        let Some(slot) = only_slot(grads) else { return Ok(()) };
        self.check(slot.grad.shape())?;
        slot.zeroed();
        let mut part = slot.grad.slice_each_axis_mut(|a| self.of_axis(a.axis.index()));
        part.zip_mut_with(at.grad, |g, &grad| *g += grad);
        Ok(())
    }
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }
}
