//! Schedules at their corners.

use gradwise_optim::{
    Constant, Cosine, CosineRestarts, Cyclic, Error, Exponential, InverseSqrt, InverseTime, LinearWarmup, MultiStep,
    OneCycle, Polynomial, RangeTest, ReduceOnPlateau, Schedule, Sequence, State, StepDecay, Stored, suggest,
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

#[test]
fn more_values_at_the_corners() -> Result<(), Error> {
    check(&Polynomial::new(1.0, 4)?, &[(0, 1.0), (1, 0.75), (4, 0.0), (u64::MAX, 0.0)]);
    check(&Polynomial::new(1.0, 4)?.power(2.0)?.ending_at(0.2)?, &[(0, 1.0), (2, 0.4), (4, 0.2), (5, 0.2)]);
    check(&InverseTime::new(1.0, 1.0)?, &[(0, 1.0), (1, 0.5), (3, 0.25), (u64::MAX, 0.0)]);
    check(&InverseTime::new(1.0, 0.5)?.staircase(4)?, &[(3, 1.0), (4, 1.0 / 3.0), (7, 1.0 / 3.0), (8, 0.2)]);
    check(&InverseTime::new(0.3, 0.0)?, &[(0, 0.3), (999, 0.3)]);
    check(&InverseSqrt::new(1.0, 4)?, &[(0, 1.0), (12, 0.5), (60, 0.25)]);
    check(&CosineRestarts::new(1.0, 4)?, &[(0, 1.0), (2, 0.5), (4, 1.0), (6, 0.5), (4_000_000, 1.0)]);
    let stretched = CosineRestarts::new(1.0, 2)?.stretch(2)?.decay(0.5)?.ending_at(0.1)?;
    // Cycles of 2, 4 and 8 steps, from 1, 0.5 and 0.25.
    check(&stretched, &[(0, 1.0), (1, 0.55), (2, 0.5), (4, 0.3), (6, 0.25), (10, 0.175), (14, 0.125)]);
    assert!(stretched.at(u64::MAX).is_finite());
    let cyclic = Cyclic::new(0.2, 1.0, 2)?.down(4)?;
    check(&cyclic, &[(0, 0.2), (1, 0.6), (2, 1.0), (4, 0.6), (6, 0.2), (8, 1.0)]);
    check(&cyclic.halving(), &[(2, 1.0), (8, 0.6), (14, 0.4)]);
    check(&cyclic.exponential(0.5)?, &[(2, 0.4), (8, 0.2 + 0.8 / 256.0)]);
    check(&cyclic.momentum(), &[(0, 0.9), (2, 0.8), (4, 0.85), (6, 0.9)]);
    check(&Cyclic::new(0.0, 1.0, u64::MAX)?, &[(0, 0.0), (u64::MAX, 1.0)]);
    Ok(())
}

/// What is saved of a plateau makes another one go on as the first.
#[test]
fn a_plateau_goes_on_where_it_was_saved() {
    let fresh = || ReduceOnPlateau::new(0.5).unwrap().patience(1).cooldown(1).maximize();
    let measures = [0.5, 0.6, 0.6, 0.6, 0.55, 0.6, 0.7, 0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.1];
    let (mut straight, mut first) = (fresh(), fresh());
    let expected: Vec<bool> = measures.iter().map(|&measure| straight.observe(measure)).collect();
    assert!(expected.iter().filter(|&&reduced| reduced).count() >= 3, "{expected:?}");
    for saved_after in 0..measures.len() {
        let mut found: Vec<bool> = Vec::new();
        first = fresh();
        found.extend(measures[..saved_after].iter().map(|&measure| first.observe(measure)));
        let (mut numbers, mut counters) = (Vec::new(), Vec::new());
        State::<f64>::visit(&mut first, &mut |_, stored| match stored {
            Stored::Number(x) => numbers.push(*x),
            Stored::Counter(n) => counters.push(*n),
            Stored::Array(_) => panic!("it has no arrays"),
        });
        let mut second = fresh();
        let schedule = second.schedule(Constant::new(2.0).unwrap());
        let (mut numbers, mut counters) = (numbers.into_iter(), counters.into_iter());
        State::<f64>::visit(&mut second, &mut |_, stored| match stored {
            Stored::Number(x) => *x = numbers.next().unwrap(),
            Stored::Counter(n) => *n = counters.next().unwrap(),
            Stored::Array(_) => panic!("it has no arrays"),
        });
        assert_eq!(schedule.at(0), 2.0 * first.factor());
        found.extend(measures[saved_after..].iter().map(|&measure| second.observe(measure)));
        assert_eq!(found, expected, "saved after {saved_after}");
    }
    assert_eq!(first.factor(), ReduceOnPlateau::new(0.1).unwrap().factor() * first.factor());
}

/// Descent on `a x² / 2` gets worse above the rate 2/a: the suggestions are below, and not by more than two orders of magnitude.
#[test]
fn range_tests_suggest_rates_that_work() -> Result<(), Error> {
    for curvature in [0.01, 1.0, 100.0] {
        let limit = 2.0 / curvature;
        let mut test = RangeTest::new(limit * 1e-6, limit * 1e3, 120)?;
        let (mut x, mut step, schedule) = (1.0, 0, test.schedule());
        while test.record(0.5 * curvature * x * x).is_continue() {
            x -= schedule.at(step) * curvature * x;
            step += 1;
        }
        assert!(test.curve().len() < 120, "it went on after the loss had grown");
        let found = test.suggestion()?;
        for rate in [found.valley, found.steepest, found.minimum] {
            assert!(rate < limit && rate > limit / 300.0, "{rate} of {limit}: {found:?}");
        }
        check(&schedule, &[(119, limit * 1e3), (500, limit * 1e3)]);
    }
    // A loss that is not finite ends the test, and is left out.
    let mut test = RangeTest::new(1e-3, 1.0, 10)?;
    assert!(test.record(1.0).is_continue() && test.record(f64::NAN).is_break());
    assert_eq!(test.curve().len(), 1);
    Ok(())
}

#[test]
fn a_plateau_wants_more_than_its_threshold() -> Result<(), Error> {
    let mut plateau = ReduceOnPlateau::new(0.5)?.patience(0).threshold(0.1)?;
    // By a tenth of 1, not by half of that.
    assert_eq!([1.0, 0.95, 0.85, 0.8].map(|measure| plateau.observe(measure)), [false, true, false, true]);
    let mut rising = ReduceOnPlateau::new(0.5)?.patience(0).threshold(0.1)?.maximize();
    assert_eq!([1.0, 1.05, 1.15, 1.2].map(|measure| rising.observe(measure)), [false, true, false, true]);
    Ok(())
}

#[test]
fn suggestions_from_pairs() -> Result<(), Error> {
    // Falls from the second to the sixth point, of which the fourth is two thirds through; one point rises and is left out.
    let curve = [(1.0, 5.0), (2.0, 6.0), (3.0, 4.0), (4.0, 3.0), (5.0, 3.5), (6.0, 2.0), (7.0, 1.0), (8.0, 9.0)];
    let found = suggest(&curve)?;
    assert_eq!((found.valley, found.steepest, found.minimum), (5.0, 6.0, 0.7));
    let error = suggest(&[(1.0, 1.0), (1.0, 1.0), (2.0, 1.0)]).unwrap_err().to_string();
    assert_eq!(error, "range test: rates: expected growing ones above 0, got 1 and 1");
    let error = suggest(&[(1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0)]).unwrap_err().to_string();
    assert_eq!(error, "range test: loss: expected a finite number at the rate 2, got NaN");
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
    refused(Polynomial::new(0.1, 0).map(drop), "polynomial: steps: expected at least 1 step, got 0");
    let power = Polynomial::new(0.1, 5).unwrap().power(0.0);
    refused(power.map(drop), "polynomial: power: expected a finite number above 0, got 0");
    refused(InverseTime::new(0.1, -1.0).map(drop), &format!("inverse time: decay: {at_least}, got -1"));
    refused(InverseSqrt::new(0.1, 0).map(drop), "inverse square root: offset: expected at least 1 step, got 0");
    let restarts = CosineRestarts::new(0.1, 5).unwrap();
    refused(restarts.stretch(0).map(drop), "cosine restarts: stretch: expected at least 1, got 0");
    refused(restarts.decay(1.5).map(drop), "cosine restarts: decay: expected a number in [0, 1], got 1.5");
    refused(Cyclic::new(0.2, 0.1, 5).map(drop), "cyclic: low rate: expected at most the high one, 0.1, got 0.2");
    let cyclic = Cyclic::new(0.1, 0.2, 5).unwrap();
    refused(cyclic.down(0).map(drop), "cyclic: steps down: expected at least 1 step, got 0");
    refused(cyclic.exponential(0.0).map(drop), "cyclic: factor: expected a number in (0, 1], got 0");
    refused(
        cyclic.momentum().between(0.9, 0.8).map(drop),
        "cyclic: low momentum: expected at most the high one, 0.8, got 0.9",
    );
    refused(ReduceOnPlateau::new(1.0).map(drop), "reduce on plateau: factor: expected a number in [0, 1), got 1");
    refused(RangeTest::new(1.0, 1.0, 5).map(drop), "range test: last rate: expected above the first one, 1, got 1");
    refused(RangeTest::new(1e-3, 1.0, 1).map(drop), "range test: steps: expected at least 2, got 1");
}
