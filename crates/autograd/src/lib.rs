#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod check;

mod backward;
mod fold;
mod module;
mod names;
mod node;
mod params;
mod reading;
mod scopes;
mod segment;
mod tape;
mod values;
mod view;
mod workspace;

#[cfg(feature = "proptest")]
pub mod strategies;

pub use gradwise_core as core;
pub use gradwise_core::{Error, Param, ParamsExt, Path, Real, Result};
// The trait and the derive macro share their name, as is the custom.
pub use fold::{Affine, Folded, fold_pair};
pub use gradwise_core::Params;
pub use gradwise_derive::ParamsAutograd as Params;
pub use module::{Module, ModuleExt, predict};
pub use reading::Origin;
pub use tape::{Mode, Tape, Var};
pub use workspace::Workspace;
