//! Running other programs: what they print passes through, and the test runner's results are counted on the way.

use crate::Failure;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::AddAssign;
use std::path::Path;
use std::process::{Command, Stdio};

/// The cargo that runs this program, so that a toolchain chosen on the command line is kept.
pub(crate) fn cargo_path() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A cargo command, to be run in a folder.
pub(crate) fn cargo<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(cargo_path());
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    // `cargo run` describes this package to its program. Builds started from here must not see it: what a build script reads from
    // the environment would differ from a build started by hand, and be built twice.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Results of a test runner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tests {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
}

impl AddAssign for Tests {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Tests {
    /// Reads a closing line such as `test result: ok. 12 passed; 1 failed; 0 ignored; …`; anything else is no result.
    fn of_line(line: &str) -> Option<Self> {
        let counts = line.trim().strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |word: &str| {
            let part = counts.split(';').map(str::trim).find_map(|part| part.strip_suffix(word))?;
            part.trim().parse().ok()
        };
        Some(Tests { passed: count(" passed")?, failed: count(" failed")? })
    }
}

/// Runs a command to its end, passing its output through.
///
/// The results of test runners in its standard output are added to `tests`, also when the command fails.
pub(crate) fn stream(mut command: Command, tests: &mut Tests) -> Result<(), Failure> {
    let shown = show(&command);
    println!("$ {shown}");
    std::io::stdout().flush()?;
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| format!("{shown}: {e}"))?;
    relay(child.stdout.take().ok_or("no output to read")?, &mut std::io::stdout(), tests)?;
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed ({status})").into()) }
}

/// Passes text on, line by line as it comes, and counts the results in it.
fn relay(from: impl Read, to: &mut dyn Write, tests: &mut Tests) -> std::io::Result<()> {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        if let Some(results) = Tests::of_line(&String::from_utf8_lossy(&line)) {
            *tests += results;
        }
        line.clear();
    }
    Ok(())
}

/// Runs a command to its end and returns what it printed; its error output passes through.
pub(crate) fn output(mut command: Command) -> Result<String, Failure> {
    let shown = show(&command);
    let output = command.stderr(Stdio::inherit()).output().map_err(|e| format!("{shown}: {e}"))?;
    if !output.status.success() {
        return Err(format!("`{shown}` failed ({})", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A command as one would type it.
pub(crate) fn show(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.to_string_lossy(), value.to_string_lossy()));
        }
    }
    let program = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    words.push(program.to_string_lossy().into_owned());
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.into_iter().map(|w| if w.contains(' ') { format!("'{w}'") } else { w }).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_from_closing_lines_only() {
        let line =
            "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
        assert_eq!(Tests::of_line(line), Some(Tests { passed: 12, failed: 3 }));
        let line = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.00s";
        assert_eq!(Tests::of_line(line), Some(Tests::default()));
        for line in ["test tests::passed ... ok", "running 3 tests", "test result: ok", "12 passed; 3 failed", ""] {
            assert_eq!(Tests::of_line(line), None, "{line}");
        }
    }

    #[test]
    fn output_passes_unchanged_and_its_results_are_summed() {
        let text =
            b"test result: ok. 2 passed; 0 failed\nnot utf-8: \xff\ntest result: FAILED. 3 passed; 1 failed; 0 ignored";
        let (mut shown, mut tests) = (Vec::new(), Tests::default());
        relay(&text[..], &mut shown, &mut tests).unwrap();
        assert_eq!(shown, text);
        assert_eq!(tests, Tests { passed: 5, failed: 1 });
    }

    #[test]
    fn a_command_that_fails_is_told_as_it_was_typed() {
        let mut command = Command::new(cargo_path());
        command.args(["no-such-command", "two words"]).env("A", "1").stderr(Stdio::null());
        let failure = stream(command, &mut Tests::default()).unwrap_err().to_string();
        assert!(failure.starts_with("`A=1 cargo no-such-command 'two words'` failed"), "{failure}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = output(Command::new("no-such-program-of-ours")).unwrap_err().to_string();
        assert!(failure.starts_with("no-such-program-of-ours: "), "{failure}");
    }
}
