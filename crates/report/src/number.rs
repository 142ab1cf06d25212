//! Numbers in words.

/// A number with about four digits: `0.9876`, `12.34`, `1234`, `3.2e-5`; `–` for one that is not finite.
pub(crate) fn number(x: f64) -> String {
    if !x.is_finite() {
        return String::from("–");
    }
    if x == 0.0 {
        return String::from("0");
    }
    let size = x.abs();
    if x.fract() == 0.0 && size < 1e7 {
        return format!("{x}");
    }
    if !(1e-3..1e6).contains(&size) {
        return exponent(&format!("{x:.3e}"));
    }
    let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
    trimmed(&format!("{x:.digits$}")).to_owned()
}

/// The label of a tick: as short as it can be.
pub(crate) fn tick(x: f64) -> String {
    // Ticks are multiples of a step, with a rounding error that nobody wants to read.
    let rounded: f64 = format!("{x:.6e}").parse().unwrap_or(x);
    if rounded == 0.0 || (1e-3..1e5).contains(&rounded.abs()) {
        trimmed(&format!("{rounded:.6}")).to_owned()
    } else {
        exponent(&format!("{rounded:e}"))
    }
}

/// A share in percent: `98.4 %`.
pub(crate) fn percent(x: f64) -> String {
    if x.is_finite() { format!("{} %", trimmed(&format!("{:.2}", 100.0 * x))) } else { number(x) }
}

/// Without zeros at the end of the fraction.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// `1.500e-5` without those of the mantissa.
fn exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trimmed(mantissa)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (1797.0, "1797"),
            (0.987_654, "0.9877"),
            (-12.345, "-12.35"),
            (123_456.7, "123457"),
            (0.000_015, "1.5e-5"),
            (2.5e9, "2.5e9"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ];
        for (x, expected) in cases {
            assert_eq!(number(x), expected);
        }
        assert_eq!([tick(0.1 + 0.2), tick(1e-4), tick(200.0), tick(0.0)], ["0.3", "1e-4", "200", "0"]);
        assert_eq!([percent(0.987_65), percent(1.0), percent(f64::NAN)], ["98.77 %", "100 %", "–"]);
    }
}
