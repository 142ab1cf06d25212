//! Programs outside the workspace that depend on our crates by path, as a user's project does.
//!
//! What the workspace cannot see about itself shows here: a derive whose paths only hold inside, a feature that only another crate
//! turned on, a type that cannot be named from outside. The programs lie in `xtask/consumers/`, each a workspace of its own; a run
//! copies them to a folder outside of ours before it builds them.

use crate::Failure;
use crate::ci::{Context, build};
use crate::run::{cargo, stream};
use crate::workspace::Workspace;
use cargo_metadata::TargetKind;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml::Table;

/// A program in `xtask/consumers/`.
pub(crate) struct Consumer {
    /// Its name.
    pub(crate) name: String,
    /// Where it lies.
    pub(crate) folder: PathBuf,
}

/// How a consumer's manifest spells the root of the workspace.
const ROOT: &str = "../../..";

/// All consumers, by name.
pub(crate) fn all(workspace: &Workspace) -> Result<Vec<Consumer>, Failure> {
    let mut consumers = Vec::new();
    for entry in fs::read_dir(workspace.root.join("xtask/consumers"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").exists() {
            consumers.push(Consumer { name: entry.file_name().to_string_lossy().into_owned(), folder: entry.path() });
        }
    }
    consumers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(consumers)
}

/// Copies each consumer out of the workspace, builds and runs it, and runs its tests.
///
/// They are built in our target folder, with our profiles, our lock file, and the features that all of them ask for: what they need is there from
/// the tests before. (With each one's features alone, the kernels would be compiled for each anew, for minutes; that every crate of ours
/// is content with the features it asks for itself is what the stage `alone` sees to.)
pub(crate) fn run(cx: &mut Context) -> Result<(), Failure> {
    let outside = std::env::temp_dir().join(format!("gradwise-consumers-{}", std::process::id()));
    let result = run_in(cx, &outside);
    // A run that failed leaves its folder for a look at it.
    if result.is_ok() {
        fs::remove_dir_all(&outside)?;
    }
    result
}

fn run_in(cx: &mut Context, outside: &Path) -> Result<(), Failure> {
    let consumers = all(&cx.workspace)?;
    for consumer in &consumers {
        let folder = outside.join(&consumer.name);
        copy(&consumer.folder, &folder)?;
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        fs::write(folder.join("Cargo.toml"), moved(&manifest, &cx.workspace.root)?)?;
    }
    cx.workspace.found(outside, &consumers.iter().map(|c| c.name.clone()).collect::<Vec<_>>(), &[])?;
    let in_ours = |arguments: &[&str]| {
        let mut command = cargo(outside, arguments.iter().copied());
        command.env("CARGO_TARGET_DIR", &cx.workspace.target);
        command
    };
    let programs = build(in_ours(&["build", "--workspace"]), |target| target.kind.contains(&TargetKind::Bin))?;
    if programs.len() != consumers.len() {
        return Err(format!("{} consumers, but {} programs were built", consumers.len(), programs.len()).into());
    }
    let tests = in_ours(&["test", "--quiet", "--workspace"]);
    for program in programs {
        let mut command = Command::new(program);
        command.current_dir(outside);
        stream(command, &mut cx.tests)?;
    }
    stream(tests, &mut cx.tests)?;
    Ok(())
}

/// The manifest with absolute paths to our crates, as a member of another workspace, which is where profiles are read.
fn moved(manifest: &str, root: &Path) -> Result<String, Failure> {
    if !manifest.contains(&format!("\"{ROOT}/crates/")) {
        return Err(format!("a consumer must depend on one of our crates by a path in {ROOT}/crates").into());
    }
    // TOML strings take forward slashes as they are, on every system.
    let root = root.to_string_lossy().replace('\\', "/");
    let mut manifest: Table = manifest.replace(&format!("\"{ROOT}/"), &format!("\"{root}/")).parse()?;
    manifest.remove("profile");
    match manifest.remove("workspace") {
        Some(_) => Ok(manifest.to_string()),
        None => Err("a consumer must be a workspace of its own: its manifest needs a [workspace] table".into()),
    }
}

/// Copies a consumer's own files; what a build by hand left beside them stays behind.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() == "target" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_finds_our_crates_and_leaves_profiles_to_its_workspace() {
        let manifest = "[workspace]\n[profile.dev]\nopt-level = 2\n[dependencies]\ngradwise-optim.path = \"../../../crates/optim\"\n";
        let moved = moved(manifest, Path::new("/a/b")).unwrap();
        assert_eq!(moved, "[dependencies.gradwise-optim]\npath = \"/a/b/crates/optim\"\n");
    }

    #[test]
    fn a_consumer_stands_outside_and_depends_on_us() {
        let inside = "[dependencies]\ngradwise-optim = { path = \"../../../crates/optim\" }\n";
        assert!(moved(inside, Path::new("/a")).unwrap_err().to_string().contains("[workspace]"));
        assert!(moved("[workspace]\n", Path::new("/a")).unwrap_err().to_string().contains("by a path"));
    }

    #[test]
    fn builds_by_hand_are_not_copied() {
        let from = tempfile::tempdir().unwrap();
        let to = tempfile::tempdir().unwrap();
        fs::create_dir_all(from.path().join("src")).unwrap();
        fs::create_dir_all(from.path().join("target/debug")).unwrap();
        fs::write(from.path().join("src/main.rs"), "fn main() {}\n").unwrap();
        copy(from.path(), to.path()).unwrap();
        assert_eq!(fs::read_to_string(to.path().join("src/main.rs")).unwrap(), "fn main() {}\n");
        assert!(!to.path().join("target").exists());
    }
}
