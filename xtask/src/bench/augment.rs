//! `cargo xtask bench augment`: image augmentation beside albumentations, torchvision and Pillow.
//!
//! A round is our program and then the peers' on the cases of one size and type, or the other way about, round by round; a ratio is taken within a
//! round. What is known is written to `docs/augmentation.json` after every size and type, and `docs/augmentation.md` is made of it; cases that a run leaves
//! out stay as they were measured before.

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
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
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

/// A run, which may have measured some of the cases only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Run {
    circumstances: Circumstances,
    rounds: u32,
    /// Seconds for each case of a program.
    budget: f64,
}

/// A case on a number of threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Case {
    case: String,
    threads: usize,
    /// By which of the runs it was measured, counted from 0.
    run: usize,
    /// Images a second of every library, ours among them: medians over the rounds.
    rates: BTreeMap<String, f64>,
    /// Ours over the fastest peer's.
    ratio: Option<Estimate>,
}

/// What was measured last of every case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Record {
    runs: Vec<Run>,
    cases: Vec<Case>,
}

impl Record {
    /// What was written before; nothing, if nothing was.
    fn load(root: &Path) -> Result<Self, Failure> {
        match fs::read_to_string(json(root)) {
            Ok(text) => Ok(serde_json::from_str(&text)?),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Record::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a case that `run` measured in the place of an earlier measurement. Runs of which no case is left are forgotten.
    fn put(&mut self, case: Case, run: &Run) {
        let number = self.runs.iter().position(|known| known == run).unwrap_or_else(|| {
            self.runs.push(run.clone());
            self.runs.len() - 1
        });
        self.cases.retain(|known| (&known.case, known.threads) != (&case.case, case.threads));
        self.cases.push(Case { run: number, ..case });
        let mut left = Vec::new();
        for (i, run) in std::mem::take(&mut self.runs).into_iter().enumerate() {
            if self.cases.iter().any(|case| case.run == i) {
                self.cases.iter_mut().filter(|case| case.run == i).for_each(|case| case.run = left.len());
                left.push(run);
            }
        }
        self.runs = left;
        // In the order of the tables, so that files differ only where numbers do.
        let names: Vec<String> = all().flatten().collect();
        self.cases.sort_by_key(|case| (case.threads, names.iter().position(|name| *name == case.case)));
    }
}

/// Makes the page of what was measured before.
pub(super) fn report(root: &Path) -> Result<(), Failure> {
    write(root, &Record::load(root)?)
}

fn json(root: &Path) -> PathBuf {
    root.join("docs/augmentation.json")
}

/// The task: the cases whose names contain one of the words, or all.
pub(super) fn run(
    workspace: &Workspace,
    programs: &Programs,
    words: &[String],
    threads: &[usize],
    rounds: u32,
    budget: f64,
) -> Result<(), Failure> {
    let groups = groups(words)?;
    let ours = build(workspace)?;
    let photo = programs.sources.join("../data/photos/china.jpg");
    let mut record = Record::load(&workspace.root)?;
    let run = Run { circumstances: Circumstances::now(&workspace.root)?, rounds, budget };
    for &threads in threads {
        for cases in &groups {
            let mut all = Vec::new();
            for round in 0..rounds {
                let our = || our_run(&ours, &photo, cases, threads, budget);
                let their = || their_runs(programs, cases, threads, budget);
                all.push(if round % 2 == 0 {
                    [our()?, their()?]
                } else {
                    let their = their()?;
                    [our()?, their]
                });
            }
            for name in cases {
                let case = case(name, threads, &all);
                println!("{}", summary(&case));
                record.put(case, &run);
            }
            write(&workspace.root, &record)?;
        }
    }
    Ok(())
}

/// The names of all cases, by size and type, in the order of the tables.
fn all() -> impl Iterator<Item = [String; TARGETS.len()]> {
    let of = |size: &str, kind: &str| TARGETS.map(|(name, ..)| format!("{name}_{size}_{kind}"));
    SIZES.iter().flat_map(move |size| TYPES.map(|kind| of(size, kind)))
}

/// The names of the cases that contain one of the words, or of all if there is no word: those of a size and type together, as a round measures them.
fn groups(words: &[String]) -> Result<Vec<Vec<String>>, Failure> {
    let is_meant = |case: &String| words.is_empty() || words.iter().any(|word| case.contains(word.as_str()));
    if let Some(word) = words.iter().find(|word| !all().flatten().any(|case| case.contains(word.as_str()))) {
        let names: Vec<String> = all().flatten().take(1).collect();
        return Err(format!("no case has a name with {word} in it, as {} has", names.concat()).into());
    }
    let chosen = all().map(|cases| cases.into_iter().filter(is_meant).collect::<Vec<_>>());
    Ok(chosen.filter(|cases| !cases.is_empty()).collect())
}

fn build(workspace: &Workspace) -> Result<std::path::PathBuf, Failure> {
    let name = "gradwise-bench-augment";
    output(cargo(&workspace.root, ["build", "--release", "--package", "gradwise-bench", "--bin", name]))?;
    Ok(workspace.target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

fn our_run(program: &Path, photo: &Path, cases: &[String], threads: usize, budget: f64) -> Result<Vec<Line>, Failure> {
    let mut command = Command::new(program);
    command.args(cases).args(["--threads", &threads.to_string(), "--budget", &budget.to_string()]);
    if photo.exists() {
        command.arg("--photo").arg(photo);
    }
    Ok(lines(&output(command)?))
}

fn their_runs(programs: &Programs, cases: &[String], threads: usize, budget: f64) -> Result<Vec<Line>, Failure> {
    let ran = programs::run(programs.augment(threads, cases, budget), LIMIT)?;
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
    Case { case: name.to_owned(), threads, run: 0, rates, ratio: bootstrap(&ratios) }
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
    fs::write(json(root), serde_json::to_string_pretty(record)? + "\n")?;
    Ok(fs::write(root.join("docs/augmentation.md"), page(record))?)
}

const INTRODUCTION: &str = "\
# The speed of image augmentation

Made by `cargo xtask bench augment`; do not edit. All numbers are in [augmentation.json](augmentation.json), too.

Images a second, drawing of parameters included, of bytes and of floating-point values, at 28 x 28 (grey), 32 x 32 and 224 x 224 (red, green and blue), cut from a photograph.
Ours and the peers' programs take turns. In each, a result takes the place of the one before. *Times faster* is the median over the rounds of ours over the fastest peer's rate in the same round, with its 95 %
bootstrap interval; what falls short of its target is marked. A dash stands where a peer lacks the transform or fails at it. The last column says which of
the runs at the end measured the row: `cargo xtask bench augment WORD… --threads N` measures the cases whose names (`hflip_224_f32`) contain one of the words,
and keeps the other rows.
";

fn page(record: &Record) -> String {
    let mut page = String::from(INTRODUCTION);
    let mut threads: Vec<usize> = record.cases.iter().map(|case| case.threads).collect();
    threads.sort_unstable();
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
                    page += &table(&HEADS, &rows);
                }
            }
        }
    }
    page += "\n## Runs\n\n";
    for (number, Run { circumstances, rounds, budget }) in (1..).zip(&record.runs) {
        let Circumstances { processor, threads, memory_gb, rustc, revision, date } = circumstances;
        page += &format!(
            "{number}. {rounds} rounds of {budget} s a case on {processor}, {threads} threads, {memory_gb} GB; {rustc}; {revision}, {date}.\n"
        );
    }
    page
}

const HEADS: [&str; 8] =
    ["transform", "gradwise", "albumentations", "torchvision", "Pillow", "times faster", "target", "run"];

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
    let rates = ["gradwise", "albumentations", "torchvision", "pillow"].map(rate);
    let rest = [ratio, target.to_string(), (case.run + 1).to_string()];
    [(*name).to_owned()].into_iter().chain(rates).chain(rest).collect()
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
        let page = page(&Record { runs: vec![Run { rounds: 3, ..Run::default() }], cases: vec![case] });
        assert!(page.contains("## 32 x 32, f32, 2 threads") && !page.contains("## 28"), "{page}");
        assert!(page.contains("\n1. 3 rounds"), "{page}");
    }

    #[test]
    fn words_select_cases() {
        let select = |words: &[&str]| groups(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(select(&[]).unwrap().concat().len(), SIZES.len() * TYPES.len() * TARGETS.len());
        assert_eq!(
            select(&["hflip_224", "blur_224_f32"]).unwrap(),
            [vec!["hflip_224_u8".to_owned()], vec!["hflip_224_f32".to_owned(), "blur_224_f32".to_owned()]]
        );
        assert!(select(&["hflip", "rotat_"]).unwrap_err().to_string().contains("rotat_"));
    }

    #[test]
    fn a_run_keeps_what_it_does_not_measure() {
        let case = |name: &str, threads: usize, rate: f64| {
            let lines = vec![line("gradwise", name, rate)];
            super::case(name, threads, &[[lines, Vec::new()]])
        };
        let run = |rounds: u32| Run { rounds, ..Run::default() };
        let mut record = Record::default();
        record.put(case("blur_28_u8", 1, 1.0), &run(3));
        record.put(case("hflip_28_u8", 1, 2.0), &run(3));
        record.put(case("hflip_28_u8", 2, 3.0), &run(5));
        record.put(case("hflip_28_u8", 1, 4.0), &run(7));
        let of = |record: &Record, name: &str, threads: usize| {
            let case = record.cases.iter().find(|case| case.case == name && case.threads == threads).unwrap();
            (case.rates["gradwise"], record.runs[case.run].rounds)
        };
        assert_eq!((record.cases.len(), record.runs.len()), (3, 3));
        assert_eq!(of(&record, "blur_28_u8", 1), (1.0, 3));
        // The last case of the first run: it is forgotten, and the others keep theirs.
        record.put(case("blur_28_u8", 1, 5.0), &run(5));
        assert_eq!((record.cases.len(), record.runs.len()), (3, 2));
        assert_eq!(of(&record, "blur_28_u8", 1), (5.0, 5));
        assert_eq!(of(&record, "hflip_28_u8", 1), (4.0, 7));
        assert_eq!(of(&record, "hflip_28_u8", 2), (3.0, 5));
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }

    /// What is stored can be merged with.
    #[test]
    fn the_stored_record_is_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let record = Record::load(&root).unwrap();
        assert!(record.cases.iter().all(|case| case.run < record.runs.len()));
        let stored = fs::read_to_string(root.join("docs/augmentation.md")).unwrap();
        assert!(stored == page(&record), "`cargo xtask bench augment --report` makes the page of the record");
    }
}
