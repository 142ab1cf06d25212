//! The types of a value.

use crate::image::ValuesMut;
#[cfg(target_arch = "x86_64")]
use crate::sse2;

/// A type of values: `u8` from 0 (black) to 255, `f32` from 0 to 1.
///
/// Floating-point values outside that range are allowed (a normalised image has them) and kept, where a transform does not say otherwise.
pub trait Pixel: Copy + Default + PartialEq + Send + Sync + std::fmt::Debug + sealed::Sealed + 'static {
    /// The value of white.
    const WHITE: f32;

    /// As a floating-point number, on the type's own scale.
    fn to_f32(self) -> f32;

    /// The nearest value: rounded half up and kept within 0 and 255 for `u8`, where NaN becomes 0.
    fn from_f32(value: f32) -> Self;

    /// Replaces each value by a function of it, from and to shares of white.
    #[doc(hidden)]
    fn map(values: &mut [Self], f: impl Fn(f32) -> f32);

    /// The values, if they are bytes.
    #[doc(hidden)]
    fn bytes(values: &[Self]) -> Option<&[u8]>;

    /// The values as what they are.
    #[doc(hidden)]
    fn concrete(values: &mut [Self]) -> ValuesMut<'_>;

    /// Pixels of `STEP` values, each between four of the image's, whose rows have `stride` values.
    #[doc(hidden)]
    fn bilinear<const STEP: usize>(image: &[Self], stride: usize, points: Points<'_>, out: &mut [Self]);
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
        // Comparisons in this order become two vector instructions, and send NaN to 0.
        let value = if value > 0.0 { value } else { 0.0 };
        let value = if value < 255.0 { value } else { 255.0 };
        (value + 0.5) as i32 as u8
    }

    /// By a table, if there are more values than it has entries.
    #[inline(always)]
    fn map(values: &mut [u8], f: impl Fn(f32) -> f32) {
        let of = |x: u8| u8::from_f32(f(f32::from(x) / 255.0) * 255.0);
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
    fn concrete(values: &mut [u8]) -> ValuesMut<'_> {
        ValuesMut::U8(values)
    }

    /// In 128ths of a pixel, without rounding before the end.
    #[inline(always)]
    fn bilinear<const STEP: usize>(image: &[u8], stride: usize, points: Points<'_>, out: &mut [u8]) {
        // 0 to 128: a number so large is added that the last bit counts 1.
        const ROUND: f32 = 1.5 * (1 << 23) as f32;
        let weight = |fraction: f32| (fraction * 128.0 + ROUND).to_bits().wrapping_sub(ROUND.to_bits()).cast_signed();
        for (i, out) in out.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
            let start = points.y[i] as usize * stride + points.x[i] as usize * STEP;
            let (right, below) = (weight(points.fx[i]), weight(points.fy[i]));
            #[cfg(target_arch = "x86_64")]
            if let (Some(first), Some(second)) = (eight(image, start), eight(image, start + stride)) {
                let pixel = sse2::four_pixels::<STEP>(first, second, right, below);
                out.copy_from_slice(&pixel[..STEP]);
                continue;
            }
            let at = |i: usize| i32::from(image[start + i]);
            for c in 0..STEP {
                let first = at(c) * (128 - right) + at(c + STEP) * right;
                let second = at(c + stride) * (128 - right) + at(c + stride + STEP) * right;
                out[c] = ((first * (128 - below) + second * below + (1 << 13)) >> 14) as u8;
            }
        }
    }
}

/// The eight bytes from a place on, if there are so many.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn eight(bytes: &[u8], start: usize) -> Option<[u8; 8]> {
    bytes.get(start..start.wrapping_add(8))?.first_chunk().copied()
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
    fn map(values: &mut [f32], f: impl Fn(f32) -> f32) {
        values.iter_mut().for_each(|x| *x = f(*x));
    }

    #[inline(always)]
    fn bytes(_: &[f32]) -> Option<&[u8]> {
        None
    }

    #[inline(always)]
    fn concrete(values: &mut [f32]) -> ValuesMut<'_> {
        ValuesMut::F32(values)
    }

    #[inline(always)]
    fn bilinear<const STEP: usize>(image: &[f32], stride: usize, points: Points<'_>, out: &mut [f32]) {
        for (i, out) in out.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
            let start = points.y[i] as usize * stride + points.x[i] as usize * STEP;
            let (fx, fy) = (points.fx[i], points.fy[i]);
            let of = |a: f32, b: f32, c: f32, d: f32| {
                let (first, second) = (a * (1.0 - fx) + b * fx, c * (1.0 - fx) + d * fx);
                first * (1.0 - fy) + second * fy
            };
            // Four values at a time, where there are so many: vectors.
            let four = |i: usize| image.get(start + i..start + i + 4).and_then(|x| x.first_chunk::<4>());
            if let (3 | 4, Some(a), Some(b), Some(c), Some(d)) =
                (STEP, four(0), four(STEP), four(stride), four(stride + STEP))
            {
                let pixel: [f32; 4] = std::array::from_fn(|i| of(a[i], b[i], c[i], d[i]));
                out.copy_from_slice(&pixel[..STEP]);
                continue;
            }
            let at = |i: usize| image[start + i];
            for c in 0..STEP {
                out[c] = of(at(c), at(c + STEP), at(c + stride), at(c + stride + STEP));
            }
        }
    }
}

/// Points of an image: the pixels at or before them, and the fractions of the way to the next.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    pub(crate) x: &'a [i32],
    pub(crate) y: &'a [i32],
    pub(crate) fx: &'a [f32],
    pub(crate) fy: &'a [f32],
}
