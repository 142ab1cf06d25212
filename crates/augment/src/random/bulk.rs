//! Noise: a random number for every value of an image, by the vector.
//!
//! Everything here is additions, multiplications, square roots and bit operations, each rounded as IEEE 754 says: the same noise on every
//! machine, whatever vector units it has. (No fused multiply-add, and no logarithm of the system's library, which differ.)

use super::Key;
use super::threefry::{LANES, group};

/// How many numbers are made together.
pub(crate) const WIDTH: usize = 4 * LANES;

/// The random numbers of a key, [`WIDTH`] by [`WIDTH`]. Number `i` depends on key and `i` alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    pub(super) key: [u32; 4],
}

impl Noise {
    pub(crate) fn new(key: Key) -> Self {
        Noise { key: key.0 }
    }

    /// Words `WIDTH · index ..`.
    #[inline(always)]
    pub(crate) fn words(self, index: u64) -> [u32; WIDTH] {
        let words = group(index, self.key);
        std::array::from_fn(|i| words[i / LANES][i % LANES])
    }

    /// Uniform in `(0, 1)`, on odd multiples of 2⁻²⁴.
    #[inline(always)]
    pub(crate) fn uniforms(self, index: u64) -> [f32; WIDTH] {
        self.words(index).map(open_unit)
    }

    /// Standard normal: Box and Muller, *A note on the generation of random normal deviates*, Annals of Mathematical Statistics 29, 1958.
    ///
    /// The radius is at most 5.77. Logarithm, sine and cosine are polynomials with errors below 2·10⁻⁶: what is lost is less than the
    /// rounding of the noisy image.
    #[inline(always)]
    pub(crate) fn normals(self, index: u64) -> [f32; WIDTH] {
        let words = group(index, self.key);
        let mut out = [0.0; WIDTH];
        for pair in 0..2 {
            for lane in 0..LANES {
                let radius = (-2.0 * ln(open_unit(words[2 * pair][lane]))).sqrt();
                let (sine, cosine) = circle(words[2 * pair + 1][lane]);
                out[2 * pair * LANES + lane] = radius * cosine;
                out[(2 * pair + 1) * LANES + lane] = radius * sine;
            }
        }
        out
    }

    /// Laplace with scale 1 (density `e^{-|x|} / 2`): the logarithm of a uniform number, with a random sign.
    #[inline(always)]
    pub(crate) fn laplace(self, index: u64) -> [f32; WIDTH] {
        self.words(index).map(|word| {
            let magnitude = -ln(open_unit(word));
            // The lowest bit is not among the 23 that `open_unit` reads.
            f32::from_bits(magnitude.to_bits() ^ (word << 31))
        })
    }
}

/// The 23 high bits as the middle of one of 2²³ equal parts of the unit interval.
#[inline(always)]
pub(crate) fn open_unit(word: u32) -> f32 {
    // As a signed integer: vectors have no conversion of unsigned ones.
    ((word >> 9) as i32 as f32 + 0.5) * (1.0 / (1 << 23) as f32)
}

/// The natural logarithm of a normal positive number.
#[inline(always)]
fn ln(x: f32) -> f32 {
    // `x = 2ᵉ (1 + t)` with `1 + t` between √½ and √2: the bits of √½ are subtracted so that the exponent rounds to the nearest.
    let bits = x.to_bits().wrapping_sub(0x3f35_04f3);
    let exponent = (bits as i32) >> 23;
    let t = f32::from_bits((bits & 0x007f_ffff) + 0x3f35_04f3) - 1.0;
    // ln(1 + t) / t by interpolation at the Chebyshev points; the error is below 1.3·10⁻⁶.
    let p = 0.119_310_54;
    let p = p * t - 0.186_807_51;
    let p = p * t + 0.204_917_6;
    let p = p * t - 0.249_082_9;
    let p = p * t + 0.333_146_74;
    let p = p * t - 0.500_011_45;
    let p = p * t + 1.000_001;
    exponent as f32 * std::f32::consts::LN_2 + t * p
}

/// Sine and cosine of a random angle: a quarter of the circle from two bits, the angle within it, less than π/4 to either side, from the
/// other thirty.
#[inline(always)]
fn circle(word: u32) -> (f32, f32) {
    let angle = (word << 2) as i32 as f32 * (std::f32::consts::FRAC_PI_4 / (1_u32 << 31) as f32);
    let z = angle * angle;
    // Interpolation at the Chebyshev points of [0, (π/4)²]; errors below 1.5·10⁻⁶ and 3·10⁻⁸.
    let sine = angle * ((8.151_571e-3 * z - 0.166_624_76) * z + 0.999_998_57);
    let cosine = ((-1.358_584_4e-3 * z + 4.165_502e-2) * z - 0.499_998_57) * z + 0.999_999_97;
    // Turned by a quarter if the highest bit is set, by half the circle if the next is.
    let turned = ((word as i32) >> 31) as u32;
    let (s, c) = (sine.to_bits(), cosine.to_bits());
    let exchanged = (s ^ c) & turned;
    let half = (word << 1) & 0x8000_0000;
    (f32::from_bits(s ^ exchanged ^ half), f32::from_bits(c ^ exchanged ^ half ^ (turned & 0x8000_0000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_one() {
        let worst = (0..1_u32 << 16).map(|i| open_unit(i << 16 | 0x7fff)).map(|x| {
            let exact = f64::from(x).ln();
            (f64::from(ln(x)) - exact).abs() / exact.abs().max(1e-3)
        });
        assert!(worst.fold(0.0, f64::max) < 3e-6);
    }

    #[test]
    fn the_circle_is_round_and_covered() {
        let mut quarters = [0; 4];
        for i in 0..1_u32 << 16 {
            let (sine, cosine) = circle(i << 16 | 0x1234);
            assert!((sine * sine + cosine * cosine - 1.0).abs() < 4e-6, "{i}");
            quarters[usize::from(sine > 0.0) * 2 + usize::from(cosine > 0.0)] += 1;
        }
        assert!(quarters.iter().all(|&n| (n - (1_i32 << 14)).abs() < 4), "{quarters:?}");
    }

    /// Moments of a million numbers, in units of their standard errors. Seeds are fixed: the test cannot fail by chance.
    #[test]
    fn moments() {
        let n = 1 << 20;
        let noise = Noise::new(Key::new(3));
        let of = |f: &dyn Fn(u64) -> [f32; WIDTH]| {
            let mut sums = [0.0_f64; 4];
            for index in 0..n / WIDTH as u64 {
                for x in f(index).map(f64::from) {
                    sums.iter_mut().zip(1..).for_each(|(sum, power)| *sum += x.powi(power));
                }
            }
            sums.map(|sum| sum / n as f64)
        };
        let check = |moments: [f64; 4], expected: [f64; 4], deviations: [f64; 4]| {
            for i in 0..4 {
                let error = (moments[i] - expected[i]) / (deviations[i] / (n as f64).sqrt());
                assert!(error.abs() < 4.0, "moment {} is {}", i + 1, moments[i]);
            }
        };
        // Variances of powers: E x²ᵏ - (E xᵏ)².
        check(of(&|i| noise.normals(i)), [0.0, 1.0, 0.0, 3.0], [1.0, 2_f64.sqrt(), 15_f64.sqrt(), 96_f64.sqrt()]);
        check(
            of(&|i| noise.laplace(i)),
            [0.0, 2.0, 0.0, 24.0],
            [2_f64.sqrt(), 20_f64.sqrt(), 720_f64.sqrt(), (40_320.0 - 576_f64).sqrt()],
        );
        let variance = |k: f64| (1.0 / (2.0 * k + 1.0) - 1.0 / (k + 1.0).powi(2)).sqrt();
        check(
            of(&|i| noise.uniforms(i)),
            [1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0],
            [variance(1.0), variance(2.0), variance(3.0), variance(4.0)],
        );
    }

    #[test]
    fn normals_follow_their_distribution() {
        // The greatest distance between the empirical distribution and the normal one (Kolmogorov and Smirnov), of 2^16 numbers.
        let noise = Noise::new(Key::new(4));
        let mut xs: Vec<f64> = (0..2048).flat_map(|i| noise.normals(i)).map(f64::from).collect();
        xs.sort_by(f64::total_cmp);
        let n = xs.len() as f64;
        let distance = xs.iter().enumerate().map(|(i, &x)| (i as f64 / n - normal_distribution(x)).abs());
        assert!(distance.fold(0.0, f64::max) * n.sqrt() < 1.95, "once in a thousand seeds");
    }

    /// By Simpson's rule from 0.
    fn normal_distribution(x: f64) -> f64 {
        let density = |t: f64| (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let steps = 64;
        let h = x / steps as f64;
        let sum: f64 = (0..=steps)
            .map(|i| density(i as f64 * h) * if i == 0 || i == steps { 1.0 } else { 2.0 + 2.0 * (i % 2) as f64 })
            .sum();
        0.5 + sum * h / 3.0
    }
}
