#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod check;

pub mod clip;
mod equalize;
mod erased;
mod group;
mod layers;
mod moved;
mod optimizer;
mod parts;
mod product;
mod random;
mod range_test;
mod rule;
pub mod rules;
pub mod schedule;
mod settle;
mod slots;
mod stepper;
pub mod steppers;
mod sweep;
mod units;

pub use clip::Clip;
pub use equalize::Equalizer;
pub use erased::BoxRule;
pub use group::{Group, no_decay_on_vectors};
pub use layers::{discriminative, layer_decay, layers_of};
pub use optimizer::Optimizer;
pub use range_test::{RangeRates, RangeTest, Suggestion, suggest};
pub use rule::{Hyper, Rule, State, Stored};
pub use rules::{
    Adadelta, Adafactor, Adagrad, Adam, AdamState, AdamW, Adamax, Lamb, Lars, Lion, Muon, MuonState, Nadam, RAdam,
    RmsProp, Rprop, RuleState, ScheduleFreeAdamW, ScheduleFreeSgd, Sgd, SgdState,
};
pub use schedule::{
    Constant, Cosine, CosineRestarts, Cyclic, CyclicMomentum, Exponential, InverseSqrt, InverseTime, LinearWarmup,
    MultiStep, OneCycle, OneCycleMomentum, Polynomial, ReduceOnPlateau, Reduced, Schedule, Sequence, StepDecay,
};
pub use stepper::{Applied, StepInfo, Stepper};
pub use sweep::{sweep, sweep_each, sweep_on};

// What a loop with hand-written gradients needs besides, so that it depends on this crate alone.
pub use gradwise_core::{Error, Grads, Key, Kind, Param, Params, ParamsExt, Pool, Real, Result, ndarray};
