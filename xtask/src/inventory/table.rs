//! What there is to be, as it is written in `xtask/inventory.toml`.

use crate::Failure;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// Rows of the catalogue and parts of the plan, each with its items.
    #[serde(rename = "part")]
    pub(crate) parts: Vec<Part>,
}

/// A row of the catalogue of tricks, or a part of what a crate was to hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// The row's id, or the crate.
    pub(crate) name: String,
    /// What it claims.
    pub(crate) claim: String,
    /// The test of the items that name none.
    test: Option<String>,
    /// Why items that name no sign have none.
    signless: Option<String>,
    /// What the crates hold.
    items: Vec<Written>,
}

/// An item as it is written: one path or several, one sign or several, or none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    path: Option<OneOrMore>,
    test: Option<String>,
    flip: Option<OneOrMore>,
    signless: Option<String>,
    open: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn all(this: Option<&Self>) -> Vec<String> {
        match this {
            None => Vec::new(),
            Some(OneOrMore::One(one)) => vec![one.clone()],
            Some(OneOrMore::More(more)) => more.clone(),
        }
    }
}

/// An item, complete.
#[derive(Debug)]
pub(crate) struct Item {
    /// The part it stands in.
    pub(crate) part: String,
    /// Its name.
    pub(crate) name: String,
    /// Where it is in our API, crates by their short names.
    pub(crate) paths: Vec<String>,
    /// The test that checks it, unless it is open.
    pub(crate) test: Option<Test>,
    /// The signs whose turning that test must notice.
    pub(crate) flips: Vec<String>,
    /// What stands in the place of signs, or of the item where it is open.
    pub(crate) remark: Option<String>,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.name)
    }
}

/// A test, by package, target (`lib` for unit tests) and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    /// The package's short name.
    pub(crate) package: String,
    /// The test program.
    pub(crate) target: String,
    /// Its name in there.
    pub(crate) name: String,
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.package, self.target, self.name)
    }
}

impl FromStr for Test {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let words: Vec<&str> = text.split(' ').collect();
        let &[package, target, name] = words.as_slice() else {
            return Err(format!("a test is written `package target name`, not `{text}`").into());
        };
        Ok(Test { package: package.to_owned(), target: target.to_owned(), name: name.to_owned() })
    }
}

impl Table {
    /// Reads the table.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        Ok(toml::from_str(text)?)
    }

    /// The items in their order, each with what its part says for all.
    pub(crate) fn items(&self) -> Result<Vec<Item>, Failure> {
        let mut seen = BTreeSet::new();
        let mut items = Vec::new();
        for part in &self.parts {
            for written in &part.items {
                let item = part.item(written)?;
                if !seen.insert(item.to_string()) {
                    return Err(format!("{item}: written twice").into());
                }
                items.push(item);
            }
        }
        Ok(items)
    }
}

impl Part {
    /// An item, if it is complete: it has a path and a test, and either signs or a reason for having none; or it is open.
    fn item(&self, written: &Written) -> Result<Item, Failure> {
        let mut item = Item {
            part: self.name.clone(),
            name: written.name.clone(),
            paths: OneOrMore::all(written.path.as_ref()),
            test: None,
            flips: OneOrMore::all(written.flip.as_ref()),
            remark: None,
        };
        if let Some(open) = &written.open {
            if !item.paths.is_empty() || written.test.is_some() || !item.flips.is_empty() {
                return Err(format!("{item}: what is open has no path, test or sign").into());
            }
            item.remark = Some(format!("open: {open}"));
            return Ok(item);
        }
        if item.paths.is_empty() {
            return Err(format!("{item}: no path").into());
        }
        let test = written.test.as_ref().or(self.test.as_ref()).ok_or_else(|| format!("{item}: no test"))?;
        item.test = Some(test.parse().map_err(|failure| format!("{item}: {failure}"))?);
        match (item.flips.is_empty(), written.signless.as_ref().or(self.signless.as_ref())) {
            (true, None) => return Err(format!("{item}: neither a sign nor a reason for having none").into()),
            (true, Some(reason)) => item.remark = Some(reason.clone()),
            (false, _) if written.signless.is_some() => {
                return Err(format!("{item}: a sign, and a reason for having none").into());
            }
            (false, _) => {}
        }
        Ok(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(items: &str) -> Result<Vec<Item>, Failure> {
        Table::parse(&format!("[[part]]\nname = 'p'\nclaim = 'c'\nitems = [\n{items}\n]\n"))?.items()
    }

    #[test]
    fn items_take_what_their_part_says_for_all() {
        let text = "[[part]]\nname = 'p'\nclaim = 'c'\ntest = 'a b c'\nsignless = 'none'\nitems = [\n\
                    { name = 'x', path = 'a::X' },\n\
                    { name = 'y', path = ['a::Y', 'a::Z'], test = 'd e f::g', flip = 'y/0' },\n\
                    { name = 'z', open = 'later' },\n]\n";
        let items = Table::parse(text).unwrap().items().unwrap();
        let lines: Vec<String> = items
            .iter()
            .map(|i| {
                let test = i.test.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{i}|{}|{test}|{}|{}", i.paths.join(","), i.flips.join(","), i.remark.as_deref().unwrap_or(""))
            })
            .collect();
        assert_eq!(lines, ["p: x|a::X|a b c||none", "p: y|a::Y,a::Z|d e f::g|y/0|", "p: z||||open: later"]);
    }

    #[test]
    fn what_is_incomplete_is_told_by_its_name() {
        let told = |text: &str| items(text).unwrap_err().to_string();
        assert_eq!(told("{ name = 'x', test = 'a b c', flip = 'x' }"), "p: x: no path");
        assert_eq!(told("{ name = 'x', path = 'a', flip = 'x' }"), "p: x: no test");
        assert_eq!(
            told("{ name = 'x', path = 'a', test = 'a b c' }"),
            "p: x: neither a sign nor a reason for having none"
        );
        assert_eq!(
            told("{ name = 'x', path = 'a', test = 'a b', flip = 'x' }"),
            "p: x: a test is written `package target name`, not `a b`"
        );
        let twice = "{ name = 'x', open = 'o' }, { name = 'x', open = 'o' }";
        assert_eq!(told(twice), "p: x: written twice");
        assert_eq!(told("{ name = 'x', path = 'a', open = 'o' }"), "p: x: what is open has no path, test or sign");
        assert!(told("{ name = 'x', pth = 'a' }").contains("unknown field"));
    }
}
