//! Whether the paths are there: a crate that uses each of them is made, and compiled.
//!
//! It is compiled against the libraries that the tests have been built with, by the compiler itself: cargo would choose features anew, and
//! build for minutes what is there already.

use super::programs::Libraries;
use super::table::Item;
use crate::Failure;
use cargo_metadata::diagnostic::{Diagnostic, DiagnosticLevel};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The source of the crate, one path a line, and the item that each line is of.
struct Source<'a> {
    text: String,
    items: BTreeMap<usize, (&'a Item, &'a str)>,
}

/// Writes a crate that uses all paths. What is a type's own, is named as a value; whatever else there is, is imported.
fn source<'a>(items: &'a [Item], crate_name: impl Fn(&str) -> String) -> Source<'a> {
    let mut text = String::from("#![allow(unused)]\n");
    let mut lines = BTreeMap::new();
    let paths = items.iter().flat_map(|item| item.paths.iter().map(move |path| (item, path.as_str())));
    for (number, (item, path)) in paths.enumerate() {
        let (first, rest) = path.split_once("::").unwrap_or((path, ""));
        let full = format!("{}::{rest}", crate_name(first));
        // `module::Type::<f32>::function`, and neither `module::Type` nor `module::function::<f32>`.
        let owner = rest.rsplit_once("::").map_or("", |(owner, _)| owner);
        let name = owner.rsplit("::").find(|part| !part.starts_with('<')).unwrap_or("");
        let line = if name.starts_with(char::is_uppercase) {
            format!("fn f{number}() {{ let _ = {full}; }}")
        } else {
            format!("use {full} as _;")
        };
        text += &format!("{line}\n");
        lines.insert(number + 2, (item, path));
    }
    Source { text, items: lines }
}

/// The name that crates are imported by, from their short one.
fn crate_name(short: &str) -> String {
    if short == "gradwise" { short.to_owned() } else { format!("gradwise_{short}") }
}

/// Compiles the crate in a folder, and tells the paths that are not there.
pub(crate) fn check(folder: &Path, libraries: &Libraries, items: &[Item]) -> Result<Vec<String>, Failure> {
    compile(folder, libraries, &source(items, crate_name))
}

fn compile(folder: &Path, libraries: &Libraries, source: &Source<'_>) -> Result<Vec<String>, Failure> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("inventory.rs"), &source.text)?;
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--error-format=json", "inventory.rs"]);
    for (name, path) in libraries {
        command.arg("--extern").arg(format!("{name}={}", path.display()));
        if let Some(dependencies) = path.parent() {
            command.arg("-L").arg(format!("dependency={}", dependencies.display()));
        }
    }
    let output = command.current_dir(folder).stdin(Stdio::null()).output().map_err(|e| format!("rustc: {e}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let mut told = Vec::new();
    for line in errors.lines() {
        let Ok(message) = serde_json::from_str::<Diagnostic>(line) else { continue };
        if message.level != DiagnosticLevel::Error {
            continue;
        }
        for span in message.spans.iter().filter(|span| span.is_primary) {
            if let Some((item, path)) = source.items.get(&span.line_start) {
                told.push(format!("{item}: no path {path}: {}", message.message));
            }
        }
    }
    if !output.status.success() && told.is_empty() {
        return Err(format!("the crate that uses all paths does not compile: {errors}").into());
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(paths: &[&str]) -> Vec<String> {
        let item = |path: &&str| Item {
            part: "p".into(),
            name: (*path).into(),
            paths: vec![(*path).into()],
            test: None,
            flips: Vec::new(),
            remark: None,
        };
        let items: Vec<Item> = paths.iter().map(item).collect();
        let folder = tempfile::tempdir().unwrap();
        compile(folder.path(), &Libraries::new(), &source(&items, str::to_owned)).unwrap()
    }

    #[test]
    fn a_path_that_is_not_there_is_told_by_its_item() {
        let there = ["std::vec::Vec", "std::vec::Vec::<u8>::new", "std::cmp::Ordering::Less", "std::mem::swap"];
        assert_eq!(compiled(&there), [""; 0]);
        let told = compiled(&["std::vec::Vec", "std::vec::Vex", "std::nothing::Thing"]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("p: std::vec::Vex: no path std::vec::Vex: unresolved import"), "{told:?}");
        assert!(told[1].starts_with("p: std::nothing::Thing: no path std::nothing::Thing: "), "{told:?}");
    }

    #[test]
    fn a_function_of_a_type_that_is_not_there_is_told_by_its_item() {
        let told = compiled(&["std::vec::Vec::<u8>::new", "std::vec::Vec::<u8>::old"]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("p: std::vec::Vec::<u8>::old: no path std::vec::Vec::<u8>::old: no "), "{told:?}");
    }
}
