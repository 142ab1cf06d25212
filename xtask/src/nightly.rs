//! `cargo xtask nightly`: what is too long for every change.

use crate::Failure;
use crate::ci::{Context, Stage, run_stages};
use crate::run::{cargo, stream};

/// Cases of each property test; a plain run has proptest's 256 or fewer.
const CASES: &str = "4096";

const STAGES: &[&Stage] = &[
    // Code generated for release, where overflow wraps and debug assertions are gone; tests marked as long are included.
    &Stage {
        name: "release",
        run: |cx| test(cx, &["--release"], &["--include-ignored"], &[("PROPTEST_CASES", CASES)]),
    },
    // Every kernel in its portable form: what a processor without vector extensions computes.
    &Stage { name: "portable", run: |cx| test(cx, &["--release"], &[], &[("GRADWISE_SIMD", "portable")]) },
    // Tests must not lean on each other or on the order of threads.
    &Stage { name: "one thread", run: |cx| test(cx, &["--release"], &["--test-threads=1"], &[]) },
];

/// Runs the long checks.
pub(crate) fn run() -> Result<(), Failure> {
    run_stages(STAGES)
}

fn test(cx: &mut Context, build: &[&str], runner: &[&str], environment: &[(&str, &str)]) -> Result<(), Failure> {
    let targets = ["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"];
    let mut command = cargo(&cx.workspace.root, [&targets, build, &["--"], runner].concat());
    command.envs(environment.iter().copied());
    stream(command, &mut cx.tests)
}
