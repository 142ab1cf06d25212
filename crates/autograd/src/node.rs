//! The entries of a tape.

use crate::names::ScopeId;
use crate::view::View;
use gradwise_core::{ArrayRefD, ArrayViewD, Key, Op, Param, Real, Saved};
use ndarray::{ArrayD, IxDyn};
use std::ops::Range;

/// One variable of a tape: where its value comes from, and what its gradient needs.
pub(crate) struct Node<'p, T: Real> {
    pub(crate) source: Source<'p, T>,
    /// Whether its gradient is asked for.
    pub(crate) requires_grad: bool,
    /// Whether its gradient stays after backward; it does for leaves.
    pub(crate) retained: bool,
    /// Whether nobody will read its value any more: see `Tape::release`.
    pub(crate) released: bool,
    /// Whether a backward pass will read its value.
    pub(crate) needed: bool,
    /// Whether it is the result of a segment, so that what it was made from may be gone: see `Tape::checkpoint`.
    pub(crate) result: bool,
    /// Passes over memory that it takes to make its value again from values that are kept: see `Tape::passes_to_make`.
    pub(crate) passes: u8,
    pub(crate) scope: ScopeId,
}

pub(crate) enum Source<'p, T: Real> {
    /// A parameter of a model.
    Param(&'p Param<T>),
    /// An array of the caller's.
    Input(&'p ArrayRefD<T>),
    /// An array the tape owns.
    Constant(ArrayD<T>),
    /// Another variable's values, seen differently.
    View { of: u32, view: View },
    /// The output of an operation; `None` once it was freed.
    Apply {
        op: Box<dyn Op<T> + 'p>,
        inputs: Range<u32>,
        saved: Saved<T>,
        /// Whether what it saved was given back, to be made again: see `Tape::checkpoint`.
        lost: bool,
        output: Option<ArrayD<T>>,
        shape: IxDyn,
        key: Key,
    },
}

/// The value of a variable; `None` if it was freed.
pub(crate) fn kept<'a, T: Real>(nodes: &'a [Node<'_, T>], node: u32) -> Option<ArrayViewD<'a, T>> {
    Some(match &nodes[node as usize].source {
        Source::Param(p) => p.value.view(),
        Source::Input(x) => x.view(),
        Source::Constant(x) => x.view(),
        Source::Apply { output, .. } => output.as_ref()?.view(),
        Source::View { of, view } => view.of(kept(nodes, *of)?),
    })
}

/// The value of a variable that is known to be there.
pub(crate) fn value<'a, T: Real>(nodes: &'a [Node<'_, T>], node: u32) -> ArrayViewD<'a, T> {
    kept(nodes, node).unwrap_or_else(|| unreachable!("variables are checked when they are given"))
}

/// The shape of a variable, whether its value is there or not.
pub(crate) fn shape<T: Real>(nodes: &[Node<'_, T>], node: u32) -> IxDyn {
    match &nodes[node as usize].source {
        Source::Param(p) => p.value.raw_dim(),
        Source::Input(x) => x.raw_dim(),
        Source::Constant(x) => x.raw_dim(),
        Source::Apply { shape, .. } => shape.clone(),
        Source::View { of, view } => view.shape(&shape(nodes, *of)),
    }
}

/// The variable whose memory a view shows.
pub(crate) fn owner<T: Real>(nodes: &[Node<'_, T>], mut node: u32) -> u32 {
    while let Source::View { of, .. } = nodes[node as usize].source {
        node = of;
    }
    node
}
