//! Adaptive clipping: each unit's gradient by the size of the unit's weights.

use crate::clip::scale;
use gradwise_core::ndarray::Axis;
use gradwise_core::{ArrayRefD, Real, Serial, flip, sum_of_squares};

/// The least norm of a gradient that it is divided by.
const LEAST: f64 = 1e-6;

/// What a unit's gradient is multiplied by, if anything, so that its norm is at most `share` of the weights'.
fn factor(grad: f64, weight: f64, share: f64, floor: f64) -> Option<f64> {
    let (norm, most) = (grad.sqrt(), share * weight.sqrt().max(floor));
    (norm.is_finite() && norm > most).then(|| flip!("clip/unit", most / norm.max(LEAST)))
}

/// Clips the gradient of a parameter of the same shape, unit by unit: by the first axis, if it has more than one.
pub(crate) fn clip<T: Real>(grad: &mut ArrayRefD<T>, param: &ArrayRefD<T>, share: f64, floor: f64) {
    if grad.shape() != param.shape() || grad.is_empty() {
        return;
    }
    let clip_unit = |grad: &mut ArrayRefD<T>, param: &ArrayRefD<T>| {
        let norms = (sum_of_squares(grad, &Serial), sum_of_squares(param, &Serial));
        if let Some(factor) = factor(norms.0, norms.1, share, floor) {
            scale(grad, factor);
        }
    };
    if grad.ndim() < 2 {
        return clip_unit(grad, param);
    }
    for (mut grad, param) in grad.axis_iter_mut(Axis(0)).zip(param.axis_iter(Axis(0))) {
        clip_unit(&mut grad, &param);
    }
}
