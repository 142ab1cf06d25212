//! The program as a person and a script meet it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradwise"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command
}

fn gradwise(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("it starts")
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
fn what_cannot_be_used_is_refused_in_one_line_with_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    dataset(&folder.path().join("hollow"), &[3, 28, 28], &[]);
    dataset(&folder.path().join("small"), &[1, 4, 4], &[0]);
    dataset(&folder.path().join("ids"), &[1, 8, 8], &2_000_000_000_u32.to_be_bytes());
    let (command, data, output) = (2, 3, 4);
    for (arguments, code, words) in [
        (&["train", "--data", "nowhere"][..], command, "nowhere"),
        (&["train", "--data", "file"], command, "file"),
        (&["train", "--data", "empty"], data, "train-images"),
        (&["train", "--data", "hollow"], data, "at byte 16: expected 2352 bytes"),
        (&["train", "--data", "small"], data, "halved"),
        (&["train", "--data", "ids"], data, "expected a label below 65536"),
        (&["--rate=-1"], command, "rate"),
        (&["--rate", "NaN"], command, "rate"),
        (&["--dropout", "1.5"], command, "dropout"),
        (&["--batch", "0"], command, "batch"),
        (&["--epochs", "0"], command, "epochs"),
        (&["--threads", "0"], command, "threads"),
        (&["--weight-decay", "NaN"], command, "weight decay"),
        (&["--label-smoothing", "2"], command, "smoothing"),
        (&["--out", "empty/../../../../proc/nothing"], output, "nothing"),
        (&["--out", "file/run"], output, "file/run"),
    ] {
        let output = gradwise(folder.path(), arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{arguments:?}: {error}");
        assert!(error.starts_with("gradwise: ") && error.to_lowercase().contains(words), "{arguments:?}: {error}");
    }
    assert_eq!(gradwise(folder.path(), &["--optimizer", "best"]).status.code(), Some(command));
    // Nothing was left behind by runs that did not start.
    assert!(!folder.path().join("runs").exists());
}

/// A folder like MNIST's whose images have a shape and no values but zeros where `labels` has any; labels are bytes, or one of 32 bits.
fn dataset(folder: &Path, images: &[u32], labels: &[u8]) {
    std::fs::create_dir(folder).unwrap();
    let header = |kind: u8, axes: &[u32]| {
        [vec![0, 0, kind, axes.len() as u8], axes.iter().flat_map(|n| n.to_be_bytes()).collect()].concat()
    };
    let kind = if labels.len() == 4 { 0x0c } else { 0x08 };
    let n = if labels.is_empty() { 0 } else { images.iter().product::<u32>() };
    for part in ["train", "t10k"] {
        let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(format!("{part}-{name}-ubyte")), bytes);
        write("images-idx3", [header(0x08, images), vec![0; n as usize]].concat()).unwrap();
        write("labels-idx1", [header(kind, &images[..1]), labels.to_vec()].concat()).unwrap();
    }
}

#[test]
fn a_reader_that_leaves_does_not_end_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path(), &["--epochs", "1", "--batch", "512", "--json", "--out", "run"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(folder.path().join("run/summary.json").is_file());
}

#[test]
fn runs_are_drawn_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    for (run, seed) in [("a", "0"), ("b", "1")] {
        let arguments = ["--epochs", "1", "--batch", "512", "--threads", "1", "--seed", seed, "--out", run];
        assert!(gradwise(folder.path(), &arguments).status.success());
    }
    let arguments =
        ["report", "a", "b", "-o", "out/page.html", "--svg", "svg", "--png", "png", "--dark", "--tensorboard", "tb"];
    let output = gradwise(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let at = |file: &str| folder.path().join(file);
    let page = std::fs::read_to_string(at("out/page.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("2 runs: a, b"));
    for figure in ["loss", "metric-accuracy", "confusion", "gradients", "activations", "learning-rate"] {
        assert!(at(&format!("svg/{figure}.svg")).is_file() && at(&format!("png/{figure}.png")).is_file(), "{figure}");
    }
    for run in ["a", "b"] {
        let events = std::fs::read_dir(at("tb").join(run)).unwrap().next().unwrap().unwrap().path();
        assert!(events.to_string_lossy().contains("tfevents") && std::fs::metadata(events).unwrap().len() > 1000);
    }
    let table = text(&gradwise(folder.path(), &["compare", "a", "b"]).stdout);
    for words in ["seed", "test_accuracy", "2 seeds", " to "] {
        assert!(table.contains(words), "{words} in {table}");
    }
    std::fs::write(at("b/metrics.jsonl"), "nonsense\n").unwrap();
    for (arguments, code, words) in [
        (&["report", "nowhere"][..], 2, "nowhere: expected the folder of a run, got nothing"),
        (&["compare", "a", "b"], 3, "b/metrics.jsonl:1: expected a JSON object"),
        (&["report", "a", "-o", "a/config.json/page.html"], 4, "config.json"),
        (&["report", "a", "-o", "/"], 4, "expected the name of a file"),
        (&["report", "a", "-o", "a/config.json"], 2, "expected a file of its own, got one of the run"),
    ] {
        let output = gradwise(folder.path(), arguments);
        let error = text(&output.stderr);
        assert_eq!((output.status.code(), error.lines().count()), (Some(code), 1), "{arguments:?}: {error}");
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
    assert_eq!(gradwise(folder.path(), &["report"]).status.code(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn words_that_find_no_room_are_told_when_the_run_is_safe() {
    let folder = tempfile::tempdir().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output =
        command(folder.path(), &["--epochs", "1", "--batch", "512", "--out", "run"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).starts_with("gradwise: standard output: "), "{output:?}");
    assert!(folder.path().join("run/summary.json").is_file());
}

#[test]
fn a_recipe_is_begun_checked_and_trained() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = gradwise(folder.path(), arguments);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    // Numbers and words, with a value missing, as tables have them; which of two is told by the sum.
    let row =
        |i: usize| format!("{};{};{};{}", i % 7, i % 5, ["red", "blue"][i % 2], ["low", "high"][(i % 7 + i % 5) / 6]);
    let rows: Vec<String> = (0..70).map(row).collect();
    std::fs::write(folder.path().join("table.csv"), format!("a;b;colour;size\n{}\n;1;red;low\n", rows.join("\n")))
        .unwrap();

    let (code, out, error) = run(&["recipe", "new", "--data", "table.csv", "-o", "table.toml"]);
    assert_eq!((code, out.contains("gradwise train table.toml")), (Some(0), true), "{error}");
    assert_eq!(run(&["recipe", "new", "--data", "table.csv", "-o", "table.toml"]).0, Some(2), "it is not written over");
    let (code, out, error) = run(&["recipe", "check", "table.toml"]);
    assert_eq!(code, Some(0), "{error}");
    for words in ["2 classes", "linear", "64", "parameters", "50 epochs of 2 steps"] {
        assert!(out.contains(words), "{words} in {out}");
    }
    let (code, out, error) = run(&["train", "table.toml", "--json", "--threads", "1"]);
    assert_eq!(code, Some(0), "{error}");
    let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert!(last["test"]["accuracy"].as_f64() > Some(0.8), "{last}");
    assert_eq!(last["out"].as_str(), Some("runs/table"));
    for file in ["config.json", "metrics.jsonl", "model.safetensors", "summary.json"] {
        assert!(folder.path().join("runs/table").join(file).is_file(), "{file}");
    }

    let (_, out, error) = run(&["compare", "runs/table"]);
    assert!(out.contains("test/accuracy"), "{out}{error}");

    let recipe = std::fs::read_to_string(folder.path().join("table.toml")).unwrap();
    let line = 1 + recipe.lines().position(|line| line.starts_with("rate = 0.003")).unwrap();
    std::fs::write(folder.path().join("bad.toml"), recipe.replace("\nrate = 0.003", "\nrat = 0.003")).unwrap();
    for arguments in [&["recipe", "check", "bad.toml"][..], &["train", "bad.toml", "--out", "bad"]] {
        let (code, _, error) = run(arguments);
        let told = format!("gradwise: bad.toml:{line}: optimizer.rat: there is no key `rat`; did you mean `rate`?\n");
        assert_eq!((code, error), (Some(2), told));
    }
    assert!(!folder.path().join("bad").exists(), "nothing is left of a run that did not start");
    assert_eq!(run(&["train", "table.toml", "--out", "runs/table"]).0, Some(2), "a run is never written over");
    assert_eq!(run(&["train", "nowhere.toml"]).0, Some(2));
    assert_eq!(run(&["train", "table.toml", "--dropout", "0.5"]).0, Some(2), "a recipe says that itself");
    let (code, out, _) = run(&["recipe", "schema"]);
    assert!(code == Some(0) && serde_json::from_str::<serde_json::Value>(&out).is_ok());
}
