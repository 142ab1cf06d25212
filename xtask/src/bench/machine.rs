//! What was measured, on what, and when.

use crate::Failure;
use crate::run::output;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where and when numbers were measured, and of which state of the sources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Circumstances {
    /// The processor's name.
    pub(super) processor: String,
    /// How many threads the system runs at once.
    pub(super) threads: usize,
    /// Memory in GB.
    pub(super) memory_gb: u64,
    /// The compiler.
    pub(super) rustc: String,
    /// The commit, marked if files differed from it.
    pub(super) revision: String,
    /// The day, in UTC.
    pub(super) date: String,
}

impl Circumstances {
    /// Those of now.
    pub(super) fn now(root: &Path) -> Result<Self, Failure> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.current_dir(root).args(arguments);
            output(command)
        };
        // What is measured does not depend on pages, which a run writes while it goes on.
        let dirty =
            !git(&["status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)docs"])?.trim().is_empty();
        let mut rustc = Command::new("rustc");
        rustc.arg("--version");
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        Ok(Circumstances {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown").to_owned(),
            threads: std::thread::available_parallelism()?.get(),
            memory_gb: field(&read("/proc/meminfo"), "MemTotal").and_then(kilobytes).map_or(0, |kib| kib >> 20),
            rustc: output(rustc)?.trim().to_owned(),
            revision: git(&["rev-parse", "--short", "HEAD"])?.trim().to_owned() + if dirty { "+" } else { "" },
            date: date(seconds / 86_400),
        })
    }
}

/// The value in a line such as `MemTotal:  16384 kB`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name))
        .map(|(_, value)| value.trim())
}

fn kilobytes(value: &str) -> Option<u64> {
    value.strip_suffix("kB")?.trim().parse().ok()
}

/// What a process had in memory at most, in MB, from its `/proc/…/status`.
pub(super) fn peak_mb(status: &str) -> Option<f64> {
    field(status, "VmHWM").and_then(kilobytes).map(|kib| kib as f64 * 1024.0 / 1e6)
}

/// A day counted from 1970-01-01, as year-month-day.
fn date(mut days: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        let dates = [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
        ];
        for (days, expected) in dates {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn fields_are_read() {
        let text = "VmPeak:\t 9 kB\nVmHWM:\t    2000 kB\nmodel name\t: A: B\n";
        assert_eq!(field(text, "model name"), Some("A: B"));
        assert_eq!(peak_mb(text), Some(2.048));
        assert_eq!(peak_mb("VmHWM: much\n"), None);
    }
}
