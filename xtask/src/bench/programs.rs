//! The programs that train the cases, ours and the peers', and running one of them.

use super::machine::peak_mb;
use crate::Failure;
use serde::Deserialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the programs are.
#[derive(Debug)]
pub(super) struct Programs {
    /// Our program.
    pub(super) ours: PathBuf,
    /// The peers' sources.
    pub(super) sources: PathBuf,
    /// The peers' environment: what `measure.sh setup` made.
    pub(super) built: PathBuf,
}

/// One way to run a peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// Its name in tables.
    pub(super) name: &'static str,
    program: Program,
    environment: &'static [(&'static str, &'static str)],
    /// Only for nets on images.
    images_only: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Program {
    Burn,
    Candle,
    Torch,
    Jax,
}

/// Thresholds of the C library's allocator so high that big buffers are kept, not mapped anew in every step.
pub(super) const TUNED: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "4294967296"),
    ("MALLOC_TRIM_THRESHOLD_", "68719476736"),
    ("MALLOC_TOP_PAD_", "268435456"),
];

const fn setting(
    name: &'static str,
    program: Program,
    environment: &'static [(&'static str, &'static str)],
    images_only: bool,
) -> Setting {
    Setting { name, program, environment, images_only }
}

/// Every setting of every peer; each but JAX, which has an allocator of its own, is run with the default and with a tuned one.
const SETTINGS: [Setting; 7] = [
    setting("PyTorch eager", Program::Torch, &[], false),
    setting("PyTorch fused", Program::Torch, &[("FUSED", "1")], false),
    setting("PyTorch fused, channels last", Program::Torch, &[("FUSED", "1"), ("CL", "1")], true),
    setting("PyTorch compiled, fused", Program::Torch, &[("FUSED", "1"), ("MODE", "compile")], false),
    setting("JAX jit", Program::Jax, &[], false),
    setting("burn", Program::Burn, &[], false),
    setting("candle", Program::Candle, &[], false),
];

/// A setting with the default or the tuned allocator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variant {
    setting: Setting,
    tuned: bool,
}

/// All that are worth a try for a case.
pub(super) fn variants(images: bool) -> Vec<Variant> {
    let settings = SETTINGS.iter().filter(|setting| images || !setting.images_only);
    let both = settings.flat_map(|&setting| [false, true].map(|tuned| Variant { setting, tuned }));
    both.filter(|variant| !(variant.tuned && variant.setting.program == Program::Jax)).collect()
}

impl Variant {
    /// Its name in tables.
    pub(super) fn name(&self) -> String {
        format!("{}{}", self.setting.name, if self.tuned { ", tuned allocator" } else { "" })
    }
}

/// A line of a program's output.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Line {
    /// Who ran.
    pub(super) peer: String,
    /// The case.
    pub(super) case: String,
    /// Milliseconds a step.
    pub(super) ms: f64,
    /// What our program says beyond the peers'.
    pub(super) cpu_ms: Option<f64>,
    #[serde(default)]
    pub(super) workspace_mb: f64,
    pub(super) step_mb: Option<f64>,
}

/// The lines of JSON among what a program printed; others, such as `#FAIL …`, are left out.
pub(super) fn lines<L: for<'a> Deserialize<'a>>(output: &str) -> Vec<L> {
    output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

impl Programs {
    /// Checks that everything is in place.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let needed =
            [self.sources.join("python/torch_train.py"), self.python(), self.rust("burn"), self.rust("candle")];
        match needed.iter().find(|path| !path.exists()) {
            Some(path) => {
                Err(format!("there is no {}: run measure.sh setup, or say --peers-dir, PEERS_DIR", path.display())
                    .into())
            }
            None => Ok(()),
        }
    }

    fn python(&self) -> PathBuf {
        self.built.join("venv/bin/python")
    }

    fn rust(&self, name: &str) -> PathBuf {
        self.built.join(name).join("release").join(format!("{name}bench"))
    }

    /// Our program on a case.
    pub(super) fn ours(&self, case: &str, threads: usize, budget: f64, after: usize) -> Command {
        let mut command = Command::new(&self.ours);
        command.arg(case).args(["--threads", &threads.to_string(), "--budget", &budget.to_string()]);
        command.args(["--after", &after.to_string()]);
        command
    }

    /// A peer's program on a case.
    pub(super) fn peer(&self, variant: Variant, case: &str, threads: usize, budget: f64) -> Command {
        let mut command = match variant.setting.program {
            Program::Burn => Command::new(self.rust("burn")),
            Program::Candle => Command::new(self.rust("candle")),
            Program::Torch => self.script("torch_train.py", threads),
            Program::Jax => self.script("jax_train.py", threads),
        };
        command.arg(case);
        environment(&mut command, threads, budget);
        command.envs(variant.setting.environment.iter().copied());
        if variant.tuned {
            command.envs(TUNED);
        }
        command
    }

    /// The augmentation libraries' program, on some cases.
    pub(super) fn augment(&self, threads: usize, cases: &[String], budget: f64) -> Command {
        let mut command = self.script("augment_bench.py", threads);
        command.args(cases);
        environment(&mut command, threads, budget);
        // Without looking for newer versions of itself, or telling anyone of its use.
        command.env("NO_ALBUMENTATIONS_UPDATE", "1").env("NO_ALBUMENTATIONS_TELEMETRY", "1");
        command
    }

    /// PyTorch's program for single operations.
    pub(super) fn torch_ops(&self, threads: usize, words: &[&str]) -> Command {
        let mut command = self.script("torch_ops.py", threads);
        command.args(words);
        environment(&mut command, threads, 1.0);
        command
    }

    fn script(&self, name: &str, threads: usize) -> Command {
        let mut command = Command::new(self.python());
        command.current_dir(self.sources.join("python")).arg(name).arg(threads.to_string());
        command
    }
}

/// Threads and seconds, in every way that some peer wants to be told.
fn environment(command: &mut Command, threads: usize, budget: f64) {
    const NAMES: [&str; 7] = [
        "THREADS",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "RAYON_NUM_THREADS",
        "CANDLE_NUM_THREADS",
        "MATMUL_NUM_THREADS",
    ];
    command.envs(NAMES.map(|name| (name, threads.to_string()))).env("BUDGET", budget.to_string());
}

/// What a program printed, and what it had in memory at most.
#[derive(Debug)]
pub(super) struct Ran {
    /// Its standard output.
    pub(super) output: String,
    /// Peak memory in MB, where the system tells it.
    pub(super) peak_mb: Option<f64>,
}

impl Ran {
    /// The line of a case.
    pub(super) fn line(&self, case: &str) -> Option<Line> {
        lines::<Line>(&self.output).into_iter().find(|line| line.case == case)
    }
}

/// Runs a program to its end, or ends it after `limit`; `None` then, or if it fails.
pub(super) fn run(mut command: Command, limit: Duration) -> Result<Option<Ran>, Failure> {
    let name = Path::new(command.get_program()).display().to_string();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("{name}: {e}"))?;
    let mut stdout = child.stdout.take().ok_or("no output to read")?;
    let reader = std::thread::spawn(move || {
        let mut output = String::new();
        stdout.read_to_string(&mut output).map(|_| output)
    });
    let status_file = format!("/proc/{}/status", child.id());
    let (begin, mut peak) = (Instant::now(), None);
    let status = loop {
        // The peak never falls, so the last look at it is the one that counts.
        peak = std::fs::read_to_string(&status_file).ok().and_then(|status| peak_mb(&status)).or(peak);
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if begin.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if !status.is_some_and(|status| status.success()) {
        return Ok(None);
    }
    let output = reader.join().map_err(|_| "reading the output failed")??;
    Ok(Some(Ran { output, peak_mb: peak }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn programs() -> Programs {
        Programs { ours: "ours".into(), sources: "peers".into(), built: "built".into() }
    }

    fn variable<'a>(command: &'a Command, name: &str) -> Option<&'a str> {
        command.get_envs().find(|(key, _)| *key == name).and_then(|(_, value)| value?.to_str())
    }

    #[test]
    fn variants_have_names_of_their_own_and_fit_the_case() {
        let names: BTreeSet<String> = variants(true).iter().map(Variant::name).collect();
        assert_eq!(names.len(), 13);
        assert_eq!(names.len(), variants(true).len());
        assert!(!names.contains("JAX jit, tuned allocator"));
        assert_eq!(variants(false).len(), 11);
        assert!(variants(false).iter().all(|variant| !variant.name().contains("channels last")));
    }

    #[test]
    fn a_peer_is_told_its_setting() {
        let tuned =
            variants(true).into_iter().find(|v| v.name() == "PyTorch compiled, fused, tuned allocator").unwrap();
        let command = programs().peer(tuned, "lenet_b64", 2, 0.5);
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, ["torch_train.py", "2", "lenet_b64"]);
        for (name, value) in [("MODE", "compile"), ("FUSED", "1"), ("OMP_NUM_THREADS", "2"), ("BUDGET", "0.5")] {
            assert_eq!(variable(&command, name), Some(value));
        }
        assert_eq!(variable(&command, "MALLOC_TOP_PAD_"), Some("268435456"));
        let eager = programs().peer(variants(true)[0], "lenet_b64", 1, 0.5);
        assert_eq!((variable(&eager, "MALLOC_TOP_PAD_"), variable(&eager, "MODE")), (None, None));
    }

    #[test]
    fn lines_of_json_are_read_among_others() {
        let output = "#FAIL torch x\n{\"peer\": \"jax0.9\", \"case\": \"a\", \"threads\": 1, \"ms\": 1.5}\n{}\n";
        let ran = Ran { output: output.into(), peak_mb: None };
        let line = ran.line("a").unwrap();
        assert_eq!((line.peer.as_str(), line.ms, line.cpu_ms), ("jax0.9", 1.5, None));
        assert!(ran.line("b").is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        assert!(run(shell("exec sleep 60"), Duration::from_millis(50)).unwrap().is_none());
        assert!(run(shell("exit 3"), Duration::from_secs(60)).unwrap().is_none());
        assert_eq!(run(shell("echo done"), Duration::from_secs(60)).unwrap().unwrap().output, "done\n");
        assert!(run(Command::new("no-such-program-of-ours"), Duration::from_secs(1)).is_err());
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(programs().check().unwrap_err().to_string().contains("torch_train.py"));
    }
}
