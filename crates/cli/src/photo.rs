//! Pictures from files.

use crate::failure::Failure;
use image::{DynamicImage, ImageFormat, ImageReader};
use std::io::Cursor;
use std::path::Path;

/// A picture of bytes: what has sixteen bits a value is brought to eight.
///
/// A file whose header promises more than half a gigabyte is refused before memory is taken for it, by the decoder's limits.
pub(crate) fn open(path: &Path) -> Result<DynamicImage, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    let failed = |error: &dyn std::fmt::Display| Failure::Data(format!("{}: {error}", path.display()));
    let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().map_err(|error| failed(&error))?;
    if reader.format() == Some(ImageFormat::Jpeg) && !is_whole(&bytes) {
        return Err(failed(&"a JPEG file that ends before its image does"));
    }
    let image = reader.decode().map_err(|error| failed(&error))?;
    Ok(match image {
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => image,
        other if other.color().has_color() => other.into_rgb8().into(),
        other => other.into_luma8().into(),
    })
}

/// Whether a JPEG file goes on to the marker of its image's end: the decoder makes grey of what is missing, without a word.
///
/// Segments are skipped by their lengths, as a small picture in one of them has an end of its own.
fn is_whole(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(marker) = rest.iter().position(|&byte| byte == 0xff) {
        rest = &rest[marker..];
        let Some(code) = rest.iter().position(|&byte| byte != 0xff) else { return false };
        let skipped = match rest[code] {
            // The end of the image.
            0xd9 => return true,
            // A byte of the image that looks like a marker, and markers without a segment.
            0x00 | 0x01 | 0xd0..=0xd8 => 0,
            _ => match rest.get(code + 1..code + 3) {
                Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        };
        rest = rest.get(code + 1 + skipped..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    #[test]
    fn a_file_is_whole_with_its_last_marker_and_not_before() {
        let picture = RgbImage::from_fn(60, 40, |x, y| Rgb([x as u8 * 4, y as u8 * 5, (x * y) as u8]));
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, ImageFormat::Jpeg).unwrap();
        let file = file.into_inner();
        assert!(is_whole(&file));
        for len in 0..file.len() {
            assert!(!is_whole(&file[..len]), "{len} of {}", file.len());
        }
        // What comes after it does not matter; what looks like an end within a segment is none.
        assert!(is_whole(&[&file, &[0, 0xff, 7][..]].concat()));
        let thumbnail = [&[0xff, 0xd8, 0xff, 0xe1, 0x00, 0x06, 0xff, 0xd8, 0xff, 0xd9][..], &file[2..]].concat();
        assert!(is_whole(&thumbnail) && !is_whole(&thumbnail[..thumbnail.len() - 2]));
    }
}
