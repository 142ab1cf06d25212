//! AutoAugment.

use super::operation::{
    Operation::{
        self, AutoContrast, Brightness, Colour, Contrast, Equalize, Invert, Posterize, Rotate, Sharpness, ShearY,
        Solarize, TranslateX, TranslateY,
    },
    Sampling, Space,
};
use super::{rand_augment, resampled};
use crate::{Augment, Draw, Fill, Interpolation, Result};

/// AutoAugment's largest magnitudes are RandAugment's.
pub(super) const SPACE: Space = rand_augment::SPACE;

/// Magnitudes.
const BINS: usize = 10;

/// An operation, its probability in tenths, and its magnitude.
type Part = (Operation, u8, usize);

/// What was found on CIFAR-10 (table 7 of the paper).
const CIFAR10: [[Part; 2]; 25] = [
    [(Invert, 1, 0), (Contrast, 2, 6)],
    [(Rotate, 7, 2), (TranslateX, 3, 9)],
    [(Sharpness, 8, 1), (Sharpness, 9, 3)],
    [(ShearY, 5, 8), (TranslateY, 7, 9)],
    [(AutoContrast, 5, 0), (Equalize, 9, 0)],
    [(ShearY, 2, 7), (Posterize, 3, 7)],
    [(Colour, 4, 3), (Brightness, 6, 7)],
    [(Sharpness, 3, 9), (Brightness, 7, 9)],
    [(Equalize, 6, 0), (Equalize, 5, 0)],
    [(Contrast, 6, 7), (Sharpness, 6, 5)],
    [(Colour, 7, 7), (TranslateX, 5, 8)],
    [(Equalize, 3, 0), (AutoContrast, 4, 0)],
    [(TranslateY, 4, 3), (Sharpness, 2, 6)],
    [(Brightness, 9, 6), (Colour, 2, 8)],
    [(Solarize, 5, 2), (Invert, 0, 0)],
    [(Equalize, 2, 0), (AutoContrast, 6, 0)],
    [(Equalize, 2, 0), (Equalize, 6, 0)],
    [(Colour, 9, 9), (Equalize, 6, 0)],
    [(AutoContrast, 8, 0), (Solarize, 2, 8)],
    [(Brightness, 1, 3), (Colour, 7, 0)],
    [(Solarize, 4, 5), (AutoContrast, 9, 0)],
    [(TranslateY, 9, 9), (TranslateY, 7, 9)],
    [(AutoContrast, 9, 0), (Solarize, 8, 3)],
    [(Equalize, 8, 0), (Invert, 1, 0)],
    [(TranslateY, 7, 9), (AutoContrast, 9, 0)],
];

/// One of 25 pairs of operations, each of the two with its own probability and magnitude (Cubuk, Zoph, Mané, Vasudevan and Le,
/// *AutoAugment: learning augmentation policies from data*, 2018).
///
/// Use it on CIFAR-10 and images like its; [`RandAugment`](super::RandAugment) and [`TrivialAugment`](super::TrivialAugment) do as well
/// elsewhere, without a search. Ten magnitudes, the nearest pixel, and black from beyond the edge, as torchvision has it.
#[derive(Clone, PartialEq, Debug)]
pub struct AutoAugment {
    pairs: &'static [[Part; 2]],
    sampling: Sampling,
}
resampled!(AutoAugment);

impl AutoAugment {
    /// The policy that was found on CIFAR-10.
    pub fn cifar10() -> Self {
        let sampling = Sampling { interpolation: Interpolation::Nearest, fill: Fill::BLACK };
        AutoAugment { pairs: &CIFAR10, sampling }
    }
}

impl Augment for AutoAugment {
    fn name(&self) -> &str {
        "auto augment"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let pair = self.pairs[draw.random().below(self.pairs.len() as u32) as usize];
        for (operation, tenths, bin) in pair {
            if draw.random().chance(f64::from(tenths) / 10.0) {
                operation.draw(&SPACE, (bin, BINS), self.sampling, draw)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, Kind, Shape};

    /// Over many draws, each operation comes as often as the pairs say.
    #[test]
    fn frequencies() {
        let policy = AutoAugment::cifar10();
        let n = 20_000;
        let mut seen = std::collections::BTreeMap::<String, f64>::new();
        for seed in 0..n {
            let plan = policy.plan(Shape::interleaved(32, 32, 3), Kind::U8, Key::new(seed)).expect("a plan");
            plan.notes().iter().for_each(|note| *seen.entry(note.name.to_string()).or_default() += 1.0);
        }
        let mut expected = std::collections::BTreeMap::<&str, f64>::new();
        let names = [
            (Invert, "invert"),
            (Contrast, "contrast"),
            (Rotate, "rotate"),
            (TranslateX, "translate x"),
            (TranslateY, "translate y"),
            (Sharpness, "sharpness"),
            (ShearY, "shear y"),
            (AutoContrast, "autocontrast"),
            (Equalize, "equalize"),
            (Posterize, "posterize"),
            (Colour, "colour"),
            (Brightness, "brightness"),
            (Solarize, "solarize"),
        ];
        for (operation, tenths, _) in CIFAR10.concat() {
            let name = names.iter().find(|(of, _)| *of == operation).expect("a name").1;
            *expected.entry(name).or_default() += f64::from(tenths) / 250.0 * n as f64;
        }
        assert_eq!(seen.len(), expected.len());
        for (name, expected) in expected {
            let error = (seen[name] - expected) / expected.sqrt();
            assert!(error.abs() < 4.5, "{name}: {} times, not {expected}", seen[name]);
        }
    }
}
