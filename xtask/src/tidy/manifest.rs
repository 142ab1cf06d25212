//! What a crate's manifest and its front page must have.

use super::{Rule, Violation};
use crate::Failure;
use toml::{Table, Value};

const METADATA: Rule =
    Rule { name: "metadata", why: "every crate can be published as it is, under the workspace's lints" };

const README: Rule = Rule {
    name: "readme",
    why: "a crate's README says its essence and shows the smallest example; it is the crate's documentation, so that the example is tested",
};

const VERSIONS: Rule = Rule {
    name: "versions",
    why: "a version is written once, in the root's [workspace.dependencies]; a dev-dependency by path alone has none, and \
          is dropped on publishing",
};

/// Checks that a manifest says what publishing needs.
pub(super) fn check_metadata(place: &str, manifest: &str) -> Result<Vec<Violation>, Failure> {
    let manifest: Table = manifest.parse()?;
    let mut violations = Vec::new();
    let package = manifest.get("package").and_then(Value::as_table);
    for field in ["description", "license", "readme", "keywords", "categories", "rust-version"] {
        if package.is_none_or(|package| !package.contains_key(field)) {
            violations.push(Violation::new(&METADATA, place, format!("[package] has no {field}")));
        }
    }
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
    if lints != Some(true) {
        violations.push(Violation::new(&METADATA, place, "[lints] does not say `workspace = true`"));
    }
    Ok(violations)
}

/// Checks that both licence texts lie in a crate's folder (as links to the root's), so that they are in its package.
pub(super) fn check_licences(place: &str, exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let missing = ["LICENSE-MIT", "LICENSE-APACHE"].into_iter().filter(|file| !exists(file));
    missing.map(|file| Violation::new(&METADATA, place, format!("no {file} beside it: link the root's"))).collect()
}

/// Checks a crate's README, and that the library (its `lib.rs`, where there is one) has it as its documentation.
pub(super) fn check_readme(place: &str, readme: Option<&str>, front: Option<&str>) -> Vec<Violation> {
    let Some(readme) = readme else { return vec![Violation::new(&README, place, "missing")] };
    let mut violations = Vec::new();
    if !readme.contains("```") {
        violations.push(Violation::new(&README, place, "has no example"));
    }
    if front.is_some_and(|front| !front.contains("include_str!(\"../README.md\")")) {
        violations.push(Violation::new(
            &README,
            place,
            "is not the documentation of lib.rs: `#![doc = include_str!(\"../README.md\")]`",
        ));
    }
    violations
}

/// Checks that a manifest takes every version from the workspace.
pub(super) fn check_versions(place: &str, manifest: &str) -> Result<Vec<Violation>, Failure> {
    let manifest: Table = manifest.parse()?;
    let mut violations = Vec::new();
    check_tables(place, &manifest, &mut violations);
    for target in manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values) {
        if let Some(target) = target.as_table() {
            check_tables(place, target, &mut violations);
        }
    }
    Ok(violations)
}

fn check_tables(place: &str, manifest: &Table, violations: &mut Vec<Violation>) {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, dependency) in manifest.get(kind).and_then(Value::as_table).into_iter().flatten() {
            let has = |key| dependency.get(key).is_some();
            let by_path_alone = kind == "dev-dependencies" && has("path") && !has("version");
            if dependency.get("workspace").and_then(Value::as_bool) != Some(true) && !by_path_alone {
                let what =
                    format!("[{kind}] {name} has a version or source of its own: write `{name}.workspace = true`");
                violations.push(Violation::new(&VERSIONS, place, what));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(violations: &[Violation]) -> Vec<&str> {
        violations.iter().map(|v| v.what.as_str()).collect()
    }

    #[test]
    fn missing_metadata_is_told() {
        let whole = "[package]\ndescription = 'x'\nreadme = 'README.md'\nlicense.workspace = true\nkeywords.workspace = true\n\
                     categories.workspace = true\nrust-version.workspace = true\n[lints]\nworkspace = true\n";
        assert!(check_metadata("a", whole).unwrap().is_empty());
        let violations =
            check_metadata("a", &whole.replace("description = 'x'\n", "").replace("[lints]", "[x]")).unwrap();
        assert_eq!(told(&violations), ["[package] has no description", "[lints] does not say `workspace = true`"]);
    }

    #[test]
    fn missing_licences_are_told() {
        assert!(check_licences("a", |_| true).is_empty());
        let violations = check_licences("a", |file| file == "LICENSE-MIT");
        assert_eq!(told(&violations), ["no LICENSE-APACHE beside it: link the root's"]);
    }

    #[test]
    fn a_front_page_without_example_is_told() {
        let front = "#![doc = include_str!(\"../README.md\")]\n";
        assert!(check_readme("a", Some("essence\n```rust\nf();\n```\n"), Some(front)).is_empty());
        assert_eq!(told(&check_readme("a", Some("essence\n"), Some(front))), ["has no example"]);
        assert_eq!(told(&check_readme("a", None, Some(front))), ["missing"]);
        assert_eq!(check_readme("a", Some("```\n```\n"), Some("//! Mine.\n")).len(), 1);
        // A program has no library whose documentation it could be.
        assert!(check_readme("a", Some("```sh\ngradwise\n```\n"), None).is_empty());
    }

    #[test]
    fn a_version_beside_the_workspace_is_told() {
        let good = "[dependencies]\nndarray.workspace = true\nserde = { workspace = true, optional = true }\n\
                    [dev-dependencies]\nother = { path = '../other' }\n";
        assert!(check_versions("a", good).unwrap().is_empty());
        for bad in [
            "[dependencies]\nndarray = '0.17'\n",
            "[dependencies.ndarray]\nversion = '0.17'\n",
            "[dependencies]\nother = { path = '../other' }\n",
            "[dev-dependencies]\nother = { path = '../other', version = '1' }\n",
            "[build-dependencies]\ncc = { git = 'x' }\n",
            "[target.'cfg(unix)'.dependencies]\nlibc = '0.2'\n",
        ] {
            assert_eq!(check_versions("a", bad).unwrap().len(), 1, "{bad}");
        }
    }
}
