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

    /// The values as what they are.
    #[doc(hidden)]
    fn concrete(values: &mut [Self]) -> ValuesMut<'_>;

    /// Values from the first of the lower pixels on that [`Pixel::bilinear`] makes use of; with fewer, it is slower.
    #[doc(hidden)]
    const REACH: usize;

    /// Between four pixels of `STEP` values: those at the beginning of `upper`, and those `stride` values later, a row below.
    #[doc(hidden)]
    fn bilinear<const STEP: usize>(upper: &[Self], stride: usize, fx: f32, fy: f32, out: &mut [Self]);
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
    fn concrete(values: &mut [u8]) -> ValuesMut<'_> {
        ValuesMut::U8(values)
    }

    const REACH: usize = 8;

    /// In 128ths of a pixel, without rounding before the end.
    #[inline(always)]
    fn bilinear<const STEP: usize>(upper: &[u8], stride: usize, fx: f32, fy: f32, out: &mut [u8]) {
        let weight = |fraction: f32| (fraction * 128.0 + 0.5) as i32;
        let (right, below) = (weight(fx), weight(fy));
        #[cfg(target_arch = "x86_64")]
        if let (Some(first), Some(second)) = (upper.first_chunk(), upper.get(stride..).and_then(|x| x.first_chunk())) {
            let pixel = sse2::four_pixels::<STEP>(*first, *second, right, below);
            return out[..STEP].copy_from_slice(&pixel[..STEP]);
        }
        let at = |i: usize| i32::from(upper[i]);
        for c in 0..STEP {
            let first = at(c) * (128 - right) + at(c + STEP) * right;
            let second = at(c + stride) * (128 - right) + at(c + stride + STEP) * right;
            out[c] = ((first * (128 - below) + second * below + (1 << 13)) >> 14) as u8;
        }
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
    fn map(values: &mut [f32], f: impl Fn(f32) -> f32) {
        values.iter_mut().for_each(|x| *x = f(*x));
    }

    #[inline(always)]
    fn concrete(values: &mut [f32]) -> ValuesMut<'_> {
        ValuesMut::F32(values)
    }

    const REACH: usize = 8;

    #[inline(always)]
    fn bilinear<const STEP: usize>(upper: &[f32], stride: usize, fx: f32, fy: f32, out: &mut [f32]) {
        // Four values at a time, where there are so many: vectors.
        let four = |i: usize| upper.get(i..).and_then(|x| x.first_chunk::<4>());
        if let (3 | 4, Some(a), Some(b), Some(c), Some(d)) =
            (STEP, four(0), four(STEP), four(stride), four(stride + STEP))
        {
            let pixel: [f32; 4] = std::array::from_fn(|i| {
                let first = a[i] * (1.0 - fx) + b[i] * fx;
                let second = c[i] * (1.0 - fx) + d[i] * fx;
                first * (1.0 - fy) + second * fy
            });
            return out[..STEP].copy_from_slice(&pixel[..STEP]);
        }
        for c in 0..STEP {
            let first = upper[c] * (1.0 - fx) + upper[c + STEP] * fx;
            let second = upper[c + stride] * (1.0 - fx) + upper[c + stride + STEP] * fx;
            out[c] = first * (1.0 - fy) + second * fy;
        }
    }
}
