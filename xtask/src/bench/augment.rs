//! `cargo xtask bench augment`: image augmentation beside albumentations, torchvision and Pillow.
//!
//! A round is our program and then the peers' on the cases of one size and type, or the other way about, round by round; a ratio is taken within a
//! round. What is known is written to `docs/augmentation.json` after every size, and `docs/augmentation.md` is made of it.

use super::machine::Circumstances;
use super::programs::{self, Programs, lines};
use super::report::table;
use super::statistics::{Estimate, bootstrap, median};
use crate::Failure;
use crate::run::{cargo, output};
use crate::workspace::Workspace;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Sizes and types, in the order of the tables.
const SIZES: [&str; 3] = ["28", "32", "224"];
const TYPES: [&str; 2] = ["u8", "f32"];

/// The peers' transforms, in the order of the tables; each with what is wanted of 28 and 32 pixels, and of 224: how many times faster
/// than the fastest peer.
const TARGETS: [(&str, f64, f64); 14] = [
    ("hflip", 1.0, 1.0),
    ("vflip", 1.0, 1.0),
    ("translate", 5.0, 2.0),
    ("rotate", 5.0, 2.0),
    ("affine", 5.0, 2.0),
    ("elastic", 5.0, 5.0),
    ("gauss_noise", 10.0, 3.0),
    ("salt_pepper", 10.0, 3.0),
    ("shot_noise", 10.0, 5.0),
    ("speckle", 10.0, 3.0),
    ("erasing", 1.0, 1.0),
    ("color_jitter", 1.0, 1.0),
    ("blur", 1.0, 1.0),
    ("pipeline", 10.0, 3.0),
];

/// When a run of the peers is given up.
const LIMIT: Duration = Duration::from_secs(600);

/// A line of a program's output.
#[derive(Clone, Debug, Deserialize)]
struct Line {
    peer: String,
    case: String,
    images_per_s: f64,
}

/// A case on a number of threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Case {
    case: String,
    threads: usize,
    /// Images a second of every library, ours among them: medians over the rounds.
    rates: BTreeMap<String, f64>,
    /// Ours over the fastest peer's.
    ratio: Option<Estimate>,
}

/// Everything that was measured last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Record {
    circumstances: Circumstances,
    rounds: u32,
    cases: Vec<Case>,
}

/// The task.
pub(super) fn run(
    workspace: &Workspace,
    programs: &Programs,
    threads: &[usize],
    rounds: u32,
    budget: f64,
) -> Result<(), Failure> {
    let ours = build(workspace)?;
    let photo = programs.sources.join("../data/photos/china.jpg");
    let mut record = Record { circumstances: Circumstances::now(&workspace.root)?, rounds, cases: Vec::new() };
    for &threads in threads {
        for size in SIZES {
            for kind in TYPES {
                let word = format!("_{size}_{kind}");
                let mut all = Vec::new();
                for round in 0..rounds {
                    let our = || our_run(&ours, &photo, &word, threads, budget);
                    let their = || their_runs(programs, &word, threads, budget);
                    all.push(if round % 2 == 0 {
                        [our()?, their()?]
                    } else {
                        let their = their()?;
                        [our()?, their]
                    });
                }
                for (name, ..) in TARGETS {
                    let case = case(&format!("{name}{word}"), threads, &all);
                    println!("{}", summary(&case));
                    record.cases.push(case);
                }
                write(&workspace.root, &record)?;
            }
        }
    }
    Ok(())
}

fn build(workspace: &Workspace) -> Result<std::path::PathBuf, Failure> {
    let name = "gradwise-bench-augment";
    output(cargo(&workspace.root, ["build", "--release", "--package", "gradwise-bench", "--bin", name]))?;
    Ok(workspace.target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

fn our_run(program: &Path, photo: &Path, word: &str, threads: usize, budget: f64) -> Result<Vec<Line>, Failure> {
    let mut command = Command::new(program);
    command.arg(word).args(["--threads", &threads.to_string(), "--budget", &budget.to_string()]);
    if photo.exists() {
        command.arg("--photo").arg(photo);
    }
    Ok(lines(&output(command)?))
}

fn their_runs(programs: &Programs, word: &str, threads: usize, budget: f64) -> Result<Vec<Line>, Failure> {
    let ran = programs::run(programs.augment(threads, word, budget), LIMIT)?;
    Ok(ran.map(|ran| lines(&ran.output)).unwrap_or_default())
}

/// What all rounds say of a case; a round is our lines and the peers'.
fn case(name: &str, threads: usize, rounds: &[[Vec<Line>; 2]]) -> Case {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut ratios = Vec::new();
    for [ours, theirs] in rounds {
        let of_case = |lines: &[Line]| lines.iter().filter(|line| line.case == name).cloned().collect::<Vec<_>>();
        let (ours, theirs) = (of_case(ours), of_case(theirs));
        let fastest = theirs.iter().map(|line| line.images_per_s).max_by(f64::total_cmp);
        if let (Some(our), Some(fastest)) = (ours.first(), fastest) {
            ratios.push(our.images_per_s / fastest);
        }
        for line in ours.into_iter().chain(theirs) {
            all.entry(line.peer).or_default().push(line.images_per_s);
        }
    }
    let rates = all.into_iter().filter_map(|(peer, rates)| Some((peer, median(&rates)?))).collect();
    Case { case: name.to_owned(), threads, rates, ratio: bootstrap(&ratios) }
}

fn summary(case: &Case) -> String {
    let rates = case.rates.iter().map(|(peer, rate)| format!("{peer} {}", images(*rate))).collect::<Vec<_>>();
    let ratio = case.ratio.map_or_else(|| "no pair".to_owned(), |ratio| format!("{:.1} x", ratio.median));
    format!("{} on {} threads: {ratio} ({})", case.case, case.threads, rates.join(", "))
}

/// Images a second, to three digits.
fn images(rate: f64) -> String {
    let unit = 10_f64.powi(rate.max(1.0).log10() as i32 - 2).max(1.0);
    format!("{}", (rate / unit).round() * unit)
}

fn write(root: &Path, record: &Record) -> Result<(), Failure> {
    let docs = root.join("docs");
    fs::write(docs.join("augmentation.json"), serde_json::to_string_pretty(record)? + "\n")?;
    Ok(fs::write(docs.join("augmentation.md"), page(record))?)
}

const INTRODUCTION: &str = "\
# The speed of image augmentation

Made by `cargo xtask bench augment`; do not edit. All numbers are in [augmentation.json](augmentation.json), too.

Images a second, drawing of parameters included, of bytes and of floating-point values, at 28 x 28 (grey), 32 x 32 and 224 x 224 (red, green and blue), cut from a photograph.
Ours and the peers' programs take turns. *Times faster* is the median over the rounds of ours over the fastest peer's rate in the same round, with its 95 %
bootstrap interval; what falls short of its target is marked. A dash stands where a peer lacks the transform or fails at it.
";

fn page(record: &Record) -> String {
    let mut page = String::from(INTRODUCTION);
    let mut threads: Vec<usize> = record.cases.iter().map(|case| case.threads).collect();
    threads.dedup();
    for threads in threads {
        for size in SIZES {
            for kind in TYPES {
                let word = format!("_{size}_{kind}");
                let rows: Vec<Vec<String>> = TARGETS
                    .iter()
                    .filter_map(|target| {
                        let name = format!("{}{word}", target.0);
                        let case = record.cases.iter().find(|case| case.threads == threads && case.case == name)?;
                        Some(row(case, target, size))
                    })
                    .collect();
                if !rows.is_empty() {
                    page += &format!(
                        "\n## {size} x {size}, {kind}, {threads} thread{}\n\n",
                        if threads == 1 { "" } else { "s" }
                    );
                    let heads =
                        ["transform", "gradwise", "albumentations", "torchvision", "Pillow", "times faster", "target"];
                    page += &table(&heads, &rows);
                }
            }
        }
    }
    let Circumstances { processor, threads, memory_gb, rustc, revision, date } = &record.circumstances;
    page + &format!(
        "\n{} rounds on {processor}, {threads} threads, {memory_gb} GB; {rustc}; {revision}, {date}.\n",
        record.rounds
    )
}

fn row(case: &Case, (name, small, large): &(&str, f64, f64), size: &str) -> Vec<String> {
    let target = if size == "224" { *large } else { *small };
    let rate = |peer: &str| {
        let rate = case.rates.iter().find(|(name, _)| name.starts_with(peer)).map(|(_, rate)| *rate);
        rate.map_or_else(|| "–".to_owned(), images)
    };
    let ratio = case.ratio.map_or_else(
        || "–".to_owned(),
        |ratio| {
            let short = if ratio.low < target { " short" } else { "" };
            format!("{:.1} ({:.1} to {:.1}){short}", ratio.median, ratio.low, ratio.high)
        },
    );
    let cells =
        [rate("gradwise"), rate("albumentations"), rate("torchvision"), rate("pillow"), ratio, target.to_string()];
    [(*name).to_owned()].into_iter().chain(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(peer: &str, case: &str, images_per_s: f64) -> Line {
        Line { peer: peer.into(), case: case.into(), images_per_s }
    }

    #[test]
    fn a_ratio_is_that_to_the_fastest_of_its_round() {
        let round = |ours, a, b| {
            let theirs = vec![line("albumentations2", "hflip_28_u8", a), line("pillow", "hflip_28_u8", b)];
            [vec![line("gradwise", "hflip_28_u8", ours), line("gradwise", "vflip_28_u8", 1.0)], theirs]
        };
        let case = case("hflip_28_u8", 1, &[round(10.0, 2.0, 5.0), round(20.0, 10.0, 5.0), round(30.0, 10.0, 1.0)]);
        assert_eq!(case.ratio.unwrap().median, 2.0);
        assert_eq!(case.rates["gradwise"], 20.0);
        let cells = row(&case, &("hflip", 4.0, 1.0), "28");
        assert_eq!(cells[..5], ["hflip", "20", "10", "–", "5"]);
        assert!(cells[5].ends_with("short"), "{cells:?}");
        assert!(!row(&case, &("hflip", 4.0, 1.0), "224")[5].ends_with("short"));
    }

    #[test]
    fn what_no_peer_has_is_a_dash() {
        let case = case("blur_28_u8", 1, &[[vec![line("gradwise", "blur_28_u8", 123_456.0)], Vec::new()]]);
        assert_eq!(case.ratio, None);
        assert_eq!(row(&case, &("blur", 1.0, 1.0), "28")[1..6], ["123000", "–", "–", "–", "–"]);
    }

    #[test]
    fn a_page_has_a_table_for_each_size_that_was_measured() {
        let case = case("hflip_32_f32", 2, &[[vec![line("gradwise", "hflip_32_f32", 5.0)], Vec::new()]]);
        let page = page(&Record { circumstances: Circumstances::default(), rounds: 3, cases: vec![case] });
        assert!(page.contains("## 32 x 32, f32, 2 threads") && !page.contains("## 28"), "{page}");
    }
}
