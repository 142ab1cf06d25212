//! Transforms made of transforms.

use super::boxed;
use crate::spec::{Described, Site, Spec};
use crate::{Augment, Error, Result};
use serde::{Deserialize, Serialize};

/// `sequence`: one after the other. See [`Sequence`](crate::Sequence).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sequence {
    /// Which.
    pub parts: Vec<Spec>,
}

impl Described for Sequence {
    const KIND: &'static str = "sequence";

    fn build(self, site: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(site.parts("parts", &self.parts)?.into_iter().collect::<crate::Sequence>())
    }
}

/// `random-order`: all, in a random order. See [`RandomOrder`](crate::RandomOrder).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RandomOrder {
    /// Which.
    pub parts: Vec<Spec>,
}

impl Described for RandomOrder {
    const KIND: &'static str = "random-order";

    fn build(self, site: &Site<'_>) -> Result<Box<dyn Augment>> {
        boxed(site.parts("parts", &self.parts)?.into_iter().collect::<crate::RandomOrder>())
    }
}

/// `some-of`: a few, in a random order. See [`SomeOf`](crate::SomeOf).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SomeOf {
    /// Of which.
    pub parts: Vec<Spec>,
    /// How many, or between how many: `2` or `[1, 3]`.
    pub count: Count,
}

/// A number, or the least and the greatest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number or a pair of numbers")]
pub enum Count {
    /// Always as many.
    Fixed(usize),
    /// Each number between them, and they, as likely.
    Between(usize, usize),
}

impl Described for SomeOf {
    const KIND: &'static str = "some-of";

    fn build(self, site: &Site<'_>) -> Result<Box<dyn Augment>> {
        let (least, most) = match self.count {
            Count::Fixed(n) => (n, n),
            Count::Between(least, most) => (least, most),
        };
        boxed(crate::SomeOf::new(least, most, site.parts("parts", &self.parts)?)?)
    }
}

/// `one-of`: one, each as likely or by its weight. See [`OneOf`](crate::OneOf).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OneOf {
    /// Of which.
    pub parts: Vec<Spec>,
    /// As many weights as parts; all 1 unless it is said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f64>>,
}

impl Described for OneOf {
    const KIND: &'static str = "one-of";

    fn build(self, site: &Site<'_>) -> Result<Box<dyn Augment>> {
        let parts = site.parts("parts", &self.parts)?;
        let weights = self.weights.unwrap_or_else(|| vec![1.0; parts.len()]);
        if weights.len() != parts.len() {
            let expected = format!("as many as parts ({})", parts.len());
            return Err(Error::parameter("one of", "weights", expected, weights.len()));
        }
        boxed(crate::OneOf::new(weights.into_iter().zip(parts))?)
    }
}
