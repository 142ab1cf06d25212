//! Whether tests notice a wrong sign: each is run with one sign turned round, and has to fail.
//!
//! The signs are in the sources, as `flip!("operation/term", …)` and `flip_inputs!`, see `crates/core/src/flip.rs`. All tests are built
//! once with `--cfg gradwise_flips`; which sign is turned, the environment says. This program stands between cargo and the compiler
//! for that build, so that the flag reaches our crates alone: what they depend on is there from other builds, and need not be built again.

use super::programs::{self, Program, Programs};
use super::table::{Item, Test};
use crate::Failure;
use crate::run::cargo;
use crate::workspace::{Workspace, folder};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The flag that the sources know.
const FLAG: [&str; 2] = ["--cfg", "gradwise_flips"];

/// The variable that tells this program that it is called in the place of the compiler.
const WRAPS: &str = "GRADWISE_FLIPS_WRAPS_RUSTC";

/// The variable that names the sign.
const NAME: &str = "GRADWISE_FLIP";

/// What a run may take. A wrong sign may send a search on its way for ever.
const LIMIT: Duration = Duration::from_secs(120);

/// Property tests draw the same cases each time, leave no file behind, and need not find the smallest case that fails.
const PROPERTIES: [(&str, &str); 3] =
    [("PROPTEST_RNG_SEED", "1"), ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1"), ("PROPTEST_MAX_SHRINK_ITERS", "0")];

/// How a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    /// Killed by a signal, or by us after its time.
    Broken,
}

/// A run: a test, with a sign turned round or with none.
struct Run<'a> {
    item: &'a Item,
    test: &'a Test,
    flip: Option<&'a str>,
}

/// Where cargo calls this program in the place of the compiler, calls the compiler, with the flag; otherwise does nothing.
pub(crate) fn compiles() -> Option<ExitCode> {
    std::env::var_os(WRAPS)?;
    let mut arguments = std::env::args_os().skip(1);
    let status = Command::new(arguments.next()?).args(arguments).args(FLAG).status();
    let code = status.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    Some(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Builds the test programs that are needed, with signs that can be turned.
pub(crate) fn build(workspace: &Workspace, items: &[Item]) -> Result<Programs, Failure> {
    let tests = || items.iter().filter(|item| !item.flips.is_empty()).filter_map(|item| item.test.as_ref());
    let packages: BTreeSet<&str> = tests().map(|test| test.package.as_str()).collect();
    let targets: BTreeSet<&str> = tests().map(|test| test.target.as_str()).collect();
    let mut command = cargo(&workspace.root, ["test", "--no-run"]);
    for package in packages {
        command.args(["--package", &format!("gradwise-{package}")]);
    }
    for target in targets {
        match target {
            "lib" => command.arg("--lib"),
            "bin" => command.arg("--bins"),
            target => command.args(["--test", target]),
        };
    }
    command.env("RUSTC_WORKSPACE_WRAPPER", std::env::current_exe()?).env(WRAPS, "1");
    Ok(programs::build(workspace, command)?.0)
}

/// Runs every test as it is, and once for each sign that it has to notice; tells which did not do as they should.
pub(crate) fn check(programs: &Programs, items: &[Item]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut runs = Vec::new();
    for item in items.iter().filter(|item| !item.flips.is_empty()) {
        let Some(test) = &item.test else { continue };
        if seen.insert(test) {
            runs.push(Run { item, test, flip: None });
        }
        runs.extend(item.flips.iter().map(|flip| Run { item, test, flip: Some(flip) }));
    }
    let (next, told) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(run) = runs.get(index) else { return };
                    if let Some(fault) = fault(programs, run) {
                        told.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((index, fault));
                    }
                }
            });
        }
    });
    let mut told = told.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    told.sort();
    told.into_iter().map(|(_, fault)| fault).collect()
}

/// What is wrong with a run, if anything is.
fn fault(programs: &Programs, run: &Run<'_>) -> Option<String> {
    let Run { item, test, flip } = run;
    let Some(program) = programs::of(programs, test) else {
        return Some(format!("{item}: no test {test} where signs can be turned"));
    };
    let end = match run_test(program, test, *flip) {
        Ok(end) => end,
        Err(failure) => return Some(format!("{item}: {test}: {failure}")),
    };
    match (flip, end) {
        (None, End::Passed) | (Some(_), End::Failed) => None,
        (None, _) => Some(format!("{item}: {test} fails with every sign as it should be")),
        (Some(flip), End::Passed) => Some(format!("{item}: {test} does not notice that the sign of {flip} is turned")),
        (Some(flip), End::Broken) => Some(format!("{item}: {test} neither passes nor fails with {flip} turned")),
    }
}

/// Runs one test alone.
fn run_test(program: &Program, test: &Test, flip: Option<&str>) -> Result<End, Failure> {
    let mut command = Command::new(&program.path);
    command.args(["--exact", &test.name, "--test-threads=1", "--include-ignored"]).current_dir(&program.folder);
    command.envs(PROPERTIES).env_remove(NAME).env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(flip) = flip {
        command.env(NAME, flip);
    }
    let mut child = command.spawn()?;
    let start = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(End::Passed),
            Some(status) => return Ok(if status.code().is_some() { End::Failed } else { End::Broken }),
            None if start.elapsed() > LIMIT => {
                child.kill()?;
                child.wait()?;
                return Ok(End::Broken);
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Tells the signs in the sources that no item names: they may be turned, and nobody looks.
pub(crate) fn check_sources(workspace: &Workspace, items: &[Item]) -> Result<Vec<String>, Failure> {
    let named: BTreeSet<&str> = items.iter().flat_map(|item| &item.flips).map(String::as_str).collect();
    let mut told = Vec::new();
    for package in workspace.crates() {
        let mut files = Vec::new();
        find_sources(&folder(package).join("src"), &mut files)?;
        for file in files {
            let text = std::fs::read_to_string(&file)?;
            let forgotten = signs(&text).filter(|sign| !named.contains(sign));
            told.extend(forgotten.map(|sign| format!("{}: no item names the sign {sign}", workspace.relative(&file))));
        }
    }
    Ok(told)
}

fn find_sources(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("core/src/flip.rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// The names that are written out in a source.
fn signs(text: &str) -> impl Iterator<Item = &str> {
    text.split("flip!(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the tests below run: it notices one sign, and dies of another.
    #[test]
    #[ignore = "run by the tests of this module, with a sign turned"]
    fn victim() {
        match std::env::var(NAME).as_deref() {
            Ok("noticed") => panic!("it is turned"),
            Ok("deadly") => std::process::abort(),
            _ => {}
        }
    }

    fn item(name: &str, test: &str, flips: &[&str]) -> Item {
        Item {
            part: "p".into(),
            name: name.into(),
            paths: Vec::new(),
            test: Some(test.parse().unwrap()),
            flips: flips.iter().map(ToString::to_string).collect(),
            remark: None,
        }
    }

    #[test]
    fn a_sign_that_is_not_noticed_is_told_by_its_item() {
        let name = "inventory::flips::tests::victim";
        let programs = programs::tests::programs(std::env::current_exe().unwrap(), &[name]);
        let test = format!("a b {name}");
        let items =
            [item("x", &test, &["noticed", "missed"]), item("y", &test, &["deadly"]), item("z", "a b no", &["n"])];
        assert_eq!(
            check(&programs, &items),
            [
                format!("p: x: {test} does not notice that the sign of missed is turned"),
                format!("p: y: {test} neither passes nor fails with deadly turned"),
                "p: z: no test a b no where signs can be turned".to_owned(),
                "p: z: no test a b no where signs can be turned".to_owned(),
            ]
        );
    }

    #[test]
    fn signs_are_found_in_sources() {
        let text = "let y = flip!(\"a/b\", x);\nflip!(\n    \"c\",\n    x);\nflip!(F::NAME, x);\n";
        assert_eq!(signs(text).collect::<Vec<_>>(), ["a/b", "c"]);
    }
}
