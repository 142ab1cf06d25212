//! Images of a known type, borrowed: what kernels work on.

use crate::image::Value;
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

/// Something for each type of values.
#[derive(Debug)]
pub(crate) enum Typed<B, F> {
    /// For bytes.
    U8(B),
    /// For floating-point numbers.
    F32(F),
}

/// An image that is read and one that is written, of one type.
type Pair<'a, P> = (Frame<'a, P>, FrameMut<'a, P>);

/// What is read and what is written, as the type that both have.
pub(crate) fn typed<'a, P: Value>(source: Frame<'a, P>, target: FrameMut<'a, P>) -> Typed<Pair<'a, u8>, Pair<'a, f32>> {
    match (P::image(source.shape, source.data).frame(), P::image_mut(target.shape, target.data).frame()) {
        (Typed::U8(source), Typed::U8(target)) => Typed::U8((source, target)),
        (Typed::F32(source), Typed::F32(target)) => Typed::F32((source, target)),
        _ => unreachable!("both have values of the type P"),
    }
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
