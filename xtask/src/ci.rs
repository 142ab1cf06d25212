//! `cargo xtask ci`: everything a change has to pass, cheapest first.
//!
//! All stages build in one target folder with the dev profile and the same compiler flags, so that one stage's artifacts serve the
//! next: clippy's are those of the single crates, the tests' are those of the examples.

use crate::run::{Tests, cargo, stream};
use crate::workspace::Workspace;
use crate::{Failure, consumers, tidy};
use cargo_metadata::{Message, TargetKind};
use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What the stages share.
pub(crate) struct Context {
    /// The workspace under test.
    pub(crate) workspace: Workspace,
    /// Results of all tests so far.
    pub(crate) tests: Tests,
}

/// One named part of the run.
pub(crate) struct Stage {
    /// Its name, as reported and as given on the command line.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) run: fn(&mut Context) -> Result<(), Failure>,
}

/// The stages, in their order.
const STAGES: &[Stage] = &[
    Stage { name: "fmt", run: fmt },
    Stage { name: "tidy", run: |cx| tidy::check(&cx.workspace) },
    Stage { name: "clippy", run: clippy },
    Stage { name: "alone", run: |cx| alone(cx, Features::NoneOrDefault) },
    Stage { name: "test", run: test },
    Stage { name: "portable", run: portable },
    Stage { name: "doc", run: doc },
    Stage { name: "doctest", run: doctest },
    Stage { name: "examples", run: examples },
    Stage { name: "consumers", run: consumers::run },
    Stage { name: "package", run: package },
];

/// The names of the stages.
pub(crate) fn stage_names() -> Vec<&'static str> {
    STAGES.iter().map(|stage| stage.name).collect()
}

/// Runs the named stages, or all of them.
pub(crate) fn run(names: &[String]) -> Result<(), Failure> {
    let stages: Vec<&Stage> = match names {
        [] => STAGES.iter().collect(),
        names => names.iter().filter_map(|name| STAGES.iter().find(|stage| stage.name == name)).collect(),
    };
    run_stages(&stages)
}

/// Runs stages until one fails, and sums up: a table of seconds, then the tests' results alone on the last line.
pub(crate) fn run_stages(stages: &[&Stage]) -> Result<(), Failure> {
    let mut cx = Context { workspace: Workspace::load()?, tests: Tests::default() };
    let mut seconds = Vec::new();
    let mut result = Ok(());
    for stage in stages {
        println!("\n== {} ==", stage.name);
        let start = Instant::now();
        result = (stage.run)(&mut cx).map_err(|failure| format!("stage {}: {failure}", stage.name).into());
        seconds.push((stage.name, start.elapsed()));
        if result.is_err() {
            break;
        }
    }
    print!("\n{}", table(&seconds, result.is_ok()));
    println!("\n{} passed, {} failed", cx.tests.passed, cx.tests.failed);
    result
}

/// The stages that ran, the time each took, and how the last one ended.
fn table(stages: &[(&str, Duration)], passed: bool) -> String {
    let mut text = String::from("stage         seconds\n");
    for (i, (name, time)) in stages.iter().enumerate() {
        let failed = if !passed && i + 1 == stages.len() { "  FAILED" } else { "" };
        text += &format!("{name:<12} {:>8.1}{failed}\n", time.as_secs_f64());
    }
    let total: Duration = stages.iter().map(|(_, time)| *time).sum();
    text + &format!("{:<12} {:>8.1}\n", "total", total.as_secs_f64())
}

/// The same formatting everywhere, the consumers and the fuzz target outside the workspace included.
fn fmt(cx: &mut Context) -> Result<(), Failure> {
    let root = &cx.workspace.root;
    stream(cargo(root, ["fmt", "--all", "--check"]), &mut cx.tests)?;
    for consumer in consumers::all(&cx.workspace)? {
        let manifest = consumer.folder.join("Cargo.toml");
        let mut command = cargo(root, ["fmt", "--check", "--manifest-path"]);
        command.arg(manifest);
        stream(command, &mut cx.tests)?;
    }
    let fuzz = root.join("crates/augment/fuzz/Cargo.toml");
    let mut command = cargo(root, ["fmt", "--check", "--manifest-path"]);
    command.arg(fuzz);
    stream(command, &mut cx.tests)
}

/// Lints, of tests and examples too; every warning is an error.
fn clippy(cx: &mut Context) -> Result<(), Failure> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    stream(cargo(&cx.workspace.root, arguments), &mut cx.tests)
}

/// Which features a crate is built with when it is built alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Features {
    /// The default ones, and none: what takes little time.
    NoneOrDefault,
    /// Each by itself.
    Each,
}

/// Each crate by itself, as someone who depends on it alone builds it. In a build of the whole workspace, one crate's features turn on
/// another's and hide what is missing.
pub(crate) fn alone(cx: &mut Context, features: Features) -> Result<(), Failure> {
    for package in cx.workspace.crates() {
        let name = package.name.as_str();
        let lint = |features: &[&str]| {
            let arguments = [&["clippy", "--package", name], features, &["--", "-D", "warnings"]].concat();
            cargo(&cx.workspace.root, arguments)
        };
        if features == Features::NoneOrDefault {
            stream(lint(&[]), &mut cx.tests)?;
            if !package.features.is_empty() {
                stream(lint(&["--no-default-features"]), &mut cx.tests)?;
            }
            continue;
        }
        for feature in package.features.keys().filter(|feature| *feature != "default") {
            stream(lint(&["--no-default-features", "--features", feature]), &mut cx.tests)?;
        }
    }
    Ok(())
}

/// Where property tests begin to draw their cases. A change passes or fails by what it is, not by luck; every night, cases that nobody has
/// seen are drawn.
const SEED: (&str, &str) = ("PROPTEST_RNG_SEED", "20261124");

/// Unit and integration tests of the whole workspace; all of them run, so that one run tells every failure.
fn test(cx: &mut Context) -> Result<(), Failure> {
    let arguments = ["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"];
    let mut command = cargo(&cx.workspace.root, arguments);
    command.env(SEED.0, SEED.1);
    stream(command, &mut cx.tests)
}

/// The tests of the kernels once more, in the form for processors without vector extensions; all other tests run so every night.
fn portable(cx: &mut Context) -> Result<(), Failure> {
    let arguments = ["test", "--workspace", "--no-fail-fast", "--test", "kernels", "--test", "pytorch"];
    let mut command = cargo(&cx.workspace.root, arguments);
    command.env("GRADWISE_SIMD", "portable").env(SEED.0, SEED.1);
    stream(command, &mut cx.tests)
}

/// The documentation builds without a warning: no broken link, nothing public undescribed.
fn doc(cx: &mut Context) -> Result<(), Failure> {
    let mut command = cargo(&cx.workspace.root, ["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    stream(command, &mut cx.tests)
}

/// Every example in the documentation runs, those of the crates' README files included.
fn doctest(cx: &mut Context) -> Result<(), Failure> {
    stream(cargo(&cx.workspace.root, ["test", "--workspace", "--no-fail-fast", "--doc"]), &mut cx.tests)
}

/// Every example program of the workspace builds, and runs to its end in its short form.
///
/// The short form is asked for by `GRADWISE_QUICK=1` in the environment: fewer epochs or samples, the same code.
fn examples(cx: &mut Context) -> Result<(), Failure> {
    for program in build_examples(&cx.workspace)? {
        let start = Instant::now();
        let mut command = Command::new(program);
        command.current_dir(&cx.workspace.root).env("GRADWISE_QUICK", "1").stdin(Stdio::null());
        stream(command, &mut cx.tests)?;
        println!("({:.1} s)\n", start.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Builds the examples of all packages and returns the programs in the order of their names.
///
/// They are built for the whole workspace, with the features that the tests were built with.
fn build_examples(workspace: &Workspace) -> Result<BTreeSet<PathBuf>, Failure> {
    let example = |t: &cargo_metadata::Target| t.kind.contains(&TargetKind::Example);
    let expected = workspace.packages().iter().flat_map(|p| &p.targets).filter(|t| example(t)).count();
    if expected == 0 {
        println!("no package has an example");
        return Ok(BTreeSet::new());
    }
    let programs = build(cargo(&workspace.root, ["build", "--workspace", "--examples"]), example)?;
    if programs.len() != expected {
        return Err(format!("{expected} examples, but {} programs were built", programs.len()).into());
    }
    Ok(programs)
}

/// Runs a cargo command that builds, and returns the programs it made of the wanted targets.
pub(crate) fn build(
    mut command: Command,
    wanted: impl Fn(&cargo_metadata::Target) -> bool,
) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut child = command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped()).spawn()?;
    let output = BufReader::new(child.stdout.take().ok_or("no output to read")?);
    let mut programs = BTreeSet::new();
    for message in Message::parse_stream(output) {
        if let Message::CompilerArtifact(artifact) = message?
            && wanted(&artifact.target)
            && let Some(program) = artifact.executable
        {
            programs.insert(program.into_std_path_buf());
        }
    }
    let status = child.wait()?;
    if status.success() { Ok(programs) } else { Err(format!("the programs do not build ({status})").into()) }
}

/// What would be published is complete: every crate is packed, and what was packed is compiled, away from its folder.
///
/// Cargo's own check would build each crate and all it needs anew, for minutes; compiling all unpacked crates together, as far as to
/// find what is missing, takes what the lints left in the target folder.
fn package(cx: &mut Context) -> Result<(), Failure> {
    let crates = cx.workspace.crates();
    let mut command = cargo(&cx.workspace.root, ["package", "--allow-dirty", "--no-verify"]);
    for package in &crates {
        command.args(["--package", package.name.as_str()]);
    }
    stream(command, &mut cx.tests)?;
    let packed = cx.workspace.target.join("package");
    let unpacked = tempfile::Builder::new().prefix("gradwise-packages-").tempdir()?;
    let names: Vec<String> = crates.iter().map(|package| format!("{}-{}", package.name, package.version)).collect();
    for name in &names {
        let mut command = Command::new("tar");
        command.arg("-xzf").arg(packed.join(format!("{name}.crate"))).current_dir(unpacked.path());
        stream(command, &mut cx.tests)?;
    }
    let patches: Vec<_> = crates.iter().map(|package| package.name.to_string()).zip(names.iter().cloned()).collect();
    cx.workspace.found(unpacked.path(), &names, &patches)?;
    let mut command = cargo(unpacked.path(), ["check", "--quiet", "--workspace"]);
    command.env("CARGO_TARGET_DIR", &cx.workspace.target);
    stream(command, &mut cx.tests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_times_and_where_it_failed() {
        let stages = [("fmt", Duration::from_millis(1240)), ("clippy", Duration::from_secs(61))];
        assert_eq!(
            table(&stages, false),
            "stage         seconds\n\
             fmt               1.2\n\
             clippy           61.0  FAILED\n\
             total            62.2\n"
        );
        assert!(!table(&stages, true).contains("FAILED"));
    }

    #[test]
    fn stages_have_unique_names() {
        let names: BTreeSet<_> = stage_names().into_iter().collect();
        assert_eq!(names.len(), STAGES.len());
    }
}
