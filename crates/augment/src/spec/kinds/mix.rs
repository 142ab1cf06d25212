//! Mixes of batches.

use crate::spec::DescribedMix;
use crate::{Mix, Partner, Result};
use serde::{Deserialize, Serialize};

/// `mixup`: the samples of a batch laid over one another. See [`MixUp`](crate::MixUp).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MixUp {
    /// The parameter of the distribution of shares: at 1, each is as likely; below, most are nearly 0 or 1.
    pub alpha: f64,
    /// Whether each sample has a share of its own; no unless it is said otherwise.
    #[serde(default)]
    pub each_sample: bool,
    /// Who is mixed with whom: `"permutation"`, unless it is said otherwise, `"roll"` or `"reverse"`.
    #[serde(default)]
    pub partner: Partner,
}

impl MixUp {
    fn built(self) -> Result<crate::MixUp> {
        Ok(crate::MixUp::new(self.alpha)?.each_sample(self.each_sample).partner(self.partner))
    }
}

impl DescribedMix for MixUp {
    const KIND: &'static str = "mixup";

    fn build(self) -> Result<Box<dyn Mix>> {
        Ok(Box::new(self.built()?))
    }
}

/// `cutmix`: a rectangle of each sample from another. See [`CutMix`](crate::CutMix).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CutMix {
    /// The parameter of the distribution of areas: at 1, each is as likely; below, most are nearly nothing or all.
    pub alpha: f64,
    /// Whether each sample has a rectangle of its own; no unless it is said otherwise.
    #[serde(default)]
    pub each_sample: bool,
    /// Who is mixed with whom: `"permutation"`, unless it is said otherwise, `"roll"` or `"reverse"`.
    #[serde(default)]
    pub partner: Partner,
}

impl CutMix {
    fn built(self) -> Result<crate::CutMix> {
        Ok(crate::CutMix::new(self.alpha)?.each_sample(self.each_sample).partner(self.partner))
    }
}

impl DescribedMix for CutMix {
    const KIND: &'static str = "cutmix";

    fn build(self) -> Result<Box<dyn Mix>> {
        Ok(Box::new(self.built()?))
    }
}

/// `mix-choice`: for each batch mixup or cutmix. See [`MixChoice`](crate::MixChoice).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MixChoice {
    /// The one: a table of its fields, such as `{ alpha = 0.8 }`.
    pub mixup: MixUp,
    /// The other.
    pub cutmix: CutMix,
    /// The probability of the other; ½ unless it is said otherwise, as in timm.
    #[serde(default = "half")]
    pub cut: f64,
}

fn half() -> f64 {
    0.5
}

impl DescribedMix for MixChoice {
    const KIND: &'static str = "mix-choice";

    fn build(self) -> Result<Box<dyn Mix>> {
        Ok(Box::new(crate::MixChoice::new(self.mixup.built()?, self.cutmix.built()?, self.cut)?))
    }
}
