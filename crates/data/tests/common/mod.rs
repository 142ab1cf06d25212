//! What several test files need.

use std::path::PathBuf;

/// The folder of optional real data: the variable `GRADWISE_DATA`, or `../shared/data` from the project's root; none, with a
/// note in the test's output, where it does not have `name`.
#[allow(clippy::print_stderr)] // Whoever reads the output must see that a test tested nothing.
pub(crate) fn test_data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GRADWISE_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let path = root.join(name);
    if !path.exists() {
        eprintln!("skipped: no {}; set GRADWISE_DATA to the folder of the test data", path.display());
        return None;
    }
    Some(path)
}
