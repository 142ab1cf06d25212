//! The tests of the kernels under checkers of memory: what `unsafe` code may get wrong without any test failing.
//!
//! Both are programs that a machine may not have; a check that is skipped says so, and what it needs.

use crate::Failure;
use crate::ci::{Context, build};
use crate::run::{cargo, stream};
use cargo_metadata::{Target, TargetKind};
use std::process::{Command, Stdio};

/// The crate with the kernels.
const KERNELS: &str = "gradwise-tensor";

/// Cases of each property test, where every instruction is watched.
const FEW: (&str, &str) = ("GRADWISE_CASES", "4");

/// Valgrind's memcheck, on each dispatch path: reads and writes outside of what was allocated, and decisions on memory that was never
/// written. It sees the vector instructions as the processor does.
pub(crate) fn valgrind(cx: &mut Context) -> Result<(), Failure> {
    if !runs("valgrind", &["--version"]) {
        println!("skipped: no valgrind on this machine; install it with the system's package manager");
        return Ok(());
    }
    let test = |t: &Target| t.kind.contains(&TargetKind::Test) || t.kind.contains(&TargetKind::Lib);
    let arguments = ["test", "--package", KERNELS, "--no-run", "--lib", "--test", "kernels"];
    let programs = build(cargo(&cx.workspace.root, arguments), test)?;
    for program in programs {
        for level in [None, Some(("GRADWISE_SIMD", "portable"))] {
            let mut command = Command::new("valgrind");
            // Tests that search for the largest error over millions of numbers would take hours; they touch no memory of interest.
            command.args(["--quiet", "--error-exitcode=1"]).arg(&program).args([
                "--test-threads=1",
                "--skip",
                "math::",
            ]);
            command.current_dir(&cx.workspace.root).envs([FEW]).envs(level).stdin(Stdio::null());
            stream(command, &mut cx.tests)?;
        }
    }
    Ok(())
}

/// Miri, which interprets the program and knows the language's own rules: aliasing, alignment, provenance, data races. It has no vector
/// instructions, so it sees the portable path alone; and is so slow that it gets the unit tests and the smallest tests of kernels.
pub(crate) fn miri(cx: &mut Context) -> Result<(), Failure> {
    if !runs("cargo", &["+nightly", "miri", "--version"]) {
        println!("skipped: no Miri; `rustup toolchain install nightly --component miri,rust-src` adds it");
        return Ok(());
    }
    let mut command = Command::new("cargo");
    command.args(["+nightly", "miri", "test", "--package", KERNELS, "--lib", "--", "--skip", "math::"]);
    // The environment chooses the path, so the interpreter has to let it in. Values are compared with tolerances that the rounding
    // errors which Miri adds to mathematical functions would exceed.
    command.env("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-deterministic-floats");
    command.env("CARGO_TARGET_DIR", cx.workspace.target.join("miri"));
    command.current_dir(&cx.workspace.root).envs([FEW, ("GRADWISE_SIMD", "portable")]).stdin(Stdio::null());
    stream(command, &mut cx.tests)
}

/// Whether a program is there and answers.
pub(crate) fn runs(program: &str, arguments: &[&str]) -> bool {
    let quiet = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}
