#![doc = include_str!("../README.md")]

mod error;
mod event;
#[doc(hidden)]
pub mod flip;
mod grads;
mod key;
mod loss;
mod op;
mod param;
mod path;
mod pattern;
mod pool;
mod real;
mod scratch;
pub mod simd;
mod sums;

pub use error::{Error, Result};
pub use event::{Event, LayerReading, Observer, Stop};
pub use grads::{Grads, Updates};
pub use key::Key;
pub use loss::{Loss, Metric, Reduction};
pub use op::{ArrayRefD, ArrayViewD, At, Cx, Needs, Op, Saved, Slot, arity, check_size, out_shape};
pub use param::{Kind, Param, Params, ParamsExt};
pub use path::Path;
pub use pattern::PathPattern;
pub use pool::{Pool, RunsOnce, Serial};
pub use real::{Floats, FloatsMut, PerType, Real};
pub use scratch::Scratch;
pub use sums::sum_of_squares;

/// The ndarray this crate is built on, so that implementors need not match versions by hand.
pub use ndarray;
