//! The cases keep being what the peers' programs train, and their steps keep what steps promise: in short form, on small batches.

use gradwise_bench::cases::{CASES, Case};
use gradwise_bench::inference::{Inference, WAYS};
use gradwise_bench::training::{checkpointed, training};
use gradwise_layers::ParamsExt;

#[test]
fn the_nets_have_as_many_parameters_as_pytorchs() {
    for case in CASES {
        assert_eq!(case.model().unwrap().n_trainable(), case.n_trainable, "{}", case.name);
    }
}

/// The losses of the first steps on 4 samples.
fn losses(case: &Case, threads: usize) -> Vec<f32> {
    let mut training = training(case, Some(4), threads).unwrap();
    (0..3).map(|_| training.step().unwrap()).collect()
}

#[test]
fn steps_begin_near_chance_and_are_the_same_on_two_threads() {
    for case in CASES {
        let losses_on_one = losses(case, 1);
        // What first weights say of four samples of noise is wrong, but not by orders of magnitude.
        let chance = 10_f32.ln();
        assert!((chance / 3.0..chance * 3.0).contains(&losses_on_one[0]), "{}: {losses_on_one:?}", case.name);
        assert_eq!(losses_on_one, losses(case, 2), "{}", case.name);
    }
}

#[test]
fn checkpoints_change_no_loss_and_save_memory() {
    // Images, so that one value is larger than what is not worth making again.
    let resnet = CASES.iter().find(|case| case.name == "resnet20_b128").unwrap();
    let run = |segment| {
        let mut training = checkpointed(resnet, Some(16), 2, segment).unwrap();
        let losses = [(); 2].map(|()| training.step().unwrap());
        (losses, training.workspace_bytes())
    };
    let (losses, plain) = run(0);
    let (with_checkpoints, less) = run(4);
    assert_eq!(with_checkpoints, losses);
    assert!(less * 10 < plain * 9, "{less} of {plain}");
}

#[test]
fn all_ways_of_inference_agree() {
    for case in CASES {
        let outputs = WAYS.map(|way| Inference::new(case, 3, 2, way).unwrap().run().unwrap());
        let [tape, predict, folded] = &outputs;
        assert_eq!(tape, predict, "{}", case.name);
        let scale = tape.iter().fold(0.0_f32, |max, y| max.max(y.abs()));
        assert!(tape.iter().zip(folded).all(|(a, b)| (a - b).abs() <= 1e-5 * scale), "{}: {tape} {folded}", case.name);
    }
}

#[test]
fn labels_change_from_step_to_step() {
    // A net that is asked for ever other labels does not learn any by heart, not even with far more parameters than samples.
    let digits = &CASES[0];
    let mut training = training(digits, None, 1).unwrap();
    let losses: Vec<f32> = (0..640).map(|_| training.step().unwrap()).collect();
    let mean = losses[576..].iter().sum::<f32>() / 64.0;
    assert!((mean - 10_f32.ln()).abs() < 0.3, "{mean}");
}

#[test]
fn there_must_be_a_thread() {
    assert!(training(&CASES[0], None, 0).is_err());
}
