//! What belongs to an image and moves with it: masks, boxes, points.

use super::outline::Outline;
use super::{Buffers, Plan, Step, run};
use crate::image::{ImageMut, ImageRef};
use crate::{Colour, Error, Image, Kind, Map, Result, Shape};

/// A rectangle whose sides are those of the image: from `(left, top)` to `(right, bottom)`, in pixels, in the coordinates of
/// [`Map`](crate::Map).
#[derive(Clone, Copy, PartialEq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BoundingBox {
    /// The left side's `x`.
    pub left: f64,
    /// The upper side's `y`.
    pub top: f64,
    /// The right side's `x`.
    pub right: f64,
    /// The lower side's `y`.
    pub bottom: f64,
}

impl BoundingBox {
    /// Its area; 0 if it is inverted.
    pub fn area(self) -> f64 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }

    /// The part of it that lies within an image.
    #[must_use]
    pub fn clipped(self, height: usize, width: usize) -> Self {
        let (height, width) = (height as f64, width as f64);
        BoundingBox {
            left: self.left.clamp(0.0, width),
            top: self.top.clamp(0.0, height),
            right: self.right.clamp(0.0, width),
            bottom: self.bottom.clamp(0.0, height),
        }
    }
}

impl Plan {
    /// Moves a mask as the image moves: pixels are taken as they are, never mixed, and steps that only change values do nothing to it.
    /// Where a fill is constant, what comes in is 0, or [another value](Plan::mask_filled).
    ///
    /// `image` is the shape of the image that the mask belongs to.
    ///
    /// # Errors
    /// [`Error::Image`] if the mask has another height or width than the image, and as [`Plan::output`].
    pub fn mask(&self, image: Shape, mask: ImageRef<'_>) -> Result<Image> {
        self.mask_filled(image, mask, 0.0)
    }

    /// [`Plan::mask`] with another value of what comes in, in the mask's own units: 255 is what segmentation takes for "no class here".
    ///
    /// ```
    /// use gradwise_augment::{Augment, ImageRef, Key, Kind, Shape, Shift, Translate};
    ///
    /// let shape = Shape::interleaved(1, 3, 1);
    /// let right = Translate::new(Shift::Pixels(1.0.into()), Shift::NONE)?;
    /// let plan = right.plan(shape, Kind::U8, Key::new(0))?;
    /// let classes = ImageRef::new(shape, &[1_u8, 2, 3])?;
    /// assert_eq!(plan.mask_filled(shape, classes, 255.0)?.as_u8(), Some(&[255, 1, 2][..]));
    /// # Ok::<(), gradwise_augment::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Plan::mask`], and [`Error::Parameter`] for a value that such a mask cannot have.
    pub fn mask_filled(&self, image: Shape, mask: ImageRef<'_>, outside: f32) -> Result<Image> {
        let outside = outside_of(mask.kind(), outside)?;
        let mut out = Image::black(self.mask_shape(image, mask)?, mask.kind())?;
        run::masks(&self.steps, outside, mask, out.as_mut(), &mut Buffers::default())?;
        Ok(out)
    }

    /// [`Plan::mask_filled`] into memory of the caller's. Buffers that were used before are not allocated again.
    ///
    /// # Errors
    /// As [`Plan::mask_filled`], and if the target is of another type than the mask, or of another shape than it has then.
    pub fn mask_into(
        &self,
        image: Shape,
        mask: ImageRef<'_>,
        outside: f32,
        target: ImageMut<'_>,
        buffers: &mut Buffers,
    ) -> Result<()> {
        let (shape, kind) = (self.mask_shape(image, mask)?, mask.kind());
        let outside = outside_of(kind, outside)?;
        if (target.shape(), target.kind()) != (shape, kind) {
            let got = format!("{} of {:?}", target.shape(), target.kind());
            return Err(Error::image("target of a mask", format!("{shape} of {kind:?}"), got));
        }
        run::masks(&self.steps, outside, mask, target, buffers)
    }

    /// The shape of a mask when it has been moved.
    fn mask_shape(&self, image: Shape, mask: ImageRef<'_>) -> Result<Shape> {
        let shape = mask.shape();
        if (shape.height, shape.width) != (image.height, image.width) {
            return Err(Error::image("mask", format!("{} x {}, as the image", image.height, image.width), shape));
        }
        self.check_size(image)?;
        let mut moved = shape;
        for step in self.steps.iter().filter(|step| step.is_geometric()) {
            moved = step.output(moved, mask.kind())?.0;
        }
        Ok(moved)
    }

    /// Where points of an image of that shape go, in the coordinates of [`Map`](crate::Map): that of a pixel's centre is half a pixel more
    /// than its column and row, so add ½ to key points that are counted in pixels.
    ///
    /// They may go beyond the edge of the result, and to places that a crop cut off on the way. What a perspective leaves behind the viewer
    /// is NaN. A flip does not exchange the names of what is left and right.
    ///
    /// # Errors
    /// As [`Plan::output`].
    pub fn points(&self, image: Shape, points: &[(f64, f64)]) -> Result<Vec<(f64, f64)>> {
        self.check_size(image)?;
        let mut points = points.to_vec();
        let mut shape = image;
        for step in self.steps.iter().filter(|step| step.is_geometric()) {
            let next = step.output(shape, Kind::U8)?.0;
            step.points(shape, &mut points)?;
            shape = next;
        }
        Ok(points)
    }

    /// The boxes around where boxes go, as far as they are in the picture; `None` for one of which less than `visible`, as a part of its
    /// area, is left, or nothing.
    ///
    /// What a crop cut off on the way is gone, even where a margin was added later. Boxes are turned and sheared as polygons of four
    /// corners, cut at the edge, and only then boxed again, so that the box is as small as can be without knowing the object.
    /// (albumentations and torchvision cut the box around the turned one.)
    ///
    /// # Errors
    /// [`Error::Parameter`] if `visible` is not within `[0, 1]`, and as [`Plan::output`].
    pub fn boxes(&self, image: Shape, boxes: &[BoundingBox], visible: f64) -> Result<Vec<Option<BoundingBox>>> {
        if !(0.0..=1.0).contains(&visible) {
            return Err(Error::parameter("boxes", "visible share", "within [0, 1]", visible));
        }
        self.check_size(image)?;
        let mut outlines: Vec<Outline> = boxes.iter().copied().map(Outline::new).collect();
        let target = Outline::all(&mut outlines, &self.steps, image)?;
        let seen = |outline: &Outline| {
            let (seen, share) = outline.seen()?;
            let clipped = seen.clipped(target.height, target.width);
            // Of a box that is all there, rounding may leave a little less; of one beyond the edge, a line on it.
            (share >= visible - 1e-9 && clipped.area() > 0.0).then_some(clipped)
        };
        Ok(outlines.iter().map(seen).collect())
    }
}

/// What comes into a mask of that type, as a colour.
fn outside_of(kind: Kind, outside: f32) -> Result<Colour> {
    let outside = match kind {
        Kind::U8 if (0.0..=255.0).contains(&outside) && outside.fract() == 0.0 => outside / 255.0,
        Kind::F32 if outside.is_finite() => outside,
        Kind::U8 => return Err(Error::parameter("mask", "outside", "a whole number within [0, 255]", outside)),
        Kind::F32 => return Err(Error::parameter("mask", "outside", "a finite number", outside)),
    };
    Ok(Colour::grey(outside))
}

impl Step {
    /// Where points go.
    pub(super) fn points(&self, shape: Shape, points: &mut [(f64, f64)]) -> Result<()> {
        let map = match self {
            Step::Symmetry { symmetry } => symmetry.map(shape.height, shape.width),
            Step::Warp(warp) => warp.map,
            Step::Resize(resize) => {
                let scale = |to: usize, from: usize| to as f64 / from as f64;
                Map::scaling(scale(resize.width, shape.width), scale(resize.height, shape.height))
            }
            Step::Elastic(elastic) => return elastic.points(shape, points),
            _ => return Ok(()),
        };
        points.iter_mut().for_each(|point| *point = map.seen(point.0, point.1));
        Ok(())
    }
}
