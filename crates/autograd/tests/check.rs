//! A check that passes must mean something: gradients that are wrong on purpose, and the check that catches each.

mod common;

use common::{ADD, Affine, DIV, Fault, MUL, Pointwise};
use gradwise_autograd::check::{self, Check, Failure};
use gradwise_autograd::strategies::{any_array, array};
use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;

fn numbers(shape: &[usize], seed: u64) -> ArrayD<f64> {
    let key = gradwise_autograd::core::Key::new(seed);
    let mut i = 0;
    ArrayD::from_shape_fn(IxDyn(shape), |_| {
        i += 1;
        2.0 * key.uniform(i) - 1.0
    })
}

/// Square, so that a transposed gradient has the right shape.
fn inputs(n: usize, k: usize, m: usize) -> [ArrayD<f64>; 3] {
    [numbers(&[n, k], 1), numbers(&[k, m], 2), numbers(&[m], 3)]
}

#[test]
fn right_gradients_pass() {
    let report = check::op(&Affine(Fault::None), &inputs(4, 3, 5)).unwrap();
    // 12 + 15 + 5 entries and three directions for each input.
    assert_eq!(report.compared, 32 + 9);
    assert!(report.worst < 1e-7, "{report:?}");
}

#[test]
fn wrong_gradients_are_caught_and_located() {
    // Each fault, the input whose gradient it spoils, and one entry that is wrong.
    for (fault, input) in [
        (Fault::Sign, "input 0"),
        (Fault::Factor, "input 1"),
        (Fault::Transposed, "input 1"),
        (Fault::MissingGroup, "input 0"),
        (Fault::ForgottenBroadcast, "input 2"),
        (Fault::OneEntry, "input 1"),
    ] {
        let failure = check::op(&Affine(fault), &inputs(4, 4, 4)).unwrap_err();
        let text = failure.to_string();
        assert!(matches!(failure, Failure::Entry { .. }), "{fault:?}: {text}");
        assert!(text.contains(input), "{fault:?}: {text}");
    }
    let Err(Failure::Entry { index, relative, wrong, .. }) = check::op(&Affine(Fault::OneEntry), &inputs(4, 4, 4))
    else {
        panic!("not located");
    };
    assert_eq!((&index[..], wrong), (&[0, 1][..], 1));
    assert!((relative - 1e-3).abs() < 1e-4, "{relative}");
    let Err(Failure::Entry { index, .. }) = check::op(&Affine(Fault::MissingGroup), &inputs(4, 4, 4)) else {
        panic!("not located");
    };
    assert_eq!(index[0], 2, "the missing row is named");
}

#[test]
fn wrong_gradients_of_large_inputs_are_caught_too() {
    // Too many entries to try each one: the directions catch it, and a sample of entries says where.
    for fault in [Fault::Sign, Fault::Factor, Fault::Transposed, Fault::MissingGroup, Fault::ForgottenBroadcast] {
        let failure = check::op(&Affine(fault), &inputs(40, 40, 40)).unwrap_err();
        assert!(matches!(failure, Failure::Entry { .. } | Failure::Direction { .. }), "{fault:?}: {failure}");
    }
}

#[test]
fn broken_contracts_are_caught() {
    for (fault, words) in [
        (Fault::AlwaysAssigns, "does not add"),
        (Fault::AlwaysAdds, "does not assign"),
        (Fault::HiddenNeed, "`needs`"),
        (Fault::IgnoresStrides, "transposed layout"),
        (Fault::SumsByThreads, "on three threads"),
        // Sizes of several classes, beyond those of what the operation's inputs could suggest.
        (Fault::ReadsScratch(1), "scratch memory"),
        (Fault::ReadsScratch(3000), "scratch memory"),
        (Fault::ReadsScratch(200_000), "scratch memory"),
        (Fault::BackwardReadsScratch(1), "scratch memory"),
        (Fault::BackwardReadsScratch(3000), "scratch memory"),
    ] {
        let text = check::op(&Affine(fault), &inputs(4, 4, 4)).unwrap_err().to_string();
        assert!(text.contains(words), "{fault:?}: {text}");
    }
}

#[test]
fn a_gradient_of_another_shape_is_refused() {
    let x = numbers(&[3, 2], 0);
    let failure = check::gradient(&x, |x| x.sum(), |_| ArrayD::ones(IxDyn(&[2, 3]))).unwrap_err();
    assert_eq!(failure.to_string(), "gradient of input 0: expected shape [3, 2], got [2, 3]");
}

#[test]
fn a_gradient_that_is_not_a_number_is_caught() {
    let x = numbers(&[3], 0);
    assert!(check::gradient(&x, |x| x.sum(), |x| x * f64::NAN).is_err());
    assert!(check::gradient(&x, |_| f64::NAN, |x| x.clone()).is_err());
}

#[test]
fn tiny_gradients_are_compared_with_their_own_size() {
    let x = numbers(&[5], 0);
    let value = |x: &ArrayD<f64>| 1e-9 * x.mapv(|x| x * x).sum();
    check::gradient(&x, value, |x| x * 2e-9).unwrap();
    assert!(check::gradient(&x, value, |x| x * 4e-9).is_err());
}

#[test]
fn derivatives_that_drown_in_rounding_do_not_pass() {
    let x = numbers(&[5], 0);
    for size in [1e8, 1e10, 1e13] {
        let value = |x: &ArrayD<f64>| size + x.mapv(|x| x * x).sum();
        for factor in [2.0, 4.0, -2.0, 0.0] {
            let failure = check::gradient(&x, value, |x| x * factor).unwrap_err();
            assert!(matches!(failure, Failure::Noise { .. } | Failure::Entry { .. }), "{size:e}: {failure}");
            assert!(factor != 2.0 || matches!(failure, Failure::Noise { .. }), "{size:e}: {failure}");
        }
    }
    // A larger step hears them again.
    let value = |x: &ArrayD<f64>| 1e8 + x.mapv(|x| x * x).sum();
    let check = Check::new().step(0.1);
    check.gradient(&x, value, |x| x * 2.0).unwrap();
    assert!(check.gradient(&x, value, |x| x * 2.1).is_err());
    // Large values whose derivatives are as large are no problem, nor is a value that does not depend on the input.
    check::gradient(&x, |x| 1e12 * x.mapv(|x| x * x).sum(), |x| x * 2e12).unwrap();
    check::gradient(&x, |x| 1e3 + (x.sum() - x.sum()), |x| x * 0.0).unwrap();
}

#[test]
fn inputs_without_a_gradient_can_be_left_out() {
    let wrong_second = Pointwise { derivatives: [|_, b| b, |_, _| 0.0], ..MUL };
    let x = [numbers(&[3], 1), numbers(&[3], 2)];
    assert!(check::op(&wrong_second, &x).is_err());
    Check::new().with_respect_to(&[0]).op(&wrong_second, &x).unwrap();
}

#[test]
fn zero_axes_are_no_problem() {
    for (n, k, m) in [(0, 3, 2), (2, 0, 3), (2, 3, 0)] {
        check::op(&Affine(Fault::None), &inputs(n, k, m)).unwrap();
    }
}

proptest! {
    #[test]
    fn compositions_are_checked(x in any_array(0..=3, 0..=4, -2.0..2.0)) {
        // x² / (x + 3), written with four operations and x used four times.
        let report = check::function(&[x.clone(), ArrayD::from_elem(x.raw_dim(), 3.0)], |tape, vars| {
            let [x, three] = [vars[0], vars[1]];
            let square = tape.apply(MUL, &[x, x])?;
            let sum = tape.apply(ADD, &[x, three])?;
            tape.apply(DIV, &[square, sum])
        });
        prop_assert!(report.is_ok(), "{:?}", report);
    }

    #[test]
    fn a_scaled_gradient_never_passes(x in array(vec![3], -2.0..2.0), factor in 0.0..0.999) {
        prop_assume!(x.iter().any(|x| x.abs() > 1e-3));
        let value = |x: &ArrayD<f64>| x.mapv(|x| x * x).sum();
        prop_assert!(check::gradient(&x, value, |x| x * (2.0 * factor)).is_err());
    }
}
