//! Every rule, with each of its options: for tests that go over all of them.
#![allow(dead_code)]

use gradwise_optim::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, BoxRule, Lamb, Lars, Lion, Muon, Nadam, RAdam, Real, RmsProp,
    Rprop, ScheduleFreeAdamW, ScheduleFreeSgd, Sgd,
};

/// All of them, in an order that stays.
pub(crate) fn rules<T: Real>() -> Vec<BoxRule<T>> {
    let momentum = Sgd::with_momentum(0.9).unwrap();
    vec![
        BoxRule::new(Sgd::new()),
        BoxRule::new(momentum),
        BoxRule::new(momentum.dampening(0.2).unwrap()),
        BoxRule::new(momentum.nesterov().unwrap()),
        BoxRule::new(Adam::default()),
        BoxRule::new(Adam::default().amsgrad()),
        BoxRule::new(AdamW::default()),
        BoxRule::new(AdamW::default().amsgrad()),
        BoxRule::new(Adagrad::default()),
        BoxRule::new(Adadelta::default()),
        BoxRule::new(RmsProp::default()),
        BoxRule::new(RmsProp::default().centered()),
        BoxRule::new(RmsProp::default().momentum(0.9).unwrap()),
        BoxRule::new(RmsProp::default().momentum(0.9).unwrap().centered()),
        BoxRule::new(Adamax::default()),
        BoxRule::new(Nadam::default()),
        BoxRule::new(Nadam::default().decoupled()),
        BoxRule::new(RAdam::default()),
        BoxRule::new(RAdam::default().decoupled()),
        BoxRule::new(Lion::default()),
        BoxRule::new(Lars::new(0.9, 0.02).unwrap()),
        BoxRule::new(Lars::new(0.9, 0.02).unwrap().nesterov().unwrap().matrices_only()),
        BoxRule::new(Lamb::default()),
        BoxRule::new(Lamb::default().ratio_at_most(0.5).unwrap().matrices_only()),
        BoxRule::new(Adafactor::default()),
        BoxRule::new(Muon::default()),
        BoxRule::new(Muon::default().without_nesterov().match_adamw()),
        BoxRule::new(Rprop::default()),
        BoxRule::new(ScheduleFreeSgd::default()),
        BoxRule::new(ScheduleFreeAdamW::default()),
    ]
}
