//! Schedules of the learning rate.

use super::{ScheduleSite, Schedules};
use crate::{Described, Result};
use gradwise_optim::{self as optim, Schedule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn no(value: &bool) -> bool {
    !value
}

macro_rules! numbers {
    ($($name:ident = $value:expr;)*) => {$(
        fn $name() -> f64 {
            $value
        }
    )*};
}

numbers! {
    one = 1.0;
    tenth = 0.1;
    three_tenths = 0.3;
    start = 25.0;
    end = 10_000.0;
}

macro_rules! schedules {
    ($($(#[$doc:meta])* $name:ident: $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }
        |$self:ident, $site:pat_param| $build:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

        impl Described<Schedules> for $name {
            const KIND: &'static str = $kind;
            fn build(self, site: &ScheduleSite) -> Result<Box<dyn Schedule>> {
                let ($self, $site) = (self, site);
                Ok(Box::new($build))
            }
        }
    )*};
}

schedules! {
    /// `constant`: the rate.
    Constant: "constant" {} |_options, site| optim::Constant::new(site.rate)?;
    /// `step`: lower by a factor every so many epochs.
    StepDecay: "step" {
        /// Epochs from one fall to the next.
        epochs: u64,
        /// The factor; 0.1, if it is not said.
        #[serde(default = "tenth")]
        factor: f64,
    } |options, site| optim::StepDecay::new(site.rate, options.epochs.saturating_mul(site.per_epoch), options.factor)?;
    /// `multi-step`: lower by a factor after each of these epochs.
    MultiStep: "multi-step" {
        /// The epochs, in their order.
        epochs: Vec<u64>,
        /// The factor; 0.1, if it is not said.
        #[serde(default = "tenth")]
        factor: f64,
    } |options, site| {
        let steps: Vec<u64> = options.epochs.iter().map(|epoch| epoch.saturating_mul(site.per_epoch)).collect();
        optim::MultiStep::new(site.rate, steps, options.factor)?
    };
    /// `exponential`: lower by a factor in each step.
    Exponential: "exponential" {
        /// The factor, a little below 1.
        factor: f64,
    } |options, site| optim::Exponential::new(site.rate, options.factor)?;
    /// `cosine`: along half a cosine, down to the end of training.
    Cosine: "cosine" {
        /// The rate at the end; 0, if it is not said.
        #[serde(default)]
        end: f64,
    } |options, site| optim::Cosine::new(site.rate, site.steps)?.ending_at(options.end)?;
    /// `cosine-restarts`: along half a cosine, again and again.
    CosineRestarts: "cosine-restarts" {
        /// Epochs of the first one.
        epochs: u64,
        /// How many times as long the next one is; 1, if it is not said.
        #[serde(default = "once")]
        stretch: u64,
        /// The rate at the end of each; 0, if it is not said.
        #[serde(default)]
        end: f64,
    } |options, site| optim::CosineRestarts::new(site.rate, options.epochs.saturating_mul(site.per_epoch))?
        .stretch(options.stretch)?.ending_at(options.end)?;
    /// `one-cycle`: up to the rate, and down to nearly nothing at the end of training.
    OneCycle: "one-cycle" {
        /// The share of steps in which it rises; 0.3, if it is not said.
        #[serde(default = "three_tenths")]
        rise: f64,
        /// By how much smaller it begins; 25, if it is not said.
        #[serde(default = "start")]
        start_divisor: f64,
        /// By how much smaller than that it ends; 10000, if it is not said.
        #[serde(default = "end")]
        end_divisor: f64,
        /// Whether it goes along straight lines rather than cosines.
        #[serde(default, skip_serializing_if = "no")]
        linear: bool,
    } |options, site| {
        let cycle = optim::OneCycle::new(site.rate, site.steps)?.rise(options.rise)?;
        let cycle = cycle.divisors(options.start_divisor, options.end_divisor)?;
        if options.linear { cycle.linear() } else { cycle }
    };
    /// `cyclic`: up to the rate and down again, again and again.
    Cyclic: "cyclic" {
        /// The lowest rate.
        low: f64,
        /// Epochs from the lowest to the highest.
        epochs: u64,
        /// Whether each cycle is half as high as the one before.
        #[serde(default, skip_serializing_if = "no")]
        halving: bool,
    } |options, site| {
        let cycle = optim::Cyclic::new(options.low, site.rate, options.epochs.saturating_mul(site.per_epoch))?;
        if options.halving { cycle.halving() } else { cycle }
    };
    /// `polynomial`: along a polynomial, down to the end of training.
    Polynomial: "polynomial" {
        /// Its power; 1, a straight line, if it is not said.
        #[serde(default = "one")]
        power: f64,
        /// The rate at the end; 0, if it is not said.
        #[serde(default)]
        end: f64,
    } |options, site| optim::Polynomial::new(site.rate, site.steps)?.power(options.power)?.ending_at(options.end)?;
    /// `inverse-time`: the rate over 1 + decay · step.
    InverseTime: "inverse-time" {
        /// How fast it falls.
        decay: f64,
    } |options, site| optim::InverseTime::new(site.rate, options.decay)?;
    /// `inverse-sqrt`: the rate over the root of the step.
    InverseSqrt: "inverse-sqrt" {
        /// Steps in which it stays; 1, if it is not said.
        #[serde(default = "once")]
        offset: u64,
    } |options, site| optim::InverseSqrt::new(site.rate, options.offset)?;
}

fn once() -> u64 {
    1
}
