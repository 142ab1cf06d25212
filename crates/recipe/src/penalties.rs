//! The penalties that recipes may name.

use crate::kinds::add_all;
use crate::{Described, Family, Kinds, Result};
use gradwise_regularize::{self as regularize, Groups, Penalty};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The family of penalties on weights.
#[derive(Debug)]
pub enum PenaltyKinds {}

impl Family for PenaltyKinds {
    const WHAT: &'static str = "penalty";
    type Built = Box<dyn Penalty<f32>>;
    type Site<'a> = ();
}

/// All penalties of this crate.
pub(crate) fn all() -> Kinds<PenaltyKinds> {
    add_all!(Kinds::new(); L1, L2, ElasticNet, GroupLasso, Orthogonality)
}

/// `l1`: `strength Σ |w|`, which makes weights exactly zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct L1 {
    /// Its strength.
    pub strength: f64,
}

impl Described<PenaltyKinds> for L1 {
    const KIND: &'static str = "l1";

    fn build(self, (): &()) -> Result<Box<dyn Penalty<f32>>> {
        Ok(Box::new(regularize::L1::new(self.strength)?))
    }
}

/// `l2`: `strength / 2 Σ w²`, which makes weights small.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct L2 {
    /// Its strength.
    pub strength: f64,
}

impl Described<PenaltyKinds> for L2 {
    const KIND: &'static str = "l2";

    fn build(self, (): &()) -> Result<Box<dyn Penalty<f32>>> {
        Ok(Box::new(regularize::L2::new(self.strength)?))
    }
}

/// `elastic-net`: both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ElasticNet {
    /// The strength of the absolute values.
    pub l1: f64,
    /// The strength of the squares.
    pub l2: f64,
}

impl Described<PenaltyKinds> for ElasticNet {
    const KIND: &'static str = "elastic-net";

    fn build(self, (): &()) -> Result<Box<dyn Penalty<f32>>> {
        Ok(Box::new(regularize::ElasticNet::new(self.l1, self.l2)?))
    }
}

/// `group-lasso`: the norms of groups of weights, which makes whole units or inputs zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GroupLasso {
    /// Its strength.
    pub strength: f64,
}

impl Described<PenaltyKinds> for GroupLasso {
    const KIND: &'static str = "group-lasso";

    fn build(self, (): &()) -> Result<Box<dyn Penalty<f32>>> {
        Ok(Box::new(regularize::GroupLasso::new(self.strength, Groups::Axis(0))?))
    }
}

/// `orthogonality`: how far the weights of units are from orthogonal to each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Orthogonality {
    /// Its strength.
    pub strength: f64,
    /// Whether their norms are free.
    #[serde(default, skip_serializing_if = "no")]
    pub off_diagonal: bool,
}

fn no(value: &bool) -> bool {
    !value
}

impl Described<PenaltyKinds> for Orthogonality {
    const KIND: &'static str = "orthogonality";

    fn build(self, (): &()) -> Result<Box<dyn Penalty<f32>>> {
        let penalty = regularize::Orthogonality::new(self.strength)?;
        Ok(Box::new(if self.off_diagonal { penalty.off_diagonal() } else { penalty }))
    }
}
