//! Times single operations, each against what the processor does at its peak in the same moment.
//!
//! `cargo bench -p gradwise-bench -- [--threads N] [--budget S] [--json] [words to select operations]`
//!
//! An operation and its peak (a loop of fused multiply-adds, or a stream of the same traffic) take turns, so that both meet the same
//! clock frequency and the same neighbours; on one thread, only time on the processor counts.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)] // A program for the terminal.

use clap::Parser;
use gradwise_bench::ops::{self, Entry, Peak, Work};
use gradwise_bench::timing::thread_seconds;
use gradwise_train::threads;
use serde::Serialize;
use std::error::Error;
use std::time::{Duration, Instant};

/// Operations of gradwise, timed.
#[derive(Parser)]
struct Arguments {
    /// Only operations whose name contains one of these words.
    words: Vec<String>,
    /// Threads of an operation.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Seconds for each operation.
    #[arg(long, default_value_t = 1.0)]
    budget: f64,
    /// A line of JSON for each operation instead of a table.
    #[arg(long)]
    json: bool,
    /// Cargo adds this to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is known of an operation.
#[derive(Serialize)]
struct Line {
    op: String,
    threads: usize,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    gflops: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gb_s: Option<f64>,
    /// Of the peak, in the same moment.
    share: f64,
    /// The peak itself, in the same unit.
    peak: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if !arguments.json {
        println!("{:<40} {:>10} {:>16} {:>16} {:>7}", "operation", "µs", "rate", "peak", "share");
    }
    for entry in ops::all() {
        let words = &arguments.words;
        if words.is_empty() || words.iter().any(|word| entry.name.contains(word)) {
            let line = time(entry, &arguments)?;
            if arguments.json {
                println!("{}", serde_json::to_string(&line)?);
            } else {
                println!("{}", row(&line));
            }
        }
    }
    Ok(())
}

fn row(line: &Line) -> String {
    let (rate, unit) = match (line.gflops, line.gb_s) {
        (Some(rate), _) => (rate, "GFLOP/s"),
        (None, rate) => (rate.unwrap_or(f64::NAN), "GB/s"),
    };
    let (micros, share) = (line.ms * 1e3, line.share * 100.0);
    format!("{:<40} {micros:>10.1} {rate:>8.1} {unit:<7} {:>8.1} {unit:<7} {share:>5.0} %", line.op, line.peak)
}

/// How long a sample of an operation is, and one of its peak.
const SAMPLE: f64 = 0.02;

fn time(entry: Entry, arguments: &Arguments) -> Result<Line, Box<dyn Error>> {
    let (name, work) = (entry.name.clone(), entry.work);
    let pool = threads(arguments.threads)?;
    let peak = Peak::new(work, arguments.threads);
    let mut run = entry.start(pool.clone())?;
    let now = || if arguments.threads == 1 { thread_seconds() } else { None };
    let seconds = |f: &mut dyn FnMut()| {
        let (wall, processor) = (Instant::now(), now());
        f();
        let wall = wall.elapsed().as_secs_f64();
        now().zip(processor).map_or(wall, |(end, begin)| end - begin)
    };

    // Warm up, and find out how many calls make a sample.
    let mut result = Ok(());
    let mut call = || result = run();
    call();
    let calls = |f: &mut dyn FnMut()| (SAMPLE / seconds(f).max(1e-8)).ceil().clamp(1.0, 1e6) as usize;
    let calls_op = calls(&mut call);
    let calls_peak = calls(&mut || _ = peak.run(work, &*pool));

    let (mut times, mut shares) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    while times.len() < 5 || begin.elapsed() < Duration::from_secs_f64(arguments.budget) {
        let op = seconds(&mut || (0..calls_op).for_each(|_| call())) / calls_op as f64;
        let mut done = 0.0;
        let at_peak = seconds(&mut || (0..calls_peak).for_each(|_| done += peak.run(work, &*pool))) / done;
        times.push(op);
        shares.push(at_peak / op);
    }
    result?;
    let (seconds, share) = (median(&mut times), median(&mut shares));
    let (gflops, gb_s) = match work {
        Work::Flops(flops) => (Some(flops / seconds / 1e9), None),
        Work::Memory(traffic) => (None, Some(traffic.bytes() / seconds / 1e9)),
    };
    let peak = gflops.or(gb_s).unwrap_or(f64::NAN) / share;
    let [gflops, gb_s] = [gflops, gb_s].map(|rate| rate.map(round));
    Ok(Line {
        op: name,
        threads: arguments.threads,
        ms: round(seconds * 1e3),
        gflops,
        gb_s,
        share: round(share),
        peak: round(peak),
    })
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn round(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}
