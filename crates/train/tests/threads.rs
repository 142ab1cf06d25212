//! The same seed gives the same weights, to the bit, for any number of threads; and batch norm sees the whole batch.

mod common;

use gradwise_core::{Event, Observer, ParamsExt, Stop};
use gradwise_data::{Batches, Samples};
use gradwise_layers::Chain;
use gradwise_train::Fit;
use std::ops::ControlFlow;

fn bits(model: &Chain<f32>) -> Vec<(String, Vec<u32>)> {
    let mut all = Vec::new();
    model.visit(|path, p| all.push((path.to_string(), p.value.iter().map(|x| x.to_bits()).collect())));
    all
}

/// Two epochs on the digits; with a transform, so that the loader has a thread of its own where there are several.
fn train(threads: usize) -> (Vec<(String, Vec<u32>)>, Vec<f32>) {
    let parts = common::data(0);
    let batches = Batches::new(parts.train.len(), 128).unwrap().shuffled(3);
    let mut model = common::network(5);
    let mut trainer = common::trainer(2 * batches.per_epoch(), threads);
    let mut losses = Vec::new();
    let mut record = |event: &Event<'_, f32>| -> ControlFlow<Stop> {
        if let Event::Step { loss, .. } = event {
            losses.push(*loss);
        }
        ControlFlow::Continue(())
    };
    Fit::new(2)
        .transform(|batch: &mut gradwise_data::Batch<f32, Vec<usize>>, position| {
            batch.inputs *= 1.0 + position.batch as f32 * 1e-3;
            Ok(())
        })
        .run(&mut trainer, &mut model, &parts.train, batches, &mut [&mut record as &mut dyn Observer<f32>])
        .unwrap();
    (bits(&model), losses)
}

#[test]
fn weights_are_bit_identical_on_1_2_and_4_threads() {
    let reference = train(1);
    assert!(reference.1.iter().all(|loss| loss.is_finite()));
    for threads in [2, 4] {
        let other = train(threads);
        for ((path, a), (_, b)) in reference.0.iter().zip(&other.0) {
            assert!(a == b, "{path} differs on {threads} threads");
        }
        assert_eq!(reference.1, other.1, "losses differ on {threads} threads");
    }
}

#[test]
fn batch_norm_sees_the_whole_batch() {
    // Running statistics after one step are those of all 100 samples, whatever the threads: mean and unbiased variance of the first
    // convolution's output, computed here from that output itself.
    for threads in [1, 3] {
        let mut model = common::network(5);
        let batch = common::batch(100);
        let mut expected = Vec::new();
        {
            use gradwise_layers::{Mode, Module, Tape, Workspace};
            let mut workspace = Workspace::new();
            let mut tape = Tape::new(&mut workspace, Mode::evaluate());
            let x = tape.input(&batch.inputs);
            let (_, conv) = model.iter().next().unwrap();
            let y = Module::forward(conv, &mut tape, x).unwrap();
            for channel in tape.value(y).axis_iter(ndarray::Axis(1)) {
                let values: Vec<f64> = channel.iter().map(|&x| f64::from(x)).collect();
                let n = values.len() as f64;
                let mean = values.iter().sum::<f64>() / n;
                let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
                expected.push((0.1 * mean, 0.9 + 0.1 * variance));
            }
        }
        common::trainer(10, threads).step(&mut model, &batch).unwrap();
        let mut found = [Vec::new(), Vec::new()];
        model.visit(|path, p| match &path.to_string()[..] {
            "norm0.running_mean" => found[0] = p.value.iter().copied().collect(),
            "norm0.running_var" => found[1] = p.value.iter().copied().collect(),
            _ => {}
        });
        for (i, (mean, variance)) in expected.into_iter().enumerate() {
            assert!((f64::from(found[0][i]) - mean).abs() < 1e-5, "mean of channel {i}");
            assert!((f64::from(found[1][i]) - variance).abs() < 1e-4, "variance of channel {i}");
        }
    }
}
