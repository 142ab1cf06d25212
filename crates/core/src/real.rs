//! The two number types everything is generic over.

use ndarray::NdFloat;
use num_traits::{FloatConst, FromPrimitive};
use std::iter::Sum;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A slice of a [`Real`] type, seen as the concrete type it is.
#[derive(Clone, Copy, Debug)]
pub enum Floats<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

/// A mutable slice of a [`Real`] type, seen as the concrete type it is.
#[derive(Debug)]
pub enum FloatsMut<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// Double precision.
    F64(&'a mut [f64]),
}

/// Something that exists once for `f32` and once for `f64`; generic code gets at the one it needs with [`Real::pick`].
///
/// A library that implements a generic trait through this is compiled once, where it stands, and not again in every program that
/// uses it.
///
/// ```
/// use gradwise_core::{PerType, Real};
///
/// trait Named<T> { fn name(&self) -> &'static str; }
/// struct Which;
/// impl Named<f32> for Which { fn name(&self) -> &'static str { "single" } }
/// impl Named<f64> for Which { fn name(&self) -> &'static str { "double" } }
/// impl PerType for Which {
///     type For<T: Real> = dyn Named<T>;
///     fn f32(&self) -> &Self::For<f32> { self }
///     fn f64(&self) -> &Self::For<f64> { self }
/// }
/// fn name_for<T: Real>() -> &'static str { T::pick(&Which).name() }
/// assert_eq!((name_for::<f32>(), name_for::<f64>()), ("single", "double"));
/// ```
pub trait PerType {
    /// What it is for a type.
    type For<T: Real>: ?Sized;

    /// That for `f32`.
    fn f32(&self) -> &Self::For<f32>;

    /// That for `f64`.
    fn f64(&self) -> &Self::For<f64>;
}

/// The numbers gradwise computes with: `f32` to train, `f64` to check gradients.
///
/// The trait is sealed. Kernels may therefore match on the concrete type, through [`Real::floats`], and use vector
/// instructions where they have a kernel for it; after monomorphization the match costs nothing.
///
/// ```
/// use gradwise_core::{Floats, Real};
///
/// fn half<T: Real>(x: T) -> T { x * T::of(0.5) }
/// assert_eq!(half(3.0_f32), 1.5);
/// assert!(matches!(f64::floats(&[1.0]), Floats::F64(_)));
/// ```
pub trait Real: NdFloat + FloatConst + FromPrimitive + Default + Sum + sealed::Sealed {
    /// The type's name as files spell it: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest value of this type to an `f64`.
    fn of(x: f64) -> Self;

    /// This value as an `f64`, exactly.
    fn as_f64(self) -> f64;

    /// A count as a number of this type, rounded to the nearest.
    fn of_usize(n: usize) -> Self {
        Self::of(n as f64)
    }

    /// The slice as what it is.
    fn floats(slice: &[Self]) -> Floats<'_>;

    /// The mutable slice as what it is.
    fn floats_mut(slice: &mut [Self]) -> FloatsMut<'_>;

    /// What `of` is for this type.
    fn pick<P: PerType + ?Sized>(of: &P) -> &P::For<Self>;
}

impl Real for f32 {
    const NAME: &'static str = "f32";
    #[inline]
    fn of(x: f64) -> Self {
        x as f32
    }
    #[inline]
    fn as_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline]
    fn floats(slice: &[Self]) -> Floats<'_> {
        Floats::F32(slice)
    }
    #[inline]
    fn floats_mut(slice: &mut [Self]) -> FloatsMut<'_> {
        FloatsMut::F32(slice)
    }
    #[inline]
    fn pick<P: PerType + ?Sized>(of: &P) -> &P::For<Self> {
        of.f32()
    }
}

impl Real for f64 {
    const NAME: &'static str = "f64";
    #[inline]
    fn of(x: f64) -> Self {
        x
    }
    #[inline]
    fn as_f64(self) -> f64 {
        self
    }
    #[inline]
    fn floats(slice: &[Self]) -> Floats<'_> {
        Floats::F64(slice)
    }
    #[inline]
    fn floats_mut(slice: &mut [Self]) -> FloatsMut<'_> {
        FloatsMut::F64(slice)
    }
    #[inline]
    fn pick<P: PerType + ?Sized>(of: &P) -> &P::For<Self> {
        of.f64()
    }
}
