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

    /// To read.
    pub(crate) fn as_ref(&self) -> Frame<'_, P> {
        Frame { data: self.data, shape: self.shape }
    }

    /// Its [planes](Shape::planes).
    pub(crate) fn planes_mut(self) -> impl Iterator<Item = &'a mut [P]> {
        self.data.chunks_exact_mut(self.shape.plane())
    }

    /// Calls `f` with a channel's number and value, for all of them.
    #[inline(always)]
    pub(crate) fn each_channel(self, mut f: impl FnMut(usize, &mut P)) {
        let step = self.shape.step();
        for (plane, data) in self.planes_mut().enumerate() {
            for pixel in data.chunks_exact_mut(step) {
                pixel.iter_mut().enumerate().for_each(|(i, value)| f(plane * step + i, value));
            }
        }
    }
}
