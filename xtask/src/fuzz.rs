//! `cargo xtask fuzz`: pipelines of augmentation read from any text, on any image, for as long as one likes.
//!
//! The body is the property tests' (`crates/augment/tests/fuzz`). It is driven twice: by those tests' own examples and mistakes, which
//! needs nothing, and by libFuzzer, which looks for inputs that reach new code, where a nightly compiler and `cargo fuzz` are there.

use crate::Failure;
use crate::ci::Context;
use crate::memory::runs;
use crate::run::{Tests, cargo, stream};
use crate::workspace::Workspace;
use std::process::{Command, Stdio};

/// The crate whose inputs are made up.
const CRATE: &str = "gradwise-augment";

/// Longest input that libFuzzer makes, in bytes: a pipeline of some transforms.
const LONGEST: usize = 2048;

/// Runs both for a number of seconds each.
pub(crate) fn run(seconds: u64) -> Result<(), Failure> {
    let mut cx = Context { workspace: Workspace::load()?, tests: Tests::default() };
    examples(&mut cx, seconds)?;
    libfuzzer(&mut cx, seconds)
}

/// By examples and mistakes in them; what fails is kept in `crates/augment/fuzz/regressions.txt`.
pub(crate) fn examples(cx: &mut Context, seconds: u64) -> Result<(), Failure> {
    let test = ["--ignored", "--exact", "fuzzing::for_a_while", "--nocapture"];
    let arguments = [&["test", "--package", CRATE, "--release", "--test", "all", "--"][..], &test].concat();
    let mut command = cargo(&cx.workspace.root, arguments);
    command.env("GRADWISE_FUZZ_SECONDS", seconds.to_string());
    stream(command, &mut cx.tests)
}

/// By libFuzzer; what it learns is kept in `crates/augment/fuzz/corpus`, what fails in `crates/augment/fuzz/artifacts`.
pub(crate) fn libfuzzer(cx: &mut Context, seconds: u64) -> Result<(), Failure> {
    if !runs("cargo", &["+nightly", "fuzz", "--version"]) {
        println!("skipped: no `cargo fuzz`; `rustup toolchain install nightly` and `cargo install cargo-fuzz` add it");
        return Ok(());
    }
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz", "run", "pipelines", "--"]);
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={LONGEST}"),
        "-dict=fuzz/words.txt".to_owned(),
    ]);
    command.env("CARGO_TARGET_DIR", cx.workspace.target.join("fuzz"));
    command.current_dir(cx.workspace.root.join("crates/augment")).stdin(Stdio::null());
    stream(command, &mut cx.tests)
}
