//! The loop, the run folder and weights on disk.

#[path = "fit/averages.rs"]
mod averages;
mod common;
#[path = "fit/layers.rs"]
mod layers;

use gradwise_core::{Event, Metric, Observer, ParamsExt, Stop};
use gradwise_data::{Batches, Samples};
use gradwise_metrics::Accuracy;
use gradwise_regularize::{EarlyStopping, Mode};
use gradwise_train::{Fit, Lines, Metrics, RunFolder, Supervised, TrainError, evaluate, load_weights, save_weights};
use std::ops::ControlFlow;

fn accuracy() -> Metrics<f32, [usize]> {
    vec![Box::new(Accuracy::new()) as Box<dyn Metric<f32, [usize]>>]
}

#[test]
fn digits_are_learned_to_97_percent_in_a_few_epochs() {
    let parts = common::data(0);
    let batches = Batches::new(parts.train.len(), 32).unwrap().shuffled(1);
    let mut model = common::network(0);
    let mut trainer = common::trainer(4 * batches.per_epoch(), 2);
    let summary = Fit::new(4)
        .validate(&parts.test, 200)
        .metrics(accuracy())
        .run(&mut trainer, &mut model, &parts.train, batches, &mut [])
        .unwrap();
    let accuracy = summary.validation.unwrap().get("accuracy").unwrap();
    assert!(accuracy >= 0.97, "{accuracy}");
    assert_eq!((summary.epochs, summary.samples), (4, 4 * parts.train.len() as u64));
}

#[test]
fn a_layer_that_the_loss_does_not_reach_is_told_of_once() {
    use gradwise_layers::{Chain, CrossEntropyLoss, Flatten, Key, Linear, Module, Params, Real, Result, Tape, Var};

    #[derive(Params)]
    struct Forgetful<T: Real> {
        used: Chain<T>,
        idle: Linear<T>,
    }
    impl<T: Real> Module<T> for Forgetful<T> {
        fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
            self.used.forward(tape, x)
        }
    }
    let parts = common::data(0);
    let used = Chain::new().with(Flatten).with(Linear::new(64, 10, Key::new(1)).unwrap());
    let mut model = Forgetful { used, idle: Linear::new(3, 3, Key::new(2)).unwrap() };
    let optimizer =
        gradwise_optim::Optimizer::new(gradwise_optim::Adam::default(), gradwise_optim::Constant::new(0.01).unwrap());
    let mut trainer =
        gradwise_train::Trainer::new(gradwise_train::Supervised(CrossEntropyLoss::default()), optimizer, 0);
    let mut out = Vec::new();
    let batches = Batches::new(parts.train.len(), 512).unwrap();
    let mut lines = gradwise_train::Lines::new(&mut out);
    Fit::new(2)
        .run(&mut trainer, &mut model, &parts.train, batches, &mut [&mut lines as &mut dyn Observer<f32>])
        .unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("the loss does not depend on idle.weight, idle.bias").count(), 1, "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn observers_hear_everything_in_order_and_can_stop() {
    let parts = common::data(0);
    let batches = Batches::new(parts.train.len(), 512).unwrap();
    let mut heard = Vec::new();
    let mut listener = |event: &Event<'_, f32>| -> ControlFlow<Stop> {
        match event {
            Event::Start { epochs, steps_per_epoch, .. } => heard.push(format!("start {epochs} x {steps_per_epoch}")),
            Event::Step { step, epoch, samples, .. } => heard.push(format!("step {step} of {epoch}: {samples}")),
            Event::Epoch { epoch, samples, .. } => heard.push(format!("epoch {epoch}: {samples}")),
            Event::End { steps, stop, .. } => heard.push(format!("end {steps} {:?}", stop.map(|s| &s.reason))),
            _ => {}
        }
        match event {
            Event::Step { step: 4, .. } => ControlFlow::Break(Stop::new("enough")),
            _ => ControlFlow::Continue(()),
        }
    };
    let summary = Fit::new(9)
        .run(
            &mut common::trainer(100, 1),
            &mut common::network(0),
            &parts.train,
            batches,
            &mut [&mut listener as &mut dyn Observer<f32>],
        )
        .unwrap();
    assert_eq!(summary.stop, Some(Stop::new("enough")));
    assert_eq!(
        heard,
        [
            "start 9 x 3",
            "step 0 of 0: 512",
            "step 1 of 0: 512",
            "step 2 of 0: 414",
            "epoch 0: 1438",
            "step 3 of 1: 512",
            "step 4 of 1: 512",
            "epoch 1: 1024",
            "end 5 Some(\"enough\")",
        ]
    );
}

#[test]
fn early_stopping_puts_the_best_weights_back() {
    let parts = common::data(0);
    let batches = Batches::new(parts.train.len(), 64).unwrap().shuffled(0);
    let mut model = common::network(0);
    // A rate so large that things get worse after they got better.
    let mut trainer = common::trainer(5 * batches.per_epoch(), 1);
    let mut stopping = EarlyStopping::new(Mode::Min, 2).unwrap();
    let mut seen = Vec::new();
    let mut listener = |event: &Event<'_, f32>| -> ControlFlow<Stop> {
        if let Event::Epoch { validation, .. } = event {
            seen.push(validation[0].1);
        }
        ControlFlow::Continue(())
    };
    Fit::new(12)
        .validate(&parts.test, 200)
        .early_stopping("loss", &mut stopping)
        .run(&mut trainer, &mut model, &parts.train, batches, &mut [&mut listener as &mut dyn Observer<f32>])
        .unwrap();
    let best = seen.iter().copied().fold(f64::INFINITY, f64::min);
    let objective = Supervised(gradwise_layers::CrossEntropyLoss::default());
    let now = evaluate(&model, &parts.test, 200, &objective, &mut (), trainer.workspace()).unwrap();
    assert_eq!(now.loss, best, "of {seen:?}");
}

#[test]
fn options_that_make_no_sense_are_refused_in_words() {
    let parts = common::data(0);
    let batches = || Batches::new(parts.train.len(), 64).unwrap();
    let run = |fit: Fit<'_, f32, _>| {
        fit.run(&mut common::trainer(10, 1), &mut common::network(0), &parts.train, batches(), &mut [])
    };
    assert_eq!(run(Fit::new(0)).unwrap_err().to_string(), "fit: epochs: expected at least 1, got 0");
    let mut stopping = EarlyStopping::new(Mode::Min, 2).unwrap();
    let error = run(Fit::new(1).early_stopping("loss", &mut stopping)).unwrap_err();
    assert_eq!(error.to_string(), "fit: early stopping: expected data to validate on, got none");
    let mut stopping = EarlyStopping::new(Mode::Max, 2).unwrap();
    let error = run(Fit::new(1).validate(&parts.test, 64).early_stopping("acuracy", &mut stopping)).unwrap_err();
    assert_eq!(error.to_string(), "fit: early stopping: expected one of loss, got acuracy");
    assert!(run(Fit::new(1).validate(&parts.test, 0)).is_err());
}

#[test]
fn weights_survive_the_disk_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let model = common::network(3);
    save_weights(&model, &path, &[("note", "a test".into())]).unwrap();
    let mut other = common::network(4);
    load_weights(&mut other, &path).unwrap();
    let mut values = Vec::new();
    model.visit(|path, p| values.push((path.to_string(), p.value.clone())));
    let mut values = values.into_iter();
    other.visit(|path, p| {
        assert_eq!(values.next().unwrap(), (path.to_string(), p.value.clone()));
    });
    assert!(std::fs::read_dir(folder.path()).unwrap().count() == 1, "no partial file is left");
}

#[test]
fn weights_that_do_not_fit_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let small = gradwise_layers::models::mlp::<f32>(&[64, 5, 10], gradwise_layers::Key::new(0)).unwrap();
    save_weights(&small, &path, &[]).unwrap();
    let load = |path: &std::path::Path| {
        let mut model = gradwise_layers::models::mlp::<f32>(&[64, 6, 10], gradwise_layers::Key::new(1)).unwrap();
        let before = format!("{:?}", model.iter().map(|(n, _)| n.to_owned()).collect::<Vec<_>>());
        let error = load_weights(&mut model, path).unwrap_err();
        assert_eq!(before, format!("{:?}", model.iter().map(|(n, _)| n.to_owned()).collect::<Vec<_>>()));
        error.to_string()
    };
    assert!(load(&path).contains("expected hidden0.weight of shape [6, 64], got shape [5, 64]"), "{}", load(&path));
    let mut other = common::network(0);
    let error = load_weights(&mut other, &path).unwrap_err();
    assert!(matches!(error, TrainError::Weights { .. }) && error.to_string().contains("conv0.weight"), "{error}");
    std::fs::write(&path, b"not weights").unwrap();
    assert!(load(&path).contains("expected a safetensors file"));
    assert!(load(&folder.path().join("nothing")).contains("nothing"));
}

#[test]
fn a_run_folder_tells_the_whole_run() {
    let parent = tempfile::tempdir().unwrap();
    let folder = RunFolder::create_unique(parent.path(), "digits", &serde_json::json!({"seed": 1})).unwrap();
    let second = RunFolder::create_unique(parent.path(), "digits", &serde_json::json!({})).unwrap();
    assert!(second.path().ends_with("digits-2"));
    assert!(RunFolder::create(folder.path(), &0).is_err(), "a run is never written over");

    let parts = common::data(0);
    let batches = Batches::new(parts.train.len(), 512).unwrap();
    let mut model = common::network(0);
    let mut trainer = common::trainer(6, 1).measure_every(2).probe_every(3);
    let mut metrics = folder.metrics().unwrap();
    let mut text = Vec::new();
    let mut lines = Lines::new(&mut text);
    Fit::new(2)
        .validate(&parts.test, 200)
        .metrics(accuracy())
        .run(&mut trainer, &mut model, &parts.train, batches, &mut [&mut metrics, &mut lines])
        .unwrap();
    metrics.finish().unwrap();
    folder.save_model(&model).unwrap();
    folder.finish(&serde_json::json!({"done": true})).unwrap();

    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let config: serde_json::Value = serde_json::from_str(&read("config.json")).unwrap();
    assert_eq!(config, serde_json::json!({"format": "gradwise-run", "version": 1, "config": {"seed": 1}}));
    let events: Vec<serde_json::Value> =
        read("metrics.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| events.iter().filter(|e| e["event"] == kind).cloned().collect::<Vec<_>>();
    assert_eq!((of("start").len(), of("step").len(), of("epoch").len(), of("end").len()), (1, 6, 2, 1));
    let steps = of("step");
    for (i, step) in steps.iter().enumerate() {
        assert_eq!(step["step"], i);
        assert!(step["loss"].is_number() && step["grad_norm"].is_number() && step["learning_rate"].is_number());
        assert_eq!(step.get("params").is_some(), i % 2 == 0);
        assert_eq!(step.get("layers").is_some(), i % 3 == 0);
    }
    assert!(steps[0]["params"]["conv0.weight"]["update_norm"].as_f64().unwrap() > 0.0);
    assert_eq!(steps[0]["layers"][0]["path"], "conv0");
    assert!(of("epoch")[1]["validation"]["accuracy"].is_number());
    let mut restored = common::network(1);
    load_weights(&mut restored, &folder.path().join("model.safetensors")).unwrap();

    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.starts_with("epoch 1/2  train loss ") && text.contains("test loss "), "{text}");
}
