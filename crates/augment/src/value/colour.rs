//! Values that change by a function of all channels of their pixel: what there is; [`pass`](super::pass) computes it.

use crate::{Error, Result};

/// A linear function of red, green and blue, or an exchange of channels. Images of one channel, and channels beyond the third (alpha), stay as
/// they are.
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum ColourStep {
    /// Each new channel is a weighted sum of the old ones, plus an offset as a share of white, kept between black and white: saturation, hue by rotation,
    /// grey, channels exchanged or dropped.
    Matrix {
        /// The weights, a row for each new channel.
        weights: [[f32; 3]; 3],
        /// The offsets.
        offset: [f32; 3],
    },
    /// Each hue moved around the colour wheel, by a part of a full turn (Smith, *Color gamut transform pairs*, SIGGRAPH 1978: HSV); value and
    /// saturation stay. Floating-point values are kept between black and white.
    Hue {
        /// The part: ½ makes red cyan.
        turn: f32,
    },
    /// Each value moved from or towards the mean of the image's luma: `x ← mean + factor · (x - mean)`, kept between black and white. Images
    /// of one channel are changed, too.
    Contrast {
        /// The factor: 0 leaves grey.
        factor: f32,
    },
}

/// The weights of red, green and blue in the luma of ITU-R BT.601, which Pillow, OpenCV and torchvision take for grey.
pub(crate) const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

impl ColourStep {
    /// Towards grey (0) or away from it (above 1).
    pub fn saturation(factor: f32) -> Self {
        let rest = 1.0 - factor;
        let weights = std::array::from_fn(|to| {
            std::array::from_fn(|from| rest * LUMA[from] + if to == from { factor } else { 0.0 })
        });
        ColourStep::Matrix { weights, offset: [0.0; 3] }
    }

    /// Channels in another order: new channel `i` is old channel `order[i]`, which must be below 3.
    pub fn exchange(order: [usize; 3]) -> Self {
        let weights = order.map(|from| std::array::from_fn(|i| if i == from { 1.0 } else { 0.0 }));
        ColourStep::Matrix { weights, offset: [0.0; 3] }
    }

    /// Whether its numbers can be worked with.
    pub(crate) fn check(&self) -> Result<()> {
        let fine = |x: &f32| (-1e6..=1e6).contains(x);
        let (parameter, good) = match self {
            ColourStep::Matrix { weights, offset } => ("matrix", weights.as_flattened().iter().chain(offset).all(fine)),
            ColourStep::Hue { turn } => ("turn", fine(turn)),
            ColourStep::Contrast { factor } => ("factor", fine(factor)),
        };
        if good {
            Ok(())
        } else {
            Err(Error::parameter("colour", parameter, "numbers within ±1000000", format!("{self:?}")))
        }
    }
}
