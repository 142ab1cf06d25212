//! What is done to weights before and while a net is trained, and what is told of its layers.

use crate::common;
use gradwise_autograd::{Tape, Workspace};
use gradwise_core::{Event, Observer, Param, ParamsExt, Stop};
use gradwise_data::{Batch, Batches, Paired, Samples};
use gradwise_layers::{
    Activation, ActivityPenalty, Chain, Constant as Same, Conv2d, CrossEntropyLoss, Flatten, Key, Linear, Lstm,
    MseLoss, Tanh,
};
use gradwise_optim::{Constant, Equalizer, Optimizer, Sgd};
use gradwise_regularize::{
    Constraints, EarlyStopping, EvidenceBased, GeneralizationLoss, Groups, MaxNorm, Pruner, RisingStrips, Scope,
    SparsitySchedule, UnitNorm,
};
use gradwise_train::{
    Fit, LayerProfile, Lsuv, LsuvLayer, Supervised, TrainError, Trainer, gradient_slope, layer_table,
};
use ndarray::{ArrayD, array};
use std::ops::ControlFlow;

fn sgd(rate: f64) -> Optimizer<f32, Sgd> {
    Optimizer::new(Sgd::with_momentum(0.9).unwrap(), Constant::new(rate).unwrap())
}

fn cross_entropy() -> Supervised<CrossEntropyLoss> {
    Supervised(CrossEntropyLoss::default())
}

fn weights(model: &Chain<f32>) -> Vec<Param<f32>> {
    let mut all = Vec::new();
    model.visit(|_, p| all.push(p.clone()));
    all
}

#[test]
fn lsuv_gives_every_layer_unit_variance() {
    let batch = common::batch(100);
    let wide = || gradwise_layers::Normal::new(0.0, 0.4).unwrap();
    let build = || -> Chain<f32> {
        Chain::seeded(Key::new(3))
            .named("conv", Conv2d::config(1, 6, 3).activation(Activation::Relu).init(wide()))
            .then(Flatten)
            .named("fused", Linear::config(216, 30).activation(Activation::Sigmoid).init(wide()))
            .named("bare", Linear::config(30, 20).bias_init(Same::new(2.0).unwrap()))
            .then(Tanh)
            .named("zero", Linear::config(20, 20).init(Same::new(0.0).unwrap()))
            .named("head", Linear::config(20, 10).bias_init(wide()))
            .build()
            .unwrap()
    };
    let run = |threads| -> (Chain<f32>, Vec<LsuvLayer>) {
        let (mut model, mut workspace) = (build(), Workspace::with_pool(gradwise_train::threads(threads).unwrap()));
        let layers = Lsuv::new().tolerance(1e-3).unwrap().run(&mut model, &batch, &cross_entropy(), &mut workspace);
        (model, layers.unwrap())
    };
    let (model, layers) = run(1);
    let names: Vec<&str> = layers.iter().map(|layer| &layer.path[..]).collect();
    assert_eq!(names, ["conv", "fused", "bare", "zero", "head"]);
    for layer in &layers[..3] {
        assert!((layer.after - 1.0).abs() < 1e-3 && (layer.before - 1.0).abs() > 0.1, "{layer:?}");
    }
    // Nothing can be made of a layer whose outputs do not vary, nor of one behind it.
    assert!(layers[3].after == 0.0 && layers[3].rounds == 0);
    // The variance of the middle, by another way: the chain cut off behind `bare`, whose activation is not fused.
    let mut workspace = Workspace::new();
    let mut tape = Tape::new(&mut workspace, gradwise_autograd::Mode::evaluate());
    let mut x = tape.input(&batch.inputs);
    for (_, layer) in model.iter().take(4) {
        x = layer.forward(&mut tape, x).unwrap();
    }
    let values: Vec<f64> = tape.value(x).iter().map(|x| f64::from(*x)).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64;
    assert!((variance - layers[2].after).abs() < 1e-4, "{variance}");
    for threads in [2, 4] {
        let (other, found) = run(threads);
        assert_eq!((weights(&other), found), (weights(&model), layers.clone()));
    }
}

#[test]
fn lsuv_leaves_alone_what_does_not_follow_its_weight() {
    let inner = Linear::<f32>::config(64, 10).build(Key::new(3)).unwrap();
    let normed = gradwise_layers::WeightNorm::new(inner).unwrap();
    let mut model: Chain<f32> = Chain::seeded(Key::new(0)).then(Flatten).named("a", normed).build().unwrap();
    let before = weights(&model);
    let found = Lsuv::new().run(&mut model, &common::batch(20), &cross_entropy(), &mut Workspace::new()).unwrap();
    assert_eq!(found[0].rounds, 0, "{found:?}");
    for (before, after) in before.iter().zip(weights(&model)) {
        let gap = (&before.value - &after.value).iter().fold(0.0_f32, |most, d| most.max(d.abs()));
        assert!(gap < 1e-6, "{gap}");
    }
}

#[test]
fn lsuv_tells_what_it_cannot_do() {
    let run = |lsuv: Lsuv, model: &mut Chain<f32>| {
        lsuv.run(model, &common::batch(20), &cross_entropy(), &mut Workspace::new())
    };
    let mut model: Chain<f32> = Chain::seeded(Key::new(0))
        .then(Flatten)
        .named("a", Linear::config(64, 10).init(Same::new(f64::MAX).unwrap()))
        .build()
        .unwrap();
    let error = run(Lsuv::new(), &mut model).unwrap_err().to_string();
    assert_eq!(error, "a: linear: expected finite numbers, got NaN");
    let error = run(Lsuv::new().on("b.*").unwrap(), &mut model).unwrap_err().to_string();
    assert_eq!(error, "lsuv: pattern: expected the path of the one weight of a layer (a), got `b.*`");
    let recurrent = Lstm::<f32>::new(8, 4, Key::new(0)).unwrap();
    let mut recurrent = Chain::new().with_named("lstm", recurrent).unwrap();
    assert!(run(Lsuv::new(), &mut recurrent).unwrap_err().to_string().starts_with("lsuv: pattern: "));
    assert!(Lsuv::new().on("a..b").is_err() && Lsuv::new().rounds(0).is_err());
    let error = Lsuv::new().tolerance(f64::NAN).unwrap_err().to_string();
    assert_eq!(error, "lsuv: tolerance: expected a number above 0 and below 1, got NaN");
}

#[test]
fn weights_are_pruned_and_held_in_bounds_step_by_step() {
    let parts = common::data(0);
    let mut model = gradwise_layers::models::mlp::<f32>(&[64, 16, 10], Key::new(1)).unwrap();
    let schedule = SparsitySchedule::new(0.0, 0.75, 4..12, 4).unwrap();
    let unit = UnitNorm::new(Groups::Axis(0));
    let constraints = Constraints::new().on("hidden0.weight", unit).unwrap();
    let mut trainer = Trainer::new(cross_entropy(), sgd(0.1), 0)
        .constraints(constraints)
        .pruning(Pruner::new(Scope::Layer, "**.weight").unwrap(), schedule.clone());
    let mut batch = Batch::default();
    let mut batches = Batches::new(parts.train.len(), 64).unwrap().shuffled(0);
    for step in 0..20 {
        parts.train.gather(batches.next_batch(), &mut batch).unwrap();
        let n = batch.len();
        batch.inputs = batch.inputs.to_shape(vec![n, 64]).unwrap().into_owned();
        let report = trainer.step(&mut model, &batch).unwrap();
        if step > 12 {
            // Gradients of what is gone are gone, too.
            let grad = report.grads.get(0).unwrap();
            assert!(grad.iter().filter(|g| **g == 0.0).count() >= 768);
        }
        let due = if step >= 12 { 0.75 } else { schedule.at(step / 4 * 4) };
        model.visit(|path, p| {
            if path.to_string().ends_with("weight") {
                let zeros = p.value.iter().filter(|w| **w == 0.0).count();
                assert_eq!(zeros, (due * p.value.len() as f64).round() as usize, "{path} at step {step}");
            }
            if path.to_string() == "hidden0.weight" {
                let norms = p.value.outer_iter().map(|row| row.iter().map(|w| w * w).sum::<f32>().sqrt());
                norms.for_each(|norm| assert!((norm - 1.0).abs() < 1e-5, "{norm}"));
            }
        });
    }
    assert_eq!(trainer.pruner().unwrap().sparsity(), 0.75);
}

#[test]
fn what_fits_no_parameter_is_refused_before_anything_changes() {
    let refuse = |change: &dyn Fn(common::DigitsTrainer) -> common::DigitsTrainer, told: &str| {
        let mut model = common::network(0);
        let before = weights(&model);
        let error = change(common::trainer(10, 1)).step(&mut model, &common::batch(8)).unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
        assert_eq!(weights(&model), before);
    };
    let max = |axis| MaxNorm::new(1.0, Groups::Axis(axis)).unwrap();
    refuse(
        &|trainer| trainer.constraints(Constraints::new().on("hiden.weight", max(0)).unwrap()),
        "constraints: expected a pattern that matches one of the model's parameters (conv0.weight, ",
    );
    refuse(
        &|trainer| trainer.constraints(Constraints::new().on("**.bias", max(1)).unwrap()),
        "norm0.bias: max norm: expected",
    );
    let schedule = || SparsitySchedule::new(0.0, 0.5, 0..4, 1).unwrap();
    refuse(
        &|trainer| trainer.pruning(Pruner::new(Scope::Global, "hiden.weight").unwrap(), schedule()),
        "pruner: expected a pattern that matches one of the model's parameters (conv0.weight, ",
    );
}

#[test]
fn penalties_on_activations_are_trained_on_and_told_apart() {
    let x = array![[1.0, -2.0], [0.5, 1.0]].into_dyn();
    let batch = Batch { targets: x.clone(), inputs: x, indices: vec![0, 1] };
    let step = |strength: Option<f64>| {
        let mut model = Chain::<f64>::new().with(Linear::new(2, 2, Key::new(0)).unwrap());
        if let Some(strength) = strength {
            model = model.with(ActivityPenalty::l2(strength).unwrap());
        }
        let optimizer = Optimizer::<f64, Sgd>::new(Sgd::new(), Constant::new(0.1).unwrap());
        let mut trainer = Trainer::new(Supervised(MseLoss), optimizer, 0);
        let report = trainer.step(&mut model, &batch).unwrap();
        let grads: ArrayD<f64> = report.grads.get(0).unwrap().clone();
        (report.loss, report.penalty, grads)
    };
    let (loss, none, grads) = step(None);
    let (same, penalty, with) = step(Some(0.4));
    assert_eq!((loss, none), (same, 0.0));
    // Against zeros, half of the squares a sample are the mean of the squares of two values.
    let zeros = Batch { targets: ArrayD::zeros(vec![2, 2]), ..batch.clone() };
    let mut model = Chain::<f64>::new().with(Linear::new(2, 2, Key::new(0)).unwrap());
    let optimizer = Optimizer::<f64, Sgd>::new(Sgd::new(), Constant::new(0.1).unwrap());
    let mut trainer = Trainer::new(Supervised(MseLoss), optimizer, 0);
    let report = trainer.step(&mut model, &zeros).unwrap();
    assert!((penalty - 0.4 * report.loss).abs() < 1e-12);
    let expected = &grads + &(report.grads.get(0).unwrap() * 0.4);
    assert!((&with - &expected).iter().all(|d| d.abs() < 1e-12));
}

#[test]
fn the_profile_tells_of_dead_saturated_and_vanishing_layers() {
    let parts = common::data(0);
    let mut model: Chain<f32> = Chain::seeded(Key::new(1))
        .then(Flatten)
        .named("dead", Linear::config(64, 8).activation(Activation::Relu).bias_init(Same::new(-100.0).unwrap()))
        .named("saturated", Linear::config(8, 8).activation(Activation::Tanh).bias_init(Same::new(9.0).unwrap()))
        .named("a", Linear::config(8, 8).activation(Activation::Sigmoid))
        .named("b", Linear::config(8, 8).activation(Activation::Sigmoid))
        .named("head", Linear::config(8, 10))
        .build()
        .unwrap();
    let mut trainer = Trainer::new(cross_entropy(), sgd(0.01), 0).probe_every(8).measure_every(8);
    let batches = Batches::new(parts.train.len(), 128).unwrap();
    let mut profile = LayerProfile::new();
    Fit::new(1).run(&mut trainer, &mut model, &parts.train, batches, &mut [&mut profile]).unwrap();
    let steps: Vec<u64> = profile.steps().map(|(step, _)| step).collect();
    assert_eq!(steps, [0, 8]);
    let (_, rows) = profile.steps().next().unwrap();
    let row = |path: &str| rows.iter().find(|row| row.path == path).unwrap();
    assert_eq!((row("dead").dead, row("dead").zeros, row("dead").saturated), (1.0, 1.0, None));
    assert_eq!((row("saturated").dead, row("saturated").saturated), (1.0, Some(1.0)));
    assert_eq!((row("a").saturated, row("head").saturated), (Some(0.0), None));
    assert_eq!(row("dead").grad_norm, Some(0.0));
    assert!(gradient_slope(rows).unwrap() > 0.3);
    let table = layer_table(rows);
    assert!(table.lines().next().unwrap().ends_with("zeros   dead  saturated"), "{table}");
    assert!(table.contains("100 %"), "{table}");
}

/// A deep net of sigmoids at one rate for all moves its top alone. Each at its own, all layers move alike.
#[test]
fn an_equalizer_moves_every_layer_alike() {
    let parts = common::data(0);
    let ratios = |equalize: bool| {
        let mut deep = Chain::<f32>::seeded(Key::new(1)).then(Flatten).then(Linear::config(64, 16));
        for _ in 0..5 {
            deep = deep.then(Linear::config(16, 16).activation(Activation::Sigmoid));
        }
        let mut model = deep.then(Linear::config(16, 10)).build().unwrap();
        let optimizer = sgd(0.02);
        let optimizer = if equalize { optimizer.equalize(Equalizer::new(1e-3).unwrap()) } else { optimizer };
        let mut trainer = Trainer::new(cross_entropy(), optimizer, 0).probe_every(22).measure_every(1);
        let mut profile = LayerProfile::new();
        let batches = Batches::new(parts.train.len(), 64).unwrap();
        Fit::new(1).run(&mut trainer, &mut model, &parts.train, batches, &mut [&mut profile]).unwrap();
        let (_, rows) = profile.steps().last().unwrap();
        let ratios: Vec<f64> = rows.iter().filter_map(|row| row.update_ratio).collect();
        let factors: Vec<f64> = trainer.stepper().equalized().map(|(_, factor)| factor).collect();
        (ratios[0] / ratios[ratios.len() - 1], factors)
    };
    let (spread, factors) = ratios(false);
    assert!(spread < 0.05, "{spread}");
    assert!(factors.iter().all(|factor| *factor == 1.0));
    let (spread, factors) = ratios(true);
    assert!((0.3..3.0).contains(&spread), "{spread}");
    assert!(factors[0] > 10.0 * factors[factors.len() - 2], "{factors:?}");
}

#[test]
fn other_criteria_end_training_with_the_best_weights() {
    let parts = common::data(0);
    let few = parts.train.subset(&(0..60).collect::<Vec<_>>()).unwrap();
    let seen = std::cell::RefCell::new(Vec::new());
    let mut listener = |event: &Event<'_, f32>| -> ControlFlow<Stop> {
        if let Event::Epoch { validation, .. } = event {
            seen.borrow_mut().push(validation[0].1);
        }
        ControlFlow::Continue(())
    };
    let mut train = |fit: Fit<'_, f32, gradwise_data::Labelled<f32>>| {
        seen.borrow_mut().clear();
        let mut model: Chain<f32> =
            Chain::seeded(Key::new(1)).then(Flatten).then(Linear::config(64, 10)).build().unwrap();
        let mut trainer = Trainer::new(cross_entropy(), sgd(0.3), 0);
        let batches = Batches::new(few.len(), 20).unwrap().shuffled(0);
        let observers: &mut [&mut dyn Observer<f32>] = &mut [&mut listener];
        let summary = fit.run(&mut trainer, &mut model, &few, batches, observers).unwrap();
        let loss = gradwise_train::evaluate(&model, &parts.test, 200, &cross_entropy(), &mut (), trainer.workspace());
        (summary, loss.unwrap().loss)
    };
    let best = || seen.borrow().iter().copied().fold(f64::INFINITY, f64::min);
    let mut by_loss = EarlyStopping::with(GeneralizationLoss::new(3.0).unwrap());
    let (summary, loss) = train(Fit::new(60).validate(&parts.test, 200).early_stopping("loss", &mut by_loss));
    assert!(summary.epochs < 60 && summary.stop.unwrap().reason.starts_with("the loss has not become better for "));
    assert_eq!(loss, best());
    let last = *seen.borrow().last().unwrap();
    assert!(last > 1.03 * loss, "more than 3 per cent above the best: {last} {loss}");

    let mut by_strips = EarlyStopping::with(RisingStrips::new(2, 2).unwrap());
    let (summary, loss) = train(Fit::new(60).validate(&parts.test, 200).early_stopping("loss", &mut by_strips));
    assert!(summary.epochs < 60 && summary.epochs.is_multiple_of(2));
    assert_eq!(loss, best());
}

/// Sixteen inputs that say something of the target, or nothing.
fn samples(signal: f64) -> Paired<f64> {
    let key = Key::new(9);
    let x = ArrayD::from_shape_fn(vec![256, 16], |i| key.uniform((i[0] * 16 + i[1]) as u64) - 0.5);
    let noise = |i: usize| key.with(1).uniform(i as u64) - 0.5;
    let y = ArrayD::from_shape_fn(vec![256, 1], |i| signal * x[[i[0], 0]] + noise(i[0]));
    Paired::new(x, y).unwrap()
}

#[test]
fn training_ends_without_held_out_data_when_gradients_are_noise() {
    let train = |signal: f64, epochs: u64| {
        let samples = samples(signal);
        let mut model = Linear::<f64>::new(16, 1, Key::new(0)).unwrap();
        let optimizer = Optimizer::<f64, Sgd>::new(Sgd::new(), Constant::new(0.2).unwrap());
        let mut trainer = Trainer::new(Supervised(MseLoss), optimizer, 0);
        let mut criterion = EvidenceBased::new(2).unwrap();
        let batches = Batches::new(256, 32).unwrap().shuffled(0);
        let summary = Fit::new(epochs)
            .stop_on_evidence(&mut criterion, 16, 16)
            .run(&mut trainer, &mut model, &samples, batches, &mut [])
            .unwrap();
        let all = Batches::new(256, 16).unwrap();
        (summary, trainer.gradient_evidence(&model, &samples, all, 16).unwrap())
    };
    let (early, evidence) = train(3.0, 2);
    assert!(early.stop.is_none() && evidence < 0.0, "{evidence}");
    let (late, _) = train(3.0, 200);
    assert!(late.epochs > 3 && late.epochs < 200);
    assert_eq!(late.stop.unwrap().reason, "the gradients of the training data are no more than noise");

    let samples = samples(1.0);
    let model = Linear::<f64>::new(16, 1, Key::new(0)).unwrap();
    let optimizer = Optimizer::<f64, Sgd>::new(Sgd::new(), Constant::new(0.2).unwrap());
    let mut trainer = Trainer::new(Supervised(MseLoss), optimizer, 0);
    for parts in [3, 9] {
        let error = trainer.gradient_evidence(&model, &samples, Batches::new(256, 30).unwrap(), parts).unwrap_err();
        assert!(matches!(error, TrainError::Value { .. }));
        let expected =
            format!("gradient evidence: parts: expected from 4 to the 8 whole batches that there are, got {parts}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn operations_tell_their_bounds_and_what_comes_before_their_activation() {
    use gradwise_core::Op;
    use gradwise_layers::tensor;

    fn check(op: &dyn Op<f32>, bounds: Option<[f64; 2]>, fused: bool) {
        assert_eq!((op.bounds(), op.before_activation().is_some()), (bounds, fused), "{}", op.name());
        if let Some(bare) = op.before_activation() {
            assert_eq!((bare.name(), bare.bounds(), bare.before_activation().is_some()), (op.name(), None, false));
        }
    }
    let infinity = f64::INFINITY;
    for (activation, bounds) in [
        (Activation::Identity, None),
        (Activation::Relu, Some([0.0, infinity])),
        (Activation::Sigmoid, Some([0.0, 1.0])),
        (Activation::Tanh, Some([-1.0, 1.0])),
    ] {
        let fused = bounds.is_some();
        check(&tensor::Linear::new(activation), bounds, fused);
        check(&tensor::Conv1d::default().with_activation(activation), bounds, fused);
        check(&tensor::Conv2d::default().with_activation(activation), bounds, fused);
        check(&tensor::ConvTranspose1d::default().with_activation(activation), bounds, fused);
        check(&Box::new(tensor::ConvTranspose2d::default().with_activation(activation)), bounds, fused);
    }
    check(&tensor::Tanh, Some([-1.0, 1.0]), false);
    check(&tensor::Clamp::RELU6, Some([0.0, 6.0]), false);
    check(&tensor::HardSigmoid, Some([0.0, 1.0]), false);
    check(&tensor::Silu, None, false);
    check(&tensor::norm::BatchNorm::new(1e-5).unwrap().with_relu(true), Some([0.0, infinity]), false);
    check(&tensor::norm::BatchNormInference::new(1e-5).unwrap(), None, false);
}
