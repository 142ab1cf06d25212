//! What the tasks know about the workspace, from `cargo metadata`.

use crate::{Failure, run};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, TargetKind};
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The packages of this workspace and where they lie.
pub(crate) struct Workspace {
    /// The folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Where builds go.
    pub(crate) target: PathBuf,
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo, from the folder the task was called in.
    pub(crate) fn load() -> Result<Self, Failure> {
        let metadata = MetadataCommand::new().cargo_path(run::cargo_path()).no_deps().exec()?;
        Ok(Workspace {
            root: metadata.workspace_root.clone().into(),
            target: metadata.target_directory.clone().into(),
            metadata,
        })
    }

    /// All packages, examples and this program included, sorted by name.
    pub(crate) fn packages(&self) -> Vec<&Package> {
        let mut packages = self.metadata.workspace_packages();
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        packages
    }

    /// The packages under `crates/`: what is published.
    pub(crate) fn crates(&self) -> Vec<&Package> {
        let folder = self.root.join("crates");
        self.packages().into_iter().filter(|p| p.manifest_path.as_std_path().starts_with(&folder)).collect()
    }

    /// The packages of this workspace that a package needs to be built and used, by name; what only its tests need is left out.
    pub(crate) fn needs(&self, package: &Package) -> Vec<String> {
        let ours = |name: &str| self.metadata.workspace_packages().iter().any(|p| p.name == name);
        package
            .dependencies
            .iter()
            .filter(|d| matches!(d.kind, DependencyKind::Normal | DependencyKind::Build) && ours(&d.name))
            .map(|d| d.name.clone())
            .collect()
    }

    /// Makes a folder outside into a workspace of its own, with our profiles and our lock file, so that what is built there in our
    /// target folder can use what was built here.
    ///
    /// `patches` are packages that are taken from a folder in it, whoever asks for them. Cargo warns of settings for packages that are not
    /// needed there, if it is not told to be quiet.
    pub(crate) fn found(&self, folder: &Path, members: &[String], patches: &[(String, String)]) -> Result<(), Failure> {
        let ours: Table = fs::read_to_string(self.root.join("Cargo.toml"))?.parse()?;
        let mut manifest = Table::new();
        let names = members.iter().map(|name| Value::from(name.as_str())).collect::<Vec<_>>();
        let workspace = [("resolver", Value::from("3")), ("members", Value::from(names))];
        manifest.insert("workspace".into(), Value::Table(table(workspace)));
        if let Some(profiles) = ours.get("profile") {
            manifest.insert("profile".into(), profiles.clone());
        }
        if !patches.is_empty() {
            let path = |path: &String| Value::Table(table([("path", Value::from(path.as_str()))]));
            let patches = table(patches.iter().map(|(name, folder)| (name.as_str(), path(folder))));
            manifest.insert("patch".into(), Value::Table(table([("crates-io", Value::Table(patches))])));
        }
        fs::write(folder.join("Cargo.toml"), manifest.to_string())?;
        fs::copy(self.root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        Ok(())
    }

    /// A path as the rules report it: relative to the root, with slashes.
    pub(crate) fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        path.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
    }
}

fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Table {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The folder a package lies in.
pub(crate) fn folder(package: &Package) -> &Path {
    let manifest = package.manifest_path.as_std_path();
    manifest.parent().unwrap_or(manifest)
}

/// Whether others can depend on it.
pub(crate) fn is_library(package: &Package) -> bool {
    let library = |kind: &TargetKind| matches!(kind, TargetKind::Lib | TargetKind::RLib | TargetKind::ProcMacro);
    package.targets.iter().any(|t| t.kind.iter().any(library))
}

/// The name of a crate as the folders and the tables spell it: `gradwise-tensor` is `tensor`.
pub(crate) fn short(package: &str) -> &str {
    package.strip_prefix("gradwise-").unwrap_or(package)
}
