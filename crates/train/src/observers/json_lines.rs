//! Everything as JSON lines: `metrics.jsonl` of a run folder.

use gradwise_core::{Event, Grads, Observer, Params, ParamsExt, Real, Stop};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::ops::ControlFlow;

/// Writes a JSON object a line for every step and epoch; the fields are those of the run folder's format
/// (see [`RunFolder`](crate::RunFolder)).
///
/// What cannot be written is kept as an error for [`JsonLines::finish`]; training goes on.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
    paths: Vec<String>,
    error: Option<std::io::Error>,
}

impl<W: Write> JsonLines<W> {
    /// Lines to a writer.
    pub fn new(out: W) -> Self {
        JsonLines { out, paths: Vec::new(), error: None }
    }

    /// Flushes the writer; tells the first error there was.
    ///
    /// # Errors
    /// That of the first line that could not be written.
    pub fn finish(mut self) -> std::io::Result<()> {
        match self.error {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }

    fn line(&mut self, value: &Value) {
        if self.error.is_none() {
            self.error = writeln!(self.out, "{value}").err();
        }
    }
}

/// JSON has no NaN and no infinity; `null` stands for both.
fn number(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
}

fn object(values: &[(String, f64)]) -> Value {
    Value::Object(values.iter().map(|(name, value)| (name.clone(), number(*value))).collect())
}

fn norm<T: Real>(values: impl IntoIterator<Item = T>) -> f64 {
    values.into_iter().map(|x| x.as_f64() * x.as_f64()).sum::<f64>().sqrt()
}

/// Norms of each parameter, its gradient and its update, by path.
fn params<T: Real>(paths: &[String], model: &dyn Params<T>, grads: &Grads<T>, updates: &[f64]) -> Value {
    let mut all = Map::new();
    let mut index = 0;
    model.visit(|_, p| {
        if let (Some(path), Some(grad)) = (paths.get(index), grads.get(index)) {
            let mut entry = Map::new();
            entry.insert("weight_norm".into(), number(norm(p.value.iter().copied())));
            entry.insert("grad_norm".into(), number(norm(grad.iter().copied())));
            if let Some(update) = updates.get(index) {
                entry.insert("update_norm".into(), number(*update));
            }
            all.insert(path.clone(), Value::Object(entry));
        }
        index += 1;
    });
    Value::Object(all)
}

impl<T: Real, W: Write> Observer<T> for JsonLines<W> {
    fn observe(&mut self, event: &Event<'_, T>) -> ControlFlow<Stop> {
        match event {
            Event::Start { model, epochs, steps_per_epoch } => {
                self.paths = model.paths();
                self.line(&json!({"event": "start", "epochs": epochs, "steps_per_epoch": steps_per_epoch}));
            }
            Event::Step {
                step,
                epoch,
                loss,
                learning_rate,
                grad_norm,
                samples,
                model,
                grads,
                update_norms,
                layers,
            } => {
                let mut line = json!({
                    "event": "step", "step": step, "epoch": epoch, "loss": number(loss.as_f64()),
                    "learning_rate": number(*learning_rate), "grad_norm": number(*grad_norm), "samples": samples,
                });
                if !update_norms.is_empty() {
                    line["params"] = params(&self.paths, *model, grads, update_norms);
                }
                if !layers.is_empty() {
                    let layer = |r: &gradwise_core::LayerReading| {
                        json!({
                            "path": r.path, "op": r.op, "shape": r.shape, "mean": number(r.mean), "std": number(r.std),
                            "min": number(r.min), "max": number(r.max), "zeros": number(r.zeros),
                            "not_finite": number(r.not_finite), "dead": number(r.dead),
                            "saturated": r.saturated.map(number),
                        })
                    };
                    line["layers"] = layers.iter().map(layer).collect();
                }
                self.line(&line);
            }
            Event::Unreached { paths } => self.line(&json!({"event": "unreached", "paths": paths})),
            Event::Epoch { epoch, train_loss, train, validation, seconds, samples, .. } => {
                self.line(&json!({
                    "event": "epoch", "epoch": epoch, "train_loss": number(*train_loss), "train": object(train),
                    "validation": object(validation), "seconds": number(*seconds), "samples": samples,
                }));
            }
            Event::End { steps, stop, .. } => {
                self.line(&json!({"event": "end", "steps": steps, "stop": stop.map(|s| &s.reason)}));
                if self.error.is_none() {
                    self.error = self.out.flush().err();
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
