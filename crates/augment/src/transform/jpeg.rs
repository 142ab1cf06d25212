//! Images compressed.

use super::Range;
use crate::plan::Step;
use crate::value::Jpeg;
use crate::{Augment, Draw, Result};

/// Compresses each image as JPEG and reads it again: blocks, rings at edges, and colours that run.
///
/// Use it where pictures come from the web, from messages, from cheap cameras; a quality from 40 to 100 is usual.
///
/// The tables of quality are those of the Independent JPEG Group, as everywhere; colours are not subsampled, which Pillow and OpenCV do
/// unless told otherwise. Images of 1 or 3 channels only. The codec allocates for each image.
#[derive(Clone, PartialEq, Debug)]
pub struct JpegCompression {
    quality: Range,
}

impl JpegCompression {
    /// With a quality from 1 to 100, a whole number or a range that one is drawn from for each sample.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a range that is inverted, not within `[1, 100]`, or contains no whole number.
    pub fn new(quality: impl Into<Range>) -> Result<Self> {
        Ok(JpegCompression { quality: quality.into().whole_within(1.0, 100.0, "jpeg", "quality")? })
    }
}

impl Augment for JpegCompression {
    fn name(&self) -> &str {
        "jpeg"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let quality = self.quality.draw_whole(draw.random());
        draw.note("jpeg", &[("quality", quality as f64)]);
        draw.push(Step::Jpeg(Jpeg { quality: quality as u8 }))
    }
}
