//! `gradwise report` and `gradwise compare`: looking at runs.

use crate::failure::Failure;
use crate::words::Words;
use clap::Args;
use gradwise::report::{Comparison, ReportError, Run, Theme, event_file, figures, html};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// Folders of runs; those that differ in their seed alone are drawn as one line with a band
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// HTML file to write; it needs no other file and no network
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub(crate) out: PathBuf,
    /// Folder for the figures as SVG files, too
    #[arg(long, value_name = "DIR")]
    pub(crate) svg: Option<PathBuf>,
    /// Folder for the figures as PNG files, too
    #[arg(long, value_name = "DIR")]
    pub(crate) png: Option<PathBuf>,
    /// Make the PNG files for dark pages
    #[arg(long, requires = "png")]
    pub(crate) dark: bool,
    /// Folder for event files of TensorBoard, too: a folder a run in it
    #[arg(long, value_name = "DIR")]
    pub(crate) tensorboard: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct CompareArgs {
    /// Folders of runs
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let text = error.to_string();
        match error {
            ReportError::NoRun { .. } | ReportError::NoRuns => Failure::Usage(text),
            ReportError::Io { .. } | ReportError::Format { .. } => Failure::Data(text),
            _ => Failure::Output(text),
        }
    }
}

fn read(paths: &[PathBuf]) -> Result<Comparison, Failure> {
    let runs = paths.iter().map(Run::read).collect::<Result<Vec<_>, _>>()?;
    Ok(Comparison::new(runs)?)
}

/// Whether a path is that of a file that a run consists of.
fn is_of_a_run(path: &Path) -> bool {
    const FILES: [&str; 5] = ["config.json", "metrics.jsonl", "model.safetensors", "summary.json", "confusion.json"];
    let of_a_run = path.file_name().is_some_and(|name| FILES.iter().any(|file| name == *file));
    of_a_run && path.with_file_name("config.json").is_file()
}

pub(crate) fn report(args: &ReportArgs) -> Result<(), Failure> {
    let comparison = read(&args.runs)?;
    if is_of_a_run(&args.out) {
        return Err(Failure::Usage(format!(
            "--out {}: expected a file of its own, got one of the run",
            args.out.display()
        )));
    }
    let figures = figures(&comparison)?;
    write(&args.out, html(&comparison)?.as_bytes())?;
    let mut words = Words::new(std::io::stdout().lock());
    words.line(format_args!("{}: {} figures of {} runs", args.out.display(), figures.len(), args.runs.len()));
    if let Some(folder) = &args.svg {
        for figure in &figures {
            write(&folder.join(format!("{}.svg", figure.id)), figure.svg().as_bytes())?;
        }
        words.line(format_args!("{}: {} SVG files", folder.display(), figures.len()));
    }
    if let Some(folder) = &args.png {
        let theme = if args.dark { Theme::Dark } else { Theme::Light };
        for figure in &figures {
            write(&folder.join(format!("{}.png", figure.id)), &figure.png(theme)?)?;
        }
        words.line(format_args!("{}: {} PNG files", folder.display(), figures.len()));
    }
    if let Some(folder) = &args.tensorboard {
        let mut taken = BTreeSet::new();
        for run in comparison.runs() {
            // Runs of one name, from different places, have folders of their own.
            let names = (1..).map(|i| if i == 1 { run.name.clone() } else { format!("{}-{i}", run.name) });
            let name = names.into_iter().find(|name| taken.insert(name.clone())).unwrap_or_default();
            write(&folder.join(name).join(event_file_name(run)), &event_file(run))?;
        }
        words.line(format_args!("{}: event files of {} runs", folder.display(), args.runs.len()));
    }
    words.finish()
}

/// The same name for the same run, so that a second report takes the place of the first.
fn event_file_name(run: &Run) -> String {
    let written = fs::metadata(run.path.join("config.json")).and_then(|file| file.modified()).ok();
    let seconds = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |time| time.as_secs());
    format!("events.out.tfevents.{seconds}.gradwise")
}

pub(crate) fn compare(args: &CompareArgs) -> Result<(), Failure> {
    let comparison = read(&args.runs)?;
    let mut words = Words::new(std::io::stdout().lock());
    words.line(comparison.table());
    if let Some(table) = comparison.group_table() {
        words.line(format_args!("\n{table}"));
    }
    words.finish()
}

/// Writes a file whole or not at all, and the folder it lies in.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |path: &Path, error: &dyn Display| Failure::Output(format!("{}: {error}", path.display()));
    let Some(name) = path.file_name() else { return Err(failed(path, &"expected the name of a file")) };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    }
    let part = path.with_file_name([name.to_os_string(), OsString::from(".part")].into_iter().collect::<OsString>());
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, path));
    written.map_err(|error| {
        if error.kind() != ErrorKind::NotFound {
            let _ = fs::remove_file(&part);
        }
        failed(path, &error)
    })
}
