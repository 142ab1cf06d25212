//! The rules and schedules that recipes may name, and the stepper that a section makes.

mod rules;
mod schedules;
mod stepper;

pub use rules::*;
pub use schedules::*;
pub(crate) use stepper::{AnyStepper, stepper};

use crate::kinds::add_all;
use crate::{Family, Kinds};
use gradwise_optim::{BoxRule, Schedule};

/// The family of rules by which a gradient becomes a step.
#[derive(Debug)]
pub enum Rules {}

impl Family for Rules {
    const WHAT: &'static str = "rule";
    type Built = BoxRule<f32>;
    type Site<'a> = ();
}

/// The family of schedules of the learning rate.
#[derive(Debug)]
pub enum Schedules {}

impl Family for Schedules {
    const WHAT: &'static str = "schedule";
    type Built = Box<dyn Schedule>;
    type Site<'a> = ScheduleSite;
}

/// What building a schedule is told of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScheduleSite {
    /// The learning rate that is said.
    pub rate: f64,
    /// Steps that the schedule has until training ends.
    pub steps: u64,
    /// Steps in an epoch.
    pub per_epoch: u64,
}

/// All rules of this crate.
pub(crate) fn all_rules() -> Kinds<Rules> {
    add_all!(
        Kinds::new();
        Sgd, Adam, AdamW, Adagrad, Adadelta, RmsProp, Adamax, Nadam, RAdam, Lion, Rprop, Lars, Lamb, Adafactor, Muon,
        ScheduleFreeSgd, ScheduleFreeAdamW,
    )
}

/// All schedules of this crate.
pub(crate) fn all_schedules() -> Kinds<Schedules> {
    add_all!(
        Kinds::new();
        Constant, StepDecay, MultiStep, Exponential, Cosine, CosineRestarts, OneCycle, Cyclic, Polynomial, InverseTime,
        InverseSqrt,
    )
}
