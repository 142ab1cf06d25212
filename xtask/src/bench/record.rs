//! What was measured, as it is kept in `docs/performance.json`.

use super::machine::Circumstances;
use super::statistics::Estimate;
use crate::Failure;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// Everything that was measured last, each part with its own circumstances: parts can be measured anew one by one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Performance {
    /// Training steps beside those of the peers, in the cases' order.
    pub(super) steps: Vec<Comparison>,
    /// Single operations.
    pub(super) ops: Option<Operations>,
}

/// A case on a number of threads, ours and the peers'.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Comparison {
    /// The case.
    pub(super) case: String,
    /// Threads.
    pub(super) threads: usize,
    /// Where and when.
    pub(super) circumstances: Circumstances,
    /// Our step: medians over the pairs.
    pub(super) ours: Ours,
    /// Every setting of every peer, once.
    pub(super) scouted: Vec<Scouted>,
    /// The fastest settings, in interleaved pairs with ours.
    pub(super) rivals: Vec<Rival>,
}

/// Our own numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ours {
    /// Median over all runs of their medians, milliseconds a step.
    pub(super) ms: f64,
    /// What all threads spent on a processor for a step.
    pub(super) cpu_ms: Option<f64>,
    /// What the steps' values and gradients lie in.
    pub(super) workspace_mb: f64,
    /// Peak memory of the process, less what it had before the case began.
    pub(super) step_mb: Option<f64>,
    /// Milliseconds a step after a thousand steps.
    pub(super) ms_later: Option<f64>,
}

/// One look at a peer's setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Scouted {
    /// The setting.
    pub(super) setting: String,
    /// The peer with its version, as it names itself.
    pub(super) peer: String,
    /// Milliseconds a step.
    pub(super) ms: f64,
    /// Peak memory of its process.
    pub(super) peak_mb: Option<f64>,
}

/// A setting that was measured in pairs with ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rival {
    /// The setting.
    pub(super) setting: String,
    /// The peer with its version.
    pub(super) peer: String,
    /// Median over the pairs, milliseconds a step.
    pub(super) ms: f64,
    /// How many times faster ours is.
    pub(super) ratio: Estimate,
    /// How many pairs.
    pub(super) pairs: usize,
}

/// Single operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Operations {
    /// Where and when.
    pub(super) circumstances: Circumstances,
    /// The operations, in their order.
    pub(super) lines: Vec<Operation>,
    /// PyTorch's, forward and backward together.
    pub(super) pytorch: Vec<PeerOperation>,
}

/// An operation on a number of threads, as our program prints it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Operation {
    /// Its name.
    pub(super) op: String,
    /// Threads.
    pub(super) threads: usize,
    /// Milliseconds.
    pub(super) ms: f64,
    /// Arithmetic, where that bounds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gflops: Option<f64>,
    /// Memory moved, where that bounds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gb_s: Option<f64>,
    /// Share of the peak.
    pub(super) share: f64,
    /// The peak, in the same unit.
    pub(super) peak: f64,
}

/// An operation of a peer, as its program prints it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct PeerOperation {
    /// The peer with its version.
    pub(super) peer: String,
    /// The operation, as the peer's program names it.
    pub(super) case: String,
    /// Threads.
    pub(super) threads: usize,
    /// Milliseconds.
    pub(super) ms: f64,
}

impl Performance {
    /// What a file holds; nothing, if there is none.
    pub(super) fn load(path: &Path) -> Result<Self, Failure> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Performance::default()),
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }

    /// Writes the file.
    pub(super) fn save(&self, path: &Path) -> Result<(), Failure> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// Puts a comparison in the place of an older one of the same case and threads, or in its place in the order of `cases`.
    pub(super) fn put(&mut self, comparison: Comparison, cases: &[&str]) {
        let order = |c: &Comparison| (cases.iter().position(|case| *case == c.case), c.threads);
        self.steps.retain(|old| order(old) != order(&comparison));
        let at = self.steps.partition_point(|old| order(old) < order(&comparison));
        self.steps.insert(at, comparison);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(case: &str, threads: usize, ms: f64) -> Comparison {
        let ours = Ours { ms, ..Ours::default() };
        Comparison { case: case.into(), threads, ours, ..Comparison::default() }
    }

    #[test]
    fn a_new_comparison_takes_the_place_of_the_old_one() {
        let mut performance = Performance::default();
        for (case, threads, ms) in [("b", 1, 1.0), ("a", 2, 2.0), ("a", 1, 3.0), ("b", 1, 4.0)] {
            performance.put(comparison(case, threads, ms), &["a", "b"]);
        }
        let steps: Vec<_> = performance.steps.iter().map(|c| (c.case.as_str(), c.threads, c.ours.ms)).collect();
        assert_eq!(steps, [("a", 1, 3.0), ("a", 2, 2.0), ("b", 1, 4.0)]);
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/performance.json");
        assert_eq!(Performance::load(&path).unwrap(), Performance::default());
        let mut performance = Performance::default();
        performance.put(comparison("a", 1, 0.5), &["a"]);
        performance.save(&path).unwrap();
        assert_eq!(Performance::load(&path).unwrap(), performance);
        fs::write(&path, "{").unwrap();
        assert!(Performance::load(&path).unwrap_err().to_string().contains("performance.json"));
    }
}
