//! Schedules at their corners.

use gradwise_optim::{
    Constant, Cosine, Error, Exponential, LinearWarmup, MultiStep, OneCycle, Schedule, Sequence, StepDecay,
};
use proptest::prelude::*;

fn check(schedule: &dyn Schedule, expected: &[(u64, f64)]) {
    for &(step, expected) in expected {
        let found = schedule.at(step);
        assert!(
            (found - expected).abs() <= 1e-12 * (1.0 + expected.abs()),
            "step {step}: {found} instead of {expected}"
        );
    }
}

#[test]
fn values_at_the_corners() -> Result<(), Error> {
    check(&Constant::new(0.3)?, &[(0, 0.3), (u64::MAX, 0.3)]);
    check(&StepDecay::new(1.0, 10, 0.1)?, &[(0, 1.0), (9, 1.0), (10, 0.1), (19, 0.1), (20, 0.01)]);
    check(&MultiStep::new(1.0, [3, 5], 0.1)?, &[(0, 1.0), (2, 1.0), (3, 0.1), (4, 0.1), (5, 0.01), (99, 0.01)]);
    check(&MultiStep::new(1.0, [], 0.1)?, &[(0, 1.0), (99, 1.0)]);
    check(&Exponential::new(2.0, 0.9)?, &[(0, 2.0), (1, 1.8), (2, 1.62), (u64::MAX, 0.0)]);
    check(&Cosine::new(1.0, 4)?, &[(0, 1.0), (2, 0.5), (4, 0.0), (5, 0.0), (u64::MAX, 0.0)]);
    check(&Cosine::new(1.0, 4)?.ending_at(0.2)?, &[(0, 1.0), (2, 0.6), (4, 0.2), (9, 0.2)]);
    check(&LinearWarmup::new(4, Constant::new(1.0)?)?, &[(0, 0.2), (1, 0.4), (3, 0.8), (4, 1.0), (5, 1.0)]);
    check(&LinearWarmup::new(4, Constant::new(1.0)?)?.from(0.5)?, &[(0, 0.5), (2, 0.75), (4, 1.0)]);
    check(&LinearWarmup::new(0, Cosine::new(1.0, 4)?)?, &[(0, 1.0), (2, 0.5)]);
    let sequence = Sequence::new(Constant::new(1.0)?)
        .then_at(3, Exponential::new(0.5, 0.5)?)?
        .then_at(5, |step: u64| step as f64)?;
    check(&sequence, &[(0, 1.0), (2, 1.0), (3, 0.5), (4, 0.25), (5, 0.0), (7, 2.0)]);
    Ok(())
}

/// Ten steps: a rise of pct 0.3 ends at step 0.3 · 10 − 1 = 2, the fall at step 9.
#[test]
fn one_cycle_at_the_corners() -> Result<(), Error> {
    let cycle = OneCycle::new(1.0, 10)?;
    let (start, end) = (0.04, 0.04 / 1e4);
    check(&cycle, &[(0, start), (1, 0.52), (2, 1.0), (9, end), (10, end), (1_000, end)]);
    let third = end + (1.0 - end) / 2.0 * (1.0 + (std::f64::consts::PI / 7.0).cos());
    check(&cycle, &[(3, third)]);
    check(&cycle.linear(), &[(0, start), (1, 0.52), (2, 1.0), (3, 1.0 - (1.0 - end) / 7.0), (9, end)]);
    check(&cycle.divisors(10.0, 100.0)?, &[(0, 0.1), (2, 1.0), (9, 0.001)]);
    check(&cycle.rise(0.5)?, &[(0, start), (4, 1.0), (9, end)]);
    check(&cycle.momentum(), &[(0, 0.95), (1, 0.9), (2, 0.85), (9, 0.95), (50, 0.95)]);
    check(&cycle.momentum().between(0.8, 0.9)?, &[(0, 0.9), (2, 0.8), (9, 0.9)]);
    Ok(())
}

proptest! {
    #[test]
    fn one_cycle_stays_in_its_range_whatever_its_length(
        steps in 1_u64..50, rise in 0.0..=1.0, linear: bool, at in 0_u64..100,
    ) {
        let mut cycle = OneCycle::new(1.0, steps).unwrap().rise(rise).unwrap();
        if linear {
            cycle = cycle.linear();
        }
        let slack = 1e-12;
        prop_assert!((4e-6 - slack..=1.0 + slack).contains(&cycle.at(at)), "{} at {at}", cycle.at(at));
        prop_assert!((0.85 - slack..=0.95 + slack).contains(&cycle.momentum().at(at)));
    }

    #[test]
    fn cosine_never_rises(steps in 1_u64..200, end in 0.0..=1.0) {
        let cosine = Cosine::new(1.0, steps).unwrap().ending_at(end).unwrap();
        for step in 0..steps + 3 {
            prop_assert!(cosine.at(step) >= cosine.at(step + 1) - 1e-15);
        }
    }
}

#[test]
fn what_is_refused() {
    let refused = |result: Result<(), Error>, expected: &str| assert_eq!(result.unwrap_err().to_string(), expected);
    let at_least = "expected a finite number of at least 0";
    refused(Constant::new(-0.1).map(drop), &format!("constant schedule: rate: {at_least}, got -0.1"));
    refused(Constant::new(f64::NAN).map(drop), &format!("constant schedule: rate: {at_least}, got NaN"));
    refused(Cosine::new(f64::INFINITY, 1).map(drop), &format!("cosine: rate: {at_least}, got inf"));
    refused(Cosine::new(0.1, 0).map(drop), "cosine: steps: expected at least 1 step, got 0");
    refused(StepDecay::new(0.1, 0, 0.5).map(drop), "step decay: every: expected at least 1 step, got 0");
    refused(StepDecay::new(0.1, 1, -0.5).map(drop), &format!("step decay: factor: {at_least}, got -0.5"));
    refused(
        MultiStep::new(0.1, [5, 5], 0.5).map(drop),
        "multi-step: milestones: expected increasing steps, got [5, 5]",
    );
    refused(OneCycle::new(0.1, 0).map(drop), "one-cycle: steps: expected at least 1 step, got 0");
    let cycle = OneCycle::new(0.1, 10).unwrap();
    refused(cycle.rise(1.5).map(drop), "one-cycle: rise: expected a number in [0, 1], got 1.5");
    refused(cycle.divisors(0.0, 1.0).map(drop), "one-cycle: start divisor: expected a finite number above 0, got 0");
    refused(
        cycle.momentum().between(0.9, 0.8).map(drop),
        "one-cycle: low momentum: expected at most the high one, 0.8, got 0.9",
    );
    refused(
        LinearWarmup::new(5, |_: u64| -1.0).map(drop),
        &format!("warm-up: first rate of the schedule that follows: {at_least}, got -1"),
    );
    let sequence = Sequence::new(cycle).then_at(0, cycle);
    refused(sequence.map(drop), "sequence: step: expected a step after 0, where the last part begins, got 0");
}
