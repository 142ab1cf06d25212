//! When to stop training.

mod criterion;
mod early_stopping;
mod evidence;
mod patience;
mod prechelt;

pub use criterion::{Criterion, Decision, Progress};
pub use early_stopping::EarlyStopping;
pub use evidence::{EvidenceBased, GradientEvidence};
pub use patience::{Mode, Patience};
pub use prechelt::{GeneralizationLoss, Losses, ProgressQuotient, RisingStrips, StripProgress};
