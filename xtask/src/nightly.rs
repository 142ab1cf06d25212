//! `cargo xtask nightly`: what is too long for every change.

use crate::Failure;
use crate::ci::{Context, Features, Stage, alone, run_stages};
use crate::run::{cargo, stream};
use crate::{fuzz, inventory, memory};

/// How often the property tests are run. Each run draws its cases anew, so this multiplies the cases of those tests that fix their
/// number too, which `PROPTEST_CASES` does not reach.
const ROUNDS: usize = 10;

/// Cases of the property tests that leave their number open.
const CASES: (&str, &str) = ("PROPTEST_CASES", "1024");

/// Seconds of fuzzing, by each of two ways.
const FUZZING: u64 = 120;

const STAGES: &[&Stage] = &[
    // Code generated for release, where overflow wraps and debug assertions are gone; tests marked as long are included.
    &Stage { name: "release", run: |cx| test(cx, &["--include-ignored"], &[]) },
    &Stage { name: "cases", run: |cx| (0..ROUNDS).try_for_each(|_| test(cx, &[], &[CASES])) },
    // Every feature of every crate by itself.
    &Stage { name: "features", run: |cx| alone(cx, Features::Each) },
    // Every kernel in its portable form: what a processor without vector extensions computes.
    &Stage { name: "portable", run: |cx| test(cx, &[], &[("GRADWISE_SIMD", "portable")]) },
    // Reads and writes of the kernels that the language's rules cannot see.
    &Stage { name: "valgrind", run: memory::valgrind },
    &Stage { name: "miri", run: memory::miri },
    // Texts and images that nobody thought of.
    &Stage { name: "fuzz", run: |cx| fuzz::examples(cx, FUZZING).and_then(|()| fuzz::libfuzzer(cx, FUZZING)) },
    // Tests notice a wrong sign in what they test.
    &Stage { name: "inventory", run: inventory::stage },
    // Tests must not lean on running beside each other.
    &Stage { name: "one thread", run: |cx| test(cx, &["--test-threads=1"], &[]) },
];

/// Runs the long checks.
pub(crate) fn run() -> Result<(), Failure> {
    run_stages(STAGES)
}

fn test(cx: &mut Context, runner: &[&str], environment: &[(&str, &str)]) -> Result<(), Failure> {
    let arguments = ["test", "--workspace", "--release", "--no-fail-fast", "--lib", "--bins", "--tests", "--"];
    let mut command = cargo(&cx.workspace.root, [&arguments, runner].concat());
    command.envs(environment.iter().copied());
    stream(command, &mut cx.tests)
}
