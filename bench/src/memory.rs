//! How much memory this process has and had, where the system tells it.

/// Bytes of this process that are in memory now.
pub fn resident_bytes() -> Option<u64> {
    field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// Bytes of this process that were in memory at most.
pub fn peak_bytes() -> Option<u64> {
    field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// A line such as `VmHWM:     12345 kB`.
fn field(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_in_bytes() {
        let status = "Name:\tx\nVmHWM:\t   12 kB\nVmRSS:\t    8 kB\n";
        assert_eq!((field(status, "VmHWM:"), field(status, "VmRSS:")), (Some(12 * 1024), Some(8 * 1024)));
        assert_eq!(field(status, "VmSwap:"), None);
        assert_eq!(field("VmHWM: many kB", "VmHWM:"), None);
    }
}
