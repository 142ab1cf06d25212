#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod check;

pub mod clip;
mod erased;
mod group;
mod optimizer;
mod rule;
pub mod rules;
pub mod schedule;
mod settle;
mod slots;
mod stepper;
mod sweep;

pub use clip::Clip;
pub use erased::BoxRule;
pub use group::{Group, no_decay_on_vectors};
pub use optimizer::Optimizer;
pub use rule::{Hyper, Rule, State, Stored};
pub use rules::{Adam, AdamW, Sgd};
pub use schedule::{
    Constant, Cosine, Exponential, LinearWarmup, MultiStep, OneCycle, OneCycleMomentum, Schedule, Sequence, StepDecay,
};
pub use stepper::{Applied, StepInfo, Stepper};
pub use sweep::{sweep, sweep_each, sweep_on};

// What a loop with hand-written gradients needs besides, so that it depends on this crate alone.
pub use gradwise_core::{Error, Grads, Kind, Param, Params, ParamsExt, Pool, Real, Result, ndarray};
