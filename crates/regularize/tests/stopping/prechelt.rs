//! Prechelt's criteria against their definitions over the whole history.

use gradwise_regularize::Decision::{self, Improved, Stop, Wait};
use gradwise_regularize::ndarray::arr1;
use gradwise_regularize::{
    Criterion, EarlyStopping, GeneralizationLoss, Losses, Param, ProgressQuotient, RisingStrips,
};
use proptest::prelude::*;

/// `GL(t)` of the whole history.
fn generalization_loss(held_out: &[f64]) -> f64 {
    let best = held_out.iter().copied().fold(f64::INFINITY, f64::min);
    100.0 * (held_out[held_out.len() - 1] / best - 1.0)
}

/// `P_k(t)` of the whole history.
fn progress(train: &[f64], k: usize) -> f64 {
    let strip = &train[train.len() - k..];
    let least = strip.iter().copied().fold(f64::INFINITY, f64::min);
    1000.0 * (strip.iter().sum::<f64>() / (k as f64 * least) - 1.0)
}

/// `UP_s` at the end of a strip, by its recursion.
fn rises(held_out: &[f64], k: usize, s: usize) -> bool {
    let t = held_out.len();
    t > k && held_out[t - 1] > held_out[t - k - 1] && (s == 1 || rises(&held_out[..t - k], k, s - 1))
}

fn decision(stop: bool, held_out: &[f64]) -> Decision {
    let best = held_out.iter().copied().fold(f64::INFINITY, f64::min);
    let at = held_out.iter().position(|&loss| loss == best).unwrap();
    match held_out.len() - 1 - at {
        _ if stop => Stop,
        0 => Improved,
        waited => Wait(waited as u64),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn decisions_are_those_of_the_definitions(
        losses in prop::collection::vec((0.5_f64..2.0, 0.5_f64..2.0), 1..40), alpha in 0.0_f64..60.0, k in 1_usize..5, s in 1_usize..4,
        cut in 0_usize..40,
    ) {
        let mut gl = GeneralizationLoss::new(alpha).unwrap();
        let mut pq = ProgressQuotient::new(alpha / 20.0, k).unwrap();
        let mut up = RisingStrips::new(s as u64, k).unwrap();
        let (held_out, train): (Vec<f64>, Vec<f64>) = losses.iter().copied().unzip();
        for t in 1..=losses.len() {
            if t == cut {
                // Others, which go on from here, decide alike.
                let (mut gl_2, mut pq_2, mut up_2) = (gl.clone(), pq.clone(), up.clone());
                gl_2 = { gl_2.resume(*gl.progress()); gl_2 };
                pq_2 = { pq_2.resume(pq.state().clone()); pq_2 };
                up_2 = { up_2.resume(up.state().clone()); up_2 };
                (gl, pq, up) = (gl_2, pq_2, up_2);
            }
            let (now, so_far, trained) = (held_out[t - 1], &held_out[..t], &train[..t]);
            let loss = generalization_loss(so_far);
            prop_assert_eq!(gl.update(now), decision(loss > alpha, so_far));
            let end = t % k == 0;
            let quotient = end && loss > 0.0 && loss / progress(trained, k) > alpha / 20.0;
            prop_assert_eq!(pq.update(Losses { held_out: now, train: train[t - 1] }), decision(quotient, so_far));
            prop_assert_eq!(up.update(now), decision(end && rises(so_far, k, s), so_far));
        }
    }
}

#[test]
fn losses_that_are_none_stop_or_wait() {
    // There is no best to be above of yet.
    let mut gl = GeneralizationLoss::new(5.0).unwrap();
    assert_eq!([f64::NAN, 1.0, f64::NAN].map(|loss| gl.update(loss)), [Wait(1), Improved, Stop]);
    // Nothing is some per cent above 0.
    let mut gl = GeneralizationLoss::new(5.0).unwrap();
    assert_eq!([0.0, 0.0, 1e-9].map(|loss| gl.update(loss)), [Improved, Wait(1), Stop]);
    // Training that stands still makes any rise too much, and none is none.
    let mut pq = ProgressQuotient::new(3.0, 1).unwrap();
    let mut update = |held_out, train| pq.update(Losses { held_out, train });
    assert_eq!([update(1.0, 1.0), update(1.0, 1.0), update(1.0 + 1e-9, 1.0)], [Improved, Wait(1), Stop]);
    // Training that breaks down is not settled.
    let mut pq = ProgressQuotient::new(0.1, 1).unwrap();
    let mut update = |held_out, train| pq.update(Losses { held_out, train });
    assert_eq!([update(1.0, 1.0), update(9.0, f64::NAN), update(9.0, f64::INFINITY)], [Improved, Wait(1), Wait(2)]);
    let mut up = RisingStrips::new(2, 1).unwrap();
    assert_eq!([1.0, f64::NAN, f64::NAN].map(|loss| up.update(loss)), [Improved, Wait(1), Stop]);
    let mut up = RisingStrips::new(2, 1).unwrap();
    assert_eq!([1.0, f64::NAN, 2.0].map(|loss| up.update(loss)), [Improved, Wait(1), Wait(2)]);
}

#[test]
fn the_best_weights_are_kept_for_any_criterion() {
    fn check<C: Criterion>(criterion: C, reading: impl Fn(f64) -> C::Reading) {
        let mut stopping = EarlyStopping::with(criterion);
        for (i, loss) in [3.0, 1.0, 2.0, 1.5, 1.2].into_iter().enumerate() {
            stopping.update(reading(loss), &Param::new(arr1(&[i as f32])));
        }
        let mut model = Param::new(arr1(&[-1.0]));
        assert!(stopping.restore(&mut model).unwrap());
        assert_eq!((model.value[[0]], stopping.criterion().progress().best), (1.0, Some(1.0)));
        let mut other = EarlyStopping::with(
            stopping.criterion().progress().best.map(|_| RisingStrips::new(1, 1).unwrap()).unwrap(),
        );
        other.resume_with(stopping.best().cloned());
        assert_eq!(other.best(), stopping.best());
    }
    check(GeneralizationLoss::new(5.0).unwrap(), |loss| loss);
    check(ProgressQuotient::new(1.0, 2).unwrap(), |loss| Losses { held_out: loss, train: 1.0 });
    check(RisingStrips::new(2, 1).unwrap(), |loss| loss);
    check(Box::new(RisingStrips::new(2, 1).unwrap()) as Box<dyn Criterion<Reading = f64>>, |loss| loss);
}

#[test]
fn what_is_refused() {
    let refused = |error: gradwise_regularize::Error, expected: &str| assert_eq!(error.to_string(), expected);
    refused(
        GeneralizationLoss::new(-1.0).unwrap_err(),
        "generalization loss: alpha: expected a finite number of at least 0, got -1",
    );
    refused(
        ProgressQuotient::new(f64::NAN, 5).unwrap_err(),
        "progress quotient: alpha: expected a finite number of at least 0, got NaN",
    );
    refused(ProgressQuotient::new(1.0, 0).unwrap_err(), "progress quotient: strip length: expected at least 1, got 0");
    refused(RisingStrips::new(0, 5).unwrap_err(), "rising strips: strips: expected at least 1, got 0");
    refused(RisingStrips::new(1, 0).unwrap_err(), "rising strips: strip length: expected at least 1, got 0");
}

#[cfg(feature = "serde")]
#[test]
fn where_they_stand_is_saved() {
    let mut up = RisingStrips::new(2, 3).unwrap();
    for loss in [1.0, 2.0, 3.0, 0.1] {
        up.update(loss);
    }
    let saved = serde_json::to_string(up.state()).unwrap();
    let mut resumed = RisingStrips::new(2, 3).unwrap();
    resumed.resume(serde_json::from_str(&saved).unwrap());
    assert_eq!(resumed, up);
}
