//! The rules themselves.
//!
//! | rule | state | weight decay | momentum schedule | for |
//! |---|---|---|---|---|
//! | [`Sgd`] | 0 or 1 array | coupled | its momentum | everything, if the rate is tuned |
//! | [`Adagrad`] | 1 | coupled | – | sparse features |
//! | [`Adadelta`] | 2 | coupled | – | where no rate is known |
//! | [`RmsProp`] | 1 to 3 | coupled | its momentum | recurrent nets |
//! | [`Adam`] (AMSGrad) | 2 or 3 | coupled | β₁ | a first try |
//! | [`AdamW`] | 2 or 3 | decoupled | β₁ | transformers, and nets that need weight decay |
//! | [`Adamax`] | 2 | coupled | β₁ | gradients with rare large values |
//! | [`Nadam`] | 2 | either | β₁ | Adam with look-ahead |
//! | [`RAdam`] | 2 | either | β₁ | Adam without warm-up |
//! | [`Lion`] | 1 | decoupled | β₁ | large models, less memory than Adam |
//! | [`Adafactor`] | rows + columns | decoupled | – | models that fill memory |
//! | [`Lars`] | 1 | coupled | its momentum | large batches |
//! | [`Lamb`] | 2 | decoupled | β₁ | large batches with Adam |
//! | [`Muon`] | 1 and working memory | decoupled | its momentum | hidden matrices |
//! | [`Rprop`] | 2 | coupled | – | whole batches |
//! | [`ScheduleFreeSgd`] | 1 | coupled | – | training of unknown length |
//! | [`ScheduleFreeAdamW`] | 2 | decoupled from the division | – | the same with Adam |

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod lamb;
mod lars;
mod lion;
mod muon;
mod nadam;
mod radam;
mod rmsprop;
mod rprop;
mod schedule_free;
mod sgd;
mod state;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamState, AdamW};
pub use adamax::Adamax;
pub use lamb::Lamb;
pub use lars::Lars;
pub use lion::Lion;
pub use muon::{Muon, MuonState};
pub use nadam::Nadam;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub use rprop::Rprop;
pub use schedule_free::{ScheduleFreeAdamW, ScheduleFreeSgd};
pub use sgd::{Sgd, SgdState};
pub use state::RuleState;
