//! Programs outside the workspace that depend on our crates by path, as a user's project does.
//!
//! What the workspace cannot see about itself shows here: a derive whose paths only hold inside, a feature that only another crate
//! turned on, a type that cannot be named from outside. The programs lie in `xtask/consumers/`, each a workspace of its own; a run
//! copies them to a folder outside of ours before it builds them.

use crate::Failure;
use crate::ci::Context;
use crate::run::{cargo, stream};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};

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
/// They share one target folder, and the workspace's lock file, so that what they have in common is built once and in the versions
/// that everything else was tested with.
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
    for consumer in all(&cx.workspace)? {
        let folder = outside.join(&consumer.name);
        copy(&consumer.folder, &folder)?;
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        fs::write(folder.join("Cargo.toml"), rooted(&manifest, &cx.workspace.root)?)?;
        fs::copy(cx.workspace.root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        for task in ["run", "test"] {
            let mut command = cargo(&folder, [task]);
            command.env("CARGO_TARGET_DIR", cx.workspace.target.join("consumers"));
            stream(command, &mut cx.tests)?;
        }
    }
    Ok(())
}

/// The manifest with absolute paths to our crates.
fn rooted(manifest: &str, root: &Path) -> Result<String, Failure> {
    if !manifest.contains("[workspace]") {
        return Err("a consumer must be a workspace of its own: its manifest needs a [workspace] table".into());
    }
    if !manifest.contains(&format!("\"{ROOT}/crates/")) {
        return Err(format!("a consumer must depend on one of our crates by a path in {ROOT}/crates").into());
    }
    // TOML strings take forward slashes as they are, on every system.
    let root = root.to_string_lossy().replace('\\', "/");
    Ok(manifest.replace(&format!("\"{ROOT}/"), &format!("\"{root}/")))
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
    fn paths_are_rooted() {
        let manifest = "[workspace]\n[dependencies]\ngradwise-optim = { path = \"../../../crates/optim\" }\n";
        let rooted = rooted(manifest, Path::new("/a/b")).unwrap();
        assert_eq!(rooted, "[workspace]\n[dependencies]\ngradwise-optim = { path = \"/a/b/crates/optim\" }\n");
    }

    #[test]
    fn a_consumer_stands_outside_and_depends_on_us() {
        let inside = "[dependencies]\ngradwise-optim = { path = \"../../../crates/optim\" }\n";
        assert!(rooted(inside, Path::new("/a")).unwrap_err().to_string().contains("[workspace]"));
        assert!(rooted("[workspace]\n", Path::new("/a")).unwrap_err().to_string().contains("by a path"));
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
