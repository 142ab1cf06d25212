//! Noise of counted light.

use crate::Key;
use crate::exact::{exp2, log2};
use crate::frame::FrameMut;
use crate::pixel::Pixel;
use crate::random::{Noise, WIDTH};
use crate::simd::vectorize;
use crate::{Error, Result};

/// `x ← (scale · Poisson(x^gamma / scale))^(1 / gamma)`, in shares of white, kept between black and white, by itself for every value.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Photons {
    /// What one count is worth: white is a mean of `1 / scale` counts.
    pub scale: f32,
    /// The exponent that makes values linear in light: 2.2 for photographs, 1 where they are already.
    pub gamma: f32,
    /// The key of the draws.
    pub key: Key,
}

/// The mean up to which counts are found by going through them.
const FEW: f32 = 32.0;

impl Photons {
    /// The least and the largest scale.
    pub(crate) const SCALE: (f32, f32) = (1e-5, 1e3);

    /// The least and the largest exponent.
    pub(crate) const GAMMA: (f32, f32) = (0.1, 10.0);

    /// Whether numbers that may come from a file can be worked with.
    pub(crate) fn check(&self) -> Result<()> {
        let within = |x: f32, (low, high): (f32, f32), parameter: &str| {
            if (low..=high).contains(&x) {
                return Ok(());
            }
            Err(Error::parameter("shot noise", parameter, format!("within [{low}, {high}]"), x))
        };
        within(self.scale, Photons::SCALE, "scale")?;
        within(self.gamma, Photons::GAMMA, "gamma")
    }

    pub(crate) fn run<P: Pixel>(&self, image: FrameMut<'_, P>) {
        vectorize(
            #[inline(always)]
            || {
                let counts = Counts::new(self.key);
                let mut index = 0;
                let (whole, rest) = image.data.as_chunks_mut::<WIDTH>();
                for values in whole {
                    self.part(&counts, index, values);
                    index += 1;
                }
                let mut last = [P::default(); WIDTH];
                last[..rest.len()].copy_from_slice(rest);
                self.part(&counts, index, &mut last);
                rest.copy_from_slice(&last[..rest.len()]);
            },
        );
    }

    #[inline(always)]
    fn part<P: Pixel>(&self, counts: &Counts, index: u64, values: &mut [P; WIDTH]) {
        let (to_light, to_mean) = (self.gamma, 1.0 / self.scale);
        let mut means = [0.0_f32; WIDTH];
        for i in 0..WIDTH {
            let x = values[i].to_f32() * (1.0 / P::WHITE);
            let x = if x < 1.0 { x } else { 1.0 };
            let light = exp2(to_light * log2(if x > 1e-30 { x } else { 1e-30 }));
            means[i] = if x > 0.0 { light * to_mean } else { 0.0 };
        }
        let counts = counts.draw(index, &means);
        let from_light = 1.0 / self.gamma;
        for i in 0..WIDTH {
            let light = counts[i] * self.scale;
            let x = exp2(from_light * log2(if light > 1e-30 { light } else { 1e-30 }));
            let x = if x < 1.0 { x } else { 1.0 };
            values[i] = P::from_f32(if counts[i] > 0.0 { x * P::WHITE } else { 0.0 });
        }
    }
}

/// Counts of Poisson's distribution.
#[derive(Clone, Copy, Debug)]
struct Counts {
    uniforms: Noise,
    normals: Noise,
}

impl Counts {
    fn new(key: Key) -> Self {
        Counts { uniforms: Noise::new(key), normals: Noise::new(key.with(1)) }
    }

    /// Counts with given means. Some lanes go through the counts from 0 on together, as far as the one that needs to go farthest: the sum of
    /// probabilities up to a count is compared with a uniform number. Means that are too large for this are taken from a normal number.
    #[inline(always)]
    fn draw(&self, index: u64, means: &[f32; WIDTH]) -> [f32; WIDTH] {
        let words = self.uniforms.words(index);
        let mut counts = [0.0_f32; WIDTH];
        for part in 0..WIDTH / LANES {
            let mut uniforms = [0.0_f32; LANES];
            let mut few = [0.0_f32; LANES];
            let mut probabilities = [0.0_f32; LANES];
            for i in 0..LANES {
                // In (0, 1), and a little less than 1 at most, so that the sum of probabilities, which has been rounded often, is sure to get
                // there: this cuts off what is rarer than once in 130,000.
                let word = (words[part * LANES + i] >> 9) as i32 as f32 + 0.5;
                uniforms[i] = word * ((1.0 - 1.0 / (1 << 17) as f32) / (1 << 23) as f32);
                let mean = means[part * LANES + i];
                few[i] = if mean < FEW { mean } else { FEW };
                probabilities[i] = exp2(few[i] * -std::f32::consts::LOG2_E);
            }
            counts.as_chunks_mut::<LANES>().0[part] = go_through(&uniforms, &few, probabilities);
        }
        // The bits of positive numbers are in their order.
        let most = means.iter().fold(0, |most: u32, mean| most.max(mean.to_bits()));
        if most > FEW.to_bits() {
            let normals = self.normals.normals(index);
            for i in 0..WIDTH {
                let large = from_normal(if means[i] > FEW { means[i] } else { FEW }, normals[i]);
                counts[i] = if means[i] > FEW { large } else { counts[i] };
            }
        }
        counts
    }
}

/// Lanes that go through counts together.
const LANES: usize = 16;

/// For uniform numbers and means, the count whose sum of probabilities is the first that is not below the number; from the probability of 0.
#[inline(always)]
fn go_through(uniforms: &[f32; LANES], means: &[f32; LANES], mut probabilities: [f32; LANES]) -> [f32; LANES] {
    let mut sums = probabilities;
    let mut counts = [0.0_f32; LANES];
    // Never as many as the last, by far.
    for four in &INVERSES {
        // A few counts between questions whether all lanes have arrived.
        for inverse in four {
            for i in 0..LANES {
                counts[i] += if uniforms[i] > sums[i] { 1.0 } else { 0.0 };
                probabilities[i] *= means[i] * inverse;
                sums[i] += probabilities[i];
            }
        }
        let mut left = 0_u32;
        for i in 0..LANES {
            left |= u32::from(uniforms[i] > sums[i]);
        }
        if left == 0 {
            break;
        }
    }
    counts
}

/// The inverses of the counts from 1 on, four by four.
static INVERSES: [[f32; 4]; 32] = {
    let mut inverses = [[0.0; 4]; 32];
    let mut i = 0;
    while i < 128 {
        inverses[i / 4][i % 4] = 1.0 / (i + 1) as f32;
        i += 1;
    }
    inverses
};

/// The count that lies in Poisson's distribution where a number lies in the normal one, for a mean of at least [`FEW`] (Giles, *Algorithm 955:
/// approximation of the inverse Poisson cumulative distribution function*, ACM Transactions on Mathematical Software 42, 2016, from Temme's expansion).
/// Probabilities of counts up to one are off by less than 6·10⁻⁵.
#[inline(always)]
fn from_normal(mean: f32, z: f32) -> f32 {
    let inverse = 1.0 / mean;
    let root = mean.sqrt();
    let squared = z * z;
    let second = 1.0 / 3.0 + squared * (1.0 / 6.0);
    let third = z * (-1.0 / 36.0 - squared * (1.0 / 72.0));
    let fourth = -8.0 / 405.0 + squared * (7.0 / 810.0 + squared * (1.0 / 270.0));
    let count = mean + root * z + second + third * root * inverse + fourth * inverse;
    // Truncated by conversion, as vectors do.
    let count = if count > 0.0 { count } else { 0.0 };
    count as i32 as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability of a count.
    fn probability(mean: f64, count: usize) -> f64 {
        (1..=count).fold((-mean).exp(), |p, k| p * mean / k as f64)
    }

    fn counts(mean: f32, n: u64, key: Key) -> Vec<usize> {
        let counts = Counts::new(key);
        let mut all = Vec::new();
        vectorize(
            #[inline(always)]
            || {
                for index in 0..n {
                    all.extend(counts.draw(index, &[mean; WIDTH]).map(|x| x as usize));
                }
            },
        );
        all
    }

    #[test]
    fn counts_are_poisson() {
        for (seed, mean) in [0.0_f32, 0.02, 0.7, 3.3, 10.0, 31.0, 33.0, 100.0].into_iter().enumerate() {
            let drawn = counts(mean, 4096, Key::new(seed as u64));
            let n = drawn.len() as f64;
            let mean = f64::from(mean);
            let average = drawn.iter().sum::<usize>() as f64 / n;
            assert!((average - mean).abs() <= 4.0 * (mean / n).sqrt(), "mean {mean}: {average}");
            let variance = drawn.iter().map(|&x| (x as f64 - mean).powi(2)).sum::<f64>() / n;
            // The fourth central moment is `mean + 3 mean²`.
            let deviation = ((mean + 2.0 * mean * mean) / n).sqrt();
            assert!((variance - mean).abs() <= 4.0 * deviation + 1e-4 * mean, "variance {mean}: {variance}");
            // Chi squared over counts that are expected at least 20 times, all others together.
            let (mut chi, mut cells, mut rest) = (0.0, 0, (n, n));
            for count in 0..250 {
                let expected = n * probability(mean, count);
                if expected >= 20.0 {
                    let seen = drawn.iter().filter(|&&x| x == count).count() as f64;
                    chi += (seen - expected).powi(2) / expected;
                    cells += 1;
                    rest = (rest.0 - seen, rest.1 - expected);
                }
            }
            if rest.1 > 5.0 {
                chi += (rest.0 - rest.1).powi(2) / rest.1;
            }
            // Mean `cells`, variance twice that: four deviations.
            let cells = f64::from(cells);
            assert!(chi < cells + 4.0 * (2.0 * cells).sqrt() + 1.0, "mean {mean}: chi squared {chi} of {cells}");
        }
    }

    /// Where the count changes, the normal distribution is Poisson's.
    #[test]
    fn large_means() {
        let density = |t: f64| (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt();
        for mean in [33.0_f32, 50.0, 200.0, 600.0] {
            let (mut normal, mut poisson, mut next) = (0.0, 0.0, 0);
            let mut worst = 0.0_f64;
            let steps = 200_000;
            for i in 0..steps {
                let z = -6.0 + 12.0 * (f64::from(i) + 0.5) / f64::from(steps);
                let count = from_normal(mean, z as f32) as usize;
                while next < count {
                    poisson += probability(f64::from(mean), next);
                    next += 1;
                    worst = worst.max((normal - poisson).abs());
                }
                normal += density(z) * 12.0 / f64::from(steps);
            }
            assert!(worst < 6e-5, "{mean}: {worst}");
        }
    }

    #[test]
    fn black_stays_and_nothing_leaves_the_range() {
        use crate::Shape;
        let mut values: Vec<f32> = (0..100).map(|i| i as f32 / 80.0 - 0.1).collect();
        let shape = Shape::interleaved(10, 10, 1);
        let photons = Photons { scale: 0.2, gamma: 2.2, key: Key::new(3) };
        photons.run(FrameMut { data: &mut values, shape });
        assert!(values[..9].iter().all(|&x| x == 0.0), "black, and below");
        assert!(values.iter().all(|x| (0.0..=1.0).contains(x)));
        // The values that a count can be.
        assert!(values.iter().all(|&x| (0..40).any(|n| (x - (0.2 * n as f32).powf(1.0 / 2.2).min(1.0)).abs() < 1e-5)));
    }

    #[test]
    fn bytes_and_floats_have_the_same_counts() {
        use crate::Shape;
        let mut bytes: Vec<u8> = (0..=255).collect();
        let mut floats: Vec<f32> = bytes.iter().map(|&x| f32::from(x) / 255.0).collect();
        let shape = Shape::planar(1, 16, 16);
        for (scale, gamma) in [(0.3, 2.2), (0.01, 2.2), (0.05, 1.0)] {
            let photons = Photons { scale, gamma, key: Key::new(5) };
            photons.run(FrameMut { data: &mut bytes, shape });
            photons.run(FrameMut { data: &mut floats, shape });
            assert!(bytes.iter().zip(&floats).all(|(&byte, &float)| (f32::from(byte) - float * 255.0).abs() <= 0.501));
            bytes.iter_mut().zip(0..=255).for_each(|(x, i)| *x = i);
            floats.iter_mut().zip(&bytes).for_each(|(x, &byte)| *x = f32::from(byte) / 255.0);
        }
    }
}
