#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod args;
mod augment;
mod failure;
mod photo;
mod pictures;
mod recipe;
mod report;
mod sheet;
mod source;
mod train;
mod words;

use args::{Cli, Command};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Cli { command, train } = Cli::parse();
    let result = match command {
        None => train::run(&train),
        Some(Command::Train(train)) => match &train.recipe {
            Some(file) => recipe::train(file, &train.options),
            None => train::run(&train.options),
        },
        Some(Command::Recipe(command)) => recipe::run(&command),
        Some(Command::Augment(augment)) => augment::run(&augment),
        Some(Command::Report(report)) => pictures::report(&report),
        Some(Command::Compare(compare)) => pictures::compare(&compare),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // If nobody can be told, the code still tells.
            let _ = writeln!(std::io::stderr(), "gradwise: {failure}");
            failure.exit_code()
        }
    }
}
