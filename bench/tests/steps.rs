//! The cases keep being what the peers' programs train, and their steps keep what steps promise: in short form, on small batches.

use gradwise_bench::cases::{CASES, Case};
use gradwise_bench::inference::{Inference, WAYS};
use gradwise_bench::results::{Net, Training, measured_again, train};
use gradwise_bench::training::{checkpointed, training};
use gradwise_data::{Labelled, TrainTest};
use gradwise_layers::{Chain, ParamsExt};
use ndarray::ArrayD;
use std::ops::ControlFlow;
use std::path::Path;

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

/// Images whose left half is bright in one class and whose right half is in the other.
fn halves(n: usize, [channels, side]: [usize; 2]) -> Labelled<f32> {
    let labels: Vec<usize> = (0..n).map(|i| i % 2).collect();
    let inputs = ArrayD::from_shape_fn(vec![n, channels, side, side], |at| {
        let bright = usize::from(at[3] * 2 >= side) == labels[at[0]];
        f32::from(u8::from(bright)) + (at[0] * 7 % 5) as f32 * 0.1
    });
    Labelled::new(inputs, labels, 10).unwrap()
}

#[test]
fn nets_on_images_train_the_same_on_two_threads_and_from_their_files() {
    for (net, shape, n_trainable) in [(Net::Resnet20, [3, 32], 269_722), (Net::Mnist, [1, 28], 98_554)] {
        assert_eq!(net.model(0).unwrap().n_trainable(), n_trainable);
        let parts = TrainTest { train: halves(130, shape), test: halves(6, shape) };
        let run = |threads| {
            let training = Training { net, seed: 3, epochs: 1, threads };
            train(training, &parts, &mut |_: &gradwise_core::Event<'_, f32>| ControlFlow::Continue(())).unwrap()
        };
        let (model, summary) = run(1);
        // An incomplete batch is left out.
        assert_eq!((summary.steps, summary.samples), (1, 128));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(net.name()).with_extension("safetensors");
        let again = measured_again(net, &model, &path, &parts.test).unwrap();
        assert_eq!(Some(&again), summary.validation.as_ref());
        // Augmentation has a thread of its own then.
        let (other, summary) = run(2);
        let weights = |model: &Chain<f32>| {
            let mut all = Vec::new();
            model.visit(|_, p| all.push(p.value.clone()));
            all
        };
        assert_eq!(weights(&other), weights(&model));
        assert_eq!(Some(again), summary.validation);
    }
}

#[test]
fn a_folder_without_the_images_is_refused() {
    let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nowhere");
    for net in [Net::Resnet20, Net::Mnist] {
        let error = net.data(&nowhere, None, 1).unwrap_err().to_string();
        assert!(error.contains("nowhere"), "{error}");
    }
}
