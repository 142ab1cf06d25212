//! The checks of the workspace, as a plain program: `cargo xtask ci`, `cargo xtask tidy`, `cargo xtask inventory`,
//! `cargo xtask nightly`; and its measurements: `cargo xtask bench`.
//!
//! Everything that has to be remembered about this workspace (which crate may depend on which, where `unsafe` is allowed, what a
//! release needs) is written down here as code that fails with the rule's name and its reason. Nothing here is needed to build or to
//! use the crates.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // A program for the terminal.

mod bench;
mod ci;
mod consumers;
mod fuzz;
mod inventory;
mod memory;
mod nightly;
mod run;
mod tidy;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Checks of the gradwise workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything a change has to pass, cheapest first; stops at the first failure.
    Ci {
        /// Run only these stages, in this order.
        #[arg(value_parser = ci::stage_names())]
        stages: Vec<String>,
    },
    /// The rules of the workspace: edges between crates, package budgets, where unsafe and printing are allowed.
    Tidy,
    /// The speed of training steps and operations.
    Bench(bench::Options),
    /// What the catalogue of tricks asks for: where each item is, and whether its test notices a wrong sign in it.
    Inventory(inventory::Options),
    /// Pipelines of augmentation from any text on any image, made up for a while.
    Fuzz {
        /// How long, by each of the two ways.
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u64,
    },
    /// The long checks: many more property cases, release builds, the kernels without vector extensions and under memory checkers.
    Nightly,
}

fn main() -> ExitCode {
    if let Some(code) = inventory::compiles() {
        return code;
    }
    let done = match Arguments::parse().task {
        Task::Ci { stages } => ci::run(&stages),
        Task::Tidy => tidy::run(),
        Task::Bench(options) => bench::run(&options),
        Task::Inventory(options) => inventory::run(&options),
        Task::Fuzz { seconds } => fuzz::run(seconds),
        Task::Nightly => nightly::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What went wrong, in words. There is nobody here to match on kinds of errors.
type Failure = Box<dyn std::error::Error>;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }
}
