//! Central differences, and their comparison with a gradient.

use super::{Check, Failure, Report};
use gradwise_core::{Key, Result};
use ndarray::{ArrayD, Dimension, IxDyn};

/// A function of some inputs: its scalar value, and the sum of the absolute values it was added up from (its rounding error is
/// relative to that).
type Scalar<'f> = dyn FnMut(&[ArrayD<f64>]) -> Result<(f64, f64)> + 'f;

/// Compares the gradients of `f` at `inputs` with central differences.
///
/// `names` tell the inputs in a failure; those without one are numbered. Inputs come back as they were.
pub(super) fn compare(
    check: &Check,
    inputs: &mut [ArrayD<f64>],
    gradients: &[Option<ArrayD<f64>>],
    names: &[String],
    f: &mut Scalar<'_>,
) -> Result<Report, Failure> {
    let mut report = Report { compared: 0, worst: 0.0 };
    for (i, gradient) in gradients.iter().enumerate() {
        let Some(gradient) = gradient else { continue };
        let name = names.get(i).cloned().unwrap_or_else(|| format!("input {i}"));
        if gradient.shape() != inputs[i].shape() {
            return Err(Failure::Shape {
                input: name,
                expected: inputs[i].shape().to_vec(),
                got: gradient.shape().to_vec(),
            });
        }
        if gradient.is_empty() {
            continue;
        }
        report = report.merge(compare_one(check, inputs, i, gradient, &name, f)?);
    }
    Ok(report)
}

fn compare_one(
    check: &Check,
    inputs: &mut [ArrayD<f64>],
    i: usize,
    gradient: &ArrayD<f64>,
    name: &str,
    f: &mut Scalar<'_>,
) -> Result<Report, Failure> {
    let n = gradient.len();
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    let root_mean_square = norm / (n as f64).sqrt();
    let mut report = Report { compared: 0, worst: 0.0 };

    // Entry by entry, if there are few.
    if n <= check.entries {
        entries(check, inputs, i, gradient, name, root_mean_square, f, &mut report)?;
    }
    // Along random directions, always.
    for k in 0..check.directions {
        let key = Key::new(check.seed).with(i as u64).with(k as u64);
        let original = inputs[i].clone();
        let direction = ArrayD::from_shape_fn(IxDyn(gradient.shape()), draw(key));
        let got: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let mut along = |h: f64| {
            inputs[i].assign(&(&original + &(&direction * h)));
            f(inputs)
        };
        let plus = along(check.step);
        let minus = along(-check.step);
        inputs[i] = original;
        // Directions are nearly uniform on [-1, 1], so a gradient of this norm typically has a derivative of norm / √3.
        let typical = norm * 0.577;
        let Difference { expected, relative, noise, wrong } = difference(check, plus?, minus?, got, typical);
        report.compared += 1;
        report.worst = report.worst.max(relative);
        if wrong {
            // Say where, if it can be found among a sample of the entries.
            entries(check, inputs, i, gradient, name, root_mean_square, f, &mut report)?;
            return Err(Failure::Direction { input: name.to_owned(), expected, got, relative });
        }
        audible(noise, expected, got, typical, name)?;
    }
    Ok(report)
}

/// Compares single entries: all, or an evenly spread sample of 256.
fn entries(
    check: &Check,
    inputs: &mut [ArrayD<f64>],
    i: usize,
    gradient: &ArrayD<f64>,
    name: &str,
    typical: f64,
    f: &mut Scalar<'_>,
    report: &mut Report,
) -> Result<(), Failure> {
    let stride = gradient.len().div_ceil(check.entries.max(256));
    let (mut checked, mut n_wrong) = (0, 0);
    let mut worst: Option<(f64, Vec<usize>, f64, f64)> = None;
    let mut drowned = Ok(());
    for (index, &got) in gradient.indexed_iter().step_by(stride) {
        let original = inputs[i][&index];
        let mut at = |x: f64| {
            inputs[i][&index] = x;
            f(inputs)
        };
        let plus = at(original + check.step);
        let minus = at(original - check.step);
        inputs[i][&index] = original;
        let Difference { expected, relative, noise, wrong } = difference(check, plus?, minus?, got, typical * 1e-2);
        checked += 1;
        drowned = drowned.and_then(|()| audible(noise, expected, got, typical, name));
        report.worst = report.worst.max(relative);
        if wrong {
            n_wrong += 1;
            if worst.as_ref().is_none_or(|(w, ..)| relative > *w || relative.is_nan()) {
                worst = Some((relative, index.slice().to_vec(), expected, got));
            }
        }
    }
    report.compared += checked;
    match worst {
        Some((relative, index, expected, got)) => {
            Err(Failure::Entry { input: name.to_owned(), index, expected, got, relative, wrong: n_wrong, checked })
        }
        // A gradient that is wrong beyond all noise is what to tell first.
        None => drowned,
    }
}

/// The share of a derivative that rounding may hide before a comparison tells too little: a wrong factor or sign is always seen.
const LARGEST_NOISE: f64 = 1e-2;

/// A derivative below which nothing is asked of the differences: that of a function which does not depend on the input is all noise.
const SMALLEST_DERIVATIVE: f64 = 1e-2;

/// Refuses differences that rounding has drowned.
fn audible(noise: f64, expected: f64, got: f64, typical: f64, name: &str) -> Result<(), Failure> {
    let scale = got.abs().max(expected.abs() - noise).max(typical).max(SMALLEST_DERIVATIVE);
    if noise <= LARGEST_NOISE * scale {
        return Ok(());
    }
    Err(Failure::Noise { input: name.to_owned(), expected, got, noise })
}

struct Difference {
    expected: f64,
    relative: f64,
    /// What rounding may have done to `expected`.
    noise: f64,
    wrong: bool,
}

fn difference(check: &Check, plus: (f64, f64), minus: (f64, f64), got: f64, typical: f64) -> Difference {
    let expected = (plus.0 - minus.0) / (2.0 * check.step);
    let scale = got.abs().max(expected.abs()).max(typical);
    // What rounding alone may have done to the two values, divided as the difference is.
    let noise = 16.0 * f64::EPSILON * plus.1.max(minus.1) / check.step;
    let excess = (got - expected).abs() - noise;
    let relative = if excess <= 0.0 { 0.0 } else { excess / scale };
    // Written so that a NaN is wrong.
    let right = relative <= check.tolerance && got.is_finite();
    Difference { expected, relative, noise, wrong: !right }
}

/// Uniform numbers on [-1.1, 1.1], away from 0, in the order they are asked for.
pub(super) fn draw(key: Key) -> impl FnMut(IxDyn) -> f64 {
    let mut counter = 0;
    move |_| {
        counter += 1;
        let u = 2.0 * key.uniform(counter) - 1.0;
        u + 0.1_f64.copysign(u)
    }
}
