//! What lies beyond the edge of an image.

use crate::{Error, Result};

/// A value for each channel, as a share of white: 0 is black and 1 white, for `u8` as for `f32`.
///
/// Channels beyond the fourth take the fourth's value.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Colour(pub [f32; 4]);

impl Colour {
    /// Black.
    pub const BLACK: Self = Colour([0.0; 4]);

    /// The same value in all channels.
    pub const fn grey(value: f32) -> Self {
        Colour([value; 4])
    }

    /// Red, green and blue; opaque where there is a fourth channel.
    pub const fn rgb(red: f32, green: f32, blue: f32) -> Self {
        Colour([red, green, blue, 1.0])
    }

    /// Whether all values are numbers that an image may have.
    pub(crate) fn check(&self, transform: &str) -> Result<()> {
        if self.0.iter().all(|&x| crate::image::is_allowed(x)) {
            return Ok(());
        }
        Err(Error::parameter(transform, "colour", "finite numbers within ±10²⁴", format!("{:?}", self.0)))
    }

    /// The value of a channel.
    #[inline(always)]
    pub(crate) fn channel(&self, channel: usize) -> f32 {
        self.0[channel.min(3)]
    }
}

/// How the picture goes on beyond its edge.
///
/// The names are those of NumPy's `pad` and torchvision, except for `Edge`'s; elsewhere the same words mean other things: Keras calls
/// `Symmetric` "reflect", OpenCV calls `Reflect` `BORDER_REFLECT_101` and `Symmetric` `BORDER_REFLECT`.
///
/// | | `a b c d`, continued to both sides |
/// |---|---|
/// | `Constant` | `k k k k｜a b c d｜k k k k` |
/// | `Edge` | `a a a a｜a b c d｜d d d d` |
/// | `Reflect` | `c d c b｜a b c d｜c b a b` |
/// | `Symmetric` | `d c b a｜a b c d｜d c b a` |
/// | `Wrap` | `a b c d｜a b c d｜a b c d` |
///
/// Each is periodic, so it is defined at any distance, and for an axis of length 1 too (all but `Constant` then repeat its one value).
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fill {
    /// One colour.
    Constant(Colour),
    /// The value at the edge.
    Edge,
    /// Mirrored at the centre of the edge's pixel, which is not repeated.
    Reflect,
    /// Mirrored at the edge: its pixel is repeated.
    Symmetric,
    /// The opposite side.
    Wrap,
}

impl Fill {
    /// Black.
    pub const BLACK: Self = Fill::Constant(Colour::BLACK);

    /// Whether its colour, if it has one, is of numbers.
    pub(crate) fn check(&self, transform: &str) -> Result<()> {
        if let Fill::Constant(colour) = self { colour.check(transform) } else { Ok(()) }
    }

    /// The place on an axis of `len` (at least 1) that stands for place `i`; `None` if it is beyond the edge and the fill is constant.
    #[inline(always)]
    pub(crate) fn place(&self, i: i64, len: usize) -> Option<usize> {
        let n = len as i64;
        if (0..n).contains(&i) {
            return Some(i as usize);
        }
        let place = match self {
            Fill::Constant(_) => return None,
            Fill::Edge => i.clamp(0, n - 1),
            Fill::Reflect => {
                let period = (2 * (n - 1)).max(1);
                let at = i.rem_euclid(period);
                at.min(period - at).min(n - 1)
            }
            Fill::Symmetric => {
                let at = i.rem_euclid(2 * n);
                at.min(2 * n - 1 - at)
            }
            Fill::Wrap => i.rem_euclid(n),
        };
        Some(place as usize)
    }
}

impl Default for Fill {
    fn default() -> Self {
        Fill::BLACK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks from the edge step by step: slow and obvious.
    fn walked(fill: Fill, i: i64, len: i64) -> Option<i64> {
        let (mut at, mut direction) = (if i < 0 { 0 } else { len - 1 }, i.signum());
        for _ in 0..if i < 0 { -i } else { i - (len - 1) } {
            let next = at + direction;
            let inside = (0..len).contains(&next);
            at = match fill {
                _ if inside => next,
                Fill::Constant(_) => return None,
                Fill::Edge => at,
                Fill::Wrap => {
                    if direction > 0 {
                        0
                    } else {
                        len - 1
                    }
                }
                Fill::Symmetric => {
                    direction = -direction;
                    at
                }
                Fill::Reflect => {
                    direction = -direction;
                    (at + direction).clamp(0, len - 1)
                }
            };
        }
        Some(at)
    }

    #[test]
    fn every_fill_at_every_distance() {
        for fill in [Fill::BLACK, Fill::Edge, Fill::Reflect, Fill::Symmetric, Fill::Wrap] {
            for len in 1..=9 {
                for i in -4 * len..=4 * len {
                    let expected = if (0..len).contains(&i) { Some(i) } else { walked(fill, i, len) };
                    assert_eq!(fill.place(i, len as usize).map(|at| at as i64), expected, "{fill:?}, {i} of {len}");
                }
            }
        }
    }
}
