//! `cargo xtask bench results`: nets trained on real images, by us and by PyTorch, from beginning to end.
//!
//! Accuracy and time are measured apart: accuracies by whole trainings (`cargo xtask bench results`), which may run for an hour on a
//! machine that does other things too; seconds by short ones that take turns (`--timing`). What is known is written to
//! `docs/results.json` after every run, and `docs/results.md` is made of it.

mod page;
mod record;

use super::machine::Circumstances;
use super::programs::{self, lines};
use crate::Failure;
use crate::run::{cargo, output, show};
use crate::workspace::Workspace;
use clap::Args;
use record::{Epoch, Pair, Record, Run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What `cargo xtask bench results` takes besides.
#[derive(Args)]
pub(super) struct Trainings {
    /// With `results`: the nets; both, if none is named.
    #[arg(long, value_parser = ["resnet20", "mnist"])]
    net: Vec<String>,
    /// With `results`: from how many seeds each is trained.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// With `results`: epochs; by default as many as in the published table.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: Option<u64>,
    /// With `results`: leave out runs of these epochs and seeds that were written down already, after an interruption.
    #[arg(long)]
    resume: bool,
    /// With `results`: short runs in turn, for the seconds an epoch, in the place of trainings.
    #[arg(long)]
    timing: bool,
    /// With `results`: the folder of `cifar10-jpeg` and `mnist`.
    #[arg(long, default_value = "../shared/data")]
    data_dir: PathBuf,
}

/// A net with its data, and how it is trained for the table.
struct Net {
    name: &'static str,
    what: &'static str,
    /// Where its images are, below the folder of all data.
    folder: &'static str,
    epochs: u64,
    /// Images of an epoch, in whole batches.
    images: usize,
    /// Images of a timing.
    timed: usize,
}

const NETS: [Net; 2] = [
    Net {
        name: "resnet20",
        what: "ResNet-20 (269,722 parameters) on 10,000 of CIFAR-10's training images, as JPEG, crops and flips",
        folder: "cifar10-jpeg",
        epochs: 6,
        images: 78 * 128,
        timed: 39 * 128,
    },
    Net {
        name: "mnist",
        what: "the compact convolutional net (98,554 parameters) on MNIST, images as they are",
        folder: "mnist",
        epochs: 2,
        images: 468 * 128,
        timed: 117 * 128,
    },
];

/// When a run is given up.
const LIMIT: Duration = Duration::from_secs(3 * 3600);

/// Where the two programs are.
struct Sides {
    ours: PathBuf,
    python: PathBuf,
    script: PathBuf,
    /// Where weights are saved, and pictures unpacked.
    folder: PathBuf,
}

/// The task.
pub(super) fn run(
    workspace: &Workspace,
    options: &Trainings,
    threads: &[usize],
    pairs: Option<u32>,
    report: bool,
) -> Result<(), Failure> {
    let docs = workspace.root.join("docs");
    let mut record = Record::load(&docs.join("results.json"))?;
    if report {
        return write(&docs, &record);
    }
    let sides = Sides::find(workspace)?;
    let data = workspace.root.join(&options.data_dir);
    let chosen = |net: &&Net| options.net.is_empty() || options.net.iter().any(|name| name == net.name);
    let mut folders = Vec::new();
    for net in NETS.iter().filter(chosen) {
        folders.push((net, images(net, &data, &sides.folder)?));
    }
    if options.timing {
        return time(workspace, &sides, &folders, threads, pairs.unwrap_or(3), &mut record);
    }
    let &threads = threads.first().ok_or("expected a number of threads, got none")?;
    let circumstances = Circumstances::now(&workspace.root)?;
    for (net, _) in &folders {
        let epochs = options.epochs.unwrap_or(net.epochs);
        // A table of runs of different lengths would compare nothing.
        record.runs.retain(|run| run.net != net.name || run.epochs.len() as u64 == epochs);
    }
    for seed in 0..options.seeds {
        for (net, folder) in &folders {
            let epochs = options.epochs.unwrap_or(net.epochs);
            for ours in [true, false] {
                if options.resume && record.has(net.name, ours, seed) {
                    continue;
                }
                let lines = sides.train(ours, net, folder, threads, &["--epochs", &epochs.to_string()], seed)?;
                let run = Run::new(net.name, ours, seed, lines, circumstances.clone())?;
                println!("{}", run.summary());
                record.put(run);
                write(&docs, &record)?;
            }
        }
    }
    Ok(())
}

/// Short runs, in turn.
fn time(
    workspace: &Workspace,
    sides: &Sides,
    nets: &[(&Net, PathBuf)],
    threads: &[usize],
    pairs: u32,
    record: &mut Record,
) -> Result<(), Failure> {
    let circumstances = Circumstances::now(&workspace.root)?;
    record.pairs.retain(|pair| !(nets.iter().any(|(net, _)| net.name == pair.net) && threads.contains(&pair.threads)));
    for round in 0..pairs {
        for (net, folder) in nets {
            for &threads in threads {
                let images = net.timed.to_string();
                let seconds = |ours: bool| -> Result<f64, Failure> {
                    let lines = sides.train(ours, net, folder, threads, &["--images", &images], 0)?;
                    let first = lines.first().ok_or("a run without an epoch")?;
                    Ok(first.seconds / first.images as f64 * net.images as f64)
                };
                let (ours, theirs) = if round % 2 == 0 {
                    let ours = seconds(true)?;
                    (ours, seconds(false)?)
                } else {
                    let theirs = seconds(false)?;
                    (seconds(true)?, theirs)
                };
                println!("{} on {threads}: {ours:.1} s an epoch, PyTorch {theirs:.1} s", net.name);
                let (net, circumstances) = (net.name.to_owned(), circumstances.clone());
                record.pairs.push(Pair { net, threads, ours, theirs, circumstances });
                write(&workspace.root.join("docs"), record)?;
            }
        }
    }
    Ok(())
}

impl Sides {
    /// Builds ours, and finds PyTorch.
    fn find(workspace: &Workspace) -> Result<Self, Failure> {
        let python = super::peers_folder()?.join("venv/bin/python");
        if !python.exists() {
            let way = "`measure.sh setup` of the peers makes it, and so does `python3 -m venv venv && \
                       venv/bin/pip install torch numpy pillow` in the folder that PEERS_DIR names";
            return Err(format!("there is no {}: {way}", python.display()).into());
        }
        let name = "gradwise-bench-results";
        output(cargo(&workspace.root, ["build", "--release", "--package", "gradwise-bench", "--bin", name]))?;
        let ours = workspace.target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let folder = workspace.target.join("results");
        fs::create_dir_all(&folder)?;
        Ok(Sides { ours, python, script: workspace.root.join("bench/results.py"), folder })
    }

    /// The epochs of a training by one of the two.
    fn train(
        &self,
        ours: bool,
        net: &Net,
        folder: &Path,
        threads: usize,
        more: &[&str],
        seed: u64,
    ) -> Result<Vec<Epoch>, Failure> {
        let mut command = Command::new(if ours { &self.ours } else { &self.python });
        if !ours {
            command.arg(&self.script);
        }
        command.arg(net.name).arg(folder).args(["--threads", &threads.to_string(), "--seed", &seed.to_string()]);
        command.args(more);
        if ours {
            command.arg("--save").arg(self.folder.join(net.name).with_extension("safetensors"));
        }
        // The allocator keeps big buffers, which is what makes PyTorch's steps fastest.
        command.envs(programs::TUNED).env("OMP_NUM_THREADS", threads.to_string());
        let shown = show(&command);
        let ran = programs::run(command, LIMIT)?.ok_or_else(|| format!("`{shown}` failed"))?;
        Ok(lines(&ran.output))
    }
}

/// The folder of a net's images; where they are packed, they are unpacked below `place` the first time.
fn images(net: &Net, data: &Path, place: &Path) -> Result<PathBuf, Failure> {
    let source = data.join(net.folder);
    let packed = fs::read_dir(&source).map_err(|error| format!("--data-dir: {}: {error}", source.display()))?;
    let packed = packed.filter_map(|entry| Some(entry.ok()?.path()));
    let folder = place.join(net.folder);
    match packed.into_iter().find(|path| path.to_string_lossy().ends_with(".tar.gz")) {
        None => Ok(source),
        Some(_) if folder.join("train").is_dir() => Ok(folder),
        Some(archive) => {
            // Unpacked beside its place, so that what was interrupted is not taken for whole.
            let beside = folder.with_extension("part");
            fs::create_dir_all(&beside)?;
            let mut tar = Command::new("tar");
            tar.arg("-xzf").arg(&archive).arg("-C").arg(&beside);
            output(tar)?;
            fs::rename(&beside, &folder)?;
            Ok(folder)
        }
    }
}

/// Writes both files.
fn write(docs: &Path, record: &Record) -> Result<(), Failure> {
    record.save(&docs.join("results.json"))?;
    Ok(fs::write(docs.join("results.md"), page::page(record, &NETS))?)
}
