//! Lists of layers.

use super::site::output;
use super::{AnyModule, LayerSite};
use crate::{Part, RecipeError, Result};
use gradwise_core::{ParamsExt, Path};
use gradwise_layers::Chain;

/// A layer as it was built: a line of the table that a check prints.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerLine {
    /// Its name, or its position.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The shape of a sample that comes out.
    pub output: Vec<usize>,
    /// How many of its numbers are trained.
    pub parameters: usize,
}

/// Builds layers one after another, each for what the one before it hands on.
///
/// Keys are derived as [`Chain::seeded`] does, so that a chain written in Rust begins with the same weights.
pub(crate) fn layers(site: &LayerSite<'_>, parts: &[Part]) -> Result<(Chain<f32>, Vec<LayerLine>)> {
    let head = parts.iter().rposition(|part| part.kind() == "linear").or(parts.len().checked_sub(1));
    let mut chain = Chain::new();
    let mut lines: Vec<LayerLine> = Vec::new();
    let mut shape = site.input().to_vec();
    for (i, part) in parts.iter().enumerate() {
        let mut part = part.clone();
        let here = |error: RecipeError| error.at_index(i);
        let name = part.take_text("name").map_err(here)?;
        let key = name.as_deref().map_or_else(|| site.key().with(i as u64), |name| site.key().with_str(name));
        let inside = LayerSite { input: &shape, key, last: site.last && Some(i) == head, ..*site };
        let layer = site.registry.layers.build(&part, &inside).map_err(here)?;
        let next = output(&*layer, &shape).map_err(here)?;
        lines.push(LayerLine {
            name: name.clone().unwrap_or_else(|| i.to_string()),
            kind: part.kind().to_owned(),
            output: next.clone(),
            parameters: layer.n_trainable(),
        });
        shape = next;
        chain = match name {
            None => chain.with(layer),
            Some(name) => {
                let named: Result<Chain<f32>, _> = chain.with_named(&name, layer);
                named.map_err(|error| here(RecipeError::from(error).at("name")))?
            }
        };
    }
    Ok((chain, lines))
}

/// The lines of a network that is not a list of layers: its parameters' parents, in their order.
pub(crate) fn network_lines(kind: &str, network: &AnyModule, output: &[usize]) -> Vec<LayerLine> {
    let mut lines: Vec<LayerLine> = Vec::new();
    network.each(Path::root(), &mut |path, p| {
        let path = path.to_string();
        let name = path.rfind('.').map_or("", |dot| &path[..dot]);
        let n = if p.is_trainable() { p.value.len() } else { 0 };
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.parameters += n,
            None => lines.push(LayerLine {
                name: name.to_owned(),
                kind: kind.to_owned(),
                output: Vec::new(),
                parameters: n,
            }),
        }
    });
    if let Some(last) = lines.last_mut() {
        last.output = output.to_vec();
    }
    lines
}
