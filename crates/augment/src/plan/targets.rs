//! What belongs to an image and moves with it: masks, boxes, points.

use super::{Buffers, Plan, Step, run};
use crate::image::ImageRef;
use crate::{Error, Image, Map, Result, Shape};

/// A rectangle whose sides are those of the image: from `(left, top)` to `(right, bottom)`, in pixels, in the coordinates of [`Map`](crate::Map).
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
    /// Where a fill is constant, what comes in is 0.
    ///
    /// # Errors
    /// [`Error::Image`] if the mask has another height or width than the image that the plan was drawn for, which `image` is the shape of.
    pub fn mask(&self, image: Shape, mask: ImageRef<'_>) -> Result<Image> {
        let shape = mask.shape();
        if (shape.height, shape.width) != (image.height, image.width) {
            return Err(Error::image("mask", format!("{} x {}, as the image", image.height, image.width), shape));
        }
        let mut target = shape;
        for step in self.steps.iter().filter(|step| step.is_geometric()) {
            target = step.output(target, mask.kind())?.0;
        }
        let mut out = Image::black(target, mask.kind())?;
        run::masks(&self.steps, mask, out.as_mut(), &mut Buffers::default())?;
        Ok(out)
    }

    /// Where points of an image of that shape go, in the coordinates of [`Map`](crate::Map). They may go beyond its edge.
    ///
    /// # Errors
    /// As [`Plan::output`].
    pub fn points(&self, image: Shape, points: &[(f64, f64)]) -> Result<Vec<(f64, f64)>> {
        let mut points = points.to_vec();
        let mut shape = image;
        for step in self.steps.iter().filter(|step| step.is_geometric()) {
            step.points(shape, &mut points);
            shape = step.output(shape, crate::Kind::U8)?.0;
        }
        Ok(points)
    }

    /// The boxes around where boxes go, clipped to the image; `None` for one of which less than `visible`, as a part of its area before it was
    /// clipped, is left.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `visible` is not within `[0, 1]`, and as [`Plan::output`].
    pub fn boxes(&self, image: Shape, boxes: &[BoundingBox], visible: f64) -> Result<Vec<Option<BoundingBox>>> {
        if !(0.0..=1.0).contains(&visible) {
            return Err(Error::parameter("boxes", "visible share", "within [0, 1]", visible));
        }
        let mut target = image;
        for step in self.steps.iter().filter(|step| step.is_geometric()) {
            target = step.output(target, crate::Kind::U8)?.0;
        }
        let moved = boxes.iter().map(|&BoundingBox { left, top, right, bottom }| {
            let corners = self.points(image, &[(left, top), (right, top), (right, bottom), (left, bottom)])?;
            let bounds = |of: fn(&(f64, f64)) -> f64| {
                let all = corners.iter().map(of);
                (all.clone().fold(f64::INFINITY, f64::min), all.fold(f64::NEG_INFINITY, f64::max))
            };
            let ((left, right), (top, bottom)) = (bounds(|point| point.0), bounds(|point| point.1));
            let whole = BoundingBox { left, top, right, bottom };
            let seen = whole.clipped(target.height, target.width);
            Ok((seen.area() > 0.0 && seen.area() >= visible * whole.area()).then_some(seen))
        });
        moved.collect()
    }
}

impl Step {
    /// Where points go.
    fn points(&self, shape: Shape, points: &mut [(f64, f64)]) {
        let map = match self {
            Step::Symmetry { symmetry } => symmetry.map(shape.height, shape.width),
            Step::Warp(warp) => warp.map,
            Step::Resize(resize) => {
                let scale = |to: usize, from: usize| to as f64 / from as f64;
                Map::scaling(scale(resize.width, shape.width), scale(resize.height, shape.height))
            }
            Step::Elastic(elastic) => return elastic.points(shape, points),
            _ => return,
        };
        points.iter_mut().for_each(|point| *point = map.point(point.0, point.1));
    }
}
