//! The test programs, and what they say is in them.

use super::table::{Item, Test};
use crate::Failure;
use crate::run::output;
use crate::workspace::{Workspace, short};
use cargo_metadata::{Message, TargetKind};
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A test program.
#[derive(Debug)]
pub(crate) struct Program {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Where cargo runs it.
    pub(crate) folder: PathBuf,
    /// The names of its tests.
    pub(crate) tests: BTreeSet<String>,
}

/// The programs, by package and target.
pub(crate) type Programs = BTreeMap<(String, String), Program>;

/// Our libraries that they were built with, by the names they are imported by.
pub(crate) type Libraries = BTreeMap<String, PathBuf>;

/// Builds test programs with a command, and asks each for its list.
pub(crate) fn build(workspace: &Workspace, mut command: Command) -> Result<(Programs, Libraries), Failure> {
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let output = BufReader::new(child.stdout.take().ok_or("no output to read")?);
    let packages = workspace.packages();
    let (mut programs, mut libraries) = (Programs::new(), Libraries::new());
    for message in Message::parse_stream(output) {
        let Message::CompilerArtifact(artifact) = message? else { continue };
        let Some(package) = packages.iter().find(|package| package.id == artifact.package_id) else { continue };
        if artifact.target.kind.contains(&TargetKind::Lib) && !artifact.profile.test {
            // What the compiler needs of a library to compile against it; its name tells which of several builds it is of.
            let library = artifact.filenames.iter().find(|file| file.extension() == Some("rmeta"));
            libraries.extend(library.map(|file| (artifact.target.name.clone(), file.clone().into_std_path_buf())));
        }
        let Some(path) = artifact.executable.filter(|_| artifact.profile.test) else { continue };
        let target = match artifact.target.kind.first() {
            Some(TargetKind::Test) => artifact.target.name,
            Some(TargetKind::Bin) => "bin".to_owned(),
            _ => "lib".to_owned(),
        };
        let path = path.into_std_path_buf();
        let folder = crate::workspace::folder(package).to_path_buf();
        let tests = list(&path)?;
        programs.insert((short(&package.name).to_owned(), target), Program { path, folder, tests });
    }
    let done = child.wait()?;
    if done.success() {
        Ok((programs, libraries))
    } else {
        Err(format!("the test programs do not build ({done})").into())
    }
}

/// What the runner lists.
fn list(program: &PathBuf) -> Result<BTreeSet<String>, Failure> {
    let mut command = Command::new(program);
    command.args(["--list", "--format", "terse"]).stdin(Stdio::null());
    Ok(names(&output(command)?))
}

/// The tests in lines such as `module::name: test`.
fn names(list: &str) -> BTreeSet<String> {
    list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// The program that a test is in.
pub(crate) fn of<'a>(programs: &'a Programs, test: &Test) -> Option<&'a Program> {
    let program = programs.get(&(test.package.clone(), test.target.clone()))?;
    program.tests.contains(&test.name).then_some(program)
}

/// Tells the items whose test is in no program.
pub(crate) fn check(programs: &Programs, items: &[Item]) -> Vec<String> {
    let tests = items.iter().filter_map(|item| Some((item, item.test.as_ref()?)));
    let missing = tests.filter(|(_, test)| of(programs, test).is_none());
    missing.map(|(item, test)| format!("{item}: no test {test}")).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Programs of one with these tests, `a b`.
    pub(crate) fn programs(path: PathBuf, tests: &[&str]) -> Programs {
        let tests = tests.iter().map(ToString::to_string).collect();
        Programs::from([(("a".into(), "b".into()), Program { path, folder: ".".into(), tests })])
    }

    #[test]
    fn a_test_that_is_not_there_is_told_by_its_item() {
        let item = |name: &str, test: &str| Item {
            part: "p".into(),
            name: name.into(),
            paths: Vec::new(),
            test: Some(test.parse().unwrap()),
            flips: Vec::new(),
            remark: None,
        };
        let programs = programs(PathBuf::new(), &["m::f"]);
        let items = [item("x", "a b m::f"), item("y", "a b m::g"), item("z", "a c m::f")];
        assert_eq!(check(&programs, &items), ["p: y: no test a b m::g", "p: z: no test a c m::f"]);
    }

    #[test]
    fn lists_are_read() {
        assert_eq!(names("m::f: test\nbench: benchmark\ng: test\n"), BTreeSet::from(["g".into(), "m::f".into()]));
        let own = list(&std::env::current_exe().unwrap()).unwrap();
        assert!(own.contains("inventory::programs::tests::lists_are_read"), "{own:?}");
    }
}
