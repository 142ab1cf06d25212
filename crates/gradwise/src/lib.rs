#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use gradwise_core as core;
pub use ndarray;

#[cfg(feature = "augment")]
pub use gradwise_augment as augment;
#[cfg(feature = "autograd")]
pub use gradwise_autograd as autograd;
#[cfg(feature = "data")]
pub use gradwise_data as data;
#[cfg(feature = "init")]
pub use gradwise_init as init;
#[cfg(feature = "layers")]
pub use gradwise_layers as layers;
#[cfg(feature = "metrics")]
pub use gradwise_metrics as metrics;
#[cfg(feature = "optim")]
pub use gradwise_optim as optim;
#[cfg(feature = "recipe")]
pub use gradwise_recipe as recipe;
#[cfg(feature = "regularize")]
pub use gradwise_regularize as regularize;
#[cfg(feature = "report")]
pub use gradwise_report as report;
#[cfg(feature = "tensor")]
pub use gradwise_tensor as tensor;
#[cfg(feature = "train")]
pub use gradwise_train as train;

// The trait and the derive macro share their name, as is the custom.
pub use gradwise_core::Params;
pub use gradwise_derive::ParamsGradwise as Params;

/// What most programs need: `use gradwise::prelude::*`.
pub mod prelude {
    pub use crate::Params;
    pub use gradwise_core::{
        Error, Event, Grads, Key, Loss, Metric, Observer, Param, ParamsExt, Path, Real, Reduction, Stop, Updates,
    };

    #[cfg(feature = "autograd")]
    pub use gradwise_autograd::{Mode, Module, ModuleExt, Tape, Var, Workspace, check, predict};
    #[cfg(feature = "data")]
    pub use gradwise_data::{
        Batch, Batches, Labelled, MinMaxScaler, Paired, Per, Samples, StandardScaler, TrainTest, digits, one_hot,
        read_folder, split, stratified_split,
    };
    #[cfg(feature = "init")]
    pub use gradwise_init::{HeNormal, HeUniform, Init, InitExt, LecunNormal, XavierNormal, XavierUniform};
    #[cfg(feature = "layers")]
    pub use gradwise_layers::{
        Activation, AvgPool2d, BatchNorm1d, BatchNorm2d, BceWithLogitsLoss, Build, Chain, Checkpoint, Conv2d,
        CrossEntropyLoss, Dropout, Flatten, Gelu, GlobalAvgPool2d, LayerNorm, Linear, MaxPool2d, MseLoss, Relu,
        Residual, Sigmoid, Tanh, TapeExt, models,
    };
    #[cfg(feature = "metrics")]
    pub use gradwise_metrics::{Accuracy, TopK};
    #[cfg(feature = "optim")]
    pub use gradwise_optim::{
        Adam, AdamW, Clip, Constant, Cosine, Group, LinearWarmup, OneCycle, Optimizer, Rule, Schedule, Sgd, StepDecay,
        Stepper, no_decay_on_vectors,
    };
    #[cfg(feature = "regularize")]
    pub use gradwise_regularize::{EarlyStopping, ElasticNet, L1, L2, Penalties, Penalty};
    #[cfg(all(feature = "train", feature = "progress"))]
    pub use gradwise_train::Progress;
    #[cfg(feature = "train")]
    pub use gradwise_train::{
        Evaluation, Fit, JsonLines, Lines, Metrics, Objective, Outcome, RunFolder, StepReport, Summary, Supervised,
        TrainError, Trainer, available_threads, evaluate, load_weights, save_weights,
    };
}
