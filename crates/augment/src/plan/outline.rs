//! Boxes on their way through a plan: what is left of each, and what its whole would be.

use super::Step;
use crate::{BoundingBox, Kind, Result, Shape};

/// Points of the plane, by column and row.
type Point = (f64, f64);

/// A box as a polygon, which stays one when the image is turned.
#[derive(Debug)]
pub(super) struct Outline {
    /// What no edge of an image has cut off so far.
    left: Vec<Point>,
    /// The corners, wherever they are.
    whole: [Point; 4],
}

impl Outline {
    pub(super) fn new(of: BoundingBox) -> Self {
        let BoundingBox { left, top, right, bottom } = of;
        let whole = [(left, top), (right, top), (right, bottom), (left, bottom)];
        Outline { left: whole.to_vec(), whole }
    }

    /// Moves outlines as steps move an image of that shape; the shape of the result.
    ///
    /// The image that a step reads ends at its edge, so what lies beyond it is lost, even if a later step brings the place back into the
    /// picture: there is nothing but a fill.
    pub(super) fn all(outlines: &mut [Outline], steps: &[Step], mut shape: Shape) -> Result<Shape> {
        let mut points = Vec::new();
        for step in steps.iter().filter(|step| step.is_geometric()) {
            let next = step.output(shape, Kind::U8)?.0;
            points.clear();
            for Outline { left, whole } in outlines.iter_mut() {
                clip(left, shape);
                points.extend(left.iter().chain(whole.iter()));
            }
            // All at once: a field of displacements is made for every call.
            step.points(shape, &mut points)?;
            let mut moved = points.iter();
            for Outline { left, whole } in outlines.iter_mut() {
                left.iter_mut().chain(whole).zip(&mut moved).for_each(|(point, &moved)| *point = moved);
            }
            shape = next;
        }
        outlines.iter_mut().for_each(|outline| clip(&mut outline.left, shape));
        Ok(shape)
    }

    /// The box around what is left, and the share of the whole that it is.
    pub(super) fn seen(&self) -> Option<(BoundingBox, f64)> {
        let ends = |of: fn(&Point) -> f64| {
            let all = self.left.iter().map(of);
            (all.clone().fold(f64::INFINITY, f64::min), all.fold(f64::NEG_INFINITY, f64::max))
        };
        let ((left, right), (top, bottom)) = (ends(|point| point.0), ends(|point| point.1));
        let seen = BoundingBox { left, top, right, bottom };
        let area = area(&self.left);
        // A whole that reaches the horizon of a perspective has no area: nothing is a share of it.
        let share = (area / self::area(&self.whole)).max(0.0);
        (area > 0.0 && seen.area() > 0.0).then_some((seen, share))
    }
}

/// By Gauss's formula.
fn area(polygon: &[Point]) -> f64 {
    let next = polygon.iter().cycle().skip(1);
    let twice: f64 = polygon.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum();
    twice.abs() / 2.0
}

/// Cuts off what lies beyond the edge of an image (Sutherland and Hodgman, *Reentrant polygon clipping*, Communications of the ACM 17,
/// 1974).
fn clip(polygon: &mut Vec<Point>, shape: Shape) {
    let (height, width) = (shape.height as f64, shape.width as f64);
    keep(polygon, |point| point.0);
    keep(polygon, |point| width - point.0);
    keep(polygon, |point| point.1);
    keep(polygon, |point| height - point.1);
}

/// Keeps the part of a convex polygon where a linear function is not negative.
fn keep(polygon: &mut Vec<Point>, side: impl Fn(Point) -> f64) {
    let before = std::mem::take(polygon);
    for (&from, &to) in before.iter().zip(before.iter().cycle().skip(1)) {
        let (a, b) = (side(from), side(to));
        if a >= 0.0 {
            polygon.push(from);
        }
        if (a > 0.0 && b < 0.0) || (a < 0.0 && b > 0.0) {
            let t = a / (a - b);
            polygon.push((from.0 + t * (to.0 - from.0), from.1 + t * (to.1 - from.1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polygons_are_cut_at_the_edge() {
        let shape = Shape::interleaved(10, 20, 1);
        // A square that stands on a corner, in the upper left corner of the image: a triangle is left.
        let mut square = vec![(0.0, -4.0), (4.0, 0.0), (0.0, 4.0), (-4.0, 0.0)];
        assert_eq!(area(&square), 32.0);
        clip(&mut square, shape);
        assert_eq!(area(&square), 8.0);
        let mut inside = vec![(0.0, 0.0), (20.0, 0.0), (20.0, 10.0), (0.0, 10.0)];
        clip(&mut inside, shape);
        assert_eq!((inside.len(), area(&inside)), (4, 200.0));
        let mut outside = vec![(21.0, 0.0), (22.0, 0.0), (22.0, 5.0)];
        clip(&mut outside, shape);
        assert!(outside.is_empty() && area(&outside) == 0.0);
        let mut none = vec![(f64::NAN, 0.0), (3.0, f64::NAN), (4.0, 4.0)];
        clip(&mut none, shape);
        assert_eq!(none.len(), 1, "what is no number is nowhere");
    }
}
