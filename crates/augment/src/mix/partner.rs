//! Which sample each one is mixed with.

use super::PARTNERS;
use crate::Key;

/// Which sample of the batch each one is mixed with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Partner {
    /// One that a random permutation of the batch tells, as in the papers: it may be the sample itself.
    #[default]
    Permutation,
    /// The one before it, the first with the last: torchvision's way. Only random if batches are shuffled.
    Roll,
    /// The one at its place from the end: timm's way. Only random if batches are shuffled; two samples share a pair of images.
    Reverse,
}

impl Partner {
    /// Writes the partners of as many samples as there is room for.
    pub(super) fn draw(self, key: Key, partners: &mut [usize]) {
        let n = partners.len();
        for (i, partner) in partners.iter_mut().enumerate() {
            *partner = match self {
                Partner::Permutation => i,
                Partner::Roll => (i + n - 1) % n,
                Partner::Reverse => n - 1 - i,
            };
        }
        if self == Partner::Permutation {
            key.with(PARTNERS).random().shuffle(partners);
        }
    }
}
