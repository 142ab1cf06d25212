//! Layer-sequential unit-variance initialization.

use crate::{Objective, Result, TrainError};
use gradwise_autograd::{Mode, Tape, Workspace};
use gradwise_core::{Error as CoreError, LayerReading, Params, ParamsExt, PathPattern, Real};

/// First weights that give each layer's output a variance of 1 on real data, layer after layer (LSUV).
///
/// ```text
/// for each layer, from the input on:  while |Var(z) − 1| > tolerance:  w ← w / √Var(z)
/// ```
///
/// where `z` is what the layer puts out for a batch, before an activation that is fused to it, and the variance is over all its values.
/// Schemes that go by fan and gain assume how signals are distributed; this measures it, and so takes in whatever stands between layers.
/// Use it for deep nets without normalization, and for activations whose gain nobody has worked out.
///
/// The paper begins with orthonormal weights (`Orthogonal` of `gradwise-init`); any that are not constant will do. A layer is what has one trainable weight of two axes or more and runs an operation under its path; recurrent layers, which have two, are left
/// alone, and so are layers whose outputs do not vary, as with weights of 0. A batch of some hundred samples is enough. Batch norm takes
/// the statistics of the batch, and nothing is dropped. Takes one or two forward passes a layer. Source: Mishkin and Matas, *All you
/// need is a good init*, ICLR 2016, <https://arxiv.org/abs/1511.06422>; a tolerance of 0.1 and at most 10 rounds, unless said otherwise.
///
/// A weight that its layer's output does not follow, as inside `WeightNorm`, is left as it was. A weight that belongs to no layer, as the class
/// token of a vision transformer, should not be scaled by what the model puts out: choose layers by [`on`](Self::on) there.
///
/// ```
/// use gradwise_autograd::Workspace;
/// use gradwise_data::{Samples, digits};
/// use gradwise_layers::{Activation, Chain, CrossEntropyLoss, Flatten, Linear, core::Key, init::Orthogonal};
/// use gradwise_train::{Lsuv, Supervised};
///
/// let mut deep = Chain::<f32>::seeded(Key::new(1)).then(Flatten).then(Linear::config(64, 40));
/// for _ in 0..8 {
///     deep = deep.then(Linear::config(40, 40).activation(Activation::Tanh).init(Orthogonal::new(1.0)?));
/// }
/// let mut model = deep.then(Linear::config(40, 10)).build()?;
/// let mut batch = Default::default();
/// digits::<f32>().gather(&(0..200).collect::<Vec<_>>(), &mut batch)?;
/// let loss = Supervised(CrossEntropyLoss::default());
/// let layers = Lsuv::new().run(&mut model, &batch, &loss, &mut Workspace::new())?;
/// assert_eq!(layers.len(), 10);
/// assert!(layers.iter().all(|layer| (layer.after - 1.0).abs() < 0.1));
/// # Ok::<(), gradwise_train::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Lsuv {
    tolerance: f64,
    rounds: u32,
    pattern: PathPattern,
}

/// What became of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LsuvLayer {
    /// The layer's path.
    pub path: String,
    /// The variance of its output before, with the layers below it done already.
    pub before: f64,
    /// The variance after.
    pub after: f64,
    /// How often its weight was scaled.
    pub rounds: u32,
}

impl Default for Lsuv {
    fn default() -> Self {
        Self::new()
    }
}

impl Lsuv {
    /// Of all layers, to a variance within 0.1 of 1, in at most 10 rounds each.
    pub fn new() -> Self {
        Lsuv { tolerance: 0.1, rounds: 10, pattern: PathPattern::all() }
    }

    /// How far a variance may be from 1.
    ///
    /// # Errors
    /// If it is not between 0 and 1.
    pub fn tolerance(self, tolerance: f64) -> Result<Self> {
        if tolerance > 0.0 && tolerance < 1.0 {
            return Ok(Lsuv { tolerance, ..self });
        }
        Err(TrainError::value("lsuv: tolerance", "a number above 0 and below 1", tolerance))
    }

    /// How often a weight is scaled at most.
    ///
    /// # Errors
    /// If it is 0.
    pub fn rounds(self, rounds: u32) -> Result<Self> {
        if rounds == 0 {
            return Err(TrainError::value("lsuv: rounds", "at least 1", 0));
        }
        Ok(Lsuv { rounds, ..self })
    }

    /// Only of layers whose weight's path a pattern matches, such as `encoder.**`.
    ///
    /// # Errors
    /// If the pattern is malformed.
    pub fn on(self, pattern: &str) -> Result<Self> {
        Ok(Lsuv { pattern: PathPattern::new("lsuv: pattern", pattern)?, ..self })
    }

    /// Scales the weights of a model, and tells of each layer what it was and became, in the order in which they run.
    ///
    /// # Errors
    /// If model, batch and objective do not fit together, the pattern matches no weight, or a layer puts out numbers that are not finite;
    /// the layers before it are done then.
    pub fn run<T, M, B, O>(
        &self,
        model: &mut M,
        batch: &B,
        objective: &O,
        workspace: &mut Workspace<T>,
    ) -> Result<Vec<LsuvLayer>>
    where
        T: Real,
        M: Params<T> + ?Sized,
        B: ?Sized,
        O: Objective<T, M, B>,
    {
        let weights = self.weights(&*model)?;
        let mut found = Vec::new();
        for path in in_order(&weights, &record(&*model, batch, objective, workspace)?) {
            let mut layer = LsuvLayer { path, before: f64::NAN, after: f64::NAN, rounds: 0 };
            let mut scaled = None;
            loop {
                let readings = record(&*model, batch, objective, workspace)?;
                // A layer that ran a moment ago runs again.
                let Some(reading) = readings.iter().find(|reading| reading.path == layer.path) else { break };
                if reading.not_finite > 0.0 {
                    return Err(CoreError::NotFinite { op: reading.op, got: f64::NAN }.at(&layer.path).into());
                }
                layer.after = reading.std * reading.std;
                if layer.rounds == 0 {
                    layer.before = layer.after;
                }
                // Outputs that are as far from 1 as before do not follow the weight, as behind a norm of the weights: it is as it was.
                let gap = (layer.after - 1.0).abs();
                if let Some((std, _)) = scaled.filter(|(_, before)| gap > 0.999 * before) {
                    scale(model, &layer.path, std);
                    layer.rounds -= 1;
                    break;
                }
                // A variance of rounding errors is none: it would be blown up. Nor is that of no values, which is NaN.
                let varies = reading.std > 1e-6 * reading.mean.abs().max(1e-24);
                if gap <= self.tolerance || layer.rounds == self.rounds || !varies {
                    break;
                }
                scale(model, &layer.path, reading.std.recip());
                scaled = Some((reading.std, gap));
                layer.rounds += 1;
            }
            found.push(layer);
        }
        Ok(found)
    }

    /// The paths of the layers that have exactly one weight, if the pattern matches it.
    fn weights<T: Real, M: Params<T> + ?Sized>(&self, model: &M) -> Result<Vec<String>> {
        let mut layers: Vec<(String, usize, bool)> = Vec::new();
        model.visit(|path, p| {
            if !is_weight(p) {
                return;
            }
            let path = path.to_string();
            let layer = layer_of(&path);
            let matches = self.pattern.matches(&path);
            match layers.iter_mut().find(|(known, ..)| known == layer) {
                Some((_, n, _)) => *n += 1,
                None => layers.push((layer.to_owned(), 1, matches)),
            }
        });
        let known: Vec<String> = layers.iter().map(|(layer, ..)| layer.clone()).collect();
        let chosen: Vec<String> = layers.into_iter().filter(|(_, n, m)| *n == 1 && *m).map(|(l, ..)| l).collect();
        if chosen.is_empty() {
            let expected = format!("the path of the one weight of a layer ({})", known.join(", "));
            return Err(TrainError::value("lsuv: pattern", &expected, format!("`{}`", self.pattern)));
        }
        Ok(chosen)
    }
}

fn is_weight<T: Real>(p: &gradwise_core::Param<T>) -> bool {
    p.is_trainable() && p.value.ndim() >= 2
}

/// The path of what a parameter lies in.
fn layer_of(path: &str) -> &str {
    path.rfind('.').map_or("", |dot| &path[..dot])
}

/// The layers in the order in which they run.
fn in_order(layers: &[String], readings: &[LayerReading]) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    for reading in readings {
        if layers.contains(&reading.path) && !order.contains(&reading.path) {
            order.push(reading.path.clone());
        }
    }
    order
}

/// What all layers put out for the batch.
fn record<T, M, B, O>(model: &M, batch: &B, objective: &O, workspace: &mut Workspace<T>) -> Result<Vec<LayerReading>>
where
    T: Real,
    M: Params<T> + ?Sized,
    B: ?Sized,
    O: Objective<T, M, B>,
{
    let mut tape = Tape::new(workspace, Mode { training: true, ..Mode::evaluate() });
    tape.watch(model);
    tape.probe_before_activation(usize::MAX);
    objective.record(&mut tape, model, batch)?;
    Ok(tape.take_readings())
}

/// Multiplies the weight of a layer.
fn scale<T: Real, M: Params<T> + ?Sized>(model: &mut M, layer: &str, factor: f64) {
    model.visit_mut(|path, p| {
        if is_weight(p) && layer_of(&path.to_string()) == layer {
            p.value.mapv_inplace(|w| w * T::of(factor));
        }
    });
}
