//! A small convolutional network with everything that could depend on threads or memory, and data for it.

#![allow(dead_code)] // Not every test file uses all of it.

use gradwise_data::{Batch, Labelled, Per, Samples, StandardScaler, TrainTest, digits, stratified_split};
use gradwise_layers::{
    Activation, BatchNorm2d, Chain, Conv2d, CrossEntropyLoss, Dropout, Flatten, Key, Linear, MaxPool2d,
};
use gradwise_optim::{AdamW, Clip, OneCycle, Optimizer};
use gradwise_train::{Supervised, Trainer};

/// Convolution, batch norm, pooling, dropout, fused activations.
pub(crate) fn network(seed: u64) -> Chain<f32> {
    Chain::seeded(Key::new(seed))
        .named("conv0", Conv2d::config(1, 16, 3).padding(1).without_bias())
        .named("norm0", BatchNorm2d::new(16).unwrap().with_relu())
        .named("conv1", Conv2d::config(16, 32, 3).padding(1).without_bias())
        .named("norm1", BatchNorm2d::new(32).unwrap().with_relu())
        .named("pool", MaxPool2d::new(2).unwrap())
        .named("flatten", Flatten)
        .named("hidden", Linear::config(512, 64).activation(Activation::Relu))
        .named("dropout", Dropout::new(0.25).unwrap())
        .named("head", Linear::config(64, 10))
        .build()
        .unwrap()
}

pub(crate) type DigitsTrainer = Trainer<f32, Supervised<CrossEntropyLoss>, Optimizer<f32, AdamW>>;

pub(crate) fn trainer(steps: u64, threads: usize) -> DigitsTrainer {
    let optimizer =
        Optimizer::new(AdamW::default(), OneCycle::new(5e-3, steps).unwrap()).clip(Clip::global_norm(5.0).unwrap());
    Trainer::new(Supervised(CrossEntropyLoss::default()), optimizer, 7).threads(threads).unwrap()
}

/// The digits, scaled, a fifth held out.
pub(crate) fn data(seed: u64) -> TrainTest<Labelled<f32>> {
    let digits = digits::<f32>();
    let mut parts = digits.train_test(&stratified_split(digits.labels(), 0.2, seed).unwrap()).unwrap();
    let scaler = StandardScaler::fit(Per::All, parts.train.inputs()).unwrap();
    scaler.transform(parts.train.inputs_mut()).unwrap();
    scaler.transform(parts.test.inputs_mut()).unwrap();
    parts
}

/// The first `n` training samples as a batch.
pub(crate) fn batch(n: usize) -> Batch<f32, Vec<usize>> {
    let mut batch = Batch::default();
    data(0).train.gather(&(0..n).collect::<Vec<_>>(), &mut batch).unwrap();
    batch
}
