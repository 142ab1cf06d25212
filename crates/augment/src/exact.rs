//! Elementary functions from additions and multiplications alone, the same on every machine: those of the system's library differ in the
//! last bit.

/// `eˣ` to 12 digits, for few numbers; 0 where it is below 10⁻³⁰⁰.
pub(crate) fn exp(x: f64) -> f64 {
    if x < -690.0 {
        return 0.0;
    }
    // By Taylor at a 1024th, squared ten times.
    let t = x.min(690.0) / 1024.0;
    let series = (1..=13).rev().fold(1.0, |sum, n| 1.0 + t / f64::from(n) * sum);
    (0..10).fold(series, |y, _| y * y)
}

/// The logarithm to base 2 of a normal positive number, by the vector; the error is below 2·10⁻⁷ and half a rounding.
#[inline(always)]
pub(crate) fn log2(x: f32) -> f32 {
    // `x = 2ᵉ (1 + t)` with `1 + t` between √½ and √2: the bits of √½ are subtracted so that the exponent rounds to the nearest.
    let bits = x.to_bits().wrapping_sub(0x3f35_04f3);
    let exponent = (bits as i32) >> 23;
    let t = f32::from_bits((bits & 0x007f_ffff) + 0x3f35_04f3) - 1.0;
    // log₂(1 + t) / t by interpolation at the Chebyshev points.
    let p = 0.123_109_68;
    let p = p * t - 0.205_861_88;
    let p = p * t + 0.216_078_22;
    let p = p * t - 0.239_169_88;
    let p = p * t + 0.287_903_25;
    let p = p * t - 0.360_693_28;
    let p = p * t + 0.480_910_75;
    let p = p * t - 0.721_347_45;
    let p = p * t + std::f32::consts::LOG2_E;
    exponent as f32 + t * p
}

/// `2ʸ`, by the vector, for `y` within ±126 and the nearest of these beyond; the relative error is below 2·10⁻⁷.
#[inline(always)]
pub(crate) fn exp2(y: f32) -> f32 {
    let y = if y > -126.0 { y } else { -126.0 };
    let y = if y < 126.0 { y } else { 126.0 };
    // To the nearest integer, by a number so large that the rest does not fit.
    const LARGE: f32 = (3 << 22) as f32;
    let shifted = y + LARGE;
    let t = y - (shifted - LARGE);
    let p = 1.339_086_3e-3;
    let p = p * t + 9.676_032e-3;
    let p = p * t + 0.055_503_57;
    let p = p * t + 0.240_221_07;
    let p = p * t + std::f32::consts::LN_2;
    let p = p * t + 1.000_000_1;
    // The integer stands in the lowest bits.
    p * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials() {
        for i in -2000..=200 {
            let x = f64::from(i) / 7.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-12, "{x}");
        }
        assert_eq!(exp(-1e9), 0.0);
    }

    #[test]
    fn powers_of_two_and_their_logarithms() {
        for i in -5000..=5000 {
            let y = i as f32 / 40.0;
            let expected = f64::from(y).exp2();
            assert!((f64::from(exp2(y)) / expected - 1.0).abs() < 5e-7, "{y}");
            let x = expected as f32;
            assert!((f64::from(log2(x)) - f64::from(x).log2()).abs() < 3e-7 + 1e-7 * f64::from(y.abs()), "{x}");
        }
        assert_eq!((log2(1.0), exp2(-1e9) > 0.0, exp2(f32::NAN) > 0.0), (0.0, true, true));
    }
}
