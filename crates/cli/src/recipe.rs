//! `gradwise recipe` and `gradwise train RECIPE`: training runs as TOML files.

use crate::args::{RecipeCommand, TrainArgs};
use crate::failure::Failure;
use crate::report::LastLayers;
use crate::words::Words;
use gradwise::data::Samples;
use gradwise::prelude::*;
use gradwise::recipe::{LayerLine, Recipe, Registry, Run, suggest};
use gradwise::train::layer_table;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

pub(crate) fn run(command: &RecipeCommand) -> Result<(), Failure> {
    let mut words = Words::new(std::io::stdout());
    match command {
        RecipeCommand::Check { recipe } => {
            let run = Recipe::from_file(recipe)?.build(&Registry::new())?;
            words.line(format_args!("{}\n", introduction(&run)));
            words.line(table(run.layers()).trim_end());
            let (epochs, per_epoch) = run.length();
            words.line(format_args!("\n{} parameters; {epochs} epochs of {per_epoch} steps", run.n_trainable()));
        }
        RecipeCommand::New { data, out } => {
            let text = suggest(data, &written(data, out.as_deref()))?;
            match out {
                None => words.line(text.trim_end()),
                Some(out) => {
                    write_new(out, &text)?;
                    words.line(format_args!(
                        "{}: look at it, and then: gradwise train {}",
                        out.display(),
                        out.display()
                    ));
                }
            }
        }
        RecipeCommand::Schema => words.line(format_args!("{:#}", Registry::new().schema())),
    }
    words.finish()
}

/// How a recipe calls its data: as the user does if both lie in the working folder, and by the whole path otherwise, since a recipe's paths
/// are relative to where it lies.
fn written(data: &Path, out: Option<&Path>) -> String {
    let beside = out.is_none_or(|out| out.parent().is_none_or(|parent| parent.as_os_str().is_empty()));
    let path: PathBuf = if beside { data.to_owned() } else { data.canonicalize().unwrap_or_else(|_| data.to_owned()) };
    path.display().to_string()
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let text = format!("{}: {error}", path.display());
        if error.kind() == std::io::ErrorKind::AlreadyExists { Failure::Usage(text) } else { Failure::Output(text) }
    };
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(|error| {
        // Half a recipe is none, and would be in the way of the next try.
        let _ = std::fs::remove_file(path);
        failed(error)
    })
}

/// What a run is of.
fn introduction(run: &Run) -> String {
    let set = run.train_set();
    let held = |set: Option<&gradwise::recipe::Set>, what: &str| match set {
        Some(set) => format!(", {} to {what}", set.len()),
        None => String::new(),
    };
    let targets = match set.n_classes() {
        Some(n) => format!("{n} classes"),
        None => format!("{} numbers to predict", set.n_outputs()),
    };
    format!(
        "{} samples of {} to train on{}{}; {targets}",
        set.len(),
        sizes(set.sample_shape()),
        held(run.validation_set(), "validate on"),
        held(run.test_set(), "test on"),
    )
}

/// A shape as text.
fn sizes(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// The layers as they were built.
fn table(lines: &[LayerLine]) -> String {
    let header = ["layer", "kind", "output", "parameters"].map(String::from);
    let rows = lines.iter().map(|line| {
        let parameters = if line.parameters == 0 { "-".to_owned() } else { line.parameters.to_string() };
        [line.name.clone(), line.kind.clone(), sizes(&line.output), parameters]
    });
    let rows: Vec<[String; 4]> = std::iter::once(header).chain(rows).collect();
    let width = |i: usize| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
    let widths: [usize; 4] = std::array::from_fn(width);
    let line = |row: &[String; 4]| {
        let [a, b, c, d] = widths;
        format!("{:a$}  {:b$}  {:c$}  {:>d$}\n", row[0], row[1], row[2], row[3])
    };
    rows.iter().map(line).collect()
}

/// How a recipe's run ended: `summary.json`, and the last line for scripts.
#[derive(Serialize, Debug)]
struct Ended {
    /// What was measured on the test part, by name; empty without one.
    test: BTreeMap<String, f64>,
    /// The same of the validation part, after the last epoch.
    validation: BTreeMap<String, f64>,
    train_loss: f64,
    train_seconds: f64,
    samples_per_second: f64,
    epochs: u64,
    steps: u64,
    stop: Option<String>,
    parameters: usize,
    threads: usize,
    out: String,
}

/// `gradwise train RECIPE`.
pub(crate) fn train(file: &Path, args: &TrainArgs) -> Result<(), Failure> {
    let mut recipe = Recipe::from_file(file)?;
    recipe.train.threads = args.threads.or(recipe.train.threads);
    recipe.train.seed = args.seed.unwrap_or(recipe.train.seed);
    let mut run = recipe.build(&Registry::new())?;
    recipe.train.threads = Some(run.n_threads());
    let name = file.file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy().into_owned());
    let folder = match &args.out {
        Some(path) => RunFolder::create(path, &recipe)?,
        None => RunFolder::create_unique(Path::new("runs"), &name, &recipe)?,
    };
    let mut words = Words::new(std::io::stdout());
    words.line(format_args!("{}; {} parameters, {} threads", introduction(&run), run.n_trainable(), run.n_threads()));
    let mut layers = LastLayers::default();
    let mut progress = Progress::new();
    let mut lines = Lines::new(&mut words);
    let terminal = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
    let teller: &mut dyn Observer<f32> = if terminal { &mut progress } else { &mut lines };
    let trained = run.train_in(&folder, &mut [&mut layers, teller])?;
    let summary = &trained.summary;
    let named = |found: Option<&Evaluation>| found.map(Evaluation::named).unwrap_or_default().into_iter().collect();
    let ended = Ended {
        test: named(trained.test.as_ref()),
        validation: named(summary.validation.as_ref()),
        train_loss: summary.train_loss,
        train_seconds: summary.train_time.as_secs_f64(),
        samples_per_second: summary.samples_per_second(),
        epochs: summary.epochs,
        steps: summary.steps,
        stop: summary.stop.as_ref().map(|stop| stop.reason.clone()),
        parameters: run.n_trainable(),
        threads: run.n_threads(),
        out: folder.path().display().to_string(),
    };
    folder.finish(&ended)?;
    if !layers.rows.is_empty() {
        words.line(format_args!("\n{}", layer_table(&layers.rows)));
    }
    words.line(format_args!(
        "trained {} epochs in {:.2} s, {:.0} samples per second; run in {}",
        ended.epochs, ended.train_seconds, ended.samples_per_second, ended.out
    ));
    if !ended.test.is_empty() {
        let told: Vec<String> = ended.test.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        words.line(format_args!("test: {}", told.join(", ")));
    }
    if args.json {
        let line = serde_json::to_string(&ended).map_err(|error| Failure::Training(error.to_string()))?;
        words.line(line);
    }
    words.finish()
}
