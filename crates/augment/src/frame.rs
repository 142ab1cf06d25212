//! Images of a known type, borrowed: what kernels work on.

use crate::pixel::Pixel;
use crate::shape::Shape;

/// An image that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a, P> {
    pub(crate) data: &'a [P],
    pub(crate) shape: Shape,
}

/// An image that is written.
#[derive(Debug)]
pub(crate) struct FrameMut<'a, P> {
    pub(crate) data: &'a mut [P],
    pub(crate) shape: Shape,
}

impl<'a, P: Pixel> Frame<'a, P> {
    /// Its [planes](Shape::planes).
    pub(crate) fn planes(self) -> impl Iterator<Item = &'a [P]> {
        self.data.chunks_exact(self.shape.plane())
    }
}

impl<'a, P: Pixel> FrameMut<'a, P> {
    /// The same, borrowed for a while.
    pub(crate) fn reborrow(&mut self) -> FrameMut<'_, P> {
        FrameMut { data: self.data, shape: self.shape }
    }

    /// Its [planes](Shape::planes).
    pub(crate) fn planes_mut(self) -> impl Iterator<Item = &'a mut [P]> {
        self.data.chunks_exact_mut(self.shape.plane())
    }
}
