//! The entries of a tape.

use crate::names::ScopeId;
use crate::view::View;
use gradwise_core::{ArrayRefD, ArrayViewD, Key, Op, Param, Real, Saved};
use ndarray::ArrayD;
use std::ops::Range;

/// One variable of a tape: where its value comes from, and what its gradient needs.
pub(crate) struct Node<'p, T: Real> {
    pub(crate) source: Source<'p, T>,
    /// Whether its gradient is asked for.
    pub(crate) requires_grad: bool,
    /// Whether its gradient stays after backward; it does for leaves.
    pub(crate) retained: bool,
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
    /// The output of an operation.
    Apply { op: Box<dyn Op<T> + 'p>, inputs: Range<u32>, saved: Saved<T>, output: ArrayD<T>, key: Key },
}

/// The value of a variable.
pub(crate) fn value<'a, T: Real>(nodes: &'a [Node<'_, T>], node: u32) -> ArrayViewD<'a, T> {
    match &nodes[node as usize].source {
        Source::Param(p) => p.value.view(),
        Source::Input(x) => x.view(),
        Source::Constant(x) | Source::Apply { output: x, .. } => x.view(),
        Source::View { of, view } => view.of(value(nodes, *of)),
    }
}
