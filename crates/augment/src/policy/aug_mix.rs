//! AugMix.

use super::operation::{FOURTEEN, Operation, Sampling, Space, Translation};
use super::resampled;
use crate::plan::{Blend, Chain, Step};
use crate::{Augment, Draw, Error, Fill, Interpolation, Random, Result};
use rand_distr::{Distribution, Gamma};

/// AugMix's largest magnitudes, those of severity 10.
pub(super) const SPACE: Space =
    Space { shear: 0.3, translation: Translation::Share(1.0 / 3.0), rotation: 30.0, factor: 0.9, bits: (4.0, 4.0) };

/// Magnitudes.
const BINS: usize = 10;

/// The image mixed with chains of operations on it (Hendrycks, Mu, Cubuk, Zoph, Gilmer and Lakshminarayanan, *AugMix: a simple data
/// processing method to improve robustness and uncertainty*, ICLR 2020): `m₀ x + m₁ Σ wᵢ chainᵢ(x)`, where `m` and `w` are drawn from
/// Dirichlet's distribution.
///
/// Use it where the pictures of use will be worse than those of training: blurred, noisy, in other weather.
///
/// Three chains of one to three operations, of a severity of 3 of 10, bilinear, with black from beyond the edge, as torchvision has it;
/// there and here brightness, colour, contrast and sharpness are among the operations, which the authors left out, as the robustness they
/// measured is against these. Bytes are rounded once, when all are mixed.
///
/// A chain may move the image, and the mixture then shows it in several places: masks, boxes and points stay where they are. Where they
/// matter, leave the operations that move it out by [`AugMix::geometric`].
///
/// ```
/// use gradwise_augment::{AugMix, Augment, Image, Key, Kind, Shape};
///
/// let policy = AugMix::new().severity(5)?.geometric(false);
/// let image = Image::black(Shape::interleaved(32, 32, 3), Kind::U8)?;
/// assert_eq!(policy.plan(image.shape(), Kind::U8, Key::new(1))?.steps().len(), 1);
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct AugMix {
    severity: usize,
    width: usize,
    depth: (usize, usize),
    alpha: f64,
    operations: Vec<Operation>,
    sampling: Sampling,
}
resampled!(AugMix);

impl AugMix {
    /// Three chains of one to three operations, of a severity of 3, mixed with an `alpha` of 1.
    pub fn new() -> Self {
        AugMix {
            severity: 3,
            width: 3,
            depth: (1, 3),
            alpha: 1.0,
            operations: FOURTEEN.into_iter().filter(|operation| *operation != Operation::Identity).collect(),
            sampling: Sampling { interpolation: Interpolation::Bilinear, fill: Fill::BLACK },
        }
    }

    /// With another severity: each operation's magnitude is one of as many.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not from 1 to 10.
    pub fn severity(self, severity: usize) -> Result<Self> {
        within(severity, 1, BINS, "severity").map(|severity| AugMix { severity, ..self })
    }

    /// With another number of chains.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not from 1 to 16.
    pub fn width(self, width: usize) -> Result<Self> {
        within(width, 1, 16, "width").map(|width| AugMix { width, ..self })
    }

    /// With other numbers of operations in a chain: from `least` to `most`, each number as likely.
    ///
    /// # Errors
    /// [`Error::Parameter`] if they are not an ascending pair from 1 to 16.
    pub fn depth(self, least: usize, most: usize) -> Result<Self> {
        let least = within(least, 1, 16, "depth")?;
        within(most, least, 16, "depth").map(|most| AugMix { depth: (least, most), ..self })
    }

    /// With another parameter of the distributions: less than 1 makes one chain, or none, prevail; more makes them even.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it is not within `[0.01, 1000]`.
    pub fn alpha(self, alpha: f64) -> Result<Self> {
        let alpha = crate::Range::from(alpha).within(0.01, 1000.0, "augmix", "alpha")?.low;
        Ok(AugMix { alpha, ..self })
    }

    /// With, or without, the operations that move the image.
    #[must_use]
    pub fn geometric(self, geometric: bool) -> Self {
        let keep = |operation: &Operation| geometric || !operation.is_geometric();
        AugMix { operations: AugMix::new().operations.into_iter().filter(keep).collect(), ..self }
    }
}

impl Default for AugMix {
    fn default() -> Self {
        AugMix::new()
    }
}

fn within(n: usize, low: usize, high: usize, parameter: &str) -> Result<usize> {
    if (low..=high).contains(&n) {
        return Ok(n);
    }
    Err(Error::parameter("augmix", parameter, format!("from {low} to {high}"), n))
}

/// Numbers that sum to 1, of Dirichlet's distribution with the same parameter for all: shares of numbers of the gamma distribution.
fn dirichlet(alpha: f64, out: &mut [f64], random: &mut Random) {
    if let Ok(gamma) = Gamma::new(alpha, 1.0) {
        out.iter_mut().for_each(|x| *x = gamma.sample(random));
    }
    let sum: f64 = out.iter().sum();
    let even = 1.0 / out.len() as f64;
    // Where all are too small to be numbers, none prevails.
    out.iter_mut().for_each(|x| *x = if sum > 0.0 { *x / sum } else { even });
}

impl Augment for AugMix {
    fn name(&self) -> &str {
        "augmix"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let (mut own, mut weights) = ([0.0; 2], [0.0; 16]);
        dirichlet(self.alpha, &mut own, draw.random());
        let weights = &mut weights[..self.width];
        dirichlet(self.alpha, weights, draw.random());
        draw.note("augmix", &[("share", own[1])]);
        let mut chains = draw.chains();
        for &mut weight in weights {
            let (least, most) = self.depth;
            let depth = least + draw.random().below((most - least) as u32 + 1) as usize;
            let steps = draw.aside(|draw| {
                for _ in 0..depth {
                    let operation = self.operations[draw.random().below(self.operations.len() as u32) as usize];
                    let bin = draw.random().below(self.severity as u32) as usize;
                    operation.draw(&SPACE, (bin, BINS), self.sampling, draw)?;
                }
                Ok(())
            })?;
            chains.push(Chain { weight: (weight * own[1]) as f32, steps });
        }
        draw.push(Step::Blend(Blend { own: own[0] as f32, chains }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    /// Mean `1 / n` and variance `(n - 1) / (n² (n α + 1))`.
    #[test]
    fn shares_are_dirichlets() {
        for (seed, alpha) in [0.3, 1.0, 4.0].into_iter().enumerate() {
            let mut random = Key::new(seed as u64).random();
            let (mut sum, mut squares) = (0.0, 0.0);
            let n = 20_000;
            for _ in 0..n {
                let mut shares = [0.0; 3];
                dirichlet(alpha, &mut shares, &mut random);
                assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                sum += shares[1];
                squares += (shares[1] - 1.0 / 3.0).powi(2);
            }
            let variance = 2.0 / (9.0 * (3.0 * alpha + 1.0));
            assert!((sum / f64::from(n) - 1.0 / 3.0).abs() < 4.0 * (variance / f64::from(n)).sqrt());
            assert!((squares / f64::from(n) / variance - 1.0).abs() < 0.05, "{alpha}");
        }
    }
}
