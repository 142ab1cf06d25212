//! Times image augmentation and prints a line of JSON for each case, in the format of the peers' program.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout)] // A program for the terminal.

use clap::Parser;
use gradwise_augment::Augment;
use gradwise_bench::augment::{Picture, SIZES, TRANSFORMS, Work};
use gradwise_bench::timing::measure;
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

/// Image augmentation of gradwise, timed.
#[derive(Parser)]
struct Arguments {
    /// Parts of the cases' names; all cases, if there is none.
    words: Vec<String>,
    /// Threads of a batch.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Seconds for each case.
    #[arg(long, default_value_t = 0.6)]
    budget: f64,
    /// A photograph to cut images from.
    #[arg(long)]
    photo: Option<PathBuf>,
}

/// What is known of a case.
#[derive(Serialize)]
struct Line<'a> {
    peer: &'static str,
    case: &'a str,
    threads: usize,
    images_per_s: f64,
    p10: f64,
    p90: f64,
    /// What all threads together spent on a processor for an image, in microseconds.
    cpu_us: Option<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let picture = match &arguments.photo {
        None => Picture::waves(),
        Some(path) => {
            let photo = image::open(path)?.into_rgb8();
            Picture::new(photo.height() as usize, photo.width() as usize, photo.as_raw())
        }
    };
    for (size, n) in SIZES {
        let bytes = |x: f32| (x * 255.0 + 0.5) as u8;
        let mut of_bytes = Work::new(size, n, &picture, bytes);
        let mut of_floats = Work::new(size, n, &picture, |x| x);
        for (name, make) in TRANSFORMS {
            let augment = make()?;
            let run = |work: &mut dyn FnMut(&dyn Augment) -> gradwise_augment::Result<()>, case: &str| {
                if !arguments.words.is_empty() && !arguments.words.iter().any(|word| case.contains(word.as_str())) {
                    return Ok(());
                }
                let mut result = Ok(());
                let timing = measure(Duration::from_secs_f64(arguments.budget), || result = work(&*augment));
                result?;
                let rate = |seconds: f64| (n as f64 / seconds * 10.0).round() / 10.0;
                let line = Line {
                    peer: "gradwise",
                    case,
                    threads: arguments.threads,
                    images_per_s: rate(timing.median),
                    p10: rate(timing.p90),
                    p90: rate(timing.p10),
                    cpu_us: timing.processor.map(|seconds| (seconds / n as f64 * 1e9).round() / 1e3),
                };
                println!("{}", serde_json::to_string(&line)?);
                Ok::<(), Box<dyn Error>>(())
            };
            run(&mut |augment| of_bytes.run(augment, arguments.threads), &format!("{name}_{size}_u8"))?;
            run(&mut |augment| of_floats.run(augment, arguments.threads), &format!("{name}_{size}_f32"))?;
        }
    }
    Ok(())
}
