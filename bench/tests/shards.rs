//! A batch in shards is trained as the whole batch is, but for rounding, whatever the number of threads.

use gradwise_bench::cases::CASES;
use gradwise_bench::shards::{Sharded, boundary};
use gradwise_bench::training::{training, training_in_shards};
use gradwise_core::{Grads, Key, ParamsExt, Result};
use gradwise_data::Batch;
use gradwise_layers::{
    Activation, BatchNorm1d, BatchNorm2d, Chain, Conv2d, CrossEntropyLoss, Dropout, Flatten, Linear, MaxPool2d,
};
use gradwise_optim::{Constant, Optimizer, Sgd, Stepper};
use gradwise_train::{Supervised, Trainer};
use ndarray::{ArrayD, Axis, IxDyn, Slice};

const SAMPLES: usize = 11;

fn perceptron() -> Result<Chain<f64>> {
    Chain::seeded(Key::new(1))
        .then(Linear::config(144, 20).activation(Activation::Relu))
        .then(Linear::config(20, 5))
        .build()
}

fn normalized() -> Result<Chain<f64>> {
    Chain::seeded(Key::new(2))
        .then(Linear::config(144, 70))
        .then(BatchNorm1d::new(70)?.with_relu())
        .then(Dropout::new(0.3)?)
        .then(Linear::config(70, 10))
        .then(BatchNorm1d::new(10)?.without_affine())
        .build()
}

fn convolutional() -> Result<Chain<f64>> {
    Chain::seeded(Key::new(3))
        .then(Conv2d::config(1, 6, 3).padding(1).without_bias())
        .then(BatchNorm2d::new(6)?.with_relu())
        .then(Conv2d::config(6, 4, 3))
        .then(BatchNorm2d::new(4)?)
        .then(MaxPool2d::new(2)?)
        .then(Dropout::new(0.5)?)
        .then(Flatten)
        .then(Linear::config(100, 5))
        .build()
}

fn batch(shape: &[usize]) -> Batch<f64, Vec<usize>> {
    let key = Key::new(5);
    let mut i = 0;
    // Far from 0, so that the shards' means differ and variances about a wrong one would show.
    let inputs = ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        i += 1;
        3.0 + i as f64 / 500.0 + key.uniform(i)
    });
    Batch { inputs, targets: (0..SAMPLES).map(|i| i * 7 % 5).collect(), indices: (0..SAMPLES).collect() }
}

fn parts(batch: &Batch<f64, Vec<usize>>, shards: usize) -> Vec<Batch<f64, Vec<usize>>> {
    let part = |i| {
        let samples = boundary(SAMPLES, shards, i)..boundary(SAMPLES, shards, i + 1);
        let inputs = batch.inputs.slice_axis(Axis(0), Slice::from(samples.clone())).to_owned();
        Batch { inputs, targets: batch.targets[samples.clone()].to_vec(), indices: samples.collect() }
    };
    (0..shards).map(part).collect()
}

fn optimizer() -> Optimizer<f64, Sgd> {
    Optimizer::new(Sgd::with_momentum(0.9).unwrap(), Constant::new(0.1).unwrap())
}

/// Everything that training leaves: losses, then the last gradients, then parameters and buffers.
type Trained = (Vec<f64>, Vec<ArrayD<f64>>);

fn trained(losses: Vec<f64>, grads: &Grads<f64>, model: &Chain<f64>) -> Trained {
    (losses, grads.iter().map(|(_, grad)| grad.clone()).chain(values(model)).collect())
}

/// All parameters and buffers.
fn values(model: &Chain<f64>) -> Vec<ArrayD<f64>> {
    let mut values = vec![];
    model.visit(|_, p| values.push(p.value.clone()));
    values
}

fn in_shards(mut model: Chain<f64>, batch: &Batch<f64, Vec<usize>>, shards: usize, threads: usize) -> Trained {
    let mut trainer = Sharded::new(CrossEntropyLoss::default(), optimizer(), 9, shards, threads).unwrap();
    let parts = parts(batch, shards);
    let losses = (0..3).map(|_| trainer.step(&mut model, &parts).unwrap()).collect();
    trained(losses, trainer.grads::<Chain<f64>>(), &model)
}

#[test]
fn shards_train_as_the_whole_batch_does() {
    type Net = fn() -> Result<Chain<f64>>;
    let image: &[usize] = &[SAMPLES, 1, 12, 12];
    for (net, shape) in
        [(perceptron as Net, &[SAMPLES, 144][..]), (normalized, &[SAMPLES, 144]), (convolutional, image)]
    {
        let batch = batch(shape);
        let mut model = net().unwrap();
        let mut trainer = Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer(), 9);
        let losses = (0..3).map(|_| trainer.step(&mut model, &batch).unwrap().loss).collect();
        let (losses, arrays) = trained(losses, Stepper::<_, Chain<f64>>::grads(trainer.stepper()), &model);
        for shards in [1, 2, 3, 4] {
            let got = in_shards(net().unwrap(), &batch, shards, 1);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-10 * (1.0 + b.abs());
            assert!(got.0.iter().zip(&losses).all(|(&a, &b)| close(a, b)), "{shards}: {:?} {losses:?}", got.0);
            assert_eq!(got.1.len(), arrays.len());
            for (got, expected) in got.1.iter().zip(&arrays) {
                assert!(got.iter().zip(expected).all(|(&a, &b)| close(a, b)), "{shards}: {got} {expected}");
            }
            // To the bit, as long as the number of shards is the same.
            for threads in [2, 3] {
                assert_eq!(got, in_shards(net().unwrap(), &batch, shards, threads), "{shards} on {threads}");
            }
        }
    }
}

#[test]
fn the_cases_train_in_shards() {
    for case in CASES {
        let mut whole = training(case, Some(6), 1).unwrap();
        let mut shards = training_in_shards(case, Some(6), 2, 2).unwrap();
        let (expected, got) = (whole.step().unwrap(), shards.step().unwrap());
        assert!((got / expected - 1.0).abs() < 1e-4, "{}: {got} {expected}", case.name);
        // In `f32` and with six samples, twenty batch norms make much of the last bit's difference.
        let (expected, got) = (whole.step().unwrap(), shards.step().unwrap());
        assert!((got / expected - 1.0).abs() < 0.1, "{}: {got} {expected}", case.name);
    }
}

#[test]
fn what_goes_wrong_in_one_shard_comes_out() {
    let batch = batch(&[SAMPLES, 144]);
    for threads in [1, 2, 3] {
        let mut model = normalized().unwrap();
        let mut trainer = Sharded::new(CrossEntropyLoss::default(), optimizer(), 9, 3, threads).unwrap();
        // After all rounds of forward, before those of backward; the others wait there.
        let mut parts = parts(&batch, 3);
        parts[1].targets[0] = 10;
        let error = trainer.step(&mut model, &parts).unwrap_err().to_string();
        assert!(error.contains("expected an index below 10, got 10"), "{error}");
        // Before the first round.
        parts[1].targets[0] = 0;
        let inputs = std::mem::replace(&mut parts[2].inputs, ArrayD::zeros(vec![4, 143]));
        let error = trainer.step(&mut model, &parts).unwrap_err().to_string();
        assert!(error.contains("143"), "{error}");
        // The model is as it was, and the trainer goes on.
        assert_eq!(values(&model), values(&normalized().unwrap()));
        parts[2].inputs = inputs;
        assert!(trainer.step(&mut model, &parts).unwrap().is_finite());
        assert!(trainer.step(&mut model, &parts[..2]).is_err());
    }
    assert!(Sharded::<f64, _, _>::new(CrossEntropyLoss::default(), optimizer(), 9, 0, 1).is_err());
    assert!(Sharded::<f64, _, _>::new(CrossEntropyLoss::default(), optimizer(), 9, 2, 0).is_err());
}
