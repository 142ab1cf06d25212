//! Functions of one or two numbers, element by element.
//!
//! [`Unary`] and [`Binary`] are the open ends: a formula and its derivatives. [`Map`] and [`Map2`] make operations of them, with
//! broadcasting, threads, vector instructions, strided inputs, and a backward pass that keeps no more than the derivatives read.
//! The functions everyone needs are operations by name. On plain arrays all of them run through [`map`] and [`zip`], and their in-place
//! forms [`map_into`], [`map_mut`], [`zip_into`] and [`zip_mut`].
//!
//! ```
//! use gradwise_core::Serial;
//! use gradwise_tensor::{Add, Relu, elementwise::{map_mut, zip}};
//! use ndarray::{arr1, arr2};
//!
//! let mut y = zip(&Serial, &Add, &arr2(&[[1.0_f32, -4.0], [-3.0, 0.5]]), &arr1(&[1.0, 2.0]))?;
//! map_mut(&Serial, &Relu, &mut y);
//! assert_eq!(y, arr2(&[[2.0, 0.0], [0.0, 2.5]]).into_dyn());
//! # Ok::<(), gradwise_core::Error>(())
//! ```

mod activations;
mod binary;
mod functions;
mod prelu;
mod slopes;
mod unary;

pub use activations::*;
pub use binary::{Add, Binary, Div, Map2, Maximum, Minimum, Mul, Pow, Sub, add, div, mul, sub, zip, zip_into, zip_mut};
pub use functions::*;
pub use prelu::PRelu;
pub use slopes::{SLOPES, slopes_of};
pub use unary::{Map, Unary, map, map_backward_mut, map_into, map_mut};

pub(crate) use unary::op_through;

/// Elements that stay together when an output is split between threads: a cache line of `f32`, so that no two threads write to one.
pub(crate) const UNIT: usize = 16;
