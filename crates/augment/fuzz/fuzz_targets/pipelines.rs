//! `cargo +nightly fuzz run pipelines`, in the folder above this one's: the body is the property tests' (`tests/fuzz`).

#![no_main]

#[path = "../../tests/fuzz/mod.rs"]
mod fuzz;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(input) = fuzz::Input::of(bytes) {
        fuzz::check(&input);
    }
});
