//! Several runs: which are the same but for their seeds, and what tells the others apart.

use crate::number::number;
use crate::{ReportError, Result, Run, Table};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Runs that are looked at together.
///
/// Runs whose configurations differ in nothing but a seed, and in what follows from it, are one [`Group`]: its curves are drawn as one line
/// with a band.
///
/// ```
/// # fn run(folder: &std::path::Path, config: &str) -> gradwise_report::Result<gradwise_report::Run> {
/// #     std::fs::create_dir(folder).unwrap();
/// #     let config = format!(r#"{{"format": "gradwise-run", "version": 1, "config": {config}}}"#);
/// #     std::fs::write(folder.join("config.json"), config).unwrap();
/// #     std::fs::write(folder.join("metrics.jsonl"), "").unwrap();
/// #     gradwise_report::Run::read(folder)
/// # }
/// # let folder = tempfile::tempdir().unwrap();
/// # let at = |name| folder.path().join(name);
/// use gradwise_report::Comparison;
///
/// let runs = vec![
///     run(&at("a"), r#"{"rate": 0.1, "seed": 0}"#)?,
///     run(&at("b"), r#"{"rate": 0.1, "seed": 1}"#)?,
///     run(&at("c"), r#"{"rate": 0.5, "seed": 0}"#)?,
/// ];
/// let comparison = Comparison::new(runs)?;
/// let labels: Vec<_> = comparison.groups.iter().map(|group| (group.label.as_str(), group.runs.len())).collect();
/// assert_eq!(labels, [("rate 0.1", 2), ("rate 0.5", 1)]);
/// # Ok::<(), gradwise_report::ReportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The groups, in the order of their first runs.
    pub groups: Vec<Group>,
}

/// Runs that differ in their seeds alone.
#[derive(Clone, Debug)]
pub struct Group {
    /// What tells it from the other groups; the name of its run, if it is the only one.
    pub label: String,
    /// Its runs, of which there is at least one.
    pub runs: Vec<Run>,
}

/// What a seed decides, or what has no influence on the result: the last part of a setting's path.
const NOT_OF_THE_RECIPE: [&str; 6] = ["seed", "threads", "out", "name", "input_mean", "input_scale"];

/// How many settings a label names at most.
const LABEL: usize = 3;

impl Comparison {
    /// Sorts runs into groups.
    ///
    /// # Errors
    /// If there are none.
    pub fn new(runs: Vec<Run>) -> Result<Self> {
        let mut groups: Vec<(BTreeMap<String, String>, Vec<Run>)> = Vec::new();
        for run in runs {
            let mut settings = settings(&run.config);
            settings.retain(|path, _| !NOT_OF_THE_RECIPE.contains(&path.rsplit('.').next().unwrap_or(path)));
            match groups.iter_mut().find(|(known, _)| *known == settings) {
                Some((_, runs)) => runs.push(run),
                None => groups.push((settings, vec![run])),
            }
        }
        if groups.is_empty() {
            return Err(ReportError::NoRuns);
        }
        let differing = differing(groups.iter().map(|(settings, _)| settings));
        let mut labels: Vec<String> = groups.iter().map(|(settings, _)| label(settings, &differing)).collect();
        for i in 0..labels.len() {
            // Settings that are too many to be named may not tell groups apart, and a single group has none.
            if labels[i].is_empty() || labels.iter().enumerate().any(|(j, other)| j != i && *other == labels[i]) {
                labels[i] = match groups[i].1.as_slice() {
                    [run] => run.name.clone(),
                    [first, ..] if groups.len() > 1 => format!("{} and other seeds", first.name),
                    runs => format!("{} seeds", runs.len()),
                };
            }
        }
        let groups = groups.into_iter().zip(labels).map(|((_, runs), label)| Group { label, runs }).collect();
        Ok(Comparison { groups })
    }

    /// All runs, group by group.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.groups.iter().flat_map(|group| &group.runs)
    }

    /// Whether it is of one run alone.
    pub fn is_single(&self) -> bool {
        self.runs().count() == 1
    }

    /// The runs side by side: a column a run; rows of the settings in which they differ, then of their results.
    pub fn table(&self) -> Table {
        let runs: Vec<&Run> = self.runs().collect();
        let mut table = Table::new(std::iter::once("").chain(runs.iter().map(|run| run.name.as_str())));
        let mut row = |name: &str, cell: &dyn Fn(&Run) -> String| {
            table.push(std::iter::once(name.to_owned()).chain(runs.iter().map(|run| cell(run))));
        };
        let all: Vec<_> = runs.iter().map(|run| settings(&run.config)).collect();
        for path in differing(all.iter()) {
            let value = |run: &Run| match settings(&run.config).remove(&path) {
                // A setting that was measured, such as a mean, has more digits than anyone reads.
                Some(value) if value.contains('.') => value.parse().map_or(value, number),
                value => value.unwrap_or_else(|| String::from("–")),
            };
            row(&path, &value);
        }
        row("epochs", &|run| run.epochs.len().to_string());
        row("steps", &|run| run.end.as_ref().map_or(run.steps.len() as u64, |end| end.steps).to_string());
        let told: BTreeSet<String> = all.iter().flat_map(BTreeMap::keys).cloned().collect();
        for name in self.results(&told) {
            row(&name, &|run| number(result(run, &name)));
        }
        row("state", &|run| match &run.end {
            Some(end) => end.stop.clone().unwrap_or_else(|| String::from("done")),
            None => String::from("did not end"),
        });
        table
    }

    /// For each group, mean and range of its runs' results; `None` where no group has two runs.
    pub fn group_table(&self) -> Option<Table> {
        if self.groups.iter().all(|group| group.runs.len() < 2) {
            return None;
        }
        let mut table = Table::new(std::iter::once("").chain(self.groups.iter().map(|group| group.label.as_str())));
        table.push(std::iter::once(String::from("runs")).chain(self.groups.iter().map(|g| g.runs.len().to_string())));
        let told = self.runs().flat_map(|run| settings(&run.config).into_keys()).collect();
        for name in self.results(&told) {
            let cells = self.groups.iter().map(|group| {
                let values: Vec<f64> =
                    group.runs.iter().map(|run| result(run, &name)).filter(|x| x.is_finite()).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let min = values.iter().copied().fold(f64::INFINITY, f64::min);
                let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                if min < max { format!("{} ({} to {})", number(mean), number(min), number(max)) } else { number(mean) }
            });
            table.push(std::iter::once(name.clone()).chain(cells));
        }
        Some(table)
    }

    /// The names of the runs' results: the last numbers of their epochs, and what their summaries tell besides.
    fn results(&self, told: &BTreeSet<String>) -> Vec<String> {
        let mut names = vec![String::from("train_loss")];
        for part in ["train", "validation"] {
            let of_part: BTreeSet<String> = self.runs().flat_map(|run| run.measures(part)).collect();
            names.extend(of_part.into_iter().map(|name| format!("{part}/{name}")));
        }
        let summary: BTreeSet<String> = self
            .runs()
            .filter_map(|run| run.summary.as_ref()?.as_object())
            .flat_map(|summary| summary.iter().flat_map(|(name, value)| numbers(name, value)))
            .collect();
        let news = summary.into_iter().filter(|name| !names.contains(name) && !told.contains(name));
        let news: Vec<String> = news.filter(|name| !["epochs", "steps"].contains(&name.as_str())).collect();
        names.extend(news);
        names.retain(|name| self.runs().any(|run| result(run, name).is_finite()));
        names
    }
}

/// The names of the numbers in a field of a summary: its own, or `test/accuracy` where it holds some of a part.
fn numbers(name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Number(_) => vec![name.to_owned()],
        Value::Object(fields) => {
            fields.iter().filter(|(_, value)| value.is_number()).map(|(field, _)| format!("{name}/{field}")).collect()
        }
        _ => Vec::new(),
    }
}

/// A result of a run: the last value of a series, or a number of its summary.
fn result(run: &Run, name: &str) -> f64 {
    let told = || match (name.split_once('/'), run.summary.as_ref()?) {
        (Some((part, name)), summary) if summary.get(part).is_some_and(Value::is_object) => {
            summary.get(part)?.get(name)?.as_f64()
        }
        (_, summary) => summary.get(name)?.as_f64(),
    };
    run.series(name).last().map(|point| point[1]).or_else(told).unwrap_or(f64::NAN)
}

/// All settings of a configuration, each under its path: `optimizer.rate`, `layers.0.units`.
pub(crate) fn settings(config: &Value) -> BTreeMap<String, String> {
    fn collect(value: &Value, path: &str, settings: &mut BTreeMap<String, String>) {
        let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(value, &join(name), settings)),
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                items.iter().enumerate().for_each(|(i, item)| collect(item, &join(&i.to_string()), settings));
            }
            Value::String(text) => drop(settings.insert(path.to_owned(), text.clone())),
            value => drop(settings.insert(path.to_owned(), value.to_string())),
        }
    }
    let mut settings = BTreeMap::new();
    if !config.is_null() {
        collect(config, "", &mut settings);
    }
    settings
}

/// The paths of settings that are not the same everywhere.
fn differing<'a>(all: impl Iterator<Item = &'a BTreeMap<String, String>> + Clone) -> Vec<String> {
    let paths: BTreeSet<&String> = all.clone().flat_map(BTreeMap::keys).collect();
    let differs = |path: &&String| {
        let values: BTreeSet<Option<&String>> = all.clone().map(|settings| settings.get(*path)).collect();
        values.len() > 1
    };
    paths.into_iter().filter(differs).cloned().collect()
}

/// What tells a group apart: `optimizer sgd, rate 0.05`.
fn label(settings: &BTreeMap<String, String>, differing: &[String]) -> String {
    let word = |path: &String| {
        let name = path.rsplit('.').next().unwrap_or(path).replace('_', " ");
        format!("{name} {}", settings.get(path).map_or("–", String::as_str))
    };
    differing.iter().take(LABEL).map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_have_paths() {
        let config = json!({"a": {"b": 1, "c": [1, 2]}, "l": [{"k": "x"}, {"k": null}]});
        let expected = [("a.b", "1"), ("a.c", "[1,2]"), ("l.0.k", "x"), ("l.1.k", "null")];
        let settings = settings(&config);
        assert_eq!(settings.iter().map(|(p, v)| (p.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
        assert!(super::settings(&Value::Null).is_empty());
    }

    #[test]
    fn no_runs_are_refused() {
        assert!(matches!(Comparison::new(Vec::new()), Err(ReportError::NoRuns)));
    }
}
