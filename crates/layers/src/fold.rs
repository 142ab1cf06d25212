//! What folding does to weights: see [`Module::fold`](gradwise_autograd::Module::fold).

use gradwise_autograd::Affine;
use gradwise_core::{Param, Real};
use gradwise_tensor::Activation;
use ndarray::{Array1, Axis};

/// The activation behind an affine map.
pub(crate) fn rectifier(map: &Affine) -> Activation {
    if map.relu { Activation::Relu } else { Activation::Identity }
}

/// The bias in `f64`, of zeros if there is none.
fn bias_of<T: Real>(bias: &Option<Param<T>>, outputs: usize) -> Vec<f64> {
    bias.as_ref().map_or_else(|| vec![0.0; outputs], |bias| bias.value.iter().map(|x| x.as_f64()).collect())
}

/// Writes a bias, which is frozen if the weight is.
fn set_bias<T: Real>(bias: &mut Option<Param<T>>, weight: &Param<T>, values: Vec<f64>) {
    let kind = bias.as_ref().map_or(weight.kind, |bias| bias.kind);
    let value = Array1::from_iter(values.into_iter().map(T::of)).into_dyn();
    *bias = Some(Param { value, kind });
}

/// `W ← scale · W` and `b ← scale · b + shift`, by output channel. `output_of` tells the channel of the weight's element from its
/// indices on the first two axes.
pub(crate) fn scale_outputs<T: Real>(
    weight: &mut Param<T>,
    bias: &mut Option<Param<T>>,
    map: &Affine,
    output_of: impl Fn(usize, usize) -> usize,
) {
    for (i, mut rows) in weight.value.axis_iter_mut(Axis(0)).enumerate() {
        for (j, mut row) in rows.axis_iter_mut(Axis(0)).enumerate() {
            let scale = map.scale[output_of(i, j)];
            row.mapv_inplace(|w| T::of(w.as_f64() * scale));
        }
    }
    let mut values = bias_of(bias, map.scale.len());
    for (b, (scale, shift)) in values.iter_mut().zip(map.scale.iter().zip(&map.shift)) {
        *b = *b * scale + shift;
    }
    set_bias(bias, weight, values);
}

/// `b ← b + Σ W · shift` and `W ← W · scale`, by input channel, for a weight `[outputs, inputs / groups, …]`.
pub(crate) fn scale_inputs<T: Real>(weight: &mut Param<T>, bias: &mut Option<Param<T>>, map: &Affine, groups: usize) {
    let outputs = weight.value.shape()[0];
    let mut values = bias_of(bias, outputs);
    for (i, mut rows) in weight.value.axis_iter_mut(Axis(0)).enumerate() {
        let first = i / (outputs / groups) * rows.shape()[0];
        for (j, mut row) in rows.axis_iter_mut(Axis(0)).enumerate() {
            let (scale, shift) = (map.scale[first + j], map.shift[first + j]);
            values[i] += shift * row.iter().map(|w| w.as_f64()).sum::<f64>();
            row.mapv_inplace(|w| T::of(w.as_f64() * scale));
        }
    }
    set_bias(bias, weight, values);
}
