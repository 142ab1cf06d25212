//! The tests of the crate, in one program: each file by itself would compile what all of them use once more.

mod allocations;
mod compose;
mod drawn;
mod erase;
mod filters;
mod fuzz;
mod fuzzing;
mod geometry;
mod goldens;
mod jpeg;
mod levels;
mod limits;
mod mix;
mod noise;
mod policies;
mod properties;
mod random;
mod spec;
mod views;

/// A file of tests that is listed nowhere would pass without being run.
#[test]
fn every_file_is_listed() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        let listed = include_str!("all.rs").contains(&format!("\nmod {name};\n"));
        assert!(listed || name == "all", "tests/{name} is listed nowhere");
    }
}
