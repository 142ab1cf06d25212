//! In which line of a file each key stands.

use crate::error::Problem;
use crate::{RecipeError, Result};
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

/// The lines of a recipe's keys, and its file.
///
/// Equal to any other, so that two recipes that say the same are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    file: Option<String>,
    /// By key, as errors name it: `model.layers[2].units`.
    of_keys: BTreeMap<String, usize>,
}

impl PartialEq for Lines {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Lines {
    /// Reads a text: what it says, and where.
    pub(crate) fn read(text: &str, file: Option<&str>) -> Result<(Table, Lines)> {
        let line_at =
            |offset: usize| 1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count();
        let syntax = |error: toml::de::Error| {
            let line = error.span().map(|span| line_at(span.start));
            RecipeError::new(Problem::Syntax(error.message().to_owned())).located(file, line)
        };
        let spans = DeTable::parse(text).map_err(syntax)?;
        let table: Table = text.parse().map_err(syntax)?;
        let mut lines = Lines { file: file.map(str::to_owned), of_keys: BTreeMap::new() };
        lines.table("", spans.get_ref(), &line_at);
        Ok((table, lines))
    }

    fn table(&mut self, place: &str, table: &DeTable<'_>, line_at: &dyn Fn(usize) -> usize) {
        for (name, value) in table {
            let key = if place.is_empty() { name.get_ref().to_string() } else { format!("{place}.{}", name.get_ref()) };
            self.of_keys.insert(key.clone(), line_at(name.span().start));
            self.value(&key, value, line_at);
        }
    }

    fn value(&mut self, key: &str, value: &Spanned<DeValue<'_>>, line_at: &dyn Fn(usize) -> usize) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(key, table, line_at),
            DeValue::Array(list) => {
                for (i, element) in list.iter().enumerate() {
                    let key = format!("{key}[{i}]");
                    self.of_keys.insert(key.clone(), line_at(element.span().start));
                    self.value(&key, element, line_at);
                }
            }
            _ => {}
        }
    }

    /// The line of a key, or of the nearest table around it.
    fn of(&self, key: &str) -> Option<usize> {
        let mut key = key;
        loop {
            if let Some(line) = self.of_keys.get(key) {
                return Some(*line);
            }
            let end = key.rfind(['.', '['])?;
            key = &key[..end];
        }
    }

    /// An error with its file and its line.
    pub(crate) fn locate(&self, error: RecipeError) -> RecipeError {
        let line = self.of(error.key());
        error.located(self.file.as_deref(), line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_lines() {
        let text = "[a]\nb = 1\nc = [\n  2,\n  { d = 3 },\n]\n\n[[e]]\nf.g = 4\n[[e]]\n";
        let (_, lines) = Lines::read(text, None).unwrap();
        for (key, line) in
            [("a", 1), ("a.b", 2), ("a.c", 3), ("a.c[0]", 4), ("a.c[1].d", 5), ("e[0].f.g", 9), ("e[1]", 10)]
        {
            assert_eq!(lines.of(key), Some(line), "{key}");
        }
        // What is not there is told where it is missed.
        assert_eq!((lines.of("a.c[1].x"), lines.of("e[1].f.x"), lines.of("x")), (Some(5), Some(10), None));
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let error = Lines::read("[a]\nb = \n", Some("x.toml")).unwrap_err();
        assert_eq!((error.file(), error.line()), (Some("x.toml"), Some(2)), "{error}");
        let error = Lines::read("a = 1\n\na = 2\n", None).unwrap_err();
        assert_eq!(error.line(), Some(3), "{error}");
    }
}
