//! What trainings gave, as it is kept in `docs/results.json`.

use super::super::machine::Circumstances;
use crate::Failure;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// Everything that was measured last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Whole trainings.
    pub(super) runs: Vec<Run>,
    /// Short ones, in turn.
    pub(super) pairs: Vec<Pair>,
}

/// A training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) net: String,
    /// Who trained, with the version where it is not ours.
    pub(super) peer: String,
    pub(super) seed: u64,
    pub(super) epochs: Vec<Epoch>,
    pub(super) circumstances: Circumstances,
}

/// An epoch, as the programs print it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Epoch {
    #[serde(default, skip_serializing)]
    pub(super) peer: String,
    pub(super) train_loss: f64,
    pub(super) test_loss: f64,
    pub(super) test_accuracy: f64,
    /// Images trained on.
    #[serde(default, skip_serializing)]
    pub(super) images: usize,
    /// Seconds of training: of no use where the machine did other things besides, and so not kept.
    #[serde(default, skip_serializing)]
    pub(super) seconds: f64,
}

/// Seconds an epoch, ours and PyTorch's, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pair {
    pub(super) net: String,
    pub(super) threads: usize,
    pub(super) ours: f64,
    pub(super) theirs: f64,
    pub(super) circumstances: Circumstances,
}

/// Who we are in a run's `peer`.
const OURS: &str = "gradwise";

impl Run {
    /// Of what a program printed.
    pub(super) fn new(
        net: &str,
        ours: bool,
        seed: u64,
        epochs: Vec<Epoch>,
        circumstances: Circumstances,
    ) -> Result<Self, Failure> {
        let peer = epochs.first().map(|epoch| epoch.peer.clone()).unwrap_or_default();
        if peer.is_empty() || (peer == OURS) != ours {
            return Err(format!("expected epochs of {net}, got {} of {peer:?}", epochs.len()).into());
        }
        Ok(Run { net: net.to_owned(), peer, seed, epochs, circumstances })
    }

    /// Whether it is ours.
    pub(super) fn is_ours(&self) -> bool {
        self.peer == OURS
    }

    /// What it came to.
    pub(super) fn last(&self) -> Epoch {
        self.epochs.last().cloned().unwrap_or_default()
    }

    /// A line of it.
    pub(super) fn summary(&self) -> String {
        let (Run { net, peer, seed, epochs, .. }, last) = (self, self.last());
        let accuracy = 100.0 * last.test_accuracy;
        let seconds: f64 = epochs.iter().map(|epoch| epoch.seconds).sum();
        format!("{net} seed {seed} by {peer}: {accuracy:.2} % after {} epochs, {seconds:.0} s", epochs.len())
    }
}

impl Record {
    /// What a file holds; nothing, if there is none.
    pub(super) fn load(path: &Path) -> Result<Self, Failure> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Record::default()),
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }

    /// Writes the file.
    pub(super) fn save(&self, path: &Path) -> Result<(), Failure> {
        Ok(fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// Whether there is such a run.
    pub(super) fn has(&self, net: &str, ours: bool, seed: u64) -> bool {
        self.runs.iter().any(|run| run.net == net && run.is_ours() == ours && run.seed == seed)
    }

    /// Puts a run in the place of an older one, or in its place in the order.
    pub(super) fn put(&mut self, run: Run) {
        let order = |run: &Run| (run.net.clone(), run.seed, !run.is_ours());
        self.runs.retain(|old| order(old) != order(&run));
        let at = self.runs.partition_point(|old| order(old) < order(&run));
        self.runs.insert(at, run);
    }
}
