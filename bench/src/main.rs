//! Times training steps and prints a line of JSON for each case, in the format of the peers' programs.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)] // A program for the terminal.

use clap::Parser;
use gradwise_bench::cases::{CASES, Case, case};
use gradwise_bench::inference::{Inference, Way};
use gradwise_bench::memory::{peak_bytes, resident_bytes};
use gradwise_bench::timing::{Timing, measure};
use gradwise_bench::training::{checkpointed, training_in_shards};
use serde::Serialize;
use std::error::Error;
use std::time::Duration;

/// Training steps of gradwise, timed.
#[derive(Parser)]
struct Arguments {
    /// The cases; all, if none is named. Peak memory is that of the process: name one to know it for that one.
    #[arg(value_parser = CASES.iter().map(|case| case.name).collect::<Vec<_>>())]
    cases: Vec<String>,
    /// Threads of a step.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Cut the batch into this many shards, each with a tape of its own, rather than splitting operations over the threads.
    #[arg(long, conflicts_with_all = ["inference", "checkpoint"])]
    shards: Option<usize>,
    /// Seconds for each case.
    #[arg(long, default_value_t = 3.0)]
    budget: f64,
    /// Steps to do first: do the numbers hold then?
    #[arg(long, default_value_t = 0)]
    after: usize,
    /// A checkpoint around every so many layers of the net; 0 for none.
    #[arg(long, default_value_t = 0)]
    checkpoint: usize,
    /// Time the net's outputs in evaluation instead of steps.
    #[arg(long, value_enum, conflicts_with_all = ["after", "steps", "checkpoint"])]
    inference: Option<Way>,
    /// Samples in a batch, if not as many as the case has.
    #[arg(long)]
    batch: Option<usize>,
    /// Do this many steps, and time nothing.
    #[arg(long)]
    steps: Option<usize>,
}

/// What is known of a case.
#[derive(Serialize)]
struct Line {
    peer: &'static str,
    case: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<usize>,
    batch: usize,
    threads: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    shards: Option<usize>,
    ms: f64,
    ms_p10: f64,
    ms_p90: f64,
    samples_per_s: f64,
    /// What all threads together spent on a processor for a step.
    cpu_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f32>,
    /// Steps done in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<usize>,
    /// What the steps' values, saved arrays and gradients lie in.
    workspace_mb: f64,
    /// What the process had in memory at most.
    peak_mb: Option<f64>,
    /// The same less what it had before the case began: net, batch, optimizer and step.
    step_mb: Option<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let cases = match &arguments.cases[..] {
        [] => CASES.iter().collect(),
        names => names.iter().filter_map(|name| case(name)).collect::<Vec<_>>(),
    };
    for case in cases {
        run(case, &arguments)?;
    }
    Ok(())
}

fn run(case: &Case, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let budget = Duration::from_secs_f64(arguments.budget);
    let batch = arguments.batch.unwrap_or(case.batch);
    let before = resident_bytes();
    if let Some(way) = arguments.inference {
        let mut inference = Inference::new(case, batch, arguments.threads, way)?;
        let mut last = inference.run().map(drop);
        let timing = measure(budget, || last = inference.run().map(drop));
        last?;
        let line = line(case, arguments, timing, inference.workspace_bytes(), before);
        println!("{}", serde_json::to_string(&line)?);
        return Ok(());
    }
    let mut training = match arguments.shards {
        Some(shards) => training_in_shards(case, Some(batch), arguments.threads, shards)?,
        None => checkpointed(case, Some(batch), arguments.threads, arguments.checkpoint)?,
    };
    if let Some(steps) = arguments.steps {
        (0..steps).try_for_each(|_| training.step().map(drop))?;
        return Ok(());
    }
    (0..arguments.after).try_for_each(|_| training.step().map(drop))?;
    let (mut steps, mut last) = (arguments.after, Ok(f32::NAN));
    let timing = measure(budget, || {
        steps += 1;
        last = training.step();
    });
    let (loss, bytes) = (Some(last?), training.workspace_bytes());
    let line = Line { loss, steps: Some(steps), ..line(case, arguments, timing, bytes, before) };
    println!("{}", serde_json::to_string(&line)?);
    Ok(())
}

/// What is known of anything that was timed; `before` is what the process had in memory before it was made.
fn line(case: &Case, arguments: &Arguments, timing: Timing, workspace_bytes: usize, before: Option<u64>) -> Line {
    let Timing { median, p10, p90, processor, .. } = timing;
    let megabytes = |bytes: u64| round(bytes as f64 / 1e6);
    let (peak, batch) = (peak_bytes(), arguments.batch.unwrap_or(case.batch));
    Line {
        peer: "gradwise",
        case: case.name,
        inference: arguments.inference.map(|way| format!("{way:?}").to_lowercase()),
        checkpoint: (arguments.checkpoint > 0).then_some(arguments.checkpoint),
        batch,
        threads: arguments.threads,
        shards: arguments.shards,
        ms: round(median * 1e3),
        ms_p10: round(p10 * 1e3),
        ms_p90: round(p90 * 1e3),
        samples_per_s: round(batch as f64 / median),
        cpu_ms: processor.map(|seconds| round(seconds * 1e3)),
        loss: None,
        steps: None,
        workspace_mb: megabytes(workspace_bytes as u64),
        peak_mb: peak.map(megabytes),
        step_mb: peak.zip(before).map(|(peak, before)| megabytes(peak.saturating_sub(before))),
    }
}

/// Four digits behind the point: a tenth of a microsecond of what is in milliseconds.
fn round(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}
