//! Operations that move elements and compute nothing: reshape, permute, flip, broadcast, concatenate, slice, gather, pad.
//!
//! A tape has views without a copy for reshape, transpose and slice; the operations here are for where a copy is wanted, in standard
//! layout, or where there is no tape. None of them keeps anything for backward.

mod gather;
mod join;
mod pad;
mod slice;
mod view;

pub use gather::{Gather, Pick, gather_into, pick_into, scatter_add};
pub use join::{Concat, Stack};
pub use pad::{Pad, PadMode, pad_backward, pad_into};
pub use slice::{Slice, Span};
pub use view::{BroadcastTo, Flip, Permute, Reshape};

use gradwise_core::{ArrayViewD, Error, Result, Slot};

/// The only input, or an error.
fn only<'a, 'v, T>(op: &'static str, inputs: &'a [ArrayViewD<'v, T>]) -> Result<&'a ArrayViewD<'v, T>> {
    if let [x] = inputs { Ok(x) } else { Err(Error::Arity { op, expected: 1, got: inputs.len() }) }
}

/// The slot of the only input, if its gradient is asked for.
fn only_slot<'a, 's, T>(grads: &'a mut [Option<Slot<'s, T>>]) -> Option<&'a mut Slot<'s, T>> {
    grads.first_mut().and_then(Option::as_mut)
}

/// Refuses an axis that the array has not.
fn check_axis(op: &'static str, axis: usize, ndim: usize, position: usize) -> Result<()> {
    if axis < ndim { Ok(()) } else { Err(Error::Index { op, index: axis, bound: ndim, position }) }
}
