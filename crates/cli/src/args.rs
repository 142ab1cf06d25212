//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;
use std::str::FromStr;

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
    /// Trains what a recipe says, or a convolutional network on the embedded digits or a folder of IDX files
    Train(TrainCommand),
    /// Checks, begins and describes recipes: training runs as TOML files
    #[command(subcommand)]
    Recipe(RecipeCommand),
    /// Draws a contact sheet: an image augmented by a pipeline, again and again, each time with what was drawn
    Augment(AugmentArgs),
    /// Draws runs: one HTML file, and the pictures by themselves if asked for
    Report(crate::pictures::ReportArgs),
    /// Prints runs side by side
    Compare(crate::pictures::CompareArgs),
}

#[derive(Args, Debug)]
pub(crate) struct TrainCommand {
    /// Recipe to train, a TOML file; without it, the options below say what is trained
    #[arg(conflicts_with_all = ["data", "epochs", "batch", "rate", "optimizer", "weight_decay", "dropout", "label_smoothing"])]
    pub(crate) recipe: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: TrainArgs,
}

#[derive(Subcommand, Debug)]
pub(crate) enum RecipeCommand {
    /// Loads the data, builds everything, and prints the table of layers; trains nothing
    Check {
        /// Recipe, a TOML file
        recipe: PathBuf,
    },
    /// Writes a sensible recipe for some data, with comments
    New {
        /// Table (.csv, .tsv), archive of arrays (.npz), or folder of IDX files, CIFAR's files or pictures
        #[arg(long, value_name = "PATH")]
        data: PathBuf,
        /// File to write, which must not be there already [default: standard output]
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Prints a JSON Schema of recipes, by which editors complete and explain their keys
    Schema,
}

/// Columns and rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Grid {
    pub(crate) columns: u32,
    pub(crate) rows: u32,
}

impl FromStr for Grid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected columns x rows, such as 4x4, each from 1 to 64, got {text:?}");
        let (columns, rows) = text.split_once('x').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse().ok().filter(|n| (1..=64).contains(n)).ok_or_else(wrong);
        Ok(Grid { columns: number(columns)?, rows: number(rows)? })
    }
}

#[derive(Args, Debug)]
pub(crate) struct AugmentArgs {
    /// Image to augment, a JPEG or PNG file
    pub(crate) image: PathBuf,
    /// TOML file that lists the transforms, each as a table named augment with its kind and numbers
    #[arg(long, value_name = "FILE", required_unless_present = "replay", conflicts_with = "replay")]
    pub(crate) pipeline: Option<PathBuf>,
    /// Image to write, .png or .jpg
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Columns and rows of the sheet; its first cell is the image as it is
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "4x4")]
    pub(crate) grid: Grid,
    /// Longest side of a cell's picture, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 256, value_parser = clap::value_parser!(u32).range(16..=4096))]
    pub(crate) cell: u32,
    /// Seed of all draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Write what was drawn to a file, too, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Do again what such a file says was drawn, to this image
    #[arg(long, value_name = "FILE")]
    pub(crate) replay: Option<PathBuf>,
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
    /// Seed of everything random: first weights, the held-out digits, the order of samples, dropout [default: 0, or the recipe's]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_two_numbers() {
        assert_eq!("4x3".parse(), Ok(Grid { columns: 4, rows: 3 }));
        for wrong in ["", "4", "0x1", "4x65", "4x-1", "axb", "4x4x4"] {
            assert!(wrong.parse::<Grid>().is_err_and(|error| error.contains(wrong)), "{wrong}");
        }
    }
}
