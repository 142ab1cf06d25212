//! Whether minimal filtering (Winograd) trains as well as plain sums do.
//!
//! `cargo run --release -p gradwise-bench --example winograd -- [FOLDER] [--seeds 3] [--samples 6000] [--epochs 2] [--threads 1]`
//!
//! With both methods, each in a process of its own: the errors of the three kernels of a convolution in `f32` against `f64`, then a
//! small convolutional net trained on a part of MNIST from several seeds, and its accuracy on all test images. The folder is that of
//! MNIST's four files; without one, `../shared/data/mnist`.

#![allow(clippy::print_stdout)] // A program for the terminal.

use clap::Parser;
use gradwise_core::{Key, Real, Scratch, Serial};
use gradwise_data::{Batches, Labelled, read_folder};
use gradwise_layers::{Activation, BatchNorm2d, Chain, Conv2d, CrossEntropyLoss, Flatten, Linear, MaxPool2d};
use gradwise_metrics::Accuracy;
use gradwise_optim::{Adam, Constant, Optimizer};
use gradwise_tensor::gemm::Tools;
use gradwise_tensor::{Conv2dGeometry, conv};
use gradwise_train::{Fit, Metrics, Supervised, Trainer};
use ndarray::{Array4, Zip};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

/// Minimal filtering against plain sums.
#[derive(Parser)]
struct Arguments {
    /// The folder of MNIST's four files.
    #[arg(default_value = "../shared/data/mnist")]
    folder: PathBuf,
    /// How many nets to train with each method.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Images to train on, the first of the set.
    #[arg(long, default_value_t = 6000)]
    samples: usize,
    /// How often each is seen.
    #[arg(long, default_value_t = 2)]
    epochs: u64,
    /// Threads of a training.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Set for the processes that do the work.
    #[arg(long, hide = true)]
    here: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if arguments.here {
        kernels()?;
        // Minutes of training, on data that is not everywhere.
        if std::env::var_os("GRADWISE_QUICK").is_some() {
            println!("  trainings are left out of the short form");
            return Ok(());
        }
        return trainings(&arguments);
    }
    for (name, method) in [("minimal filtering", "winograd"), ("plain sums", "direct")] {
        println!("{name}");
        let mut command = Command::new(std::env::current_exe()?);
        let status = command.args(std::env::args_os().skip(1)).arg("--here").env("GRADWISE_CONV", method).status()?;
        if !status.success() {
            return Err(format!("with {name}: {status}").into());
        }
    }
    Ok(())
}

/// An image, filters and an output's gradient, and what the three kernels make of them.
fn results<T: Real>(channels: usize) -> Result<[Array4<T>; 3], gradwise_core::Error> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    // Numbers of the smaller type, so that both types compute with the same.
    let mut numbers = |shape: [usize; 4]| {
        Array4::from_shape_simple_fn(shape, || T::of(f64::from(random.random_range(-1.0_f32..1.0))))
    };
    let (x, weight) = (numbers([8, channels, 32, 32]), numbers([channels, channels, 3, 3]));
    let grad = numbers([8, channels, 32, 32]);
    let geometry = Conv2dGeometry::new().padding([1, 1]);
    let (mut x_grad, mut weight_grad) = (x.clone(), weight.clone());
    let mut scratch = Scratch::default();
    let tools = &mut Tools::new(&mut scratch, &Serial);
    conv::conv2d_grads(geometry, [&x, &weight, &grad], [T::zero(); 2], [&mut x_grad, &mut weight_grad], tools)?;
    Ok([conv::conv2d(geometry, &x, &weight, None)?, x_grad, weight_grad])
}

/// Prints the kernels' errors: root mean squares, relative to that of the result.
fn kernels() -> Result<(), gradwise_core::Error> {
    for channels in [16, 64] {
        let (single, double) = (results::<f32>(channels)?, results::<f64>(channels)?);
        let errors = single.iter().zip(&double).map(|(single, double)| {
            let squares = Zip::from(single).and(double).fold(0.0, |sum, &x, &y| sum + (f64::from(x) - y).powi(2));
            (squares / double.iter().map(|y| y * y).sum::<f64>()).sqrt()
        });
        let errors: Vec<String> = errors.map(|error| format!("{error:.2e}")).collect();
        println!(
            "  {channels} channels: forward {}, input gradient {}, weight gradient {}",
            errors[0], errors[1], errors[2]
        );
    }
    Ok(())
}

/// Two of the net's convolutions are 3 x 3 with many channels on both sides.
fn net(seed: u64) -> Result<Chain<f32>, gradwise_core::Error> {
    Chain::seeded(Key::new(seed))
        .then(Conv2d::config(1, 16, 3).padding(1).without_bias())
        .then(BatchNorm2d::new(16)?.with_relu())
        .then(Conv2d::config(16, 32, 3).padding(1).without_bias())
        .then(BatchNorm2d::new(32)?.with_relu())
        .then(MaxPool2d::new(2)?)
        .then(Conv2d::config(32, 32, 3).padding(1).without_bias())
        .then(BatchNorm2d::new(32)?.with_relu())
        .then(MaxPool2d::new(2)?)
        .then(Flatten)
        .then(Linear::config(32 * 7 * 7, 64).activation(Activation::Relu))
        .then(Linear::config(64, 10))
        .build()
}

fn trainings(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mnist = read_folder::<f32>(&arguments.folder)?;
    let scaled = |mut set: Labelled<f32>| {
        set.inputs_mut().mapv_inplace(|x| (x / 255.0 - 0.1307) / 0.3081);
        set
    };
    let indices: Vec<usize> = (0..arguments.samples.min(mnist.train.labels().len())).collect();
    let (train, test) = (scaled(mnist.train.subset(&indices)?), scaled(mnist.test));
    let mut accuracies = Vec::new();
    for seed in 0..arguments.seeds {
        let mut model = net(seed)?;
        let optimizer = Optimizer::new(Adam::default(), Constant::new(1e-3)?);
        let objective = Supervised(CrossEntropyLoss::default());
        let mut trainer = Trainer::new(objective, optimizer, seed).threads(arguments.threads)?;
        let batches = Batches::new(indices.len(), 64)?.shuffled(seed);
        let metrics: Metrics<f32, [usize]> = vec![Box::new(Accuracy::new())];
        let fit = Fit::new(arguments.epochs).validate(&test, 250).metrics(metrics);
        let summary = fit.run(&mut trainer, &mut model, &train, batches, &mut [])?;
        let measured = summary.validation.as_ref().and_then(|measured| measured.get("accuracy"));
        let accuracy = 100.0 * measured.ok_or("no accuracy was measured")?;
        println!("  seed {seed}: {accuracy:.2} % of {} test images", test.labels().len());
        accuracies.push(accuracy);
    }
    println!("  mean {:.2} %", accuracies.iter().sum::<f64>() / accuracies.len() as f64);
    Ok(())
}
