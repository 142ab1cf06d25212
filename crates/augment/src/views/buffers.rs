//! The `image` crate's buffers, without copying.
//!
//! Every buffer of bytes or of single-precision numbers is one of ours as it lies in memory: interleaved.

use crate::image::{ImageMut, ImageRef, Value};
use crate::{Error, Image, Layout, Result, Shape};
use image::{DynamicImage, ImageBuffer};
use std::ops::{Deref, DerefMut};

fn shape(width: u32, height: u32, channels: u8) -> Shape {
    Shape::interleaved(height as usize, width as usize, usize::from(channels))
}

/// A `GrayImage`, `RgbImage`, `Rgb32FImage` and so on, read where it lies.
///
/// ```
/// use gradwise_augment::{Augment, Flip, Image, ImageRef, Key};
///
/// let photo = image::RgbImage::from_fn(4, 3, |x, y| image::Rgb([x as u8, y as u8, 0]));
/// let flipped = Flip::horizontal(1.0)?.apply(ImageRef::try_from(&photo)?, Key::new(1))?;
/// // Back again, with its memory.
/// let flipped = image::RgbImage::try_from(flipped)?;
/// assert_eq!(flipped.get_pixel(0, 2), photo.get_pixel(3, 2));
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
impl<'a, P, C> TryFrom<&'a ImageBuffer<P, C>> for ImageRef<'a>
where
    P: image::Pixel<Subpixel: Value>,
    C: Deref<Target = [P::Subpixel]>,
{
    type Error = Error;

    /// # Errors
    /// [`Error::Image`] if it has no pixel.
    fn try_from(image: &'a ImageBuffer<P, C>) -> Result<Self> {
        let shape = shape(image.width(), image.height(), P::CHANNEL_COUNT);
        // A buffer may have more memory than its image needs.
        ImageRef::new(shape, &(**image)[..shape.checked_len("image")?])
    }
}

/// A `GrayImage`, `RgbImage`, `Rgb32FImage` and so on, written where it lies.
impl<'a, P, C> TryFrom<&'a mut ImageBuffer<P, C>> for ImageMut<'a>
where
    P: image::Pixel<Subpixel: Value>,
    C: DerefMut<Target = [P::Subpixel]>,
{
    type Error = Error;

    /// # Errors
    /// [`Error::Image`] if it has no pixel.
    fn try_from(image: &'a mut ImageBuffer<P, C>) -> Result<Self> {
        let shape = shape(image.width(), image.height(), P::CHANNEL_COUNT);
        let len = shape.checked_len("image")?;
        ImageMut::new(shape, &mut (**image)[..len])
    }
}

/// A `GrayImage`, `RgbImage`, `Rgb32FImage` and so on, whose memory is taken over.
impl<P: image::Pixel<Subpixel: Value>> TryFrom<ImageBuffer<P, Vec<P::Subpixel>>> for Image {
    type Error = Error;

    /// # Errors
    /// [`Error::Image`] if it has no pixel.
    fn try_from(image: ImageBuffer<P, Vec<P::Subpixel>>) -> Result<Self> {
        let shape = shape(image.width(), image.height(), P::CHANNEL_COUNT);
        let mut values = image.into_raw();
        values.truncate(shape.checked_len("image")?);
        Image::from_vec(shape, values)
    }
}

/// A `GrayImage`, `RgbImage`, `Rgb32FImage` and so on, that takes over the memory.
impl<P: image::Pixel<Subpixel: Value>> TryFrom<Image> for ImageBuffer<P, Vec<P::Subpixel>> {
    type Error = Error;

    /// # Errors
    /// [`Error::Image`] if the image has another type or number of channels, if its channels are not interleaved, or if it has more than
    /// 2³² - 1 pixels on a side.
    fn try_from(image: Image) -> Result<Self> {
        let (shape, kind) = (image.shape(), image.kind());
        let channels = usize::from(P::CHANNEL_COUNT);
        let refused = || {
            let expected = format!("{channels} interleaved channels of {:?}", <P::Subpixel as Value>::KIND);
            Error::image("image to be converted", expected, format!("{shape} of {kind:?}"))
        };
        // Of one channel, both layouts are the same.
        if shape.channels != channels || (shape.layout == Layout::Planar && channels > 1) {
            return Err(refused());
        }
        let side = |len: usize| u32::try_from(len).map_err(|_| refused());
        let (width, height) = (side(shape.width)?, side(shape.height)?);
        let values = image.into_vec().map_err(|_| refused())?;
        ImageBuffer::from_raw(width, height, values).ok_or_else(refused)
    }
}

/// Why an image of 16 bits is none of ours.
fn refused(image: &DynamicImage) -> Error {
    let expected = "channels of 8 bits or of 32-bit floating-point numbers (`to_rgb8` and `to_rgb32f` convert)";
    Error::image("image", expected, format!("{:?}", image.color()))
}

/// Does the same with the buffer of any type that is ours.
macro_rules! any_of_ours {
    ($image:expr, $buffer:ident => $does:expr, $other:pat => $refused:expr) => {
        match $image {
            DynamicImage::ImageLuma8($buffer) => $does,
            DynamicImage::ImageLumaA8($buffer) => $does,
            DynamicImage::ImageRgb8($buffer) => $does,
            DynamicImage::ImageRgba8($buffer) => $does,
            DynamicImage::ImageRgb32F($buffer) => $does,
            DynamicImage::ImageRgba32F($buffer) => $does,
            $other => $refused,
        }
    };
}

/// Read where it lies.
impl<'a> TryFrom<&'a DynamicImage> for ImageRef<'a> {
    type Error = Error;

    /// # Errors
    /// [`Error::Image`] if it has 16 bits a channel, or no pixel.
    fn try_from(image: &'a DynamicImage) -> Result<Self> {
        any_of_ours!(image, buffer => ImageRef::try_from(buffer), _ => Err(refused(image)))
    }
}

/// Written where it lies.
impl<'a> TryFrom<&'a mut DynamicImage> for ImageMut<'a> {
    type Error = Error;

    /// # Errors
    /// [`Error::Image`] if it has 16 bits a channel, or no pixel.
    fn try_from(image: &'a mut DynamicImage) -> Result<Self> {
        any_of_ours!(image, buffer => ImageMut::try_from(buffer), other => Err(refused(other)))
    }
}

/// Its memory is taken over.
impl TryFrom<DynamicImage> for Image {
    type Error = Error;

    /// # Errors
    /// [`Error::Image`] if it has 16 bits a channel, or no pixel.
    fn try_from(image: DynamicImage) -> Result<Self> {
        any_of_ours!(image, buffer => Image::try_from(buffer), other => Err(refused(&other)))
    }
}

/// It takes over the memory.
impl TryFrom<Image> for DynamicImage {
    type Error = Error;

    /// # Errors
    /// [`Error::Image`] if it is neither of one to four interleaved channels of bytes, nor of three or four of floating-point numbers: the
    /// `image` crate has no such type.
    fn try_from(image: Image) -> Result<Self> {
        Ok(match (image.kind(), image.shape().channels) {
            (crate::Kind::U8, 1) => DynamicImage::ImageLuma8(image.try_into()?),
            (crate::Kind::U8, 2) => DynamicImage::ImageLumaA8(image.try_into()?),
            (crate::Kind::U8, 4) => DynamicImage::ImageRgba8(image.try_into()?),
            (crate::Kind::F32, 4) => DynamicImage::ImageRgba32F(image.try_into()?),
            // Anything else is refused there.
            (crate::Kind::U8, _) => DynamicImage::ImageRgb8(image.try_into()?),
            (crate::Kind::F32, _) => DynamicImage::ImageRgb32F(image.try_into()?),
        })
    }
}
