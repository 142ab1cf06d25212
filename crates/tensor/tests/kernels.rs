//! The tests of all kernels, in one program: each instantiates the kernels for two types and checks them on every dispatch path, so that
//! compiling them file by file would compile most kernels ten times.

mod common;
mod support;

mod conv;
mod dropout;
mod elementwise;
mod loss;
mod noise;
mod norm;
mod pool;
mod products;
mod reduce;
mod shape;

/// A file of tests that is listed nowhere would pass without being run.
#[test]
fn every_file_is_listed() {
    let manifest = include_str!("../Cargo.toml");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".rs") {
            let listed = include_str!("kernels.rs").contains(&format!("\nmod {name};\n"));
            assert!(listed || manifest.contains(&format!("\"tests/{name}.rs\"")), "tests/{name}.rs is listed nowhere");
        }
    }
}
