//! Reading a run folder.

use super::line::{Config, Confusion, Layer, Line, Param};
use super::{At, ConfusionMatrix, End, Epoch, LayerStats, ParamStats, Run, Step};
use crate::{ReportError, Result};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

/// The newest version of the format that is understood.
const VERSION: u64 = 1;

impl Run {
    /// Reads the folder of a run.
    ///
    /// Fields and events that are not known are passed over. A run that did not end is read as far as it came: without a summary, and
    /// where it was ended in the middle of a line, without that line.
    ///
    /// ```
    /// use gradwise_report::Run;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    /// write("config.json", r#"{"format": "gradwise-run", "version": 1, "config": {"rate": 0.1}}"#)?;
    /// write("metrics.jsonl", "{\"event\": \"step\", \"step\": 0, \"epoch\": 0, \"loss\": 2.3, \"learning_rate\": 0.1}\n")?;
    /// let run = Run::read(folder.path())?;
    /// assert_eq!((run.steps[0].loss, run.ended()), (2.3, false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If there is no run in the folder, or one of a version that is not known; with file and line, if something in it is not as the
    /// format says.
    pub fn read(path: impl AsRef<Path>) -> Result<Run> {
        let path = path.as_ref();
        let file = path.join("config.json");
        let config: Config = match fs::read(&file) {
            Ok(text) => parse(&file, &text)?,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                let got = match fs::metadata(path) {
                    Ok(what) if what.is_dir() => "a folder without a config.json",
                    Ok(_) => "a file",
                    Err(_) => "nothing",
                };
                return Err(ReportError::NoRun { path: path.to_owned(), got: got.to_owned() });
            }
            Err(error) => return Err(ReportError::io(&file)(error)),
        };
        if config.format.as_deref() != Some("gradwise-run") {
            let got = config.format.map_or_else(|| String::from("none"), |format| format!("{format:?}"));
            return Err(ReportError::format(&file, 1, "the format \"gradwise-run\"", got));
        }
        let version = config.version.unwrap_or(VERSION);
        if version > VERSION {
            return Err(ReportError::format(&file, 1, format!("a version up to {VERSION}"), version.to_string()));
        }
        let name = path.canonicalize().ok().and_then(|path| Some(path.file_name()?.display().to_string()));
        let mut run = Run {
            path: path.to_owned(),
            name: name.unwrap_or_else(|| path.display().to_string()),
            config: config.config,
            recipe: text(&path.join("recipe.toml"))?,
            summary: optional(&path.join("summary.json"))?,
            plan: None,
            steps: Vec::new(),
            epochs: Vec::new(),
            readings: Vec::new(),
            norms: Vec::new(),
            unreached: Vec::new(),
            end: None,
            confusion: confusion(&path.join("confusion.json"))?,
            cut_off: false,
        };
        run.read_metrics(&path.join("metrics.jsonl"))?;
        Ok(run)
    }

    fn read_metrics(&mut self, path: &Path) -> Result<()> {
        let mut file = BufReader::new(File::open(path).map_err(ReportError::io(path))?);
        let mut text = Vec::new();
        for number in 1.. {
            text.clear();
            if file.read_until(b'\n', &mut text).map_err(ReportError::io(path))? == 0 {
                break;
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(&text) {
                Ok(line) => self
                    .take(line)
                    .map_err(|expected| ReportError::format(path, number, expected, "a line without one"))?,
                // Whoever writes a line ends it; one that has no end was not written to its end.
                Err(_) if !text.ends_with(b"\n") => self.cut_off = true,
                Err(error) => {
                    return Err(ReportError::format(path, number, "a JSON object with an event", error.to_string()));
                }
            }
        }
        Ok(())
    }

    /// Takes a line in; the error is what it lacks.
    fn take(&mut self, line: Line) -> std::result::Result<(), &'static str> {
        match line.event.as_str() {
            "start" => self.plan = line.epochs.zip(line.steps_per_epoch).map(|(epochs, steps)| [epochs, steps]),
            "step" => {
                let step = line.step.ok_or("a step with its number, \"step\"")?;
                self.steps.push(Step {
                    step,
                    epoch: line.epoch.unwrap_or(0),
                    loss: number(line.loss),
                    learning_rate: number(line.learning_rate),
                    grad_norm: number(line.grad_norm),
                    momentum: line.momentum,
                    samples: line.samples.unwrap_or(0),
                });
                if !line.params.is_empty() {
                    self.norms.push(At { step, values: line.params.into_iter().map(param).collect() });
                }
                if !line.layers.is_empty() {
                    self.readings.push(At { step, values: line.layers.into_iter().map(layer).collect() });
                }
            }
            "epoch" => self.epochs.push(Epoch {
                epoch: line.epoch.ok_or("an epoch with its number, \"epoch\"")?,
                train_loss: number(line.train_loss),
                train: named(line.train),
                validation: named(line.validation),
                seconds: number(line.seconds),
                samples: line.samples.unwrap_or(0),
            }),
            "unreached" => self.unreached = line.paths,
            "end" => self.end = Some(End { steps: line.steps.unwrap_or(self.steps.len() as u64), stop: line.stop }),
            _ => {}
        }
        Ok(())
    }
}

fn number(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}

fn named(values: BTreeMap<String, Option<f64>>) -> Vec<(String, f64)> {
    values.into_iter().map(|(name, value)| (name, number(value))).collect()
}

fn param((path, norms): (String, Param)) -> ParamStats {
    ParamStats {
        path,
        weight_norm: number(norms.weight_norm),
        grad_norm: number(norms.grad_norm),
        update_norm: norms.update_norm,
    }
}

fn layer(layer: Layer) -> LayerStats {
    LayerStats {
        path: layer.path,
        op: layer.op,
        shape: layer.shape,
        mean: number(layer.mean),
        std: number(layer.std),
        min: number(layer.min),
        max: number(layer.max),
        zeros: number(layer.zeros),
        not_finite: number(layer.not_finite),
        dead: layer.dead,
        saturated: layer.saturated,
        histogram: layer.histogram,
    }
}

fn confusion(path: &Path) -> Result<Option<ConfusionMatrix>> {
    let Some(Confusion { classes, matrix }) = optional(path)? else { return Ok(None) };
    let n = classes.len();
    if n == 0 || matrix.len() != n || matrix.iter().any(|row| row.len() != n) {
        let rows: Vec<usize> = matrix.iter().map(Vec::len).collect();
        let expected = format!("a matrix of {n} x {n}, one row and column a class, of at least one class");
        return Err(ReportError::format(path, 1, expected, format!("rows of lengths {rows:?}")));
    }
    if let Some(entry) = matrix.iter().flatten().find(|x| **x < 0.0) {
        return Err(ReportError::format(path, 1, "numbers of samples", entry.to_string()));
    }
    Ok(Some(ConfusionMatrix { classes, matrix }))
}

/// A text that need not be there.
fn text(path: &Path) -> Result<Option<String>> {
    Ok(bytes(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// A file of JSON that need not be there.
fn optional<V: DeserializeOwned>(path: &Path) -> Result<Option<V>> {
    bytes(path)?.map(|text| parse(path, &text)).transpose()
}

fn bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ReportError::io(path)(error)),
    }
}

fn parse<V: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<V> {
    serde_json::from_slice(text)
        .map_err(|error| ReportError::format(path, error.line().max(1), "JSON of the run's format", error.to_string()))
}
