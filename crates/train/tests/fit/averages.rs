//! Averages of weights in the loop, and runs that go on where they were.

use crate::common;
use gradwise_autograd::{Mode, Tape, Workspace};
use gradwise_core::{Event, Observer, Param, ParamsExt, Stop};
use gradwise_data::{BatchPosition, Batches, Labelled, Samples};
use gradwise_layers::{BatchNorm1d, Chain, CrossEntropyLoss, Dropout, Flatten, Key, Linear, Module, MseLoss};
use gradwise_optim::steppers::{Average, Averaged, Lbfgs};
use gradwise_optim::{Constant, Optimizer, RangeTest, Sgd, Stepper};
use gradwise_regularize::SparsitySchedule;
use gradwise_regularize::{Constraints, EarlyStopping, Groups, MaxNorm, Mode as Better, Pruner, Scope, Snapshot};
use gradwise_train::{Fit, StepperState, Supervised, Trainer, evaluate, refresh_statistics};
use std::ops::ControlFlow;

type Sgdm = Averaged<f32, Optimizer<f32, Sgd>>;
type SgdTrainer = Trainer<f32, Supervised<CrossEntropyLoss>, Sgdm>;

fn model() -> Chain<f32> {
    Chain::seeded(Key::new(2))
        .then(Flatten)
        .named("hidden", Linear::config(64, 24))
        .then(BatchNorm1d::new(24).unwrap().with_relu())
        .then(Dropout::new(0.1).unwrap())
        .named("head", Linear::config(24, 10))
        .build()
        .unwrap()
}

/// Momentum, averages, a bound on the first layer, and half of its weights removed on the way.
fn trainer(threads: usize) -> SgdTrainer {
    let optimizer = Optimizer::new(Sgd::with_momentum(0.9).unwrap(), Constant::new(0.05).unwrap());
    let stepper = Averaged::new(optimizer, Average::exponential(0.9).unwrap());
    Trainer::new(Supervised(CrossEntropyLoss::default()), stepper, 7)
        .threads(threads)
        .unwrap()
        .constraints(Constraints::new().on("hidden.weight", MaxNorm::new(1.0, Groups::Axis(0)).unwrap()).unwrap())
        .pruning(
            Pruner::new(Scope::Layer, "hidden.weight").unwrap(),
            SparsitySchedule::new(0.0, 0.5, 2..10, 2).unwrap(),
        )
}

fn bits(model: &Chain<f32>) -> Vec<u32> {
    let mut all = Vec::new();
    model.visit(|_, p| all.extend(p.value.iter().map(|x| x.to_bits())));
    all
}

fn state(trainer: &mut SgdTrainer) -> StepperState<f32> {
    StepperState::take::<Chain<f32>, _>(trainer.stepper_mut()).unwrap()
}

fn batches(set: &Labelled<f32>) -> Batches {
    Batches::new(set.len(), 128).unwrap().shuffled(3)
}

#[test]
fn averages_are_validated_and_training_goes_on_as_if_they_were_not() {
    let parts = common::data(0);
    let run = |watched: bool, threads: usize| {
        let (mut model, mut trainer, mut seen) = (model(), trainer(threads), Vec::new());
        let mut listener = |event: &Event<'_, f32>| -> ControlFlow<Stop> {
            if let Event::Epoch { validation: [(_, loss)], .. } = event {
                seen.push(*loss);
            }
            ControlFlow::Continue(())
        };
        let fit = Fit::new(2);
        let fit = if watched { fit.validate(&parts.test, 100).refresh_statistics(256) } else { fit };
        let observers: &mut [&mut dyn Observer<f32>] = &mut [&mut listener];
        fit.run(&mut trainer, &mut model, &parts.train, batches(&parts.train), observers).unwrap();
        (model, trainer, seen)
    };
    let (mut seen, mut trained, losses) = run(true, 1);
    let (mut unseen, mut blind, none) = run(false, 1);
    assert_eq!((losses.len(), none.len()), (2, 0));
    assert_eq!(bits(&seen), bits(&unseen));
    assert_eq!(state(&mut trained), state(&mut blind));

    // What was measured: averages, still sparse and in bounds, with statistics of their own.
    let again = |trainer: &mut SgdTrainer, model: &mut Chain<f32>| {
        trainer
            .with_averages(model, |_, model| {
                let mut sparse = 0;
                model.visit(|path, p| {
                    if path.to_string() == "hidden.weight" {
                        sparse = p.value.iter().filter(|w| **w == 0.0).count();
                        let norms = p.value.outer_iter().map(|row| row.iter().map(|w| w * w).sum::<f32>().sqrt());
                        norms.for_each(|norm| assert!(norm < 1.00001, "{norm}"));
                    }
                });
                assert_eq!(sparse, 24 * 64 / 2);
                let objective = Supervised(CrossEntropyLoss::default());
                let order = Batches::new(parts.train.len(), 256).unwrap().drop_last().unwrap().shuffled(7);
                let mut order = order;
                order.seek(BatchPosition { epoch: 1, batch: 0 }).unwrap();
                refresh_statistics(model, &parts.train, order, &objective, &mut Workspace::new())?;
                evaluate(model, &parts.test, 100, &objective, &mut (), &mut Workspace::new())
            })
            .unwrap()
            .loss
    };
    assert_eq!(again(&mut trained, &mut seen), losses[1]);
    assert_eq!(again(&mut blind, &mut unseen), losses[1]);
    assert_eq!(bits(&seen), bits(&unseen), "looking changes nothing");

    for threads in [2, 4] {
        let (model, _, others) = run(true, threads);
        assert_eq!((bits(&model), others), (bits(&seen), losses.clone()), "{threads} threads");
    }
}

#[test]
fn the_best_weights_are_averages_where_averages_are_measured() {
    let parts = common::data(0);
    let (mut model, mut trainer) = (model(), trainer(1));
    let mut stopping = EarlyStopping::new(Better::Min, 3).unwrap();
    let summary = Fit::new(3)
        .validate(&parts.test, 100)
        .refresh_statistics(256)
        .early_stopping("loss", &mut stopping)
        .run(&mut trainer, &mut model, &parts.train, batches(&parts.train), &mut [])
        .unwrap();
    assert_eq!(summary.epochs, 3);
    let objective = Supervised(CrossEntropyLoss::default());
    let loss = evaluate(&model, &parts.test, 100, &objective, &mut (), &mut Workspace::new()).unwrap().loss;
    assert_eq!(Some(loss), stopping.progress().best);
}

#[test]
fn a_run_goes_on_where_it_was_to_the_bit() {
    let parts = common::data(0);
    let run = |trainer: &mut SgdTrainer, model: &mut Chain<f32>, from: u64, epochs: u64| {
        let mut batches = batches(&parts.train);
        batches.seek(BatchPosition { epoch: from, batch: 0 }).unwrap();
        Fit::new(epochs).validate(&parts.test, 100).run(trainer, model, &parts.train, batches, &mut []).unwrap();
    };
    let (mut straight, mut whole) = (model(), trainer(1));
    run(&mut whole, &mut straight, 0, 2);

    let (mut first, mut half) = (model(), trainer(1));
    run(&mut half, &mut first, 0, 1);
    let (weights, saved, steps) = (Snapshot::take(&first), state(&mut half), half.steps());
    let masks = half.pruner().unwrap().masks().to_vec();

    let mut resumed = model();
    weights.restore(&mut resumed).unwrap();
    let mut pruner = Pruner::new(Scope::Layer, "hidden.weight").unwrap();
    pruner.resume(masks);
    let schedule = SparsitySchedule::new(0.0, 0.5, 2..10, 2).unwrap();
    let mut other = trainer(2).pruning(pruner, schedule).starting_at(steps);
    other.stepper_mut().prepare(&resumed).unwrap();
    saved.restore::<Chain<f32>, _>(other.stepper_mut()).unwrap();
    run(&mut other, &mut resumed, 1, 1);
    assert_eq!(bits(&resumed), bits(&straight));
    assert_eq!(state(&mut other), state(&mut whole));

    let mut fresh = Optimizer::<f32, Sgd>::new(Sgd::new(), Constant::new(0.1).unwrap());
    assert!(saved.restore::<Chain<f32>, _>(&mut fresh).is_err(), "it has not seen the model");
    Stepper::prepare(&mut fresh, &resumed).unwrap();
    let error = saved.restore::<Chain<f32>, _>(&mut fresh).unwrap_err().to_string();
    assert!(error.starts_with("stepper state: expected"), "{error}");
}

#[test]
fn statistics_are_gathered_anew_from_all_samples_alike() {
    let parts = common::data(0);
    let norm = || BatchNorm1d::<f32>::new(64).unwrap().with_momentum(0.3).unwrap();
    let chain = |rate| Chain::new().with(Flatten).with(Dropout::new(rate).unwrap()).with(norm());
    let gathered = |model: &mut Chain<f32>, batch: usize, threads| {
        let batches = Batches::new(parts.train.len(), batch).unwrap().shuffled(1);
        let mut workspace = Workspace::with_pool(gradwise_train::threads(threads).unwrap());
        fn sum<'p>(
            tape: &mut Tape<'p, f32>,
            model: &'p Chain<f32>,
            batch: &'p gradwise_data::Batch<f32, Vec<usize>>,
        ) -> gradwise_core::Result<gradwise_train::Outcome> {
            let x = tape.input(&batch.inputs);
            let loss = model.forward(tape, x)?;
            Ok(gradwise_train::Outcome { loss, predictions: None, samples: batch.len() })
        }
        refresh_statistics(model, &parts.train, batches, &sum, &mut workspace).unwrap();
        bits(model)
    };
    let mut model = chain(0.0);
    let all = gathered(&mut model, parts.train.len(), 1);
    let mut statistics: Vec<Param<f32>> = Vec::new();
    model.visit(|_, p| statistics.push(p.clone()));
    for (j, column) in (0..64).map(|j| (j, [j / 8, j % 8])) {
        let values = parts.train.inputs().axis_iter(ndarray::Axis(0));
        let values: Vec<f64> = values.map(|x| f64::from(x[[0, column[0], column[1]]])).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        assert!((f64::from(statistics[2].value[[j]]) - mean).abs() < 1e-5);
        assert!((f64::from(statistics[3].value[[j]]) - variance).abs() < 1e-4 * (1.0 + variance));
    }
    // Again, from statistics that are there, with dropout in the net, and on more threads: all the same.
    assert_eq!(gathered(&mut model, parts.train.len(), 2), all);
    assert_eq!(gathered(&mut chain(0.5), parts.train.len(), 4), all);
    // What diverged leaves nothing behind.
    model.visit_mut(|_, p| {
        if p.kind == gradwise_core::Kind::Buffer {
            p.value.fill(f32::INFINITY);
        }
    });
    assert_eq!(gathered(&mut model, parts.train.len(), 1), all);
    // Means of parts, the last of which is smaller, are the mean of all.
    gathered(&mut model, 200, 1);
    model.visit(|path, p| {
        if path.to_string() == "2.running_mean" {
            let gap = (&p.value - &statistics[2].value).iter().fold(0.0_f32, |most, d| most.max(d.abs()));
            assert!(gap < 1e-5, "{gap}");
        }
    });
    // A model without buffers is not even run.
    let mut plain = Linear::<f32>::new(3, 3, Key::new(0)).unwrap();
    let batches = Batches::new(4, 2).unwrap();
    let wrong =
        gradwise_data::Paired::new(ndarray::ArrayD::zeros(vec![4, 9]), ndarray::ArrayD::zeros(vec![4, 9])).unwrap();
    refresh_statistics(&mut plain, &wrong, batches, &Supervised(MseLoss), &mut Workspace::new()).unwrap();
    assert!(Mode::evaluate().batch_weight.is_none());
}

#[test]
fn a_range_test_leaves_no_trace_and_suggests_a_rate_that_trains() {
    let parts = common::data(0);
    let (mut model, mut tried) = (model(), trainer(1));
    tried.step(&mut model, &common::batch(64)).unwrap();
    let (before, remembered) = (bits(&model), state(&mut tried));
    let test = || RangeTest::new(1e-5, 1e3, 60).unwrap();
    let found = tried.range_test(test(), &mut model, &parts.train, batches(&parts.train)).unwrap();
    assert!(found.diverged && found.curve.len() < 60, "{}", found.curve.len());
    assert_eq!((bits(&model), state(&mut tried), tried.steps()), (before, remembered, 1));
    assert_eq!(tried.pruner().unwrap().sparsity(), 0.0);
    // The schedule's rate is back.
    assert_eq!(tried.step(&mut model, &common::batch(64)).unwrap().learning_rate, 0.05);
    let rate = found.suggestion.valley;
    assert!(rate > 1e-4 && rate < 10.0, "{:?}", found.suggestion);

    let mut model = self::model();
    let optimizer = Optimizer::<f32, Sgd>::new(Sgd::with_momentum(0.9).unwrap(), Constant::new(rate).unwrap());
    let mut trainer = Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 0);
    let summary = Fit::new(3).run(&mut trainer, &mut model, &parts.train, batches(&parts.train), &mut []).unwrap();
    assert!(summary.train_loss < 1.0, "{} at {rate}", summary.train_loss);

    // Rates that are all fine end with the last one; an optimizer that sets its own is refused, and so are rates that are all too large.
    let gentle = RangeTest::new(1e-5, 1e-3, 6).unwrap();
    let found = trainer.range_test(gentle, &mut model, &parts.train, batches(&parts.train)).unwrap();
    assert!(!found.diverged && found.curve.len() == 6);
    let wild = RangeTest::new(1e30, 1e31, 9).unwrap();
    let error = trainer.range_test(wild, &mut model, &parts.train, batches(&parts.train)).unwrap_err();
    assert!(error.to_string().contains("expected finite numbers"), "{error}");
    let mut own = Trainer::new(Supervised(CrossEntropyLoss::default()), Lbfgs::default(), 0);
    let error = own.range_test(test(), &mut model, &parts.train, batches(&parts.train)).unwrap_err();
    let told = "range test: expected an optimizer whose learning rate can be set, got one that sets its own";
    assert_eq!(error.to_string(), told);
}
