//! The types of a value.

use crate::geometry::Sampled;
use crate::image::ValuesMut;
use crate::simd::nearest_byte;

/// A type of values: `u8` from 0 (black) to 255, `f32` from 0 to 1.
///
/// Floating-point values outside that range are allowed (a normalised image has them) and kept, where a transform does not say otherwise.
pub trait Pixel:
    Copy + Default + PartialEq + Send + Sync + std::fmt::Debug + Sampled + sealed::Sealed + 'static
{
    /// The value of white.
    const WHITE: f32;

    /// As a floating-point number, on the type's own scale.
    fn to_f32(self) -> f32;

    /// The nearest value: rounded half up and kept within 0 and 255 for `u8`, where NaN becomes 0.
    fn from_f32(value: f32) -> Self;

    /// The value nearest to a number, between black and white, as a number.
    #[doc(hidden)]
    fn within(value: f32) -> f32;

    /// Replaces each value by a function of it, on the type's own scale.
    #[doc(hidden)]
    fn map(values: &mut [Self], f: impl Fn(f32) -> f32);

    /// The values, if they are bytes.
    #[doc(hidden)]
    fn bytes(values: &[Self]) -> Option<&[u8]>;

    /// The values, if they are floating-point numbers.
    #[doc(hidden)]
    fn floats(values: &[Self]) -> Option<&[f32]>;

    /// The values as what they are.
    #[doc(hidden)]
    fn concrete(values: &mut [Self]) -> ValuesMut<'_>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for f32 {}
}

impl Pixel for u8 {
    const WHITE: f32 = 255.0;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        nearest_byte(value) as u8
    }

    #[inline(always)]
    fn within(value: f32) -> f32 {
        nearest_byte(value) as f32
    }

    /// By a table, if there are more values than it has entries.
    #[inline(always)]
    fn map(values: &mut [u8], f: impl Fn(f32) -> f32) {
        let of = |x: u8| u8::from_f32(f(f32::from(x)));
        if values.len() < 256 {
            return values.iter_mut().for_each(|x| *x = of(*x));
        }
        let table: [u8; 256] = std::array::from_fn(|x| of(x as u8));
        values.iter_mut().for_each(|x| *x = table[usize::from(*x)]);
    }

    #[inline(always)]
    fn bytes(values: &[u8]) -> Option<&[u8]> {
        Some(values)
    }

    #[inline(always)]
    fn floats(_: &[u8]) -> Option<&[f32]> {
        None
    }

    #[inline(always)]
    fn concrete(values: &mut [u8]) -> ValuesMut<'_> {
        ValuesMut::U8(values)
    }
}

impl Pixel for f32 {
    const WHITE: f32 = 1.0;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn within(value: f32) -> f32 {
        let value = if value > 0.0 { value } else { 0.0 };
        if value < 1.0 { value } else { 1.0 }
    }

    #[inline(always)]
    fn map(values: &mut [f32], f: impl Fn(f32) -> f32) {
        values.iter_mut().for_each(|x| *x = f(*x));
    }

    #[inline(always)]
    fn bytes(_: &[f32]) -> Option<&[u8]> {
        None
    }

    #[inline(always)]
    fn floats(values: &[f32]) -> Option<&[f32]> {
        Some(values)
    }

    #[inline(always)]
    fn concrete(values: &mut [f32]) -> ValuesMut<'_> {
        ValuesMut::F32(values)
    }
}
