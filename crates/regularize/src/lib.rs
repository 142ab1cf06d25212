#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod check;
mod chosen;
mod groups;

mod constraint;
mod constraints;
mod group_lasso;
mod label_smoothing;
mod norms;
mod orthogonality;
mod penalties;
mod penalty;
mod pruning;
mod snapshot;
mod stopping;

pub use constraint::{Constraint, MaxNorm, MinMaxNorm, NonNegative, UnitNorm};
pub use constraints::Constraints;
pub use group_lasso::GroupLasso;
pub use groups::Groups;
pub use label_smoothing::LabelSmoothing;
pub use norms::{ElasticNet, L1, L2};
pub use orthogonality::Orthogonality;
pub use penalties::Penalties;
pub use penalty::Penalty;
pub use pruning::{Mask, Pruner, Scope, SparsitySchedule};
pub use snapshot::Snapshot;
pub use stopping::{
    Criterion, Decision, EarlyStopping, EvidenceBased, GeneralizationLoss, GradientEvidence, Losses, Mode, Patience,
    Progress, ProgressQuotient, RisingStrips, StripProgress,
};

// What a loop of one's own needs besides, so that it depends on this crate alone.
pub use gradwise_core::{Error, Grads, Param, Params, ParamsExt, Real, Result, ndarray};
