//! Sizes, and how channels lie in memory.

use crate::{Error, Result};
use std::fmt;

/// How the channels of an image lie in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Layout {
    /// Height x width x channels: the values of a pixel side by side, as image files and the `image` crate have them.
    #[default]
    Interleaved,
    /// Channels x height x width: one channel after the other, as networks want them.
    Planar,
}

/// The size of an image, and how it lies in memory.
///
/// There are no images of more than 2³¹ pixels: transforms refuse them, as they refuse those without a pixel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
    /// Their order.
    pub layout: Layout,
}

impl Shape {
    /// The most pixels of an image: 2³¹, so that 32 bits count them, and a number below their count can be drawn.
    pub const MAX_PIXELS: usize = 1 << 31;

    /// Height x width x channels.
    pub const fn interleaved(height: usize, width: usize, channels: usize) -> Self {
        Shape { height, width, channels, layout: Layout::Interleaved }
    }

    /// Channels x height x width.
    pub const fn planar(channels: usize, height: usize, width: usize) -> Self {
        Shape { height, width, channels, layout: Layout::Planar }
    }

    /// The number of values; `None` if it is more than can be counted.
    pub fn len(self) -> Option<usize> {
        self.height.checked_mul(self.width)?.checked_mul(self.channels)
    }

    /// Whether there is no value.
    pub fn is_empty(self) -> bool {
        self.height == 0 || self.width == 0 || self.channels == 0
    }

    /// The same with another size.
    #[must_use]
    pub fn sized(self, height: usize, width: usize) -> Self {
        Shape { height, width, ..self }
    }

    /// The number of values, where there are some.
    ///
    /// # Errors
    /// [`Error::Image`] for an image without values, with more pixels than [`Shape::MAX_PIXELS`], or with more values than can be counted.
    pub(crate) fn checked_len(self, place: &str) -> Result<usize> {
        match (self.len(), self.height.checked_mul(self.width)) {
            (Some(len), Some(1..=Shape::MAX_PIXELS)) if len > 0 => Ok(len),
            _ => Err(Error::image(place, "an image of 1 to 2147483648 pixels", self)),
        }
    }

    /// Values side by side in a pixel of a [plane](Shape::planes).
    pub(crate) fn step(self) -> usize {
        match self.layout {
            Layout::Interleaved => self.channels,
            Layout::Planar => 1,
        }
    }

    /// The number of planes: pieces of memory that hold a picture each, of all channels if they are interleaved.
    pub(crate) fn planes(self) -> usize {
        self.channels / self.step().max(1)
    }

    /// Values of a row of a plane.
    pub(crate) fn row(self) -> usize {
        self.width * self.step()
    }

    /// Values of a plane.
    pub(crate) fn plane(self) -> usize {
        self.height * self.row()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layout {
            Layout::Interleaved => write!(f, "{} x {} x {}", self.height, self.width, self.channels),
            Layout::Planar => write!(f, "{} x {} x {} (planar)", self.channels, self.height, self.width),
        }
    }
}
