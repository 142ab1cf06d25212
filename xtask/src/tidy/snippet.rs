//! Code in Markdown that is a part of a file that is built.

use super::{Rule, Violation};

const SNIPPET: Rule = Rule {
    name: "snippet",
    why: "code that a page shows under `<!-- from FILE -->` is a part of that file word for word, so that what a reader copies is built and run",
};

/// Checks every code block that follows a line `<!-- from FILE -->`; `read` gives a file of the workspace.
pub(super) fn check(place: &str, page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(file) = line.trim().strip_prefix("<!-- from ").and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let place = format!("{place}:{}", number + 1);
        if !lines.next().is_some_and(|(_, line)| line.starts_with("```")) {
            violations.push(Violation::new(&SNIPPET, place, "no code block follows on the next line"));
            continue;
        }
        let block: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| !line.starts_with("```")).collect();
        match read(file) {
            None => violations.push(Violation::new(&SNIPPET, place, format!("there is no {file}"))),
            Some(text) if !contains(&text, &block) => {
                violations.push(Violation::new(&SNIPPET, place, format!("the block is not a part of {file}")));
            }
            Some(_) => {}
        }
    }
    violations
}

/// Whether the lines of a block stand in a text, one after the other.
fn contains(text: &str, block: &[&str]) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    !block.is_empty() && lines.windows(block.len()).any(|window| window == block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(page: &str) -> Vec<String> {
        let read = |file: &str| (file == "a.rs").then(|| "one();\ntwo();\nthree();\n".to_owned());
        check("README.md", page, read).into_iter().map(|v| format!("{}: {}", v.place, v.what)).collect()
    }

    #[test]
    fn a_part_of_the_file_passes() {
        assert_eq!(broken("# x\n<!-- from a.rs -->\n```rust\ntwo();\nthree();\n```\n```rust\nfree();\n```\n"), [""; 0]);
    }

    #[test]
    fn what_differs_from_the_file_is_told() {
        assert_eq!(
            broken("<!-- from a.rs -->\n```rust\none();\nthree();\n```\n"),
            ["README.md:1: the block is not a part of a.rs"]
        );
        assert_eq!(broken("\n<!-- from a.rs -->\n```rust\n```\n"), ["README.md:2: the block is not a part of a.rs"]);
        assert_eq!(broken("<!-- from b.rs -->\n```rust\none();\n```\n"), ["README.md:1: there is no b.rs"]);
        assert_eq!(broken("<!-- from a.rs -->\n\ntext"), ["README.md:1: no code block follows on the next line"]);
    }
}
