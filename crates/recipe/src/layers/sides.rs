//! Sizes along height and width.

use gradwise_layers::Size2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number for height and width, or one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a whole number, or two of them for height and width")]
pub enum Sides {
    /// The same for both.
    Both(usize),
    /// Height and width.
    Each([usize; 2]),
}

impl From<Sides> for Size2 {
    fn from(sides: Sides) -> Self {
        match sides {
            Sides::Both(n) => n.into(),
            Sides::Each(sides) => sides.into(),
        }
    }
}

impl From<usize> for Sides {
    fn from(n: usize) -> Self {
        Sides::Both(n)
    }
}

/// Zeros at both ends of each axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected \"same\", a whole number, or two of them for height and width")]
pub enum Padding {
    /// As many as leave the size as it is, for odd kernels and a stride of 1.
    Named(Same),
    /// So many.
    Zeros(Sides),
}

/// The word `same`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Same {
    /// The word.
    Same,
}

impl Default for Padding {
    fn default() -> Self {
        Padding::Zeros(Sides::Both(0))
    }
}

impl Padding {
    /// The zeros, for a kernel whose elements are so far apart.
    pub(crate) fn zeros(self, kernel: Sides, dilation: Sides) -> Size2 {
        match self {
            Padding::Zeros(sides) => sides.into(),
            Padding::Named(Same::Same) => {
                let ([h, w], [y, x]) = (Size2::from(kernel).0, Size2::from(dilation).0);
                [h.saturating_sub(1) * y / 2, w.saturating_sub(1) * x / 2].into()
            }
        }
    }
}
