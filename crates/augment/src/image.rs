//! Images whose type of value is known at run time only.

use crate::frame::{Frame, FrameMut, Typed};
use crate::shape::Shape;
use crate::{Error, Layout, Result};

/// The type of an image's values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Kind {
    /// From 0 to 255.
    U8,
    /// From 0 to 1, as a rule.
    F32,
}

/// An image that is read: borrowed values in standard order.
#[derive(Clone, Copy, Debug)]
pub struct ImageRef<'a> {
    shape: Shape,
    values: Values<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Values<'a> {
    U8(&'a [u8]),
    F32(&'a [f32]),
}

/// An image that is written: borrowed values in standard order.
#[derive(Debug)]
pub struct ImageMut<'a> {
    shape: Shape,
    values: ValuesMut<'a>,
}

/// The values of an image that is written.
#[derive(Debug)]
pub enum ValuesMut<'a> {
    /// From 0 to 255.
    U8(&'a mut [u8]),
    /// From 0 to 1, as a rule.
    F32(&'a mut [f32]),
}

/// The largest value that transforms take, as a share of white.
///
/// Sums and products in between must not leave the range of `f32`: this leaves a factor of more than 10¹⁴ to every step.
const LARGEST: f32 = 1e24;

/// Whether an image to be computed with may have the value.
pub(crate) fn is_allowed(value: f32) -> bool {
    value.abs() <= LARGEST
}

fn check(shape: Shape, len: usize) -> Result<()> {
    let expected = shape.checked_len("image")?;
    if len == expected {
        Ok(())
    } else {
        Err(Error::image("image", format!("{expected} values for {shape}"), format!("{len} values")))
    }
}

/// Values as what is borrowed of them, by their type.
pub trait Value: crate::Pixel {
    /// Their [`Kind`].
    const KIND: Kind;
    /// To read.
    #[doc(hidden)]
    fn image(shape: Shape, values: &[Self]) -> ImageRef<'_>;
    /// To write.
    #[doc(hidden)]
    fn image_mut(shape: Shape, values: &mut [Self]) -> ImageMut<'_>;
    /// To own.
    #[doc(hidden)]
    fn own(shape: Shape, values: Vec<Self>) -> Image;
    /// To own no longer.
    #[doc(hidden)]
    fn take(image: Image) -> Result<Vec<Self>, Image>;
}

impl Value for u8 {
    const KIND: Kind = Kind::U8;
    fn image(shape: Shape, values: &[u8]) -> ImageRef<'_> {
        ImageRef { shape, values: Values::U8(values) }
    }
    fn image_mut(shape: Shape, values: &mut [u8]) -> ImageMut<'_> {
        ImageMut { shape, values: ValuesMut::U8(values) }
    }
    fn own(shape: Shape, values: Vec<u8>) -> Image {
        Image { shape, values: Vec8Or32::U8(values) }
    }
    fn take(image: Image) -> Result<Vec<u8>, Image> {
        let Image { shape, values } = image;
        if let Vec8Or32::U8(values) = values { Ok(values) } else { Err(Image { shape, values }) }
    }
}

impl Value for f32 {
    const KIND: Kind = Kind::F32;
    fn image(shape: Shape, values: &[f32]) -> ImageRef<'_> {
        ImageRef { shape, values: Values::F32(values) }
    }
    fn image_mut(shape: Shape, values: &mut [f32]) -> ImageMut<'_> {
        ImageMut { shape, values: ValuesMut::F32(values) }
    }
    fn own(shape: Shape, values: Vec<f32>) -> Image {
        Image { shape, values: Vec8Or32::F32(values) }
    }
    fn take(image: Image) -> Result<Vec<f32>, Image> {
        let Image { shape, values } = image;
        if let Vec8Or32::F32(values) = values { Ok(values) } else { Err(Image { shape, values }) }
    }
}

impl<'a> ImageRef<'a> {
    /// An image of values in standard order.
    ///
    /// # Errors
    /// [`Error::Image`] if there is no value, or another number of them than the shape has.
    pub fn new<V: Value>(shape: Shape, values: &'a [V]) -> Result<Self> {
        check(shape, values.len())?;
        Ok(V::image(shape, values))
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The type of its values.
    pub fn kind(&self) -> Kind {
        match self.values {
            Values::U8(_) => Kind::U8,
            Values::F32(_) => Kind::F32,
        }
    }

    /// As its type.
    pub(crate) fn frame(self) -> Typed<Frame<'a, u8>, Frame<'a, f32>> {
        match self.values {
            Values::U8(data) => Typed::U8(Frame { data, shape: self.shape }),
            Values::F32(data) => Typed::F32(Frame { data, shape: self.shape }),
        }
    }

    /// The first value that is no number that can be computed with, and where it is, in words.
    pub(crate) fn not_allowed(self) -> Option<String> {
        let Values::F32(values) = self.values else { return None };
        // Without a branch for each, so that vectors do it: without their signs, the bits of numbers are in their order, and NaN is above
        // all.
        let all = crate::simd::vectorize(
            #[inline(always)]
            || {
                values.chunks(1024).all(|part| {
                    part.iter().fold(0, |worst: u32, x| worst.max(x.to_bits() & 0x7fff_ffff)) <= LARGEST.to_bits()
                })
            },
        );
        if all {
            return None;
        }
        let at = values.iter().position(|x| !is_allowed(*x))?;
        let Shape { width, layout, .. } = self.shape;
        let (place, channel) = match layout {
            Layout::Interleaved => (at / self.shape.channels, at % self.shape.channels),
            Layout::Planar => (at % self.shape.plane(), at / self.shape.plane()),
        };
        Some(format!("{} at row {}, column {}, channel {channel}", values[at], place / width, place % width))
    }
}

impl<'a> ImageMut<'a> {
    /// An image of values in standard order.
    ///
    /// # Errors
    /// As [`ImageRef::new`].
    pub fn new<V: Value>(shape: Shape, values: &'a mut [V]) -> Result<Self> {
        check(shape, values.len())?;
        Ok(V::image_mut(shape, values))
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The type of its values.
    pub fn kind(&self) -> Kind {
        match self.values {
            ValuesMut::U8(_) => Kind::U8,
            ValuesMut::F32(_) => Kind::F32,
        }
    }

    /// Its values, in standard order.
    pub fn values_mut(&mut self) -> ValuesMut<'_> {
        match &mut self.values {
            ValuesMut::U8(values) => ValuesMut::U8(values),
            ValuesMut::F32(values) => ValuesMut::F32(values),
        }
    }

    /// The same, borrowed for a while.
    pub fn reborrow(&mut self) -> ImageMut<'_> {
        ImageMut { shape: self.shape, values: self.values_mut() }
    }

    /// As its type.
    pub(crate) fn frame(self) -> Typed<FrameMut<'a, u8>, FrameMut<'a, f32>> {
        match self.values {
            ValuesMut::U8(data) => Typed::U8(FrameMut { data, shape: self.shape }),
            ValuesMut::F32(data) => Typed::F32(FrameMut { data, shape: self.shape }),
        }
    }
}

/// An image with its own memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Image {
    shape: Shape,
    values: Vec8Or32,
}

#[derive(Clone, PartialEq, Debug)]
enum Vec8Or32 {
    U8(Vec<u8>),
    F32(Vec<f32>),
}

fn black<V: Value>(len: usize, shape: Shape) -> Result<Vec<V>> {
    let mut values = Vec::new();
    crate::plan::lengthen(&mut values, len, shape)?;
    Ok(values)
}

/// A matrix, row by row, as it stands column by column.
fn transposed<V: Copy>(values: &[V], rows: usize, columns: usize) -> Vec<V> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

impl Image {
    /// A black image.
    ///
    /// # Errors
    /// [`Error::Image`] if it has no value, or more than fit in memory.
    pub fn black(shape: Shape, kind: Kind) -> Result<Self> {
        let len = shape.checked_len("image")?;
        let values = match kind {
            Kind::U8 => Vec8Or32::U8(black(len, shape)?),
            Kind::F32 => Vec8Or32::F32(black(len, shape)?),
        };
        Ok(Image { shape, values })
    }

    /// An image of values in standard order, whose memory it takes over.
    ///
    /// # Errors
    /// As [`ImageRef::new`].
    pub fn from_vec<V: Value>(shape: Shape, values: Vec<V>) -> Result<Self> {
        check(shape, values.len())?;
        Ok(V::own(shape, values))
    }

    /// Its values in standard order, in its memory.
    ///
    /// # Errors
    /// The image as it was, if its values are of the other type.
    pub fn into_vec<V: Value>(self) -> Result<Vec<V>, Image> {
        V::take(self)
    }

    /// The same picture with its channels in another order in memory: planar, as networks want it, of an interleaved photograph.
    ///
    /// ```
    /// use gradwise_augment::{Image, Layout, Shape};
    ///
    /// let photo = Image::from_vec(Shape::interleaved(1, 2, 3), vec![1_u8, 2, 3, 4, 5, 6])?;
    /// let planar = photo.into_layout(Layout::Planar);
    /// assert_eq!((planar.shape(), planar.as_u8()), (Shape::planar(3, 1, 2), Some(&[1, 4, 2, 5, 3, 6][..])));
    /// # Ok::<(), gradwise_augment::Error>(())
    /// ```
    #[must_use]
    pub fn into_layout(self, layout: Layout) -> Self {
        let Image { shape, values } = self;
        let (pixels, channels) = (shape.height * shape.width, shape.channels);
        // As a matrix that is transposed: of pixels and channels, or of channels and pixels.
        let (rows, columns) = if shape.layout == Layout::Interleaved { (pixels, channels) } else { (channels, pixels) };
        let values = match values {
            values if layout == shape.layout || rows == 1 || columns == 1 => values,
            Vec8Or32::U8(values) => Vec8Or32::U8(transposed(&values, rows, columns)),
            Vec8Or32::F32(values) => Vec8Or32::F32(transposed(&values, rows, columns)),
        };
        Image { shape: Shape { layout, ..shape }, values }
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The type of its values.
    pub fn kind(&self) -> Kind {
        self.as_ref().kind()
    }

    /// To read.
    pub fn as_ref(&self) -> ImageRef<'_> {
        match &self.values {
            Vec8Or32::U8(values) => u8::image(self.shape, values),
            Vec8Or32::F32(values) => f32::image(self.shape, values),
        }
    }

    /// To write.
    pub fn as_mut(&mut self) -> ImageMut<'_> {
        match &mut self.values {
            Vec8Or32::U8(values) => u8::image_mut(self.shape, values),
            Vec8Or32::F32(values) => f32::image_mut(self.shape, values),
        }
    }

    /// Its values, if they are of that type.
    pub fn as_u8(&self) -> Option<&[u8]> {
        if let Vec8Or32::U8(values) = &self.values { Some(values) } else { None }
    }

    /// Its values, if they are of that type.
    pub fn as_f32(&self) -> Option<&[f32]> {
        if let Vec8Or32::F32(values) = &self.values { Some(values) } else { None }
    }
}
