//! `cargo xtask tidy`: the rules of the workspace, each with its reason.
//!
//! A rule is a plain function from facts (a manifest, a list of edges, a source file) to violations, so that each is tested with an
//! input that breaks it. This module gathers the facts, and tells what was found.

mod budget;
mod edges;
mod manifest;
mod snippet;
mod source;

use crate::Failure;
use crate::workspace::{Workspace, folder, is_library, short};
use source::Source;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A rule of the workspace.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    /// Its name, in reports.
    name: &'static str,
    /// Why it is one.
    why: &'static str,
}

/// A place that breaks a rule.
#[derive(Debug)]
struct Violation {
    rule: &'static Rule,
    /// A file, with its line where that helps, or a package.
    place: String,
    /// What is wrong there, and what would be right.
    what: String,
}

impl Violation {
    fn new(rule: &'static Rule, place: impl Into<String>, what: impl Into<String>) -> Self {
        Violation { rule, place: place.into(), what: what.into() }
    }
}

/// The task by itself.
pub(crate) fn run() -> Result<(), Failure> {
    check(&Workspace::load()?)
}

/// Checks all rules, and tells every violation before it fails.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Failure> {
    let mut violations = Vec::new();
    check_edges(workspace, &mut violations);
    check_budgets(workspace, &mut violations)?;
    check_manifests(workspace, &mut violations)?;
    let n_files = check_files(workspace, &mut violations)?;
    if violations.is_empty() {
        println!("tidy: {} crates, {n_files} files", workspace.crates().len());
        return Ok(());
    }
    print!("{}", report(&violations));
    let rules: Vec<&str> = by_rule(&violations).into_keys().collect();
    Err(format!("{} violations of: {}", violations.len(), rules.join(", ")).into())
}

fn by_rule(violations: &[Violation]) -> BTreeMap<&'static str, Vec<&Violation>> {
    let mut rules = BTreeMap::<_, Vec<_>>::new();
    for violation in violations {
        rules.entry(violation.rule.name).or_default().push(violation);
    }
    rules
}

/// The violations by rule, each rule with its reason once.
fn report(violations: &[Violation]) -> String {
    let mut text = String::new();
    for (name, violations) in by_rule(violations) {
        text += &format!("{name}: {}\n", violations[0].rule.why);
        for violation in violations {
            text += &format!("  {}: {}\n", violation.place, violation.what);
        }
    }
    text
}

fn check_edges(workspace: &Workspace, violations: &mut Vec<Violation>) {
    let mut graph = BTreeMap::new();
    for package in workspace.crates() {
        let needs = workspace.needs(package).iter().map(|name| short(name).to_owned()).collect();
        graph.insert(short(&package.name).to_owned(), needs);
    }
    violations.extend(edges::check(&graph));
}

fn check_budgets(workspace: &Workspace, violations: &mut Vec<Violation>) -> Result<(), Failure> {
    for package in workspace.crates() {
        if let Some(budget) = budget::of(short(&package.name)) {
            let tree = budget::tree(&workspace.root, &package.name)?;
            violations.extend(budget::check(&package.name, &tree, budget));
        }
    }
    Ok(())
}

fn check_manifests(workspace: &Workspace, violations: &mut Vec<Violation>) -> Result<(), Failure> {
    for package in workspace.packages() {
        let text = fs::read_to_string(&package.manifest_path)?;
        let place = workspace.relative(package.manifest_path.as_std_path());
        violations.extend(manifest::check_versions(&place, &text)?);
    }
    for package in workspace.crates() {
        let text = fs::read_to_string(&package.manifest_path)?;
        let place = workspace.relative(package.manifest_path.as_std_path());
        violations.extend(manifest::check_metadata(&place, &text)?);
        violations.extend(manifest::check_licences(&place, |file| folder(package).join(file).exists()));
        let readme = folder(package).join("README.md");
        let front = is_library(package).then(|| folder(package).join("src/lib.rs"));
        let front = front.map(fs::read_to_string).transpose()?;
        let readme_text = fs::read_to_string(&readme).ok();
        violations.extend(manifest::check_readme(
            &workspace.relative(&readme),
            readme_text.as_deref(),
            front.as_deref(),
        ));
    }
    Ok(())
}

/// Checks what is written in files, and returns how many there are.
fn check_files(workspace: &Workspace, violations: &mut Vec<Violation>) -> Result<usize, Failure> {
    let mut paths = Vec::new();
    for folder in ["bench", "crates", "docs", "examples", "oracle", "xtask", ".ci", ".cargo"] {
        find_files(&workspace.root.join(folder), &mut paths)?;
    }
    for entry in fs::read_dir(&workspace.root)? {
        let path = entry?.path();
        // In a second working tree, `.git` is a file that names the first.
        if path.is_file() && !path.ends_with(".git") {
            paths.push(path);
        }
    }
    paths.sort();
    let libraries: Vec<PathBuf> =
        workspace.crates().into_iter().filter(|p| is_library(p)).map(|p| folder(p).join("src")).collect();
    let mut unsafe_files = Vec::new();
    let mut n_files = 0;
    for path in &paths {
        // What is no text (stored arrays, pictures) has no rule here.
        let Ok(text) = String::from_utf8(fs::read(path)?) else { continue };
        n_files += 1;
        let place = workspace.relative(path);
        violations.extend(source::check_text(&place, &text));
        if place.ends_with(".md") {
            violations.extend(snippet::check(&place, &text, |file| fs::read_to_string(workspace.root.join(file)).ok()));
        }
        if path.extension().is_none_or(|extension| extension != "rs") || is_fixture(path) {
            continue;
        }
        let source = match Source::parse(&place, &text) {
            Ok(source) => source,
            Err(violation) => {
                violations.push(violation);
                continue;
            }
        };
        if let Some(note) = source::check_length(&source) {
            println!("{note}");
        }
        violations.extend(source::check_module_docs(&source));
        violations.extend(source::check_unfinished(&source));
        if libraries.iter().any(|folder| path.starts_with(folder)) && !is_program(path) {
            violations.extend(source::check_prints(&source));
        }
        if source.has_unsafe() {
            unsafe_files.push(place.clone());
        }
    }
    violations.extend(source::check_unsafe_files(&unsafe_files));
    for folder in libraries {
        let front = folder.join("lib.rs");
        violations.extend(source::check_forbids_unsafe(&workspace.relative(&front), &fs::read_to_string(&front)?));
    }
    Ok(n_files)
}

/// Inputs of a test, such as programs that must not compile: they lie in a folder below a package's `tests/`, where modules that
/// tests share are `mod.rs`.
fn is_fixture(path: &Path) -> bool {
    let below_tests = path.parent().and_then(Path::parent).is_some_and(|folder| folder.ends_with("tests"));
    below_tests && !path.ends_with("mod.rs")
}

/// The programs of a package that also has a library.
fn is_program(path: &Path) -> bool {
    path.ends_with("src/main.rs") || path.components().any(|c| c.as_os_str() == "bin")
}

fn find_files(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    // A folder that is not there has no files: `examples/` appears with the first example.
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            // What builds and fuzzing leave.
            if !["target", "corpus", "artifacts"].iter().any(|left| path.ends_with(left)) {
                find_files(&path, paths)?;
            }
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_rule_reason_place_and_fault() {
        const RULE: Rule = Rule { name: "no-noise", why: "noise hides what matters" };
        let violations = [Violation::new(&RULE, "a.rs:3", "noise"), Violation::new(&RULE, "b.rs:1", "more noise")];
        assert_eq!(report(&violations), "no-noise: noise hides what matters\n  a.rs:3: noise\n  b.rs:1: more noise\n");
    }

    #[test]
    fn programs_and_fixtures_are_told_by_their_place() {
        assert!(is_program(Path::new("crates/cli/src/main.rs")));
        assert!(!is_program(Path::new("crates/cli/src/domain.rs")));
        assert!(is_fixture(Path::new("crates/derive/tests/refused/union.rs")));
        assert!(!is_fixture(Path::new("crates/derive/tests/common/mod.rs")));
        assert!(!is_fixture(Path::new("crates/derive/tests/derive.rs")));
    }
}
