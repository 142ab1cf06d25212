//! `cargo xtask bench`: the training steps and the operations, timed, in release mode.

use crate::Failure;
use crate::run::{Tests, cargo, stream};
use crate::workspace::Workspace;
use clap::Args;

/// What to time, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Cases, such as `lenet_b64`; with `--ops`, words in the names of operations. Everything, if nothing is named.
    names: Vec<String>,
    /// Single operations, each as a share of what the processor does in the same moment, instead of whole steps.
    #[arg(long)]
    ops: bool,
    /// Numbers of threads, one after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    threads: Vec<usize>,
    /// Seconds for each.
    #[arg(long, default_value_t = 3.0)]
    budget: f64,
}

/// Times what the options name.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let program: &[&str] = if options.ops {
        &["bench", "--quiet", "--package", "gradwise-bench", "--bench", "ops", "--"]
    } else {
        &["run", "--quiet", "--release", "--package", "gradwise-bench", "--"]
    };
    for threads in &options.threads {
        let mut command = cargo(&workspace.root, program);
        command.args(&options.names);
        command.args(["--threads", &threads.to_string(), "--budget", &options.budget.to_string()]);
        stream(command, &mut Tests::default())?;
    }
    Ok(())
}
