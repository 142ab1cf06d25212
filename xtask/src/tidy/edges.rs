//! Which crate may depend on which.

use super::{Rule, Violation};
use std::collections::{BTreeMap, BTreeSet};

const EDGES: Rule = Rule {
    name: "edges",
    why: "each crate is useful alone because it needs so little: see the table in xtask/src/tidy/edges.rs and ARCHITECTURE.md",
};

const NEVER: Rule = Rule {
    name: "never",
    why: "these crates serve people who bring their own tape, layers or loop; not even indirectly may they need ours",
};

/// What a crate may depend on, besides nothing of ours.
enum May {
    Need(&'static [&'static str]),
    NeedAll,
}

/// The crates, and which of ours each may need to be built and used. What only tests need is free.
const TABLE: &[(&str, May)] = &[
    ("core", May::Need(&[])),
    ("derive", May::Need(&[])),
    ("tensor", May::Need(&["core"])),
    ("autograd", May::Need(&["core", "derive"])),
    ("init", May::Need(&["core"])),
    ("layers", May::Need(&["core", "derive", "tensor", "autograd", "init"])),
    ("optim", May::Need(&["core"])),
    ("regularize", May::Need(&["core"])),
    ("metrics", May::Need(&["core"])),
    ("augment", May::Need(&[])),
    ("data", May::Need(&["core"])),
    ("train", May::Need(&["core", "autograd", "optim", "regularize", "metrics", "data"])),
    ("doctor", May::Need(&["core"])),
    ("recipe", May::NeedAll),
    ("report", May::Need(&["core"])),
    ("experiments", May::Need(&["recipe", "doctor", "report"])),
    ("gradwise", May::NeedAll),
    ("cli", May::Need(&["gradwise", "experiments"])),
];

/// Crates that a crate must not reach by any chain of dependencies, whatever the table comes to say.
const NEVERS: &[(&str, &[&str])] = &[
    ("optim", &["autograd"]),
    ("regularize", &["autograd"]),
    ("doctor", &["autograd"]),
    ("train", &["layers", "tensor", "doctor"]),
    ("tensor", &["autograd"]),
];

/// Checks the graph of dependencies: each crate with those of ours it needs.
pub(super) fn check(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (from, needs) in graph {
        let Some((_, may)) = TABLE.iter().find(|(name, _)| name == from) else {
            violations.push(Violation::new(&EDGES, from, "not in the table: add it, with what it may need"));
            continue;
        };
        let May::Need(allowed) = may else { continue };
        for to in needs.iter().filter(|to| !allowed.contains(&to.as_str())) {
            let allowed = if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") };
            violations.push(Violation::new(&EDGES, from, format!("needs {to}; it may need {allowed}")));
        }
    }
    for (from, nevers) in NEVERS {
        for to in reachable(graph, from).iter().filter(|to| nevers.contains(&to.as_str())) {
            violations.push(Violation::new(&NEVER, *from, format!("reaches {to}")));
        }
    }
    violations
}

/// Everything that a crate needs, directly or not.
fn reachable(graph: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for to in graph.get(at).into_iter().flatten() {
            if seen.insert(to.clone()) {
                open.push(to);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(edges: &[(&str, &[&str])]) -> Vec<String> {
        let graph = edges
            .iter()
            .map(|(from, needs)| ((*from).to_owned(), needs.iter().map(ToString::to_string).collect()))
            .collect();
        check(&graph).into_iter().map(|v| format!("{}: {}: {}", v.rule.name, v.place, v.what)).collect()
    }

    #[test]
    fn the_table_as_it_is_breaks_nothing() {
        let edges: Vec<_> = TABLE
            .iter()
            .map(|(name, may)| (*name, if let May::Need(needs) = may { *needs } else { &["core", "train"] }))
            .collect();
        assert_eq!(broken(&edges), [""; 0]);
    }

    #[test]
    fn an_edge_beyond_the_table_is_told() {
        assert_eq!(
            broken(&[("core", &[]), ("metrics", &["core", "tensor"]), ("tensor", &["core"])]),
            ["edges: metrics: needs tensor; it may need core"]
        );
        assert_eq!(broken(&[("augment", &["core"])]), ["edges: augment: needs core; it may need nothing of ours"]);
    }

    #[test]
    fn an_unknown_crate_is_told() {
        assert_eq!(broken(&[("mystery", &[])]), ["edges: mystery: not in the table: add it, with what it may need"]);
    }

    #[test]
    fn the_tape_is_not_reached_around_a_corner() {
        let edges: &[(&str, &[&str])] = &[("optim", &["core"]), ("core", &["autograd"])];
        let broken = broken(edges);
        assert!(broken.contains(&"never: optim: reaches autograd".to_owned()), "{broken:?}");
    }
}
