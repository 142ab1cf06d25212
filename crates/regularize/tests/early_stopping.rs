//! Early stopping, told as scenarios; the other criteria beside it.

#[path = "stopping/evidence.rs"]
mod evidence;
#[path = "stopping/prechelt.rs"]
mod prechelt;

use gradwise_regularize::Decision::{self, Improved, Stop, Wait};
use gradwise_regularize::ndarray::{Array2, arr1};
use gradwise_regularize::{EarlyStopping, Mode, Param, Params, Patience, Progress, Snapshot};
use proptest::prelude::*;

fn check(mut patience: Patience, story: &[(f64, Decision)]) {
    for (at, &(value, expected)) in story.iter().enumerate() {
        assert_eq!(patience.update(value), expected, "value {value} at {at}");
    }
}

fn patience(mode: Mode, n: u64) -> Patience {
    Patience::new(mode, n).unwrap()
}

#[test]
fn scenarios() {
    check(patience(Mode::Min, 1), &[(1.0, Improved), (0.5, Improved), (0.5, Stop)]);
    check(
        patience(Mode::Min, 3),
        &[
            (1.0, Improved),
            (2.0, Wait(1)),
            (1.0, Wait(2)),
            (0.9, Improved),
            (0.9, Wait(1)),
            (0.9, Wait(2)),
            (0.9, Stop),
        ],
    );
    check(patience(Mode::Max, 2), &[(0.1, Improved), (0.2, Improved), (0.15, Wait(1)), (0.2, Stop), (0.3, Improved)]);
    // Gains up to min delta do not count, and do not move the mark either: 0.85 is 0.15 better than 1.
    let min_delta = patience(Mode::Min, 3).min_delta(0.1).unwrap();
    check(min_delta, &[(1.0, Improved), (0.95, Wait(1)), (0.92, Wait(2)), (0.85, Improved), (0.8, Wait(1))]);
    // What is not a number is no improvement, at the start as well.
    let bad = [(f64::NAN, Wait(1)), (f64::NEG_INFINITY, Wait(2)), (f64::INFINITY, Wait(3)), (5.0, Improved)];
    check(patience(Mode::Min, 4), &bad);
    check(patience(Mode::Max, 2), &[(f64::INFINITY, Wait(1)), (f64::NAN, Stop)]);
    // The first values are not judged: the lucky 0 is forgotten.
    check(patience(Mode::Min, 1).start_from(2), &[(0.0, Wait(0)), (9.0, Wait(0)), (5.0, Improved), (5.0, Stop)]);
    // Improving is not enough below the baseline.
    let baseline = patience(Mode::Max, 3).baseline(0.5).unwrap();
    check(baseline.clone(), &[(0.1, Wait(1)), (0.2, Wait(2)), (0.3, Stop)]);
    check(baseline, &[(0.1, Wait(1)), (0.2, Wait(2)), (0.6, Improved), (0.55, Wait(1)), (0.7, Improved)]);
}

#[test]
fn what_is_refused() {
    let refused = |error: gradwise_regularize::Error, expected: &str| assert_eq!(error.to_string(), expected);
    refused(Patience::new(Mode::Min, 0).unwrap_err(), "early stopping: patience: expected at least 1, got 0");
    refused(
        patience(Mode::Min, 1).min_delta(-0.1).unwrap_err(),
        "early stopping: min delta: expected a finite number of at least 0, got -0.1",
    );
    refused(
        patience(Mode::Min, 1).baseline(f64::NAN).unwrap_err(),
        "early stopping: baseline: expected a finite number, got NaN",
    );
    assert!(EarlyStopping::<f32>::new(Mode::Max, 0).is_err());
}

fn model(x: f32) -> Vec<Param<f32>> {
    let mut frozen = Param::new(Array2::from_elem((2, 3), x));
    frozen.freeze();
    vec![Param::new(arr1(&[x, x])), frozen, Param::buffer(arr1(&[x]))]
}

#[test]
fn the_best_weights_come_back_with_their_buffers() {
    let mut stopping = EarlyStopping::new(Mode::Min, 2).unwrap();
    let mut untouched = model(7.0);
    assert!(!stopping.restore(&mut untouched).unwrap());
    assert_eq!(untouched, model(7.0));
    for (value, x) in [(3.0, 1.0), (1.0, 2.0), (f64::NAN, 3.0), (2.0, 4.0)] {
        stopping.update(value, &model(x));
    }
    let mut last = model(4.0);
    let dynamic: &mut dyn Params<f32> = &mut last;
    assert!(stopping.restore(dynamic).unwrap());
    assert_eq!(last, model(2.0));
    assert_eq!(stopping.best().unwrap().arrays().count(), 3);
}

#[test]
fn the_best_below_the_baseline_is_kept_all_the_same() {
    let mut stopping = EarlyStopping::from(patience(Mode::Max, 3).baseline(0.9).unwrap());
    for (value, x, expected) in [(0.2, 1.0, Wait(1)), (0.4, 2.0, Wait(2)), (0.3, 3.0, Stop)] {
        assert_eq!(stopping.update(value, &model(x)), expected);
    }
    let mut last = model(3.0);
    stopping.restore(&mut last).unwrap();
    assert_eq!(last, model(2.0));
}

#[test]
fn another_model_is_an_error_and_stays_as_it_is() {
    let snapshot = Snapshot::take(&model(1.0));
    let mut other = model(2.0);
    other[2] = Param::buffer(arr1(&[5.0, 5.0]));
    let before = other.clone();
    let error = snapshot.restore(&mut other).unwrap_err().to_string();
    assert_eq!(error, "2: snapshot: expected the snapshot's shape [1], got shape [2]");
    assert_eq!(other, before);
    let error = snapshot.restore(&mut other[0]).unwrap_err().to_string();
    assert_eq!(error, "snapshot: number of parameters: expected the 3 of the snapshot, got 1");
}

#[test]
fn a_snapshot_taken_again_is_that_of_now() {
    let mut snapshot = Snapshot::take(&model(1.0));
    snapshot.retake(&model(2.0));
    assert_eq!(snapshot, Snapshot::take(&model(2.0)));
    snapshot.retake(&model(3.0)[..1]);
    assert_eq!(snapshot, Snapshot::take(&model(3.0)[..1]));
    snapshot.retake(&model(4.0));
    assert_eq!(snapshot, Snapshot::take(&model(4.0)));
}

/// The definition, in words: the last decision for a list of values.
fn by_definition(values: &[f64], n: usize, min_delta: f64) -> Decision {
    let (mut best, mut last_gain) = (f64::INFINITY, None);
    for (at, &value) in values.iter().enumerate() {
        if value.is_finite() && best - value > min_delta {
            (best, last_gain) = (value, Some(at));
        }
    }
    match values.len() - last_gain.map_or(0, |at| at + 1) {
        0 => Improved,
        waited if waited >= n => Stop,
        waited => Wait(waited as u64),
    }
}

proptest! {
    #[test]
    fn decisions_are_those_of_the_definition(
        values in prop::collection::vec(prop_oneof![9 => -1.0..1.0, 1 => Just(f64::NAN)], 1..30),
        n in 1_u64..5,
        min_delta in prop_oneof![Just(0.0), 0.0..0.3],
        cut in 0_usize..30,
    ) {
        let new = |mode| Patience::new(mode, n).unwrap().min_delta(min_delta).unwrap();
        let (mut min, mut max, mut resumed) = (new(Mode::Min), new(Mode::Max), new(Mode::Min));
        for (i, &value) in values.iter().enumerate() {
            if i == cut {
                let progress: Progress = *min.progress();
                resumed.resume(progress);
            }
            let decision = min.update(value);
            prop_assert_eq!(decision, by_definition(&values[..=i], n as usize, min_delta));
            prop_assert_eq!(max.update(-value), decision);
            if i >= cut {
                prop_assert_eq!(resumed.update(value), decision);
            }
        }
    }

    #[test]
    fn what_is_restored_is_the_model_of_the_best_value(values in prop::collection::vec(-1.0_f64..1.0, 1..20)) {
        let mut stopping = EarlyStopping::new(Mode::Max, 100).unwrap();
        for (i, &value) in values.iter().enumerate() {
            stopping.update(value, &model(i as f32));
        }
        let mut restored = model(-1.0);
        stopping.restore(&mut restored).unwrap();
        let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let at = values.iter().position(|&value| value == best).unwrap();
        prop_assert_eq!(restored, model(at as f32));
        prop_assert_eq!(stopping.progress().best, Some(best));
    }
}
