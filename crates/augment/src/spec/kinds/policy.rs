//! Policies: many operations under a few numbers.

use super::boxed;
use crate::spec::{Described, Site};
use crate::{Augment, Fill, Interpolation, Result};
use serde::{Deserialize, Serialize};

/// `rand-augment`: some of fourteen operations, all at one magnitude. See [`RandAugment`](crate::RandAugment).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RandAugment {
    /// How many; 2 unless it is said otherwise.
    pub operations: usize,
    /// At which magnitude, from 0 to 30; 9 unless it is said otherwise.
    pub magnitude: usize,
    /// How many magnitudes there are; 31 unless it is said otherwise.
    pub bins: usize,
    /// What comes in; black unless it is said otherwise.
    pub fill: Fill,
    /// Nearest unless it is said otherwise.
    pub interpolation: Interpolation,
}

impl Default for RandAugment {
    fn default() -> Self {
        let (fill, interpolation) = (Fill::BLACK, Interpolation::Nearest);
        RandAugment { operations: 2, magnitude: 9, bins: 31, fill, interpolation }
    }
}

impl Described for RandAugment {
    const KIND: &'static str = "rand-augment";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let policy = crate::RandAugment::new(self.operations, self.magnitude)?.bins(self.bins)?;
        boxed(policy.fill(self.fill).interpolation(self.interpolation))
    }
}

/// `trivial-augment`: one of fourteen operations, at a random magnitude. See [`TrivialAugment`](crate::TrivialAugment).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrivialAugment {
    /// What comes in; black unless it is said otherwise.
    pub fill: Fill,
    /// Nearest unless it is said otherwise.
    pub interpolation: Interpolation,
}

impl Default for TrivialAugment {
    fn default() -> Self {
        TrivialAugment { fill: Fill::BLACK, interpolation: Interpolation::Nearest }
    }
}

impl Described for TrivialAugment {
    const KIND: &'static str = "trivial-augment";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(crate::TrivialAugment::new().fill(self.fill).interpolation(self.interpolation))
    }
}

/// `auto-augment`: a pair of operations of those that were found for a set of pictures. See [`AutoAugment`](crate::AutoAugment).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AutoAugment {
    /// For which set; CIFAR-10 unless it is said otherwise.
    pub found_on: FoundOn,
    /// What comes in; black unless it is said otherwise.
    pub fill: Fill,
    /// Nearest unless it is said otherwise.
    pub interpolation: Interpolation,
}

/// A set of pictures that a policy was found on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FoundOn {
    /// CIFAR-10.
    #[default]
    Cifar10,
}

impl Default for AutoAugment {
    fn default() -> Self {
        AutoAugment { found_on: FoundOn::Cifar10, fill: Fill::BLACK, interpolation: Interpolation::Nearest }
    }
}

impl Described for AutoAugment {
    const KIND: &'static str = "auto-augment";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let policy = match self.found_on {
            FoundOn::Cifar10 => crate::AutoAugment::cifar10(),
        };
        boxed(policy.fill(self.fill).interpolation(self.interpolation))
    }
}

/// `aug-mix`: mixed with chains of operations on it. See [`AugMix`](crate::AugMix).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AugMix {
    /// The severity, from 1 to 10; 3 unless it is said otherwise.
    pub severity: usize,
    /// The number of chains; 3 unless it is said otherwise.
    pub width: usize,
    /// The least and the greatest number of operations in a chain; 1 and 3 unless it is said otherwise.
    pub depth: (usize, usize),
    /// The parameter of the distributions that weights are drawn from; 1 unless it is said otherwise.
    pub alpha: f64,
    /// Whether operations that move the image are among them; yes unless it is said otherwise.
    pub geometric: bool,
    /// What comes in; black unless it is said otherwise.
    pub fill: Fill,
    /// Bilinear unless it is said otherwise.
    pub interpolation: Interpolation,
}

impl Default for AugMix {
    fn default() -> Self {
        let (fill, interpolation) = (Fill::BLACK, Interpolation::Bilinear);
        AugMix { severity: 3, width: 3, depth: (1, 3), alpha: 1.0, geometric: true, fill, interpolation }
    }
}

impl Described for AugMix {
    const KIND: &'static str = "aug-mix";

    fn build(self, _: &Site<'_>) -> Result<Box<dyn Augment>> {
        let policy = crate::AugMix::new().severity(self.severity)?.width(self.width)?.alpha(self.alpha)?;
        let policy = policy.depth(self.depth.0, self.depth.1)?.geometric(self.geometric);
        boxed(policy.fill(self.fill).interpolation(self.interpolation))
    }
}
