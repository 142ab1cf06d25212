//! How many packages a crate pulls in.

use super::{Rule, Violation};
use crate::Failure;
use crate::run::{cargo, output};
use std::collections::BTreeSet;
use std::path::Path;

const BUDGET: Rule = Rule {
    name: "budget",
    why: "someone who picks one crate should not pay for the others; put what is heavy behind a feature that is off by default",
};

/// Packages a crate may pull in with its default features, itself included. ndarray, num-traits and thiserror alone are 13.
const BUDGETS: &[(&str, usize)] = &[
    ("optim", 20),
    ("regularize", 20),
    ("metrics", 20),
    ("doctor", 20),
    ("autograd", 20),
    ("tensor", 45),
    ("augment", 40),
    ("data", 28),
    ("report", 40),
];

/// The budget of a crate, if it has one.
pub(super) fn of(name: &str) -> Option<usize> {
    BUDGETS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, budget)| *budget)
}

/// What `cargo tree` says about a package: one package a line, some more than once.
pub(super) fn tree(root: &Path, package: &str) -> Result<String, Failure> {
    output(cargo(root, ["tree", "--package", package, "--edges", "normal", "--prefix", "none"]))
}

/// The packages in a tree, each once.
fn packages(tree: &str) -> BTreeSet<&str> {
    tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect()
}

/// Checks a tree against a budget.
pub(super) fn check(package: &str, tree: &str, budget: usize) -> Option<Violation> {
    let packages = packages(tree);
    (packages.len() > budget).then(|| {
        let names: Vec<&str> = packages.iter().filter_map(|line| line.split(' ').next()).collect();
        let what = format!("pulls in {} packages, its budget is {budget}: {}", packages.len(), names.join(", "));
        Violation::new(&BUDGET, package, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "optim v0.1.0 (/x)\ncore v0.1.0 (/y)\nndarray v0.17.2\nnum-traits v0.2.19\nndarray v0.17.2 (*)\n\
                        num-traits v0.2.19\n";

    #[test]
    fn a_package_counts_once() {
        assert_eq!(packages(TREE).len(), 4);
        assert!(check("optim", TREE, 4).is_none());
    }

    #[test]
    fn a_package_too_many_is_told() {
        let violation = check("optim", TREE, 3).unwrap();
        assert_eq!(violation.what, "pulls in 4 packages, its budget is 3: core, ndarray, num-traits, optim");
    }

    #[test]
    fn two_versions_of_a_package_are_two() {
        assert_eq!(packages("rand v0.9.0\nrand v0.10.0\n").len(), 2);
    }
}
