//! A run on disk.

use crate::weights::write_whole;
use crate::{JsonLines, Result, TrainError, save_weights};
use gradwise_core::{Params, Real};
use serde::Serialize;
use serde_json::json;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// The folder of a training run.
///
/// | file | what it holds |
/// |---|---|
/// | `config.json` | `{"format": "gradwise-run", "version": 1, "config": …}`: everything the run was started with |
/// | `metrics.jsonl` | a JSON object a line, in the order of events (below) |
/// | `model.safetensors` | the final weights, buffers included, each under its path |
/// | `confusion.json` | `{"classes": names, "matrix": rows, "undecided": numbers}`: a row a true class, a column what it was taken for; of classifiers |
/// | `summary.json` | how it ended; written last, so a folder without one is of a run that did not end |
///
/// Lines of `metrics.jsonl`, told apart by `"event"`; `null` stands for a number that is not finite:
///
/// - `start`: `epochs`, `steps_per_epoch`.
/// - `step`: `step` (from 0 since training began), `epoch` (from 0), `loss` of the batch before the update, `learning_rate`, `grad_norm`
///   (all gradients together, before clipping), `samples`. In steps in which it was measured: `params`, an object of
///   `{weight_norm, grad_norm, update_norm}` by path. In steps in which readings were taken: `layers`, a list of
///   `{path, op, shape, mean, std, min, max, zeros, not_finite, dead, saturated}`, the last one `null` where outputs have no range.
/// - `epoch`: `epoch`, `train_loss`, `train` and `validation` (objects of what was measured, by name), `seconds`, `samples`.
/// - `end`: `steps`, `stop` (why it ended early, or `null`).
///
/// Later versions may add files and fields. A reader passes over what it does not know, and refuses a `version` above its own.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The version of the format that is written.
    pub const VERSION: u32 = 1;

    /// Makes the folder of a new run and writes its configuration.
    ///
    /// # Errors
    /// If there is a run in the folder already, or it cannot be written.
    pub fn create<C: Serialize>(path: impl Into<PathBuf>, config: &C) -> Result<Self> {
        let path = path.into();
        let file = path.join("config.json");
        if file.exists() {
            return Err(TrainError::Io {
                path,
                source: std::io::Error::new(
                    std::io::ErrorKind::AlreadyExists,
                    "expected a folder without a run, got one with a config.json",
                ),
            });
        }
        fs::create_dir_all(&path).map_err(TrainError::io(&path))?;
        write_json(&file, &json!({"format": "gradwise-run", "version": Self::VERSION, "config": config}))?;
        Ok(RunFolder { path })
    }

    /// Makes a new folder `parent/name`, or `parent/name-2`, `-3`, … if there is one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create_unique<C: Serialize>(parent: &Path, name: &str, config: &C) -> Result<Self> {
        fs::create_dir_all(parent).map_err(TrainError::io(parent))?;
        for i in 1_u64.. {
            let path = parent.join(if i == 1 { name.to_owned() } else { format!("{name}-{i}") });
            // Making the folder is what claims the name: of two runs that start together, one gets it.
            match fs::create_dir(&path) {
                Ok(()) => return Self::create(path, config),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(TrainError::io(&path)(error)),
            }
        }
        unreachable!("there are more numbers than folders")
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An observer that writes `metrics.jsonl`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn metrics(&self) -> Result<JsonLines<BufWriter<File>>> {
        let path = self.path.join("metrics.jsonl");
        let file = File::create(&path).map_err(TrainError::io(&path))?;
        Ok(JsonLines::new(BufWriter::new(file)))
    }

    /// Writes `model.safetensors`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_model<T: Real, M: Params<T> + ?Sized>(&self, model: &M) -> Result<()> {
        let metadata = [("format", String::from("gradwise")), ("version", Self::VERSION.to_string())];
        save_weights(model, &self.path.join("model.safetensors"), &metadata)
    }

    /// Writes `summary.json`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish<C: Serialize>(&self, summary: &C) -> Result<()> {
        write_json(&self.path.join("summary.json"), summary)
    }
}

pub(crate) fn write_json<C: Serialize>(path: &Path, value: &C) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| TrainError::io(path)(error.into()))?;
    write_whole(path, (text + "\n").as_bytes())
}
