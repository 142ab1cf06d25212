//! The command `train`.

use crate::args::{OptimizerName, TrainArgs};
use crate::failure::Failure;
use crate::report::{LastLayers, Outcome};
use crate::source::Source;
use crate::words::Words;
use gradwise::metrics::Confusion;
use gradwise::optim::BoxRule;
use gradwise::prelude::*;
use gradwise::train::{Measures, layer_table};
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Everything a run is started with: `config.json`.
#[derive(Serialize, Debug)]
struct Config<'a> {
    data: &'a str,
    train_samples: usize,
    test_samples: usize,
    image: [usize; 3],
    classes: usize,
    input_mean: f64,
    input_scale: f64,
    parameters: usize,
    epochs: u64,
    batch: usize,
    rate: f64,
    optimizer: OptimizerName,
    weight_decay: f64,
    dropout: f64,
    label_smoothing: f64,
    seed: u64,
    threads: usize,
}

/// The most classes whose confusion is kept with a run: a million numbers, which nobody looks at one by one.
const MOST_CLASSES: usize = 1000;

/// Trains, tests, and tells.
pub(crate) fn run(args: &TrainArgs) -> Result<(), Failure> {
    let seed = args.seed.unwrap_or(0);
    let source = Source::load(args, seed)?;
    let image = source.image()?;
    let classes = source.parts.train.n_classes();
    let mut model = model(&source, image, args, seed)?;
    let epochs = args.epochs.unwrap_or(if source.embedded { 20 } else { 5 });
    if epochs == 0 {
        // The loop would refuse it too, but only after the folder of the run was made.
        return Err(Failure::Usage(String::from("epochs: expected at least 1, got 0")));
    }
    let batch = args.batch.unwrap_or(if source.embedded { 32 } else { 128 });
    let threads = args.threads.unwrap_or_else(available_threads);
    let batches = Batches::new(source.parts.train.len(), batch)?.shuffled(seed);
    let (optimizer, rate) = optimizer(args, epochs.saturating_mul(batches.per_epoch()))?;
    // The layers are looked at once an epoch: often enough for a table, too seldom to cost anything.
    let look_every = batches.per_epoch();
    let mut trainer =
        Trainer::new(Supervised(CrossEntropyLoss::default().label_smoothing(args.label_smoothing)?), optimizer, seed)
            .threads(threads)?
            .measure_every(look_every)
            .probe_every(look_every);

    let config = Config {
        data: &source.name,
        train_samples: source.parts.train.len(),
        test_samples: source.parts.test.len(),
        image,
        classes,
        input_mean: source.scaler.means()[0],
        input_scale: source.scaler.scales()[0],
        parameters: model.n_trainable(),
        epochs,
        batch,
        rate,
        optimizer: args.optimizer,
        weight_decay: args.weight_decay,
        dropout: args.dropout,
        label_smoothing: args.label_smoothing,
        seed,
        threads,
    };
    let folder = match &args.out {
        Some(path) => RunFolder::create(path, &config)?,
        None => RunFolder::create_unique(Path::new("runs"), &source.name, &config)?,
    };
    let mut words = Words::new(std::io::stdout());
    words.line(format_args!(
        "{}: {} images of {}x{} to train on, {} to test on; {} parameters, {} threads",
        config.data, config.train_samples, image[1], image[2], config.test_samples, config.parameters, threads
    ));

    let mut metrics = folder.metrics()?;
    let mut layers = LastLayers::default();
    let mut progress = Progress::new();
    let mut lines = Lines::new(&mut words);
    let terminal = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
    let teller: &mut dyn Observer<f32> = if terminal { &mut progress } else { &mut lines };
    let accuracy: Metrics<f32, [usize]> = vec![Box::new(Accuracy::new())];
    let summary = Fit::new(epochs).metrics(accuracy).run(
        &mut trainer,
        &mut model,
        &source.parts.train,
        batches,
        &mut [&mut metrics, &mut layers, teller],
    )?;

    // Saved before anything else can go wrong.
    folder.save_model(&model)?;
    metrics.finish().map_err(|error| Failure::Output(format!("{}: {error}", folder.path().display())))?;
    // The test data are looked at once, when all is decided.
    let objective = Supervised(CrossEntropyLoss::default());
    let mut confusion = if classes <= MOST_CLASSES { Some(Confusion::new(classes)?) } else { None };
    let mut accuracy: Metrics<f32, [usize]> = vec![Box::new(Accuracy::new())];
    let measures: &mut dyn Measures<f32, _> = confusion.as_mut().map_or(&mut accuracy, |confusion| confusion);
    let test = evaluate(&model, &source.parts.test, 256, &objective, measures, trainer.workspace())?;
    if !test.loss.is_finite() {
        let place = folder.path().display();
        return Err(Failure::Training(format!(
            "the last step made weights that are not finite; the run is in {place}"
        )));
    }
    let outcome = Outcome {
        test_accuracy: test.get("accuracy").unwrap_or(f64::NAN),
        test_loss: test.loss,
        train_loss: summary.train_loss,
        train_seconds: summary.train_time.as_secs_f64(),
        samples_per_second: summary.samples_per_second(),
        epochs: summary.epochs,
        steps: summary.steps,
        parameters: config.parameters,
        seed,
        threads,
        out: folder.path().display().to_string(),
    };
    if let Some(confusion) = &confusion {
        folder.save_confusion::<&str>(confusion, &[])?;
    }
    folder.finish(&outcome)?;
    tell(&mut words, &outcome, &layers, args.json)?;
    words.finish()
}

fn tell(words: &mut Words<impl Write>, outcome: &Outcome, layers: &LastLayers, json: bool) -> Result<(), Failure> {
    let Outcome { train_seconds, samples_per_second, epochs, out, .. } = outcome;
    words.line(format_args!("\n{}", layer_table(&layers.rows)));
    words.line(format_args!(
        "trained {epochs} epochs in {train_seconds:.2} s, {samples_per_second:.0} samples per second; run in {out}"
    ));
    words.line(format_args!(
        "test accuracy {:.2} %, test loss {:.4}",
        100.0 * outcome.test_accuracy,
        outcome.test_loss
    ));
    if json {
        let line = serde_json::to_string(outcome).map_err(|error| Failure::Training(error.to_string()))?;
        words.line(line);
    }
    Ok(())
}

/// The network: three blocks of convolution, batch norm and pooling for images that can be halved so often, as MNIST's; a flatter one
/// for the small digits.
fn model(source: &Source, image: [usize; 3], args: &TrainArgs, seed: u64) -> Result<Chain<f32>, Failure> {
    let key = Key::new(seed).with_str("first weights");
    let classes = source.parts.train.n_classes();
    let config = models::ConvNetConfig::new(image, classes).dropout(args.dropout);
    let config = if source.embedded { config.channels(&[32, 64]).convolutions(2).hidden(128) } else { config };
    Ok(config.build(key)?)
}

/// The optimizer under a one-cycle schedule, and the schedule's largest rate.
fn optimizer(args: &TrainArgs, steps: u64) -> Result<(Optimizer<f32, BoxRule<f32>>, f64), Failure> {
    let (rule, rate) = match args.optimizer {
        OptimizerName::Sgd => (BoxRule::new(Sgd::with_momentum(0.9)?.nesterov()?), 0.05),
        OptimizerName::Adam => (BoxRule::new(Adam::default()), 1e-2),
        OptimizerName::Adamw => (BoxRule::new(AdamW::default()), 1e-2),
    };
    let rate = args.rate.unwrap_or(rate);
    let optimizer =
        Optimizer::new(rule, OneCycle::new(rate, steps)?).weight_decay(args.weight_decay)?.group(no_decay_on_vectors());
    Ok((optimizer, rate))
}
