//! Charts: data in, a drawing out.

pub(crate) mod axis;
pub(crate) mod bars;
pub(crate) mod heat;
pub(crate) mod lines;
pub(crate) mod matrix;
pub(crate) mod sheet;
pub(crate) mod spread;
