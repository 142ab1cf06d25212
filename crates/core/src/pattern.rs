//! Patterns over the paths of parameters.

use crate::{Error, Result};

/// A pattern such as `encoder.**` or `**.bias`.
///
/// A path is a list of names between dots. `*` stands for any text within one name, `**` for any number of whole names, none
/// included. The pattern has to match the whole path.
///
/// ```
/// use gradwise_core::PathPattern;
///
/// let biases = PathPattern::new("group: pattern", "**.bias")?;
/// assert!(biases.matches("encoder.2.bias") && !biases.matches("encoder.2.weight"));
/// # Ok::<(), gradwise_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    names: Vec<String>,
}

impl PathPattern {
    /// Reads a pattern; `what` is the option it was given to, for the error.
    ///
    /// # Errors
    /// If a name in it is empty, or `**` stands beside other text in one name.
    pub fn new(what: &'static str, text: &str) -> Result<Self> {
        let mut names: Vec<String> = Vec::new();
        for name in text.split('.') {
            if name.is_empty() || (name != "**" && name.contains("**")) {
                let expected = "names joined by dots, with `*` within a name and `**` for any names";
                return Err(Error::value(what, expected, format!("`{text}`")));
            }
            // `**.**` says no more than `**`, and would only be tried more often.
            if name != "**" || names.last().is_none_or(|last| last != "**") {
                names.push(name.to_owned());
            }
        }
        Ok(PathPattern { names })
    }

    /// The pattern of every path.
    pub fn all() -> Self {
        PathPattern { names: vec!["**".to_owned()] }
    }

    /// Whether it matches the whole path.
    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('.').collect() };
        names_match(&self.names, &path)
    }
}

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.names.join("."))
    }
}

fn names_match(pattern: &[String], path: &[&str]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [first, rest @ ..] if first == "**" => (0..=path.len()).any(|n| names_match(rest, &path[n..])),
        [first, rest @ ..] => {
            path.split_first().is_some_and(|(name, tail)| name_matches(first, name) && names_match(rest, tail))
        }
    }
}

fn name_matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.into_iter().any(|at| name_matches(tail, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(pattern: &str, path: &str, expected: bool) {
        let pattern = PathPattern::new("test", pattern).unwrap();
        assert_eq!(pattern.matches(path), expected, "`{pattern}` on `{path}`");
    }

    #[test]
    fn stars_stay_within_a_name_and_double_stars_do_not() {
        for (pattern, path, expected) in [
            ("fc.bias", "fc.bias", true),
            ("fc.bias", "fc.bias2", false),
            ("fc", "fc.bias", false),
            ("*.bias", "fc.bias", true),
            ("*.bias", "encoder.fc.bias", false),
            ("*.bias", "bias", false),
            ("**.bias", "encoder.2.fc.bias", true),
            ("**.bias", "bias", true),
            ("**.bias", "fc.unbias", false),
            ("encoder.**", "encoder.0.weight", true),
            ("encoder.**", "encoder", true),
            ("encoder.**", "encoder2.weight", false),
            ("**.conv*.weight", "features.conv12.weight", true),
            ("**.conv*.weight", "features.deconv.weight", false),
            ("layers.*.w*t", "layers.3.weight", true),
            ("a.**.z", "a.z", true),
            ("a.**.**.z", "a.b.c.z", true),
            ("**", "", true),
            ("*", "", false),
            ("größe.*", "größe.é", true),
        ] {
            check(pattern, path, expected);
        }
    }

    #[test]
    fn malformed_patterns_are_refused_in_words() {
        for text in ["", ".", "a..b", "a.", "a**", "***"] {
            let error = PathPattern::new("group: pattern", text).unwrap_err().to_string();
            assert!(error.starts_with("group: pattern: expected names"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_path_matches_itself_and_its_ends(names in prop::collection::vec("[a-z0-9]{1,4}", 1..5)) {
            let path = names.join(".");
            check(&path, &path, true);
            check("**", &path, true);
            check(&format!("**.{}", names[names.len() - 1]), &path, true);
            check(&format!("{}.**", names[0]), &path, true);
            check(&vec!["*"; names.len()].join("."), &path, true);
            check(&vec!["*"; names.len() + 1].join("."), &path, false);
        }
    }
}
