//! ndarray's arrays, without copying: images of two or three axes, batches of three or four.

use crate::image::{ImageMut, ImageRef, Value};
use crate::threads::Threads;
use crate::{Augment, Batches, Error, Image, Key, Layout, Result, Shape};
use ndarray::{Array, Array3, ArrayRef, ArrayView, ArrayViewMut, Dimension};

/// The shape of an image with those axes.
fn shape(axes: &[usize], layout: Layout, place: &str) -> Result<Shape> {
    match (axes, layout) {
        // Of one channel, both layouts are the same.
        (&[height, width], Layout::Interleaved) => Ok(Shape::interleaved(height, width, 1)),
        (&[height, width], Layout::Planar) => Ok(Shape::planar(1, height, width)),
        (&[height, width, channels], Layout::Interleaved) => Ok(Shape::interleaved(height, width, channels)),
        (&[channels, height, width], Layout::Planar) => Ok(Shape::planar(channels, height, width)),
        _ => Err(Error::image(place, "axes of height, width and, perhaps, channels", format!("{axes:?}"))),
    }
}

/// Why an array cannot be seen as an image.
fn strided<V, D: Dimension>(array: &ArrayRef<V, D>, place: &str) -> Error {
    let expected = "an array in standard order, without gaps (`as_standard_layout` makes one; an image whose channels come first is of the \
                    layout `Planar`, and needs no permuting of axes)";
    Error::image(place, expected, format!("axes {:?} with strides {:?}", array.shape(), array.strides()))
}

impl<'a> ImageRef<'a> {
    /// An array of height x width, or of height x width x channels ([`Layout::Interleaved`]) or channels x height x width
    /// ([`Layout::Planar`]).
    ///
    /// ```
    /// use gradwise_augment::{Augment, ImageRef, Key, Layout, Translate};
    /// use ndarray::Array3;
    ///
    /// let image = Array3::<f32>::zeros((3, 32, 32));
    /// let image = ImageRef::from_array(image.view(), Layout::Planar)?;
    /// let moved = Translate::fraction(0.1, 0.1)?.apply(image, Key::new(1))?.into_array::<f32>()?;
    /// assert_eq!(moved.dim(), (3, 32, 32));
    /// # Ok::<(), gradwise_augment::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Image`] if it has other axes, no value, or is not in standard order.
    pub fn from_array<V: Value, D: Dimension>(array: ArrayView<'a, V, D>, layout: Layout) -> Result<Self> {
        let shape = shape(array.shape(), layout, "array")?;
        ImageRef::new(shape, array.to_slice().ok_or_else(|| strided(&array, "array"))?)
    }
}

impl<'a> ImageMut<'a> {
    /// As [`ImageRef::from_array`], to write.
    ///
    /// # Errors
    /// As [`ImageRef::from_array`].
    pub fn from_array<V: Value, D: Dimension>(array: ArrayViewMut<'a, V, D>, layout: Layout) -> Result<Self> {
        let shape = shape(array.shape(), layout, "array")?;
        let error = strided(&array, "array");
        ImageMut::new(shape, array.into_slice().ok_or(error)?)
    }
}

impl Image {
    /// As [`ImageRef::from_array`], with its memory.
    ///
    /// # Errors
    /// As [`ImageRef::from_array`].
    pub fn from_array<V: Value, D: Dimension>(array: Array<V, D>, layout: Layout) -> Result<Self> {
        let shape = shape(array.shape(), layout, "array")?;
        if !array.is_standard_layout() {
            return Err(strided(&array, "array"));
        }
        let len = array.len();
        let (mut values, offset) = array.into_raw_vec_and_offset();
        // A piece cut out of a larger array still has all of its memory.
        values.drain(..offset.unwrap_or(0));
        values.truncate(len);
        Image::from_vec(shape, values)
    }

    /// As an array with its memory: height x width x channels, or channels x height x width if it is planar.
    ///
    /// # Errors
    /// [`Error::Image`] if its values are of the other type.
    pub fn into_array<V: Value>(self) -> Result<Array3<V>> {
        let Shape { height, width, channels, layout } = self.shape();
        let refused =
            |kind| Error::image("image to be converted", format!("values of {:?}", V::KIND), format!("{kind:?}"));
        let values = self.into_vec().map_err(|image| refused(image.kind()))?;
        let axes = match layout {
            Layout::Interleaved => (height, width, channels),
            Layout::Planar => (channels, height, width),
        };
        Array3::from_shape_vec(axes, values).map_err(|error| Error::image("image to be converted", "its values", error))
    }
}

impl Batches {
    /// [`Batches::run`] on arrays: the first axis is that of samples, the others those of [an image](ImageRef::from_array).
    ///
    /// ```
    /// use gradwise_augment::{Batches, Count, Flip, Key, Layout};
    /// use ndarray::Array4;
    ///
    /// let images = Array4::<u8>::zeros((10, 3, 32, 32));
    /// let mut flipped = images.clone();
    /// let keys: Vec<Key> = (0..10).map(|index| Key::new(42).epoch(0).sample(index)).collect();
    /// let flip = Flip::horizontal(0.5)?;
    /// Batches::default().run_arrays(&flip, &images, &keys, &mut flipped, Layout::Planar, &Count(2))?;
    /// # Ok::<(), gradwise_augment::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Image`] if an array has other axes, another number of samples than there are keys, or is not in standard order, and as
    /// [`Batches::run`].
    pub fn run_arrays<A: Value, B: Value, D: Dimension>(
        &mut self,
        augment: &(impl Augment + ?Sized),
        images: &ArrayRef<A, D>,
        keys: &[Key],
        target: &mut ArrayRef<B, D>,
        layout: Layout,
        threads: &dyn Threads,
    ) -> Result<()> {
        let sample = |axes: &[usize], place: &str| match axes.split_first() {
            Some((&n, axes)) if n == keys.len() => shape(axes, layout, place),
            _ => Err(Error::image(
                place,
                format!("a first axis of {}, the number of keys", keys.len()),
                format!("{axes:?}"),
            )),
        };
        let from = sample(images.shape(), "batch")?;
        let to = sample(target.shape(), "target of a batch")?;
        let error = strided(target, "target of a batch");
        let values = images.as_slice().ok_or_else(|| strided(images, "batch"))?;
        self.run(augment, from, values, keys, to, target.as_slice_mut().ok_or(error)?, threads)
    }
}
