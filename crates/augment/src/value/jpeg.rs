//! What JPEG leaves of an image.

use crate::frame::FrameMut;
use crate::image::Value;
use crate::pixel::Pixel;
use crate::{Error, Result, Shape};
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{ExtendedColorType, ImageDecoder};
use std::io::Cursor;

/// An image compressed as JPEG (ISO/IEC 10918-1) and read again, by the `image` crate's encoder and decoder: of one channel, or of red,
/// green and blue. Floating-point values are rounded to bytes before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Jpeg {
    /// From 1 to 100, by the tables of the Independent JPEG Group.
    pub quality: u8,
}

/// The memory of compressions.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pixels: Vec<u8>,
    file: Vec<u8>,
}

impl Jpeg {
    /// Whether an image can be compressed.
    pub(crate) fn check(self, shape: Shape) -> Result<()> {
        if !(1..=100).contains(&self.quality) {
            return Err(Error::parameter("jpeg", "quality", "from 1 to 100", self.quality));
        }
        if !matches!(shape.channels, 1 | 3) || shape.width.max(shape.height) > usize::from(u16::MAX) {
            return Err(Error::image("jpeg", "an image of 1 or 3 channels and at most 65,535 pixels a side", shape));
        }
        shape.checked_len("jpeg").map(|_| ())
    }

    pub(crate) fn run<P: Value>(self, image: FrameMut<'_, P>, memory: &mut Memory) -> Result<()> {
        let shape = image.shape;
        let (step, pixels) = (shape.step(), shape.height * shape.width);
        let colours = if shape.channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
        // The place of a channel of a pixel in the image.
        let place = |i: usize| if step == 1 { i % shape.channels * pixels + i / shape.channels } else { i };
        let n = image.data.len();
        memory.pixels.clear();
        crate::memory::reserve(&mut memory.pixels, n, "jpeg")?;
        memory.pixels.extend((0..n).map(|i| u8::from_f32(image.data[place(i)].to_f32() * (255.0 / P::WHITE))));
        memory.file.clear();
        let failed = |error: image::ImageError| Error::image("jpeg", "an image that can be compressed", error);
        let (width, height) = (shape.width as u32, shape.height as u32);
        JpegEncoder::new_with_quality(&mut memory.file, self.quality)
            .encode(&memory.pixels, width, height, colours)
            .map_err(failed)?;
        let decoder = JpegDecoder::new(Cursor::new(memory.file.as_slice())).map_err(failed)?;
        if decoder.total_bytes() != n as u64 {
            return Err(Error::image("jpeg", format!("{n} bytes"), decoder.total_bytes()));
        }
        decoder.read_image(&mut memory.pixels).map_err(failed)?;
        for (i, &byte) in memory.pixels.iter().enumerate() {
            image.data[place(i)] = P::from_f32(f32::from(byte) * (P::WHITE / 255.0));
        }
        Ok(())
    }
}
