//! `cargo xtask bench`: how fast training steps and operations are, alone and beside the peers.
//!
//! `--peers` writes what it measured to `docs/performance.json`, each case as soon as it is known, and makes `docs/performance.md` of
//! that and of `docs/performance-notes.md`, which is written by hand: what bounds each case now.

mod augment;
mod cases;
mod compare;
mod machine;
mod programs;
mod record;
mod report;
mod results;
mod statistics;

use crate::Failure;
use crate::run::{Tests, cargo, output, stream};
use crate::workspace::Workspace;
use clap::Args;
use machine::Circumstances;
use programs::{Programs, lines};
use record::{Operation, Operations, PeerOperation, Performance};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// The cases, all if none is named; with `--ops`, words to select operations; `augment` for image augmentation beside the peers', which
    /// writes docs/augmentation.md, with words after it to measure the cases whose names contain one of them, and keep the rest; `results`
    /// alone for trainings on real images beside PyTorch's, which writes docs/results.md.
    names: Vec<String>,
    /// Numbers of threads.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    threads: Vec<usize>,
    /// Seconds for each case or operation.
    #[arg(long)]
    budget: Option<f64>,
    /// Steps before measuring: do the numbers hold then?
    #[arg(long, default_value_t = 0)]
    after: usize,
    /// Each case also with a checkpoint around every so many layers.
    #[arg(long, conflicts_with_all = ["ops", "peers"])]
    checkpoint: Option<usize>,
    /// Outputs in evaluation instead of steps: on a tape, by `predict`, and folded, for a batch of 1 and the case's.
    #[arg(long, conflicts_with_all = ["ops", "peers", "after", "checkpoint"])]
    inference: bool,
    /// Single operations instead of steps.
    #[arg(long)]
    ops: bool,
    /// Beside the peers; writes docs/performance.md.
    #[arg(long)]
    peers: bool,
    /// The peers' programs; what `measure.sh setup` built of them is in PEERS_DIR, by default .cache/gradwise-peers at home.
    #[arg(long, default_value = "../shared/peers")]
    peers_dir: PathBuf,
    /// Interleaved pairs for each case; by default 30, and 10 where a step is slow.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: Option<u32>,
    /// Measure nothing, only make docs/performance.md of what was measured and of the notes; with `augment`, docs/augmentation.md; with
    /// `results`, docs/results.md.
    #[arg(long, conflicts_with_all = ["ops", "peers"])]
    report: bool,
    #[command(flatten)]
    results: results::Trainings,
}

/// The task.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    if let [augment, words @ ..] = &options.names[..]
        && augment == "augment"
    {
        if options.report {
            return augment::report(&workspace.root);
        }
        let programs = peers_programs(&workspace, options)?;
        let (rounds, budget) = (options.pairs.unwrap_or(5), options.budget.unwrap_or(0.3));
        return augment::run(&workspace, &programs, words, &options.threads, rounds, budget);
    }
    if options.names == ["results"] {
        return results::run(&workspace, &options.results, &options.threads, options.pairs, options.report);
    }
    let names = cases::names();
    if let (false, Some(name)) = (options.ops, options.names.iter().find(|name| !names.contains(&name.as_str()))) {
        return Err(format!("there is no case {name}; there are {}", names.join(", ")).into());
    }
    match (options.peers, options.ops) {
        _ if options.report => write(&workspace, &Performance::load(&json(&workspace))?),
        (false, false) => ours(&workspace, options),
        (false, true) => {
            for &threads in &options.threads {
                let mut command = ops_command(&workspace, threads, options.budget);
                command.args(&options.names);
                stream(command, &mut Tests::default())?;
            }
            Ok(())
        }
        (true, ops) => peers(&workspace, options, ops),
    }
}

/// Our steps alone.
fn ours(workspace: &Workspace, options: &Options) -> Result<(), Failure> {
    let program = build(workspace)?;
    for case in selected(options) {
        for threads in &options.threads {
            for variant in variants(options) {
                // One process for each, so that peak memory is the case's own.
                let mut command = Command::new(&program);
                command.args([case.case, "--threads", &threads.to_string()]).args(variant);
                command.args(options.budget.iter().flat_map(|budget| ["--budget".to_owned(), budget.to_string()]));
                print!("{}", output(command)?);
            }
        }
    }
    Ok(())
}

/// What our program is asked of each case, one list of arguments a process.
fn variants(options: &Options) -> Vec<Vec<String>> {
    let words = |line: String| line.split(' ').map(str::to_owned).collect();
    if options.inference {
        let ways = ["tape", "predict", "folded"];
        let all = ["", " --batch 1"].iter().flat_map(|batch| ways.map(|way| format!("--inference {way}{batch}")));
        return all.map(words).collect();
    }
    let plain = format!("--after {}", options.after);
    let segments = options.checkpoint.map(|layers| format!("{plain} --checkpoint {layers}"));
    [plain].into_iter().chain(segments).map(words).collect()
}

/// Steps, operations, or both beside the peers, written down as they become known.
fn peers(workspace: &Workspace, options: &Options, ops: bool) -> Result<(), Failure> {
    let programs = peers_programs(workspace, options)?;
    let mut performance = Performance::load(&json(workspace))?;
    if !ops {
        for target in selected(options) {
            for &threads in &options.threads {
                println!("{} on {threads} threads", target.case);
                let circumstances = Circumstances::now(&workspace.root)?;
                let comparison = compare::compare(&programs, target, threads, options.pairs, circumstances)?;
                performance.put(comparison, &cases::names());
                write(workspace, &performance)?;
            }
        }
    }
    if ops || options.names.is_empty() {
        performance.ops = Some(operations(workspace, options, &programs)?);
        write(workspace, &performance)?;
    }
    Ok(())
}

/// Where `measure.sh setup` builds: PEERS_DIR, or a folder at home.
fn peers_folder() -> Result<PathBuf, Failure> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/gradwise-peers"));
    Ok(std::env::var_os("PEERS_DIR").map(PathBuf::from).or_else(home).ok_or("neither PEERS_DIR nor HOME is set")?)
}

/// The peers' programs and ours, all in place.
fn peers_programs(workspace: &Workspace, options: &Options) -> Result<Programs, Failure> {
    // Their programs run in folders of their own.
    let sources = fs::canonicalize(workspace.root.join(&options.peers_dir))
        .map_err(|e| format!("--peers-dir {}: {e}", options.peers_dir.display()))?;
    let programs = Programs { ours: build(workspace)?, sources, built: peers_folder()? };
    programs.check()?;
    Ok(programs)
}

/// All operations, and PyTorch's that are the same.
fn operations(workspace: &Workspace, options: &Options, programs: &Programs) -> Result<Operations, Failure> {
    let mut operations = Operations { circumstances: Circumstances::now(&workspace.root)?, ..Operations::default() };
    for &threads in &options.threads {
        println!("operations on {threads} threads");
        let mut command = ops_command(workspace, threads, options.budget);
        command.arg("--json");
        operations.lines.extend(lines::<Operation>(&output(command)?));
        let words: Vec<&str> = report::SAME_IN_PYTORCH.iter().map(|(_, theirs)| *theirs).collect();
        let ran = programs::run(programs.torch_ops(threads, &words), Duration::from_secs(600))?;
        operations.pytorch.extend(ran.into_iter().flat_map(|ran| lines::<PeerOperation>(&ran.output)));
    }
    Ok(operations)
}

/// Our program of operations.
fn ops_command(workspace: &Workspace, threads: usize, budget: Option<f64>) -> Command {
    let mut command =
        cargo(&workspace.root, ["bench", "--quiet", "--package", "gradwise-bench", "--bench", "ops", "--"]);
    command.args(["--threads", &threads.to_string()]);
    command.args(budget.iter().flat_map(|budget| ["--budget".to_owned(), budget.to_string()]));
    command
}

fn selected(options: &Options) -> impl Iterator<Item = &'static cases::Target> {
    let all = options.names.is_empty();
    cases::TARGETS.iter().filter(move |target| all || options.names.iter().any(|name| name == target.case))
}

/// Builds our program of steps and returns where it is.
fn build(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let arguments = ["build", "--release", "--package", "gradwise-bench", "--bin", "gradwise-bench"];
    output(cargo(&workspace.root, arguments))?;
    Ok(workspace.target.join("release").join(format!("gradwise-bench{}", std::env::consts::EXE_SUFFIX)))
}

fn json(workspace: &Workspace) -> PathBuf {
    workspace.root.join("docs/performance.json")
}

/// Writes both files.
fn write(workspace: &Workspace, performance: &Performance) -> Result<(), Failure> {
    performance.save(&json(workspace))?;
    let docs = workspace.root.join("docs");
    let notes = fs::read_to_string(docs.join("performance-notes.md")).unwrap_or_default();
    Ok(fs::write(docs.join("performance.md"), report::page(performance, &notes))?)
}
