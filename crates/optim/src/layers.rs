//! Rates that differ from layer to layer.

use crate::{Group, check};
use gradwise_core::{Error, Params, ParamsExt, Real, Result, flip};

/// Patterns of a model's layers, in the order of its parameters, from the input to the output as a rule.
///
/// A layer is what parameters lie in: all that have the same path but for its last name. A parameter outside of any layer is one of its
/// own. What [`layer_decay`] and [`discriminative`] take, whole or in part.
///
/// ```
/// use gradwise_optim::{Param, layers_of, ndarray::{Array1, Array2}};
///
/// let layer = || vec![Param::new(Array2::<f32>::zeros((2, 2))), Param::new(Array2::zeros((1, 2)))];
/// assert_eq!(layers_of(&vec![layer(), layer()]), ["0.*", "1.*"]);
/// assert_eq!(layers_of(&layer()), ["0", "1"]);
/// ```
pub fn layers_of<T: Real, M: Params<T> + ?Sized>(model: &M) -> Vec<String> {
    let mut layers: Vec<String> = Vec::new();
    model.visit(|path, param| {
        let path = path.to_string();
        let layer = path.rsplit_once('.').map_or(path.clone(), |(layer, _)| format!("{layer}.*"));
        if param.is_trainable() && !layer.is_empty() && !layers.contains(&layer) {
            layers.push(layer);
        }
    });
    layers
}

/// Groups of layers whose rates fall from the output to the input: the last one trains at the full rate, each one before it at `decay`
/// times the next one's.
///
/// Layers are patterns over paths, as [`Group::matching`] takes them, from the input to the output. To fine-tune a model: what its first
/// layers have learned serves other data, too. 0.75 is usual for transformers, 0.65 for small ones. Source: Clark et al., *ELECTRA*, ICLR
/// 2020.
///
/// # Errors
/// If there are no layers, a pattern is malformed, or `decay` is not in `(0, 1]`.
///
/// ```
/// use gradwise_optim::{AdamW, Constant, Optimizer, layer_decay};
///
/// let layers = ["embedding.**", "blocks.0.**", "blocks.1.**", "head.**"];
/// let optimizer = Optimizer::<f32, _>::new(AdamW::default(), Constant::new(1e-3)?).groups(layer_decay(layers, 0.75)?);
/// assert!(layer_decay(layers, 0.0).is_err());
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub fn layer_decay<S: AsRef<str>>(layers: impl IntoIterator<Item = S>, decay: f64) -> Result<Vec<Group>> {
    let decay = above_zero("layer decay", decay)?;
    groups(layers, |index, n| decay.powf(flip!("layer_decay/depth", (n - 1 - index) as f64)))
}

/// Groups of layers whose rates rise in equal ratios from `first` times the rate, at the input, to the full rate at the output.
///
/// Layers are patterns as in [`layer_decay`]. `0.01` is a spread of a hundred, over however many layers there are. Source: Howard and
/// Ruder, *Universal language model fine-tuning for text classification*, ACL 2018: discriminative fine-tuning.
///
/// # Errors
/// If there are no layers, a pattern is malformed, or `first` is not in `(0, 1]`.
///
/// ```
/// use gradwise_optim::{Constant, Optimizer, Sgd, discriminative};
///
/// let groups = discriminative(["stem.**", "body.**", "head.**"], 0.01)?;
/// let optimizer = Optimizer::<f32, _>::new(Sgd::new(), Constant::new(0.1)?).groups(groups);
/// # Ok::<(), gradwise_optim::Error>(())
/// ```
pub fn discriminative<S: AsRef<str>>(layers: impl IntoIterator<Item = S>, first: f64) -> Result<Vec<Group>> {
    let first = above_zero("discriminative rates: factor of the first layer", first)?;
    groups(layers, |index, n| {
        if n > 1 { first.powf(flip!("discriminative/depth", (n - 1 - index) as f64 / (n - 1) as f64)) } else { 1.0 }
    })
}

fn above_zero(what: &'static str, factor: f64) -> Result<f64> {
    if factor > 0.0 && factor <= 1.0 { Ok(factor) } else { Err(Error::value(what, "a number in (0, 1]", factor)) }
}

fn groups<S: AsRef<str>>(
    layers: impl IntoIterator<Item = S>,
    factor: impl Fn(usize, usize) -> f64,
) -> Result<Vec<Group>> {
    let layers: Vec<S> = layers.into_iter().collect();
    if layers.is_empty() {
        return Err(Error::value("layers", "at least one pattern", "none"));
    }
    let group = |(index, layer): (usize, &S)| {
        let factor = check::not_negative("layers: factor", factor(index, layers.len()))?;
        Group::matching(layer.as_ref())?.learning_rate_times(factor)
    };
    layers.iter().enumerate().map(group).collect()
}
