#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod check;

mod early_stopping;
mod norms;
mod patience;
mod penalties;
mod penalty;
mod snapshot;

pub use early_stopping::EarlyStopping;
pub use norms::{ElasticNet, L1, L2};
pub use patience::{Decision, Mode, Patience, Progress};
pub use penalties::Penalties;
pub use penalty::Penalty;
pub use snapshot::Snapshot;

// What a loop of one's own needs besides, so that it depends on this crate alone.
pub use gradwise_core::{Error, Grads, Param, Params, ParamsExt, Real, Result, ndarray};
