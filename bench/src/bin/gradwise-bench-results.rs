//! Trains a net on real images and prints a line of JSON after each epoch, as `bench/results.py` does.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)] // A program for the terminal.

use clap::Parser;
use gradwise_bench::results::{Failure, Net, Training, measured_again, train};
use gradwise_core::Event;
use gradwise_data::Samples;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// A net trained on real images.
#[derive(Parser)]
struct Arguments {
    /// The net.
    net: Net,
    /// The folder of its images: `train` and `test` with a folder a class, or MNIST's four files.
    folder: PathBuf,
    /// How often each image is seen.
    #[arg(long, default_value_t = 1)]
    epochs: u64,
    /// The seed of first weights, order, augmentation and dropout.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads of a step.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Images to train on, evenly spread over the set; all, if not said.
    #[arg(long)]
    images: Option<usize>,
    /// Where the trained weights go; they are loaded from there and measured once more.
    #[arg(long)]
    save: Option<PathBuf>,
}

/// An epoch.
#[derive(Serialize)]
struct Line {
    peer: &'static str,
    net: &'static str,
    seed: u64,
    threads: usize,
    epoch: u64,
    train_loss: f64,
    test_loss: f64,
    test_accuracy: f64,
    /// Images trained on.
    images: usize,
    /// Time of training, without measuring.
    seconds: f64,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let Arguments { net, epochs, seed, threads, .. } = arguments;
    let parts = net.data(&arguments.folder, arguments.images, threads)?;
    let mut lines = |event: &Event<'_, f32>| {
        if let Event::Epoch { epoch, train_loss, validation, seconds, samples, .. } = *event {
            let measure = |name: &str| validation.iter().find(|(n, _)| n == name).map_or(f64::NAN, |(_, value)| *value);
            let line = Line {
                peer: "gradwise",
                net: net.name(),
                seed,
                threads,
                epoch,
                train_loss,
                test_loss: measure("loss"),
                test_accuracy: measure("accuracy"),
                images: samples,
                seconds,
            };
            println!("{}", serde_json::to_string(&line).unwrap_or_default());
        }
        ControlFlow::Continue(())
    };
    let (model, summary) = train(Training { net, seed, epochs, threads }, &parts, &mut lines)?;
    if let Some(path) = &arguments.save {
        let again = measured_again(net, &model, path, &parts.test)?;
        if summary.validation.as_ref() != Some(&again) {
            let expected = format!("{:?} on {} images", summary.validation, parts.test.len());
            return Err(format!("{}: expected {expected}, got {again:?}", path.display()).into());
        }
    }
    Ok(())
}
