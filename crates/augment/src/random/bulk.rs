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
    /// The two numbers of a pair come from one word: 22 bits are the radius, at most 5.64, and ten the direction. The directions lie a 1024th of a turn apart, and all
    /// of them are turned by up to as much with the radius, so that pairs lie on 1024 spirals and not on as many rays. Logarithm, sine and cosine are polynomials
    /// with errors below 2·10⁻⁶. What is lost is less than the rounding of the noisy image.
    #[inline(always)]
    pub(crate) fn normals(self, index: u64) -> [f32; WIDTH] {
        // A group has words for twice as many.
        let words = group(index / 2, self.key);
        let first = 2 * (index % 2) as usize;
        let mut out = [0.0; WIDTH];
        for i in 0..2 {
            for lane in 0..LANES {
                let (x, y) = pair(words[first + i][lane]);
                out[2 * i * LANES + lane] = x;
                out[(2 * i + 1) * LANES + lane] = y;
            }
        }
        out
    }

    /// Laplace with scale 1 (density `e^{-|x|} / 2`): the logarithm of a uniform number, with a random sign.
    #[inline(always)]
    pub(crate) fn laplace(self, index: u64) -> [f32; WIDTH] {
        self.words(index).map(|word| {
            let magnitude = 0.5 * minus_two_ln(open_unit(word));
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

/// `-2 ln x` for a normal number in (0, 1).
#[inline(always)]
fn minus_two_ln(x: f32) -> f32 {
    // `x = 2ᵉ (1 + t)` with `1 + t` between √½ and √2: the bits of √½ are subtracted so that the exponent rounds to the nearest.
    let bits = x.to_bits().wrapping_sub(0x3f35_04f3);
    // Still at its place: 2²³ times as large.
    let exponent = (bits & 0xff80_0000) as i32 as f32;
    let t = f32::from_bits((bits & 0x007f_ffff) + 0x3f35_04f3) - 1.0;
    // -2 ln(1 + t) / t by interpolation at the Chebyshev points; the error is below 2.6·10⁻⁶.
    let p = LN[0];
    let p = p * t + LN[1];
    let p = p * t + LN[2];
    let p = p * t + LN[3];
    let p = p * t + LN[4];
    let p = p * t + LN[5];
    let p = p * t + LN[6];
    exponent * LN_EXPONENT + t * p
}

pub(super) const LN: [f32; 7] =
    [-0.238_621_08, 0.373_615_02, -0.409_835_2, 0.498_165_8, -0.666_293_5, 1.000_022_9, -2.000_002];
pub(super) const LN_EXPONENT: f32 = -2.0 * std::f32::consts::LN_2 / (1 << 23) as f32;

/// Two normal numbers of a word. Its bits: from 1 to 22 the radius; from 23 to 30 the angle within a quarter of the circle, to which the radius's bits are the ones that
/// follow; 31 and 0 the quarter.
#[inline(always)]
fn pair(word: u32) -> (f32, f32) {
    // The middle of one of 2²² equal parts of the unit interval: the lowest bit is set.
    let uniform = f32::from_bits(word & 0x007f_ffff | 0x3f80_0001) - 1.0;
    let radius = minus_two_ln(uniform).sqrt();
    // From -1 to 1: in eighths of a turn.
    let angle = f32::from_bits(word >> 8 & 0x007f_ffff | 0x4000_0000) - 3.0;
    let z = angle * angle;
    let sine = angle * ((SINE[0] * z + SINE[1]) * z + SINE[2]);
    let cosine = ((COSINE[0] * z + COSINE[1]) * z + COSINE[2]) * z + COSINE[3];
    // To the right or, with a sign for the cosine, to the left; the other two quarters by an exchange.
    let cosine = cosine.to_bits() ^ (word & 0x8000_0000);
    let exchanged = (sine.to_bits() ^ cosine) & ((word << 31).cast_signed() >> 31).cast_unsigned();
    (radius * f32::from_bits(cosine ^ exchanged), radius * f32::from_bits(sine.to_bits() ^ exchanged))
}

/// Sine and cosine of eighths of a turn: interpolation at the Chebyshev points of the squares from 0 to 1; errors below 1.5·10⁻⁶ and 3·10⁻⁸.
pub(super) const SINE: [f32; 3] = [2.436_075_3e-3, -0.080_725_21, 0.785_397_04];
pub(super) const COSINE: [f32; 4] = [-3.188_79e-4, 0.015_849_913, -0.308_424_26, 0.999_999_97];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_one() {
        let worst = (0..1_u32 << 16).map(|i| open_unit(i << 16 | 0x7fff)).map(|x| {
            let exact = -2.0 * f64::from(x).ln();
            (f64::from(minus_two_ln(x)) - exact).abs() / exact.abs().max(1e-3)
        });
        assert!(worst.fold(0.0, f64::max) < 3e-6);
    }

    #[test]
    fn pairs_are_where_their_bits_say() {
        for i in 0..1_u32 << 16 {
            let word = i.wrapping_mul(0x9e37_79b9);
            let (x, y) = pair(word);
            let (x, y) = (f64::from(x), f64::from(y));
            let uniform = f64::from(word >> 1 & 0x003f_ffff) + 0.5;
            let radius = (-2.0 * (uniform / f64::from(1 << 22)).ln()).sqrt();
            assert!((x.hypot(y) - radius).abs() < 1e-5, "{word:x}");
            // Sine and cosine before the quarter.
            let (s, c) = if word & 1 == 1 { (x, y) } else { (y, x) };
            let angle = f64::from(word >> 8 & 0x007f_ffff) / f64::from(1 << 22) - 1.0;
            let (sine, cosine) = (angle * std::f64::consts::FRAC_PI_4).sin_cos();
            let sign = if word >> 31 == 1 { -1.0 } else { 1.0 };
            assert!((s - radius * sine).abs() < 2e-5 && (c - sign * radius * cosine).abs() < 2e-5, "{word:x}");
        }
        assert!(pair(0).0.is_finite() && pair(u32::MAX).1.is_finite());
        assert!((f64::from(pair(0).0).hypot(f64::from(pair(0).1)) - 5.647).abs() < 1e-3, "the largest radius");
    }

    /// The two numbers of a pair are independent: their joint distribution over squares that are equally likely (chi squared, a million pairs). Neighbours of
    /// other words are, too.
    #[test]
    fn normals_are_independent() {
        const SIDE: usize = 16;
        let noise = Noise::new(Key::new(8));
        let cell = |x: f32| ((normal_distribution(f64::from(x)) * SIDE as f64) as usize).min(SIDE - 1);
        // Cells by a table: Simpson's rule for each number would take long.
        let cells: Vec<usize> = (0..=1200).map(|i| cell(i as f32 / 100.0 - 6.0 + 0.005)).collect();
        let cell = |x: f32| cells[((x + 6.0) * 100.0) as usize];
        let mut counts = [[[0.0_f64; SIDE]; SIDE]; 2];
        let n = 1 << 15;
        for index in 0..n {
            let x = noise.normals(index);
            for lane in 0..LANES {
                for i in [0, 2] {
                    counts[0][cell(x[i * LANES + lane])][cell(x[(i + 1) * LANES + lane])] += 1.0;
                }
                counts[1][cell(x[lane])][cell(x[2 * LANES + lane])] += 1.0;
                counts[1][cell(x[LANES + lane])][cell(x[2 * LANES + (lane + 1) % LANES])] += 1.0;
            }
        }
        for counts in counts {
            let total: f64 = counts.as_flattened().iter().sum();
            let rows = counts.map(|row| row.iter().sum::<f64>());
            let columns: [f64; SIDE] = std::array::from_fn(|c| counts.iter().map(|row| row[c]).sum());
            let mut chi = 0.0;
            for (r, row) in counts.iter().enumerate() {
                for (c, n) in row.iter().enumerate() {
                    let expected = rows[r] * columns[c] / total;
                    chi += (n - expected).powi(2) / expected;
                }
            }
            // Mean 225, standard deviation 21.2.
            assert!((150.0..310.0).contains(&chi), "chi squared is {chi}");
        }
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
