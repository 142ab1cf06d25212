//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;

/// Trains neural networks on the CPU.
///
/// Without a command it trains a convolutional network on handwritten digits that are embedded in the program.
#[derive(Parser, Debug)]
#[command(name = "gradwise", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Trains a convolutional network, on the embedded digits or on a folder of IDX files
    Train(TrainArgs),
}

/// The rule of the optimizer.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OptimizerName {
    /// Stochastic gradient descent with Nesterov momentum 0.9
    Sgd,
    /// Adam
    Adam,
    /// Adam with decoupled weight decay
    Adamw,
}

#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// Folder with the four IDX files of a data set like MNIST, packed (.gz) or not; without it, the embedded digits
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Times to go through the training data [default: 20 for the digits, 5 for a folder]
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<u64>,
    /// Samples in a batch [default: 32 for the digits, 128 for a folder]
    #[arg(long, value_name = "N")]
    pub(crate) batch: Option<usize>,
    /// Largest learning rate of the one-cycle schedule [default: suits the optimizer]
    #[arg(long, value_name = "RATE")]
    pub(crate) rate: Option<f64>,
    /// Rule of the optimizer
    #[arg(long, value_enum, default_value = "adamw")]
    pub(crate) optimizer: OptimizerName,
    /// Strength of weight decay
    #[arg(long, value_name = "STRENGTH", default_value_t = 0.01)]
    pub(crate) weight_decay: f64,
    /// Rate of dropout before the last layer
    #[arg(long, value_name = "RATE", default_value_t = 0.25)]
    pub(crate) dropout: f64,
    /// Share of each target that is spread over all classes while training
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub(crate) label_smoothing: f64,
    /// Seed of everything random: first weights, the held-out digits, the order of samples, dropout
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Threads to train on; the result is the same for any number [default: as many as the machine has]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Folder of the run, which must not hold one already [default: a new one in runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// End with one JSON object on the last line, for scripts
    #[arg(long)]
    pub(crate) json: bool,
}
