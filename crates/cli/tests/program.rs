//! The program as a person and a script meet it.

use std::path::Path;
use std::process::{Command, Output};

fn gradwise(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradwise")).current_dir(folder).args(arguments).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it writes text")
}

#[test]
fn a_short_run_tells_everything() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        gradwise(folder.path(), &["--epochs", "1", "--batch", "256", "--threads", "2", "--json", "--seed", "3"]);
    let out = text(&output.stdout);
    assert!(output.status.success(), "{out}{}", text(&output.stderr));
    let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    for key in ["test_accuracy", "test_loss", "train_seconds", "samples_per_second", "epochs", "parameters", "seed"] {
        assert!(last[key].is_number(), "{key} in {last}");
    }
    assert_eq!((last["epochs"].as_u64(), last["seed"].as_u64(), last["threads"].as_u64()), (Some(1), Some(3), Some(2)));
    for words in ["test accuracy", "samples per second", "update/weight", "conv0", "head", "epoch 1/1"] {
        assert!(out.contains(words), "{words} in {out}");
    }
    let run = folder.path().join(last["out"].as_str().unwrap());
    for file in ["config.json", "metrics.jsonl", "model.safetensors", "summary.json"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    // The same seed on one thread: the same numbers.
    let again = gradwise(
        folder.path(),
        &["train", "--epochs", "1", "--batch", "256", "--threads", "1", "--json", "--seed", "3"],
    );
    let again: serde_json::Value = serde_json::from_str(text(&again.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(again["test_loss"], last["test_loss"]);
    assert_ne!(again["out"], last["out"], "a run is never written over");
}

#[test]
fn what_cannot_be_used_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for (arguments, words) in [
        (&["train", "--data", "nowhere"][..], "nowhere"),
        (&["train", "--data", "empty"], "train-images"),
        (&["--rate=-1"], "rate"),
        (&["--dropout", "1.5"], "dropout"),
        (&["--batch", "0"], "batch"),
        (&["--epochs", "0"], "epochs"),
        (&["--threads", "0"], "threads"),
        (&["--weight-decay", "NaN"], "weight decay"),
        (&["--label-smoothing", "2"], "smoothing"),
        (&["--out", "empty/../../../../proc/nothing"], "nothing"),
    ] {
        let output = gradwise(folder.path(), arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
        assert!(error.starts_with("gradwise: ") && error.to_lowercase().contains(words), "{arguments:?}: {error}");
    }
    assert_eq!(gradwise(folder.path(), &["--optimizer", "best"]).status.code(), Some(2));
    // Nothing was left behind by runs that did not start.
    assert!(!folder.path().join("runs").exists());
}
