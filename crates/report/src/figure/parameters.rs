//! Heat maps of parameters: gradients and updates, by depth and over time.

use super::curves::Clock;
use super::{Figure, Names};
use crate::chart::heat::Heat;
use crate::{ParamStats, Result, Run};
use std::collections::BTreeMap;

pub(super) fn gradients(run: &Run, names: &Names<'_>) -> Result<Option<Figure>> {
    let description = "Euclidean norm of each parameter's gradient, over time; the first layers are at the top. Rows that get darker upwards are \
                       gradients that vanish on their way back, rows that get brighter are gradients that explode.";
    let Some(heat) = heat(run, "norm", |norms| norms.grad_norm) else { return Ok(None) };
    let title = names.title("Gradients by depth");
    Figure::new(names.id("gradients"), title, description, heat.table(), heat.draw()).map(Some)
}

pub(super) fn updates(run: &Run, names: &Names<'_>) -> Result<Option<Figure>> {
    let description = "How far each parameter moved in a step, as a share of its own norm. About a thousandth is usual while a net learns; \
                       much less is standing still, much more is jumping about. Biases that begin at 0 have large shares at first.";
    let ratio = |norms: &ParamStats| norms.update_norm.unwrap_or(f64::NAN) / norms.weight_norm;
    let Some(heat) = heat(run, "share", ratio) else { return Ok(None) };
    let title = names.title("Updates by depth");
    Figure::new(names.id("updates"), title, description, heat.table(), heat.draw()).map(Some)
}

/// A heat map of one number of each parameter.
fn heat(run: &Run, value: &str, of: impl Fn(&ParamStats) -> f64) -> Option<Heat> {
    let clock = Clock::of(std::iter::once(run));
    let rows = by_depth(run);
    let index: BTreeMap<&str, usize> = rows.iter().enumerate().map(|(i, path)| (path.as_str(), i)).collect();
    let mut values = vec![vec![f64::NAN; run.norms.len()]; rows.len()];
    for (k, at) in run.norms.iter().enumerate() {
        for norms in &at.values {
            values[index[norms.path.as_str()]][k] = of(norms);
        }
    }
    let times: Vec<f64> = run.norms.iter().map(|at| clock.at(run, at.step as f64)).collect();
    let heat = (!times.is_empty()).then(|| Heat::new(clock.name(), value, rows, &times, values))?;
    (!heat.is_empty()).then_some(heat)
}

/// The parameters in the order in which the layers that own them were first used; others after them, by name.
fn by_depth(run: &Run) -> Vec<String> {
    let layers: Vec<&str> =
        run.readings.first().map_or_else(Vec::new, |at| at.values.iter().map(|r| r.path.as_str()).collect());
    let depth = |path: &str| {
        // The layer with the longest path that the parameter's begins with.
        let owns = |layer: &str| path.strip_prefix(layer).is_some_and(|rest| rest.starts_with('.'));
        let owner = layers
            .iter()
            .enumerate()
            .filter(|(_, layer)| owns(layer))
            .max_by_key(|(i, layer)| (layer.len(), std::cmp::Reverse(*i)));
        owner.map_or(usize::MAX, |(i, _)| i)
    };
    let mut paths: Vec<String> = run.norms.iter().flat_map(|at| &at.values).map(|norms| norms.path.clone()).collect();
    paths.sort_by_cached_key(|path| natural(path));
    paths.dedup();
    paths.sort_by_cached_key(|path| depth(path));
    paths
}

/// A name by which `layer10` comes after `layer9`: its words and its numbers apart, and a layer's weight before its bias.
fn natural(path: &str) -> Vec<(String, u64, bool)> {
    let mut parts: Vec<(String, u64, bool)> = Vec::new();
    for part in path.split('.') {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = part[word.len()..].parse().unwrap_or(0);
        parts.push((if word == "weight" { String::new() } else { word.to_owned() }, number, part.len() > word.len()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_as_people_do() {
        let mut paths = ["layer10.bias", "layer9.weight", "layer10.weight", "head", "layer9.bias", "a.2.b", "a.10.b"];
        paths.sort_by_key(|path| natural(path));
        assert_eq!(
            paths,
            ["a.2.b", "a.10.b", "head", "layer9.weight", "layer9.bias", "layer10.weight", "layer10.bias"]
        );
    }
}
