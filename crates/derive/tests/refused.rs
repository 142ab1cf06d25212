//! What must not compile, where it is refused, and in which words.
//!
//! Each program in `tests/refused` announces below a line what the compiler shall say of it: `//~ error: …`, `//~ label: …` for the
//! words beside the marked code, `//~ note: …`. Everything announced must be said, and nothing else.
//!
//! The programs are checked in the target folder and with the settings of the tests, where all they need lies already; in a folder of
//! their own, as most crates that help with such tests have one, it would be compiled once more.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines, and what is said of each.
type Words = BTreeSet<(usize, String)>;

#[test]
fn refused() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut programs: Vec<PathBuf> =
        fs::read_dir(here.join("tests/refused")).unwrap().map(|entry| entry.unwrap().path()).collect();
    programs.sort();
    assert!(!programs.is_empty());
    let project = project(here, &programs);
    for program in &programs {
        let expected = announced(&fs::read_to_string(program).unwrap());
        assert!(!expected.is_empty(), "{} announces nothing", program.display());
        let output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--quiet", "--color", "never", "--bin", name(program)])
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap())
            .current_dir(&project)
            .output()
            .unwrap();
        let output = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said(&output), expected, "{} is refused in other words:\n{output}", program.display());
    }
}

fn name(program: &Path) -> &str {
    program.file_stem().unwrap().to_str().unwrap()
}

/// A package of these programs, with the settings and the locked versions of the workspace.
fn project(here: &Path, programs: &[PathBuf]) -> PathBuf {
    let root = here.ancestors().nth(2).unwrap();
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused");
    let mut manifest = format!(
        "[workspace]\n[package]\nname = \"refused\"\nedition = \"2024\"\n[dependencies]\n\
         gradwise-core.path = {:?}\ngradwise-derive.path = {here:?}\n",
        root.join("crates/core")
    );
    for program in programs {
        manifest += &format!("[[bin]]\nname = \"{}\"\npath = {program:?}\n", name(program));
    }
    let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    manifest += &workspace[workspace.find("[profile.").unwrap()..];
    fs::create_dir_all(&project).unwrap();
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    project
}

/// What a program announces.
fn announced(source: &str) -> Words {
    let (mut words, mut at) = (Words::new(), 0);
    for (i, line) in source.lines().enumerate() {
        match line.trim().strip_prefix("//~ ") {
            Some(announced) => drop(words.insert((at, announced.to_owned()))),
            None => at = i + 1,
        }
    }
    words
}

/// What the compiler said.
fn said(output: &str) -> Words {
    let (mut words, mut message, mut at) = (Words::new(), None, 0);
    for line in output.lines() {
        if let Some((kind, text)) = line.split_once(": ")
            && kind.starts_with("error")
        {
            message = Some(text);
        } else if let Some((_, place)) = line.split_once("--> ") {
            // The first place is that of the error; others are told for comparison.
            if let Some(message) = message.take() {
                at = place.rsplit(':').nth(1).unwrap().parse().unwrap();
                words.insert((at, format!("error: {message}")));
            }
        } else if let Some((_, label)) = line.rsplit_once("^ ") {
            words.insert((at, format!("label: {label}")));
        } else if let Some(note) = line.trim().strip_prefix("= note: ") {
            words.insert((at, format!("note: {note}")));
        }
    }
    words
}
