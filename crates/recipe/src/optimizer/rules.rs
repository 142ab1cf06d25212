//! Rules by which a gradient becomes a step.

use super::Rules;
use crate::{Described, Result};
use gradwise_optim::{self as optim, BoxRule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn no(value: &bool) -> bool {
    !value
}

/// Numbers that stand where nothing is said.
macro_rules! numbers {
    ($($name:ident = $value:expr;)*) => {$(
        fn $name() -> f64 {
            $value
        }
    )*};
}

numbers! {
    zero = 0.0;
    one = 1.0;
    thousandth = 0.001;
    millionth = 1e-6;
    tiny = 1e-8;
    least = 1e-10;
    half = 0.5;
    more = 1.2;
    ten_thousandth = 1e-4;
    five_thousand = 5e3;
    point_8 = 0.8;
    point_9 = 0.9;
    point_95 = 0.95;
    point_99 = 0.99;
    point_999 = 0.999;
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $kind:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:literal,)*
        $(; $($(#[$flag_doc:meta])* $flag:ident => $method:ident $(($question:tt))?,)*)?
    } |$self:ident| $build:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $($(#[$field_doc])* #[serde(default = $default)] pub $field: $type,)*
            $($($(#[$flag_doc])* #[serde(default, skip_serializing_if = "no")] pub $flag: bool,)*)?
        }

        impl Described<Rules> for $name {
            const KIND: &'static str = $kind;
            fn build(self, (): &()) -> Result<BoxRule<f32>> {
                let $self = self;
                let rule = $build;
                $($(let rule = if self.$flag { rule.$method()$($question)? } else { rule };)*)?
                Ok(BoxRule::new(rule))
            }
        }
    )*};
}

rules! {
    /// `sgd`: stochastic gradient descent, with momentum or without.
    Sgd: "sgd" {
        /// The share of the last step's velocity that is kept; none, if it is not said.
        momentum: f64 = "zero",
        /// The share of the gradient that is left out of the velocity; none, if it is not said.
        dampening: f64 = "zero",
        ;
        /// Whether the gradient is looked at where the velocity leads.
        nesterov => nesterov(?),
    } |options| {
        let rule = optim::Sgd::with_momentum(options.momentum)?;
        if options.dampening == 0.0 { rule } else { rule.dampening(options.dampening)? }
    };
    /// `adam`: steps of about the learning rate for each weight, whatever its gradients' size.
    Adam: "adam" {
        /// The share of the mean of gradients that is kept; 0.9, if it is not said.
        beta1: f64 = "point_9",
        /// The share of the mean of squares that is kept; 0.999, if it is not said.
        beta2: f64 = "point_999",
        /// What is added to the root of it; 1e-8, if it is not said.
        epsilon: f64 = "tiny",
        ;
        /// Whether the largest mean of squares so far counts.
        amsgrad => amsgrad,
    } |options| optim::Adam::new(options.beta1, options.beta2, options.epsilon)?;
    /// `adamw`: Adam with weight decay beside the gradient.
    AdamW: "adamw" {
        /// The share of the mean of gradients that is kept; 0.9, if it is not said.
        beta1: f64 = "point_9",
        /// The share of the mean of squares that is kept; 0.999, if it is not said.
        beta2: f64 = "point_999",
        /// What is added to the root of it; 1e-8, if it is not said.
        epsilon: f64 = "tiny",
        ;
        /// Whether the largest mean of squares so far counts.
        amsgrad => amsgrad,
    } |options| optim::AdamW::new(options.beta1, options.beta2, options.epsilon)?;
    /// `adagrad`: rates that fall with the sum of all squares so far.
    Adagrad: "adagrad" {
        /// What the sum begins with; 0, if it is not said.
        initial: f64 = "zero",
        /// What is added to the root of it; 1e-10, if it is not said.
        epsilon: f64 = "least",
    } |options| optim::Adagrad::new(options.initial, options.epsilon)?;
    /// `adadelta`: steps in the unit of the weights; the rate is 1, as published.
    Adadelta: "adadelta" {
        /// The share of the means that is kept; 0.9, if it is not said.
        rho: f64 = "point_9",
        /// What is added to both; 1e-6, if it is not said.
        epsilon: f64 = "millionth",
    } |options| optim::Adadelta::new(options.rho, options.epsilon)?;
    /// `rmsprop`: gradients over the root of the mean of their squares.
    RmsProp: "rmsprop" {
        /// The share of the mean of squares that is kept; 0.99, if it is not said.
        alpha: f64 = "point_99",
        /// What is added to the root of it; 1e-8, if it is not said.
        epsilon: f64 = "tiny",
        /// The share of the last step's velocity that is kept; none, if it is not said.
        momentum: f64 = "zero",
        ;
        /// Whether squares count from the mean gradient.
        centered => centered,
    } |options| {
        let rule = optim::RmsProp::new(options.alpha, options.epsilon)?;
        if options.momentum == 0.0 { rule } else { rule.momentum(options.momentum)? }
    };
    /// `adamax`: Adam by the largest gradient instead of the mean of squares.
    Adamax: "adamax" {
        /// The share of the mean of gradients that is kept; 0.9, if it is not said.
        beta1: f64 = "point_9",
        /// The share of the largest that is kept; 0.999, if it is not said.
        beta2: f64 = "point_999",
        /// What is added to it; 1e-8, if it is not said.
        epsilon: f64 = "tiny",
    } |options| optim::Adamax::new(options.beta1, options.beta2, options.epsilon)?;
    /// `nadam`: Adam with Nesterov's momentum.
    Nadam: "nadam" {
        /// The share of the mean of gradients that is kept; 0.9, if it is not said.
        beta1: f64 = "point_9",
        /// The share of the mean of squares that is kept; 0.999, if it is not said.
        beta2: f64 = "point_999",
        /// What is added to the root of it; 1e-8, if it is not said.
        epsilon: f64 = "tiny",
        ;
        /// Whether weight decay stands beside the gradient.
        decoupled => decoupled,
    } |options| optim::Nadam::new(options.beta1, options.beta2, options.epsilon)?;
    /// `radam`: Adam that waits until it knows the squares well enough.
    RAdam: "radam" {
        /// The share of the mean of gradients that is kept; 0.9, if it is not said.
        beta1: f64 = "point_9",
        /// The share of the mean of squares that is kept; 0.999, if it is not said.
        beta2: f64 = "point_999",
        /// What is added to the root of it; 1e-8, if it is not said.
        epsilon: f64 = "tiny",
        ;
        /// Whether weight decay stands beside the gradient.
        decoupled => decoupled,
    } |options| optim::RAdam::new(options.beta1, options.beta2, options.epsilon)?;
    /// `lion`: steps of exactly the learning rate, by the sign alone; wants a tenth of Adam's rate.
    Lion: "lion" {
        /// The share of the mean that decides the sign; 0.9, if it is not said.
        beta1: f64 = "point_9",
        /// The share of the mean that is kept; 0.99, if it is not said.
        beta2: f64 = "point_99",
    } |options| optim::Lion::new(options.beta1, options.beta2)?;
    /// `rprop`: steps that grow while the sign stays; for whole batches.
    Rprop: "rprop" {
        /// The factor where the sign turned; 0.5, if it is not said.
        shrink: f64 = "half",
        /// The factor where it stayed; 1.2, if it is not said.
        grow: f64 = "more",
        /// The least step, as a share of the rate; 1e-4, if it is not said.
        least: f64 = "ten_thousandth",
        /// The largest step, in units of the rate; 5000, if it is not said.
        most: f64 = "five_thousand",
    } |options| optim::Rprop::new(options.shrink, options.grow)?.steps(options.least, options.most)?;
    /// `lars`: momentum in the unit of each layer's weights; for large batches.
    Lars: "lars" {
        /// The share of the last step's velocity that is kept; 0.9, if it is not said.
        momentum: f64 = "point_9",
        /// The step's share of the weights' norm; 0.001, if it is not said.
        trust: f64 = "thousandth",
        ;
        /// Whether the gradient is looked at where the velocity leads.
        nesterov => nesterov(?),
        /// Whether biases, and what norms scale by, are moved as they are.
        matrices_only => matrices_only,
    } |options| optim::Lars::new(options.momentum, options.trust)?;
    /// `lamb`: Adam in the unit of each layer's weights; for large batches.
    Lamb: "lamb" {
        /// The share of the mean of gradients that is kept; 0.9, if it is not said.
        beta1: f64 = "point_9",
        /// The share of the mean of squares that is kept; 0.999, if it is not said.
        beta2: f64 = "point_999",
        /// What is added to the root of it; 1e-6, if it is not said.
        epsilon: f64 = "millionth",
        ;
        /// Whether biases, and what norms scale by, are moved as they are.
        matrices_only => matrices_only,
    } |options| optim::Lamb::new(options.beta1, options.beta2, options.epsilon)?;
    /// `adafactor`: Adam with the squares of rows and columns only, which saves memory.
    Adafactor: "adafactor" {
        /// The exponent by which the share of a new gradient falls; 0.8, if it is not said.
        decay: f64 = "point_8",
        /// The largest root mean square of a step; 1, if it is not said.
        clip_at: f64 = "one",
    } |options| optim::Adafactor::new(options.decay)?.clip_at(options.clip_at)?;
    /// `muon`: momentum whose matrices are made orthogonal; biases and the like go by AdamW.
    Muon: "muon" {
        /// The share of the last velocity that is kept; 0.95, if it is not said.
        momentum: f64 = "point_95",
        /// The rate of biases and the like, as a share of the rate; 1, if it is not said.
        vector_rate: f64 = "one",
        ;
        /// Whether steps are as large as AdamW's, so that its rates fit.
        match_adamw => match_adamw,
    } |options| optim::Muon::new(options.momentum)?.vectors(optim::AdamW::default(), options.vector_rate)?;
    /// `schedule-free-sgd`: descent that averages its weights, so that no schedule is needed.
    ScheduleFreeSgd: "schedule-free-sgd" {
        /// Where between the average and the newest weights gradients are taken; 0.9, if it is not said.
        beta: f64 = "point_9",
    } |options| optim::ScheduleFreeSgd::new(options.beta)?;
    /// `schedule-free-adamw`: AdamW that averages its weights, so that no schedule is needed.
    ScheduleFreeAdamW: "schedule-free-adamw" {
        /// Where between the average and the newest weights gradients are taken; 0.9, if it is not said.
        beta: f64 = "point_9",
        /// The share of the mean of squares that is kept; 0.999, if it is not said.
        beta2: f64 = "point_999",
        /// What is added to the root of it; 1e-8, if it is not said.
        epsilon: f64 = "tiny",
    } |options| optim::ScheduleFreeAdamW::new(options.beta, options.beta2, options.epsilon)?;
}
