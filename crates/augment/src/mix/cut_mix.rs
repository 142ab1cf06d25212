//! Images with a piece of another.

use super::mixing::{Mixed, Mixing, Rectangle};
use super::{Mix, PLACE, Partner, SHARE, check_alpha, share};
use crate::{Key, Random, Result, Shape};

/// A rectangle of each image is replaced by the same rectangle of another, and the label by a mean weighted with the areas (Yun et al.,
/// *CutMix: Regularization strategy to train strong classifiers with localizable features*, ICCV 2019).
///
/// Use it like [`MixUp`](super::MixUp), where pictures shall stay pictures: photographs of objects that fill the image. An `alpha` of 1 is
/// usual.
///
/// The rectangle has the image's proportions and `1 - λ` of its area, `λ` from `Beta(alpha, alpha)`; its centre is uniform over the pixels,
/// and what lies outside the image is cut off. The label's share is then that of the pixels that are really left, not `λ`.
#[derive(Clone, PartialEq, Debug)]
pub struct CutMix {
    alpha: f64,
    each_sample: bool,
    partner: Partner,
}

impl CutMix {
    /// With an `alpha`: at 1, each area is as likely; below, most rectangles are small or nearly the whole.
    ///
    /// One rectangle for the whole batch, partners by a permutation.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for an `alpha` outside `[0.001, 1000]`.
    pub fn new(alpha: f64) -> Result<Self> {
        Ok(CutMix { alpha: check_alpha(alpha, "cutmix")?, each_sample: false, partner: Partner::default() })
    }

    /// Whether each sample has a rectangle of its own.
    #[must_use]
    pub fn each_sample(self, each_sample: bool) -> Self {
        CutMix { each_sample, ..self }
    }

    /// With other partners.
    #[must_use]
    pub fn partner(self, partner: Partner) -> Self {
        CutMix { partner, ..self }
    }
}

impl Mix for CutMix {
    fn name(&self) -> &str {
        "cutmix"
    }

    fn draw_into(&self, n: usize, shape: Shape, key: Key, mixing: &mut Mixing) -> Result<()> {
        shape.checked_len(self.name())?;
        mixing.fill(n, shape, self.partner, key, |i| {
            let of = |key: Key| if self.each_sample { key.with(i as u64) } else { key };
            let share = share(self.alpha, &mut of(key.with(SHARE)).random());
            let pasted = rectangle(shape, share, &mut of(key.with(PLACE)).random());
            let left = 1.0 - pasted.area() as f64 / (shape.height as f64 * shape.width as f64);
            Mixed { partner: 0, share: left, pasted: Some(pasted) }
        })
    }
}

/// A rectangle of `1 - share` of the area before it is clipped.
fn rectangle(shape: Shape, share: f64, random: &mut Random) -> Rectangle {
    let side = (1.0 - share).sqrt();
    let mut axis = |len: usize| {
        let cut = (side * len as f64) as usize;
        let centre = random.below(u32::try_from(len).unwrap_or(u32::MAX)) as usize;
        let start = centre.saturating_sub(cut / 2);
        let end = (centre + cut.div_ceil(2)).min(len);
        (start, end - start)
    };
    let (left, width) = axis(shape.width);
    let (top, height) = axis(shape.height);
    Rectangle { left, top, width, height }
}
