//! Reports on run folders, whole and broken.

use gradwise_report::{Comparison, Figure, ReportError, Run, Theme, figures, html};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const CONFIG: &str = r#"{"format": "gradwise-run", "version": 1, "config": {"rate": 0.01, "seed": 0}}"#;

/// Writes the folder of a run and returns its path.
fn folder(parent: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = parent.join(name);
    std::fs::create_dir(&path).unwrap();
    for (file, text) in files {
        std::fs::write(path.join(file), text).unwrap();
    }
    path
}

/// The record of a run of three epochs of four steps, as `gradwise-train` writes it, with fields of later versions.
fn metrics(shift: f64) -> String {
    let mut text = String::from("{\"event\": \"start\", \"epochs\": 3, \"steps_per_epoch\": 4, \"later\": [1]}\n");
    for step in 0..12 {
        let loss = 2.0 / (1.0 + f64::from(step)) + shift;
        let _ = write!(
            text,
            "{{\"event\": \"step\", \"step\": {step}, \"epoch\": {}, \"loss\": {loss}, \"learning_rate\": {}, \"grad_norm\": {loss}, \
             \"momentum\": 0.9, \"samples\": 32",
            step / 4,
            0.01 * f64::from(step + 1)
        );
        if step % 4 == 0 {
            let norms = |norm: f64| format!("{{\"weight_norm\": 2.0, \"grad_norm\": {norm}, \"update_norm\": 0.002}}");
            let _ = write!(
                text,
                ", \"params\": {{\"b10.weight\": {}, \"b9.bias\": {}, \"b9.weight\": {}, \"a.weight\": {}}}",
                norms(1e-5),
                norms(0.5),
                norms(1.0),
                norms(2.0)
            );
            let layer = |path: &str, zeros: f64, more: &str| {
                format!(
                    "{{\"path\": \"{path}\", \"op\": \"linear\", \"shape\": [32, 8], \"mean\": 0.1, \"std\": 1.5, \"min\": -3.0, \"max\": 4.0, \
                     \"zeros\": {zeros}, \"not_finite\": 0.0{more}}}"
                )
            };
            let _ = write!(
                text,
                ", \"layers\": [{}, {}, {}]",
                layer("b9", 0.25, ", \"dead\": 0.125, \"saturated\": null"),
                layer("b10", 0.0, ", \"dead\": 0.5, \"saturated\": 0.75, \"histogram\": [1, 5, 2]"),
                layer("a", 0.0, "")
            );
        }
        text += "}\n";
        if step % 4 == 3 {
            let accuracy = 0.5 + 0.1 * f64::from(step / 4);
            let _ = writeln!(
                text,
                "{{\"event\": \"epoch\", \"epoch\": {}, \"train_loss\": {loss}, \"train\": {{\"accuracy\": {accuracy}}}, \"validation\": \
                 {{\"loss\": {loss}, \"accuracy\": {accuracy}}}, \"seconds\": 0.5, \"samples\": 128}}",
                step / 4
            );
        }
    }
    text + "{\"event\": \"unheard of\"}\n{\"event\": \"end\", \"steps\": 12, \"stop\": null}\n"
}

fn whole(parent: &Path, name: &str, config: &str, shift: f64) -> Run {
    let confusion = r#"{"classes": ["cat", "dog"], "matrix": [[40, 2], [0, 300]]}"#;
    let config = format!(r#"{{"format": "gradwise-run", "version": 1, "config": {config}}}"#);
    let files = [
        ("config.json", config.as_str()),
        ("metrics.jsonl", &metrics(shift)),
        ("summary.json", r#"{"test_accuracy": 0.9, "steps": 12}"#),
        ("confusion.json", confusion),
    ];
    Run::read(folder(parent, name, &files)).unwrap()
}

fn read(parent: &Path, files: &[(&str, &str)]) -> Result<Run, ReportError> {
    let name = format!("run{}", std::fs::read_dir(parent).unwrap().count());
    Run::read(folder(parent, &name, files))
}

fn ids(figures: &[Figure]) -> Vec<&str> {
    figures.iter().map(|figure| figure.id.as_str()).collect()
}

/// Elements that are opened, and what is closed, in the order in which they stand; fails where they do not fit together.
fn check_nesting(text: &str) {
    let mut open = Vec::new();
    for tag in text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        let has_no_end = ["!DOCTYPE", "meta", "link", "input"].contains(&name) || tag.ends_with('/');
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes something else");
        } else if !has_no_end {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

#[test]
fn a_run_has_its_numbers_as_series() {
    let parent = tempfile::tempdir().unwrap();
    let run = whole(parent.path(), "a", r#"{"rate": 0.01}"#, 0.0);
    assert_eq!((run.steps.len(), run.epochs.len(), run.plan, run.ended()), (12, 3, Some([3, 4]), true));
    assert_eq!(run.series("validation/accuracy"), [[4.0, 0.5], [8.0, 0.6], [12.0, 0.7]]);
    assert_eq!((run.series("loss")[1], run.series("nothing")), ([1.0, 1.0], vec![]));
    let names = run.series_names();
    assert!(
        ["loss", "momentum", "train/accuracy", "validation/loss"].iter().all(|name| names.contains(&(*name).into()))
    );
    assert_eq!(run.readings[0].values[0].dead, Some(0.125));
    assert_eq!(run.state(), "ended after 12 steps");
}

#[test]
fn every_number_of_a_run_gets_its_figure() {
    let parent = tempfile::tempdir().unwrap();
    let comparison = Comparison::new(vec![whole(parent.path(), "a", r#"{"rate": 0.01}"#, 0.0)]).unwrap();
    let figures = figures(&comparison).unwrap();
    let expected = [
        "loss",
        "metric-accuracy",
        "gradient-norm",
        "learning-rate",
        "momentum",
        "confusion",
        "gradients",
        "updates",
        "activations",
        "values",
        "signal",
    ];
    assert_eq!(ids(&figures), expected);
    for figure in &figures {
        let svg = figure.svg();
        check_nesting(&svg);
        assert!(
            svg.contains("role=\"img\"") && svg.contains("<title id=") && svg.contains("<desc id="),
            "{}",
            figure.id
        );
        assert!(
            svg.contains("prefers-color-scheme:dark") && !svg.contains("NaN") && !svg.contains("inf"),
            "{}",
            figure.id
        );
        assert!(!figure.table.rows.is_empty() && !figure.description.is_empty(), "{}", figure.id);
    }
    let of = |id: &str| &figures[ids(&figures).iter().position(|other| *other == id).unwrap()];
    // In the order of the layers, and not of names: what comes first is at the top.
    let rows: Vec<&str> = of("gradients").table.rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(rows, ["b9.weight", "b9.bias", "b10.weight", "a.weight"]);
    assert_eq!(of("updates").table.rows[0][1], "0.001");
    assert_eq!(of("gradients").svg().matches("<g><title>").count(), 12, "a cell for each parameter and step");
    let row = |cells: [&str; 5]| cells.map(String::from).to_vec();
    assert_eq!(of("confusion").table.rows[0], row(["cat", "42", "95.24 %", "100 %", "dog (2)"]));
    assert_eq!(of("activations").table.head, ["row", "zeros", "dead units", "saturated"]);
    assert_eq!(of("loss").svg().matches("stroke-dasharray").count(), 2, "held-out loss, on the plot and in the legend");
    assert!(of("metric-accuracy").svg().contains("70%"));
}

#[test]
fn a_page_needs_nothing_else_and_is_told_to_those_who_cannot_see_it() {
    let parent = tempfile::tempdir().unwrap();
    let runs = vec![
        whole(parent.path(), "a", r#"{"rate": 0.01, "seed": 0}"#, 0.0),
        whole(parent.path(), "b", r#"{"rate": 0.01, "seed": 1}"#, 0.25),
        whole(parent.path(), "c", r#"{"rate": 0.5, "seed": 0}"#, 0.5),
    ];
    let comparison = Comparison::new(runs).unwrap();
    let page = html(&comparison).unwrap();
    check_nesting(&page);
    for outside in ["http:", "https:", "src=", "url(", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    for part in ["lang=\"en\"", "<h1>", "<nav aria-label", "<main", "#theme-dark:checked", "rate 0.5: held out"] {
        assert!(page.contains(part), "{part}");
    }
    let ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "a name is given once: {ids:?}");
    for link in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(ids.contains(&link), "{link} leads nowhere");
    }
    // Two runs of one recipe are a line with a band, and each group has its matrix.
    let figures = figures(&comparison).unwrap();
    let bands = figures[0].svg().matches("<polygon").count();
    assert_eq!(bands, 2, "of two seeds, in training and held out");
    assert!(figures.iter().any(|figure| figure.id == "confusion-2" && figure.title.contains("rate 0.5")));
    let table = comparison.table().to_string();
    assert!(table.starts_with("                          a       b       c\n"), "{table}");
    for line in [["rate", "0.01", "0.01", "0.5"], ["seed", "0", "1", "0"], ["test_accuracy", "0.9", "0.9", "0.9"]] {
        let found = table.lines().any(|row| row.split_whitespace().eq(line));
        assert!(found, "{line:?} in\n{table}");
    }
    assert!(comparison.group_table().unwrap().to_string().contains("(0.1667 to 0.4167)"));
}

#[test]
fn what_is_no_run_is_refused_with_file_and_line() {
    let parent = tempfile::tempdir().unwrap();
    let at = parent.path();
    let step = "{\"event\": \"step\", \"step\": 0}\n";
    let cases: [(&[(&str, &str)], &str); 11] = [
        (&[], "expected the folder of a run, got a folder without a config.json"),
        (&[("config.json", "{")], "config.json:1: expected JSON"),
        (&[("config.json", "{\n\"format\": 3}")], "config.json:2: "),
        (&[("config.json", "{}")], "expected the format \"gradwise-run\", got none"),
        (&[("config.json", "{\"format\": \"else\"}")], "got \"else\""),
        (&[("config.json", "{\"format\": \"gradwise-run\", \"version\": 2}")], "expected a version up to 1, got 2"),
        (&[("config.json", CONFIG)], "metrics.jsonl: "),
        (
            &[("config.json", CONFIG), ("metrics.jsonl", &format!("{step}\nnothing\n"))],
            "metrics.jsonl:3: expected a JSON",
        ),
        (
            &[("config.json", CONFIG), ("metrics.jsonl", &format!("{step}{{\"event\": \"step\"}}\n"))],
            "metrics.jsonl:2: ",
        ),
        (&[("config.json", CONFIG), ("metrics.jsonl", step), ("summary.json", "[")], "summary.json:1: "),
        (
            &[
                ("config.json", CONFIG),
                ("metrics.jsonl", step),
                ("confusion.json", r#"{"classes": ["a"], "matrix": [[1, 2]]}"#),
            ],
            "expected a matrix of 1 x 1",
        ),
    ];
    for (files, words) in cases {
        let error = read(at, files).unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains('\n'), "{error:?} should say {words:?}");
    }
    assert!(Run::read(at.join("nowhere")).unwrap_err().to_string().ends_with("got nothing"));
    std::fs::write(at.join("file"), "").unwrap();
    assert!(Run::read(at.join("file")).unwrap_err().to_string().ends_with("got a file"));
}

#[test]
fn little_or_broken_numbers_make_sensible_pictures() {
    let parent = tempfile::tempdir().unwrap();
    let step = |n: u32, loss: &str| {
        format!("{{\"event\": \"step\", \"step\": {n}, \"epoch\": 0, \"loss\": {loss}, \"learning_rate\": 0.1}}\n")
    };
    let huge = format!("{}{}{}", step(0, "1e308"), step(1, "-1e308"), step(2, "5e-324"));
    let layers = "{\"event\": \"step\", \"step\": 0, \"layers\": [], \"params\": {}}\n";
    let scalar = "{\"event\": \"step\", \"step\": 0, \"layers\": [{\"path\": \"loss\"}], \"params\": {\"w\": {}}}\n";
    let many: String = (0..500).map(|n| step(n, "0.5")).collect();
    let none: [&str; 0] = [];
    let cases: [(String, &[&str]); 10] = [
        (String::new(), &none),
        (String::from("\n\n"), &none),
        (step(0, "2.5"), &["loss", "learning-rate"]),
        (step(0, "null"), &["learning-rate"]),
        (step(0, "1.0") + &step(1, "null") + &step(2, "2.0"), &["loss", "learning-rate"]),
        (step(0, "1.0") + "{\"event\": \"step\", \"st", &["loss", "learning-rate"]),
        (huge, &["loss", "learning-rate"]),
        (layers.to_owned(), &none),
        (scalar.to_owned(), &none),
        (many, &["loss", "learning-rate"]),
    ];
    for (metrics, expected) in cases {
        let run = read(parent.path(), &[("config.json", CONFIG), ("metrics.jsonl", &metrics)]).unwrap();
        assert_eq!(run.cut_off, metrics.ends_with("\"st"));
        let comparison = Comparison::new(vec![run]).unwrap();
        let figures = figures(&comparison).unwrap();
        assert_eq!(ids(&figures), expected, "{metrics:.200}");
        for figure in &figures {
            let svg = figure.svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg:.2000}");
        }
        let page = html(&comparison).unwrap();
        check_nesting(&page);
        assert!(page.contains("did not end") && page.contains("state warning"));
        assert_eq!(page.contains("cut off"), metrics.ends_with("\"st"));
    }
}

#[test]
fn a_rate_that_only_rises_is_a_range_test() {
    let parent = tempfile::tempdir().unwrap();
    let line = |i: i32| {
        let (rate, loss) = (1e-5 * 1.5_f64.powi(i), 2.0 + (f64::from(i) / 10.0 - 1.5).powi(2));
        format!("{{\"event\": \"step\", \"step\": {i}, \"epoch\": 0, \"loss\": {loss}, \"learning_rate\": {rate}}}\n")
    };
    let metrics: String = (0..30).map(line).collect();
    let run = read(parent.path(), &[("config.json", CONFIG), ("metrics.jsonl", &metrics)]).unwrap();
    let figures = figures(&Comparison::new(vec![run]).unwrap()).unwrap();
    let figure = figures.last().unwrap();
    assert_eq!(figure.id, "range-test");
    assert!(figure.description.contains("loss 2 at rate 0.004379"), "{}", figure.description);
    assert!(figure.svg().contains(">1e-4</text>") && figure.svg().contains(">0.1</text>"));
}

#[test]
fn names_of_others_stay_words() {
    let parent = tempfile::tempdir().unwrap();
    let evil = "</title><script>alert(1)</script>&\\\"'";
    let config = format!(r#"{{"format": "gradwise-run", "version": 1, "config": {{"{evil}": "{evil}"}}}}"#);
    let metrics = format!(
        "{{\"event\": \"unreached\", \"paths\": [\"{evil}\"]}}\n{{\"event\": \"step\", \"step\": 0, \"epoch\": 0, \"params\": {{\"{evil}\": \
         {{\"grad_norm\": 1.0}}}}, \"layers\": [{{\"path\": \"{evil}\", \"shape\": [2], \"mean\": 1.0, \"std\": 1.0, \"min\": 0.0, \"max\": 1.0, \
         \"zeros\": 0.5}}]}}\n{{\"event\": \"epoch\", \"epoch\": 0, \"validation\": {{\"{evil}\": 0.5}}}}\n{{\"event\": \"end\", \"stop\": \
         \"{evil}\"}}\n"
    );
    let confusion = format!(r#"{{"classes": ["{evil}"], "matrix": [[1]]}}"#);
    let files = [
        ("config.json", config.as_str()),
        ("metrics.jsonl", &metrics),
        ("confusion.json", &confusion),
        ("recipe.toml", "# </pre><script>"),
    ];
    let run = Run::read(folder(parent.path(), "<b>&'", &files)).unwrap();
    let comparison = Comparison::new(vec![run]).unwrap();
    let page = html(&comparison).unwrap();
    check_nesting(&page);
    assert!(!page.contains("<script") && !page.contains("<b>") && page.contains("&lt;script&gt;alert(1)"));
    for figure in figures(&comparison).unwrap() {
        assert!(!figure.svg().contains("<script"), "{}", figure.id);
        assert!(figure.id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{}", figure.id);
    }
}

#[cfg(feature = "png")]
#[test]
fn pictures_are_painted_light_and_dark() {
    let parent = tempfile::tempdir().unwrap();
    let comparison = Comparison::new(vec![whole(parent.path(), "a", "{}", 0.0)]).unwrap();
    for figure in
        figures(&comparison).unwrap().iter().filter(|figure| ["loss", "confusion"].contains(&figure.id.as_str()))
    {
        for (theme, ground) in [(Theme::Light, [255, 255, 255]), (Theme::Dark, [22, 25, 29])] {
            let file = figure.png(theme).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
            let mut dots = vec![0; reader.output_buffer_size().unwrap()];
            let frame = reader.next_frame(&mut dots).unwrap();
            assert_eq!((frame.width, frame.color_type), (1520, png::ColorType::Rgb));
            assert_eq!(dots[..3], ground, "the corner is bare");
            let painted = dots.chunks_exact(3).filter(|dot| **dot != ground).count();
            assert!((3000..900_000).contains(&painted), "{} {theme:?}: {painted} dots", figure.id);
        }
    }
}

/// A page in a real browser, where there is one: every figure is there and nothing is complained of.
#[test]
#[expect(clippy::print_stdout, reason = "a test that looked at nothing says so")]
fn a_browser_shows_it_without_complaint() {
    let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        std::process::Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    let Some(browser) = browser else {
        println!("skipped: there is no Chromium to open the page in");
        return;
    };
    let parent = tempfile::tempdir().unwrap();
    let comparison = Comparison::new(vec![whole(parent.path(), "a", "{}", 0.0)]).unwrap();
    let page = parent.path().join("report.html");
    std::fs::write(&page, html(&comparison).unwrap()).unwrap();
    let output = std::process::Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", parent.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let (dom, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");
    assert!(!errors.contains("CONSOLE"), "{errors}");
    assert_eq!(dom.matches("<svg").count(), figures(&comparison).unwrap().len());
}

/// The event file of a run in the real TensorBoard, where it is installed: every number under its name.
#[cfg(feature = "tensorboard")]
#[test]
#[expect(clippy::print_stdout, reason = "a test that looked at nothing says so")]
fn tensorboard_reads_what_is_written() {
    const SCRIPT: &str = "
import json, sys
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit(77)
events = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0})
events.Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()['scalars']}))
";
    let parent = tempfile::tempdir().unwrap();
    let run = whole(parent.path(), "a", "{}", 0.0);
    let file = parent.path().join("events.out.tfevents.0.gradwise");
    std::fs::write(&file, gradwise_report::event_file(&run)).unwrap();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = match std::process::Command::new(python).args(["-c", SCRIPT]).arg(&file).output() {
        Ok(output) if output.status.code() != Some(77) => output,
        _ => {
            println!("skipped: there is no TensorBoard to read the file with");
            return;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for name in run.series_names() {
        let written = run.series(&name);
        assert_eq!(read[&name].as_array().unwrap().len(), written.len(), "{name}");
        for (point, [step, value]) in read[&name].as_array().unwrap().iter().zip(written) {
            assert_eq!(point[0].as_f64(), Some(step), "{name}");
            assert!((point[1].as_f64().unwrap() - value).abs() < 1e-6 * value.abs().max(1.0), "{name}");
        }
    }
    assert_eq!(read["params/b9.weight/grad_norm"][2], serde_json::json!([8, 1.0]));
    assert_eq!(read["layers/b9/zeros"][0], serde_json::json!([0, 0.25]));
}
