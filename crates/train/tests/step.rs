//! The public step: what it reports, what it refuses, and what it leaves untouched when it fails.

mod common;

use gradwise_core::{Error, Grads, ParamsExt, Real, Result};
use gradwise_data::Batch;
use gradwise_layers::{BatchNorm1d, Chain, Key, Linear, Module, MseLoss, Tape};
use gradwise_optim::{Constant, Optimizer, Sgd, StepInfo, Stepper};
use gradwise_regularize::{L2, Penalties};
use gradwise_train::{Outcome, Supervised, TrainError, Trainer, layer_rows, layer_table};
use ndarray::{ArrayD, array};

fn line<T: Real>() -> Batch<T, ArrayD<T>> {
    let x = array![[-1.0], [0.0], [2.0]].mapv(T::of).into_dyn();
    Batch { targets: x.mapv(|x| T::of(3.0) * x + T::one()), inputs: x, indices: vec![0, 1, 2] }
}

fn sgd<T: Real>(rate: f64) -> Optimizer<T, Sgd> {
    Optimizer::new(Sgd::default(), Constant::new(rate).unwrap())
}

fn learns_a_line<T: Real>(tolerance: f64) {
    let mut model = Linear::<T>::new(1, 1, Key::new(0)).unwrap();
    let mut trainer = Trainer::new(Supervised(MseLoss), sgd(0.2), 0).measure_every(1);
    for step in 0..300 {
        let before = model.weight().value[[0, 0]];
        let report = trainer.step(&mut model, &line()).unwrap();
        assert_eq!((report.step, report.samples, report.learning_rate), (step, 3, 0.2));
        let moved = (model.weight().value[[0, 0]] - before).abs();
        assert!(
            (report.update_norms[0] - moved.as_f64()).abs() < 1e-6,
            "the update's norm is how far the weight moved"
        );
    }
    let loss = trainer.step(&mut model, &line()).unwrap().loss;
    assert!(loss.as_f64() < tolerance, "{loss}");
    assert!((model.weight().value[[0, 0]].as_f64() - 3.0).abs() < 1e-3);
}

#[test]
fn a_line_is_learned_at_both_precisions() {
    learns_a_line::<f32>(1e-9);
    learns_a_line::<f64>(1e-20);
}

#[test]
fn the_gradient_norm_is_that_of_all_gradients_together() {
    let mut model = Linear::<f64>::new(1, 1, Key::new(0)).unwrap();
    let (w, b) = (model.weight().value[[0, 0]], 0.0);
    let batch = line::<f64>();
    let errors: Vec<f64> = batch.inputs.iter().zip(&batch.targets).map(|(x, y)| w * x + b - y).collect();
    let of_w: f64 = errors.iter().zip(&batch.inputs).map(|(e, x)| 2.0 * e * x).sum::<f64>() / 3.0;
    let of_b: f64 = errors.iter().map(|e| 2.0 * e).sum::<f64>() / 3.0;
    let report_norm = Trainer::new(Supervised(MseLoss), sgd(0.1), 0).step(&mut model, &batch).unwrap().grad_norm;
    assert!((report_norm - of_w.hypot(of_b)).abs() < 1e-12);
}

#[test]
fn penalties_add_to_the_gradients_and_are_told_apart() {
    let batch = line::<f64>();
    let mut plain = Linear::<f64>::new(1, 1, Key::new(0)).unwrap();
    let mut decayed = plain.clone();
    let w = plain.weight().value[[0, 0]];
    let loss = Trainer::new(Supervised(MseLoss), sgd(0.1), 0).step(&mut plain, &batch).unwrap().loss;
    let penalties = Penalties::new().on("weight", L2::new(0.5).unwrap()).unwrap();
    let mut trainer = Trainer::new(Supervised(MseLoss), sgd(0.1), 0).penalties(penalties);
    let report = trainer.step(&mut decayed, &batch).unwrap();
    assert_eq!(report.loss, loss, "the loss is the objective's alone");
    assert!(report.penalty > 0.0);
    let difference = plain.weight().value[[0, 0]] - decayed.weight().value[[0, 0]];
    let slope = difference / 0.1 / w;
    assert!((slope - 2.0 * report.penalty / (w * w)).abs() < 1e-9, "the gradient of a square is 2 value / w");
}

#[test]
fn a_shape_that_does_not_fit_is_an_error_with_the_layers_path() {
    let mut model = common::network(0);
    let wrong = Batch { inputs: ArrayD::zeros(vec![2, 3, 8, 8]), targets: vec![0, 1], indices: vec![0, 1] };
    let before = weights(&model);
    let error = common::trainer(10, 1).step(&mut model, &wrong).unwrap_err().to_string();
    assert!(error.starts_with("conv0: conv2d: expected"), "{error}");
    assert!(error.contains("[2, 3, 8, 8]"), "{error}");
    let labels = Batch { inputs: ArrayD::zeros(vec![2, 1, 8, 8]), targets: vec![0, 10], indices: vec![0, 1] };
    let error = common::trainer(10, 1).step(&mut model, &labels).unwrap_err().to_string();
    assert!(error.starts_with("loss: ") && error.contains("10"), "{error}");
    assert_eq!(weights(&model), before);
}

fn weights(model: &Chain<f32>) -> Vec<Vec<f32>> {
    let mut all = Vec::new();
    model.visit(|_, p| all.push(p.value.iter().copied().collect()));
    all
}

#[test]
fn a_nan_is_named_by_layer_and_operation_and_does_no_harm() {
    // In the data.
    let mut model = common::network(0);
    let before = weights(&model);
    let mut batch = common::batch(8);
    batch.inputs[[3, 0, 2, 2]] = f32::NAN;
    let error = common::trainer(10, 2).step(&mut model, &batch).unwrap_err();
    assert!(matches!(error, TrainError::Diverged { step: 0, .. }));
    assert_eq!(error.to_string(), "step 0: input: expected finite numbers, got NaN");
    assert_eq!(weights(&model), before);

    // In a layer's weights.
    model.visit_mut(|path, p| {
        if path.to_string() == "hidden.bias" {
            p.value.fill(f32::INFINITY);
        }
    });
    let before = weights(&model);
    let error = common::trainer(10, 2).step(&mut model, &common::batch(8)).unwrap_err();
    assert_eq!(error.to_string(), "step 0: hidden.bias: parameter: expected finite numbers, got inf");
    assert_eq!(weights(&model), before);
}

#[test]
fn an_overflow_is_named_where_it_happens() {
    let mut model = Linear::<f32>::new(1, 1, Key::new(0)).unwrap();
    let x = array![[1e25_f32], [3e25]].into_dyn();
    let batch = Batch { targets: ArrayD::zeros(vec![2, 1]), inputs: x, indices: vec![0, 1] };
    let error = Trainer::new(Supervised(MseLoss), sgd(0.1), 0).step(&mut model, &batch).unwrap_err().to_string();
    assert!(error.starts_with("step 0: loss: ") && error.ends_with("got inf"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_is_refused() {
    fn all<'p>(tape: &mut Tape<'p, f32>, model: &'p Linear<f32>, batch: &'p ArrayD<f32>) -> Result<Outcome> {
        let x = tape.input(batch);
        Ok(Outcome { loss: model.forward(tape, x)?, predictions: None, samples: 2 })
    }
    let mut model = Linear::<f32>::new(1, 1, Key::new(0)).unwrap();
    let error = Trainer::new(all, sgd(0.1), 0).step(&mut model, &ArrayD::zeros(vec![2, 1])).unwrap_err();
    assert_eq!(error.to_string(), "objective: expected a loss of one element, got shape [2, 1]");
}

/// Evaluates twice a step, as sharpness-aware minimization does, and updates from the second gradients.
struct Twice<S>(S, Grads<f64>);

impl<M: gradwise_core::Params<f64>, S: Stepper<f64, M>> Stepper<f64, M> for Twice<S> {
    fn step(
        &mut self,
        model: &mut M,
        eval: &mut dyn FnMut(&M, &mut Grads<f64>) -> Result<f64>,
    ) -> Result<StepInfo<f64>> {
        eval(model, &mut self.1)?;
        self.0.step(model, eval)
    }
    fn grads(&self) -> &Grads<f64> {
        self.0.grads()
    }
}

#[test]
fn running_statistics_move_once_a_step_however_often_it_evaluates() {
    let x = array![[1.0, 2.0], [3.0, 6.0]].into_dyn();
    let batch = Batch { targets: x.clone(), inputs: x, indices: vec![0, 1] };
    let chain = || Chain::<f64>::new().with(BatchNorm1d::new(2).unwrap());
    let statistics = |model: &Chain<f64>| {
        let mut all = Vec::new();
        model.visit(|path, p| {
            if path.to_string().contains("running") {
                all.push(p.value.clone());
            }
        });
        all
    };
    let (mut once, mut twice) = (chain(), chain());
    Trainer::new(Supervised(MseLoss), sgd(0.0), 0).step(&mut once, &batch).unwrap();
    Trainer::new(Supervised(MseLoss), Twice(sgd(0.0), Grads::new()), 0).step(&mut twice, &batch).unwrap();
    assert_eq!(statistics(&once), statistics(&twice));
    assert_eq!(statistics(&once)[0], array![0.2, 0.4].into_dyn());
    // Unbiased variances 2 and 8, a tenth of the way from 1.
    assert!((&statistics(&once)[1] - &array![1.1, 1.7].into_dyn()).iter().all(|d| d.abs() < 1e-12));
}

#[test]
fn predictions_can_be_looked_at() {
    let mut model = Linear::<f64>::new(1, 1, Key::new(0)).unwrap();
    let w = model.weight().value[[0, 0]];
    let mut seen = Vec::new();
    let mut trainer = Trainer::new(Supervised(MseLoss), sgd(0.1), 0);
    trainer
        .step_with(&mut model, &line(), &mut |y| {
            seen = y.iter().copied().collect();
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, [-w, 0.0, 2.0 * w]);
    let refuse = &mut |_: gradwise_core::ArrayViewD<'_, f64>| Err(Error::Other("no".into()));
    assert_eq!(trainer.step_with(&mut model, &line(), refuse).unwrap_err().to_string(), "no");
}

#[test]
fn the_table_tells_of_every_layer() {
    let mut model = common::network(0);
    let mut trainer = common::trainer(10, 1).measure_every(1).probe_every(1);
    let report = trainer.step(&mut model, &common::batch(16)).unwrap();
    let (grads, norms, layers) = (report.grads.clone(), report.update_norms.to_vec(), report.layers.to_vec());
    let rows = layer_rows(&model, &grads, &norms, &layers);
    let names: Vec<&str> = rows.iter().map(|row| &row.path[..]).collect();
    assert_eq!(names[..4], ["conv0", "norm0", "conv1", "norm1"]);
    assert_eq!(names.last(), Some(&"head"));
    assert_eq!(rows.iter().map(|row| row.parameters).sum::<usize>(), model.n_trainable());
    assert_eq!(rows[0].shape, [16, 16, 8, 8]);
    assert!(rows[0].grad_norm.unwrap() > 0.0 && rows[0].update_ratio.unwrap() > 0.0);
    let table = layer_table(&rows);
    assert_eq!(table.lines().count(), rows.len() + 1);
    assert!(table.contains("conv2d") && table.contains("16x16x8x8"), "{table}");
}

#[test]
fn readings_are_taken_when_asked_for() {
    let mut model = common::network(0);
    let mut trainer = common::trainer(10, 1).probe_every(2);
    let batch = common::batch(16);
    let taken: Vec<bool> = (0..4).map(|_| !trainer.step(&mut model, &batch).unwrap().layers.is_empty()).collect();
    assert_eq!(taken, [true, false, true, false]);
}
