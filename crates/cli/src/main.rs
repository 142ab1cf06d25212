#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)] // This is the one place that speaks to the terminal.

mod args;
mod failure;
mod report;
mod source;
mod train;

use args::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Cli { command, train } = Cli::parse();
    let result = match command {
        None => train::run(&train),
        Some(Command::Train(train)) => train::run(&train),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("gradwise: {failure}");
            failure.exit_code()
        }
    }
}
