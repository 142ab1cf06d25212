//! Scalar functions that the activations need and the standard library has not, or not in a form that vectorizes.
//!
//! For `f32`, which training runs in, everything here is free of branches and calls, so that a loop over it compiles
//! to vector instructions under [`simd::vectorize`](crate::simd::vectorize), which give the same bits as the function by itself. For
//! `f64`, which gradients are checked in, accuracy comes first. NaN goes in, NaN comes out.
//!
//! What is promised of `f32`, over the whole range, infinities and subnormal numbers included, in units in the last place of the exact
//! value (the largest error found is about three quarters of it):
//!
//! | function | units | | function | units |
//! |---|---|---|---|---|
//! | [`exp`] | 1 | | [`softplus`] | 4 |
//! | [`expm1`] to 80 | 2 | | [`erf`] | 3 |
//! | [`ln`] | 1 | | [`erfc`] | 6 |
//! | [`ln_1p`] from 0 | 2 | | [`normal_cdf`] | 7 |
//! | [`tanh`], [`sigmoid`] | 3 | | [`normal_pdf`] | 3 |
//!
//! In `f64`, the functions that the standard library has are its own, within a unit or so; those made of them are within a few; [`erf`]
//! is within 4, and the relative error of [`erfc`] is below 2·10⁻¹⁵ for all results that are normal numbers.

use gradwise_core::Real;
use std::f64::consts::FRAC_2_SQRT_PI;

/// Chooses by type. The test is on a constant, and `f32 → f64 → f32` is the identity, so nothing of this remains after compilation.
#[inline(always)]
fn by_type<T: Real>(x: T, single: impl Fn(f32) -> f32, double: impl Fn(f64) -> f64) -> T {
    if size_of::<T>() == size_of::<f32>() {
        T::of(f64::from(single(x.as_f64() as f32)))
    } else {
        T::of(double(x.as_f64()))
    }
}

/// One of two numbers that are both computed: of an `if`, the compiler may make a jump around one of them.
#[inline(always)]
fn select(condition: bool, yes: f32, no: f32) -> f32 {
    let mask = 0_u32.wrapping_sub(u32::from(condition));
    f32::from_bits((yes.to_bits() & mask) | (no.to_bits() & !mask))
}

/// `x` as `n ln 2 + r` with an integer `n` and `|r| ≤ ln 2 / 2`: returns `r` and `n`.
#[inline(always)]
fn split_by_ln2(x: f32) -> (f32, i32) {
    // Adding 1.5 · 2²³ leaves no bits for a fraction: the sum is rounded to an integer, which stands in its low bits. Unlike a call to
    // `round` this is two additions on every processor.
    const SHIFT: f32 = 12_582_912.0;
    // ln 2 in two parts. The high one has 9 significant bits, so its product with an `n` of 8 bits is exact.
    const LN2_HIGH: f32 = 355.0 / 512.0;
    const LN2_LOW: f32 = (std::f64::consts::LN_2 - 355.0 / 512.0) as f32;
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    (r, (shifted.to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32))
}

/// 2ⁿ for `-126 ≤ n ≤ 127`.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `exp(r) - 1` for `|r| ≤ ln 2 / 2` by Taylor's series, whose first term left out is below 6·10⁻⁹ there.
#[inline(always)]
fn expm1_near_zero(r: f32) -> f32 {
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0))));
    r + r * r * (0.5 + r * tail)
}

#[inline(always)]
fn exp_f32(x: f32) -> f32 {
    // Beyond these the result is 0 or infinite; `clamp` keeps NaN.
    let (r, n) = split_by_ln2(x.clamp(-104.0, 89.0));
    // The power is applied in two halves, because 2¹²⁸ and 2⁻¹⁵⁰ are no numbers of this type while the result may be one.
    let half = n >> 1;
    (1.0 + expm1_near_zero(r)) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// `exp(-x² · factor)` for `0 ≤ x ≤ 16` and a factor of 1 or ½, to the last places: the rounding error of the square, which the exponential
/// would magnify, is not made.
#[inline(always)]
fn exp_of_minus_square_f32(x: f32, factor: f32) -> f32 {
    // The first twelve bits of x have an exact square; x² = high² + (x - high) (x + high).
    let high = f32::from_bits(x.to_bits() & 0xffff_f000);
    let (r, n) = split_by_ln2((-factor * (high * high)).clamp(-105.0, 0.0));
    let half = n >> 1;
    (1.0 + expm1_near_zero(r + factor * ((high - x) * (high + x))))
        * power_of_two(half)
        * power_of_two(n.wrapping_sub(half))
}

/// `exp(x) - 1` for `x ≤ 80`.
#[inline(always)]
fn expm1_f32(x: f32) -> f32 {
    let (r, n) = split_by_ln2(x.clamp(-80.0, 80.0));
    let power = power_of_two(n);
    // For n = 0 the second term vanishes and the series is all there is: no digit is lost near zero.
    power * expm1_near_zero(r) + (power - 1.0)
}

/// The exponential function.
#[inline(always)]
pub fn exp<T: Real>(x: T) -> T {
    by_type(x, exp_f32, f64::exp)
}

/// `exp(x) - 1` for `x ≤ 80`, without cancellation near zero: what ELU and its kin need. Larger arguments give the value at 80 in `f32`.
#[inline(always)]
pub fn expm1<T: Real>(x: T) -> T {
    by_type(x, expm1_f32, f64::exp_m1)
}

/// The hyperbolic tangent, for `f32` as `t / (t + 2)` with `t = exp(2|x|) - 1`.
#[inline(always)]
pub fn tanh<T: Real>(x: T) -> T {
    by_type(
        x,
        |x| {
            // 1 - tanh(10) is below half a unit in the last place. Written so that NaN stays.
            let a = if x.abs() > 10.0 { 10.0 } else { x.abs() };
            let t = expm1_f32(a + a);
            (t / (t + 2.0)).copysign(x)
        },
        f64::tanh,
    )
}

/// The logistic function `1 / (1 + exp(-x))`, for negative x as `exp(x) / (1 + exp(x))`, which keeps results that are subnormal.
#[inline(always)]
pub fn sigmoid<T: Real>(x: T) -> T {
    let e = exp(-x.abs());
    (if x < T::zero() { e } else { T::one() }) / (T::one() + e)
}

/// `ln(1 + e)` for `0 ≤ e ≤ 1`, as `2 artanh(e / (2 + e))`, whose argument is at most 1/3: eight terms of its series leave 2·10⁻⁹.
#[inline(always)]
fn ln_1p_f32(e: f32) -> f32 {
    let z = e / (2.0 + e);
    let mut sum = 0.0;
    for n in (0..8).rev() {
        sum = sum * (z * z) + 2.0 / (2 * n + 1) as f32;
    }
    z * sum
}

/// `ln x` for normal numbers above 0: `n ln 2 + 2 artanh((m - 1) / (m + 1))` with `x = m 2ⁿ` and m between √½ and √2, where five terms of
/// the series leave 4·10⁻⁹.
#[inline(always)]
fn ln_normal_f32(x: f32) -> f32 {
    const LN2_HIGH: f32 = 355.0 / 512.0;
    const LN2_LOW: f32 = (std::f64::consts::LN_2 - 355.0 / 512.0) as f32;
    const SQRT_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    // The distance from √½ in bits: its exponent part is n, and the rest, put back on √½, is m.
    let distance = x.to_bits().wrapping_sub(SQRT_HALF) as i32;
    let n = (distance >> 23) as f32;
    let m = f32::from_bits(((distance & 0x007f_ffff) as u32).wrapping_add(SQRT_HALF));
    let f = m - 1.0;
    let z = f / (2.0 + f);
    let mut sum = 0.0;
    for k in (1..6).rev() {
        sum = (sum + 2.0 / (2 * k + 1) as f32) * (z * z);
    }
    // 2 z = f - f z: f is exact, so what is added to it may be rounded.
    n * LN2_HIGH + (f - (f * z - z * sum - n * LN2_LOW))
}

#[inline(always)]
fn ln_f32(x: f32) -> f32 {
    // A subnormal number is made a normal one, 2²³ times as large.
    let small = x < f32::MIN_POSITIVE;
    let (scaled, shift) = if small { (x * 8_388_608.0, 23.0 * std::f32::consts::LN_2) } else { (x, 0.0) };
    let value = ln_normal_f32(scaled) - shift;
    let value = if x == f32::INFINITY { x } else { value };
    let value = if x == 0.0 { f32::NEG_INFINITY } else { value };
    if x >= 0.0 { value } else { f32::NAN }
}

/// `ln(1 + x)` for `x ≥ 0`, with what rounding takes from the sum put back.
#[inline(always)]
fn ln_1p_positive_f32(x: f32) -> f32 {
    let sum = 1.0 + x;
    let lost = (x - (sum - 1.0)) / sum;
    let value = ln_normal_f32(sum) + lost;
    if x < f32::INFINITY { value } else { x }
}

/// The natural logarithm; -∞ at 0 and NaN below.
#[inline(always)]
pub fn ln<T: Real>(x: T) -> T {
    by_type(x, ln_f32, f64::ln)
}

/// `ln(1 + x)` for `x ≥ 0`, without cancellation near zero. Without meaning for negative numbers in `f32`.
#[inline(always)]
pub fn ln_1p<T: Real>(x: T) -> T {
    by_type(x, ln_1p_positive_f32, f64::ln_1p)
}

/// `ln(1 + exp(x))`, as `max(x, 0) + ln(1 + exp(-|x|))`, which never overflows.
#[inline(always)]
pub fn softplus<T: Real>(x: T) -> T {
    x.max(T::zero()) + by_type(exp(-x.abs()), ln_1p_f32, f64::ln_1p)
}

/// Coefficients of `erf(x) / x` in powers of x²: `(-1)ⁿ 2/√π / (n! (2n + 1))`.
const ERF_SERIES: [f64; 20] = {
    let mut series = [0.0; 20];
    let mut term = FRAC_2_SQRT_PI;
    let mut n = 0;
    while n < series.len() {
        series[n] = term / (2 * n + 1) as f64;
        n += 1;
        term /= -(n as f64);
    }
    series
};

/// `exp(x²) erfc(x)` in powers of `(x - 3) / (x + 3)`: the polynomial through 21 Chebyshev nodes of `1 ≤ x ≤ 28`, computed with 50
/// digits; its relative error is 2.3·10⁻¹⁷.
const ERFC_SCALED: [f64; 21] = [
    0.179_001_151_181_389_96,
    -0.326_233_560_043_037_2,
    0.245_603_801_712_331_1,
    -0.150_115_936_500_776_62,
    0.071_665_837_197_959_13,
    -0.024_392_499_318_696_324,
    0.004_269_136_333_516_442,
    0.000_707_746_439_181_899_8,
    -0.000_597_061_960_800_158_6,
    4.525_530_176_898_081e-5,
    6.405_668_158_758_907e-5,
    -1.286_059_635_006_131_8e-5,
    -7.978_889_493_039_97e-6,
    2.120_956_302_437_59e-6,
    1.255_029_035_761_768e-6,
    -2.984_460_748_581_384e-7,
    -2.383_974_561_929_355e-7,
    3.941_019_334_418_288_4e-8,
    4.602_033_746_156_639e-8,
    -1.003_794_606_798_707_8e-8,
    -2.074_590_282_827_289_2e-9,
];

/// The same for `f32`, through 11 nodes of `0 ≤ x ≤ 11`; its relative error is 3.1·10⁻⁹.
const ERFC_SCALED_F32: [f32; 11] = [
    0.179_001_15,
    -0.326_233_57,
    0.245_603_8,
    -0.150_115_7,
    0.071_665_8,
    -0.024_394_823,
    0.004_269_016,
    0.000_717_543_9,
    -0.000_594_104_2,
    0.000_026_970_99,
    0.000_054_757_09,
];

#[inline(always)]
fn polynomial<T: Real>(coefficients: &[T], x: T) -> T {
    coefficients.iter().rev().fold(T::zero(), |sum, &c| sum * x + c)
}

/// `erfc(x)` for `x ≥ 0`.
#[inline(always)]
fn erfc_positive_f32(x: f32) -> f32 {
    let x = x.min(11.0); // erfc is 0 in single precision from 10.06 on; NaN is put back by the callers
    exp_of_minus_square_f32(x, 1.0) * polynomial(&ERFC_SCALED_F32, (x - 3.0) / (x + 3.0))
}

#[inline(always)]
fn erf_f32(x: f32) -> f32 {
    let a = x.abs();
    let mut near = 0.0;
    for n in (0..11).rev() {
        near = near * (x * x) + ERF_SERIES[n] as f32;
    }
    let far = 1.0 - erfc_positive_f32(a);
    // NaN fails the comparison and takes the series, which keeps it.
    select(a > 1.0, far.copysign(x), x * near)
}

#[inline(always)]
fn erfc_f32(x: f32) -> f32 {
    let tail = erfc_positive_f32(x.abs());
    let value = if x < 0.0 { 2.0 - tail } else { tail };
    if x.is_nan() { x } else { value }
}

/// `erfc(x)` for `x ≥ 1`.
fn erfc_tail_f64(x: f64) -> f64 {
    if x > 28.0 {
        return 0.0;
    }
    // The rounding error of x² would be magnified by x² in the exponential. The high half of x has an exact square.
    let high = f64::from_bits(x.to_bits() & 0xffff_ffff_0000_0000);
    let square = (-high * high).exp() * ((high - x) * (high + x)).exp();
    square * polynomial(&ERFC_SCALED, (x - 3.0) / (x + 3.0))
}

fn erf_f64(x: f64) -> f64 {
    if x.abs() > 1.0 { (1.0 - erfc_tail_f64(x.abs())).copysign(x) } else { x * polynomial(&ERF_SERIES, x * x) }
}

fn erfc_f64(x: f64) -> f64 {
    if x > 1.0 {
        erfc_tail_f64(x)
    } else if x < -1.0 {
        2.0 - erfc_tail_f64(-x)
    } else {
        1.0 - erf_f64(x)
    }
}

/// The error function `erf(x) = 2/√π ∫₀ˣ exp(-t²) dt`.
///
/// Up to `|x| = 1` by its Taylor series (Abramowitz and Stegun, 7.1.5), beyond as `1 - erfc(x)`.
///
/// ```
/// assert!((gradwise_tensor::math::erf(0.5_f64) - 0.520_499_877_813_046_5).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn erf<T: Real>(x: T) -> T {
    by_type(x, erf_f32, erf_f64)
}

/// The complementary error function `erfc(x) = 1 - erf(x)`, with its relative accuracy where `erf(x)` is near 1.
///
/// Computed as `exp(-x²) p((x - 3) / (x + 3))`, where the polynomial p approximates the scaled function, which varies slowly.
#[inline(always)]
pub fn erfc<T: Real>(x: T) -> T {
    by_type(x, erfc_f32, erfc_f64)
}

/// `exp(-x²/2)`, and x, both as far as there is something of it in single precision. NaN stays.
#[inline(always)]
fn bell_f32(x: f32) -> (f32, f32) {
    let a = if x.abs() > 15.5 { 15.5 } else { x.abs() };
    (exp_of_minus_square_f32(a, 0.5), a)
}

/// `erfc(-x/√2) / 2` without a rounding of `x/√2`. What it has in common with the density, the compiler computes once for both.
#[inline(always)]
fn normal_cdf_f32(x: f32) -> f32 {
    const CENTRE: f32 = 3.0 * std::f32::consts::SQRT_2;
    let (bell, a) = bell_f32(x);
    let tail = 0.5 * bell * polynomial(&ERFC_SCALED_F32, (a - CENTRE) / (a + CENTRE));
    select(x < 0.0, tail, 1.0 - tail)
}

/// 1/√(2π).
const DENSITY: f64 = 0.5 * FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;

/// The cumulative distribution function of the standard normal distribution, `Φ(x) = erfc(-x/√2) / 2`.
#[inline(always)]
pub fn normal_cdf<T: Real>(x: T) -> T {
    by_type(x, normal_cdf_f32, |x| 0.5 * erfc_f64(-x * std::f64::consts::FRAC_1_SQRT_2))
}

/// The density of the standard normal distribution, `φ(x) = exp(-x²/2) / √(2π)`.
#[inline(always)]
pub fn normal_pdf<T: Real>(x: T) -> T {
    by_type(x, |x| DENSITY as f32 * bell_f32(x).0, |x| DENSITY * (-0.5 * x * x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradwise_core::simd;

    /// Values with 18 digits, computed with 50.
    const ERF: [(f64, f64, f64); 12] = [
        (0.001, 0.001_128_378_790_969_236_5, 0.998_871_621_209_030_7),
        (0.1, 0.112_462_916_018_284_9, 0.887_537_083_981_715_2),
        (0.5, 0.520_499_877_813_046_5, 0.479_500_122_186_953_5),
        (0.99, 0.838_508_069_555_369_8, 0.161_491_930_444_630_2),
        (1.0, 0.842_700_792_949_714_9, 0.157_299_207_050_285_13),
        (1.5, 0.966_105_146_475_310_8, 0.033_894_853_524_689_274),
        (2.0, 0.995_322_265_018_952_7, 0.004_677_734_981_047_266),
        (3.0, 0.999_977_909_503_001_4, 2.209_049_699_858_544e-5),
        (4.0, 0.999_999_984_582_742_1, 1.541_725_790_028_002e-8),
        (5.5, 0.999_999_999_999_992_7, 7.357_847_917_974_398e-15),
        (10.0, 1.0, 2.088_487_583_762_545e-45),
        (26.0, 1.0, 5.663_192_408_856_143e-296),
    ];

    #[test]
    fn error_functions_match_many_digits() {
        for (x, erf_x, erfc_x) in ERF {
            assert!((erf(x) / erf_x - 1.0).abs() < 4.0 * f64::EPSILON, "erf({x})");
            assert!((erfc(x) / erfc_x - 1.0).abs() < 2e-15, "erfc({x})");
            assert_eq!(erf(-x), -erf(x));
            assert!((erfc(-x) - (2.0 - erfc_x)).abs() < 4.0 * f64::EPSILON);
        }
    }

    /// Largest relative error of an `f32` function over a fine grid, in units of the machine precision.
    fn worst(low: f64, high: f64, single: impl Fn(f32) -> f32, double: impl Fn(f64) -> f64) -> f64 {
        let n = 200_000;
        let error = |i: i32| {
            let x = (low + (high - low) * f64::from(i) / f64::from(n)) as f32;
            let exact = double(f64::from(x));
            if exact == 0.0 { f64::from(single(x).abs()) } else { (f64::from(single(x)) / exact - 1.0).abs() }
        };
        (0..=n).map(error).fold(0.0, f64::max) / f64::from(f32::EPSILON)
    }

    #[test]
    fn single_precision_stays_close_to_double() {
        assert!(worst(-87.0, 88.7, exp::<f32>, f64::exp) < 2.0);
        assert!(worst(-80.0, 20.0, expm1::<f32>, f64::exp_m1) < 3.0);
        assert!(worst(-0.01, 0.01, expm1::<f32>, f64::exp_m1) < 3.0);
        assert!(worst(-12.0, 12.0, tanh::<f32>, f64::tanh) < 4.0);
        assert!(worst(-1e-3, 1e-3, tanh::<f32>, f64::tanh) < 4.0);
        assert!(worst(-80.0, 80.0, sigmoid::<f32>, sigmoid::<f64>) < 4.0);
        assert!(worst(-30.0, 80.0, softplus::<f32>, softplus::<f64>) < 4.0);
        assert!(worst(-6.0, 6.0, erf::<f32>, erf_f64) < 4.0);
        assert!(worst(-6.0, 9.0, erfc::<f32>, erfc_f64) < 6.0);
        assert!(worst(-12.0, 6.0, normal_cdf::<f32>, normal_cdf::<f64>) < 6.0);
    }

    /// Every so many of all floats: all exponents, subnormal numbers included, both signs, infinities and NaN.
    fn all_floats() -> impl Iterator<Item = f32> {
        (0..=u32::MAX).step_by(4_001).map(f32::from_bits).chain([0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN])
    }

    /// Compares with `f64` on the whole range: the error is at most `units` in the last place of the exact value.
    fn everywhere(name: &str, units: f64, single: impl Fn(f32) -> f32, double: impl Fn(f64) -> f64) {
        for x in all_floats() {
            let (got, exact) = (single(x), double(f64::from(x)));
            let nearest = exact as f32;
            if nearest.is_nan() || nearest.is_infinite() || got.is_infinite() {
                // Where the exact value is within rounding of the largest number, either side will do.
                let near_limit = exact.abs() > 0.999_999 * f64::from(f32::MAX) && exact.abs() < 3.5e38;
                assert!(got == nearest || (got.is_nan() && nearest.is_nan()) || near_limit, "{name}({x:e}) = {got:e}");
                continue;
            }
            let unit = f64::from(f32::from_bits((nearest.abs().to_bits() + 1).min(f32::MAX.to_bits())) - nearest.abs());
            let unit = unit.max(f64::from(f32::from_bits(1)));
            let error = (f64::from(got) - exact).abs() / unit;
            assert!(error <= units, "{name}({x:e}) = {got:e}, not {exact:e}: {error:.1} units");
        }
    }

    #[test]
    fn single_precision_holds_on_the_whole_range() {
        let from_zero = |x: f64| if x < 0.0 { f64::NAN } else { x.ln_1p() };
        let logistic = |x: f64| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) };
        everywhere("exp", 1.0, exp::<f32>, f64::exp);
        everywhere(
            "expm1",
            2.0,
            |x| if x > 80.0 { f32::INFINITY } else { expm1::<f32>(x) },
            |x| {
                if x > 80.0 { f64::INFINITY } else { x.exp_m1() }
            },
        );
        everywhere("tanh", 3.0, tanh::<f32>, f64::tanh);
        everywhere("sigmoid", 3.0, sigmoid::<f32>, logistic);
        everywhere("ln", 1.0, ln::<f32>, f64::ln);
        everywhere("ln_1p", 2.0, |x| if x < 0.0 { f32::NAN } else { ln_1p::<f32>(x) }, from_zero);
        everywhere("softplus", 4.0, softplus::<f32>, softplus::<f64>);
        everywhere("erf", 3.0, erf::<f32>, erf_f64);
        everywhere("erfc", 6.0, erfc::<f32>, erfc_f64);
        everywhere("normal_cdf", 7.0, normal_cdf::<f32>, normal_cdf::<f64>);
        everywhere("normal_pdf", 3.0, normal_pdf::<f32>, normal_pdf::<f64>);
    }

    #[test]
    fn vector_instructions_change_no_bit() {
        let x: Vec<f32> = all_floats().collect();
        let mut vectors = vec![0.0_f32; x.len()];
        macro_rules! same {
            ($($f:ident),*) => {$(
                simd::vectorize(
                    #[inline(always)]
                    || {
                        for (y, &x) in vectors.iter_mut().zip(&x) {
                            *y = $f(x);
                        }
                    },
                );
                for (&x, &y) in x.iter().zip(&vectors) {
                    let alone = std::hint::black_box($f(std::hint::black_box(x)));
                    assert!(alone.to_bits() == y.to_bits() || (alone.is_nan() && y.is_nan()), "{}({x:e})", stringify!($f));
                }
            )*};
        }
        same!(exp, expm1, tanh, sigmoid, ln, ln_1p, softplus, erf, erfc, normal_cdf, normal_pdf);
    }

    #[test]
    fn edges_are_exact() {
        let inf = f32::INFINITY;
        assert_eq!((exp(inf), exp(-inf), exp(0.0_f32)), (inf, 0.0, 1.0));
        assert_eq!((exp(1000.0_f32), exp(-1000.0_f32)), (inf, 0.0));
        assert!(exp(-100.0_f32) > 0.0, "subnormal results are not flushed");
        assert_eq!((tanh(inf), tanh(-inf), tanh(0.0_f32)), (1.0, -1.0, 0.0));
        assert_eq!((sigmoid(inf), sigmoid(-inf), sigmoid(0.0_f32)), (1.0, 0.0, 0.5));
        assert_eq!((erf(inf), erf(-inf), erfc(inf), erfc(-inf)), (1.0, -1.0, 0.0, 2.0));
        assert_eq!((erf(f64::INFINITY), erfc(f64::INFINITY), erfc(f64::NEG_INFINITY)), (1.0, 0.0, 2.0));
        assert_eq!((softplus(inf), softplus(-inf), softplus(1e30_f32)), (inf, 0.0, 1e30));
        for f in [exp, expm1, ln, ln_1p, tanh, sigmoid, softplus, erf, erfc, normal_cdf, normal_pdf] {
            assert!(f(f32::NAN).is_nan());
        }
        for f in [exp, expm1, ln, ln_1p, tanh, sigmoid, softplus, erf, erfc, normal_cdf, normal_pdf] {
            assert!(f(f64::NAN).is_nan());
        }
    }
}
