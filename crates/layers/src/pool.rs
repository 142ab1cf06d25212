//! Pooling as layers, over `[samples, channels, height, width]` or `[samples, channels, length]`.

use crate::Size2;
use gradwise_autograd::{Module, Tape, Var};
use gradwise_core::{Real, Result};
use gradwise_derive::Params;
use gradwise_tensor::pool::{self, Pool2dGeometry};

macro_rules! pools {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
        pub struct $name {
            #[params(skip)]
            geometry: Pool2dGeometry,
        }

        impl $name {
            /// Windows of this size, side by side: a number for squares, or height and width.
            ///
            /// # Errors
            /// If a size is 0.
            pub fn new(kernel: impl Into<Size2>) -> Result<Self> {
                Ok($name { geometry: Pool2dGeometry::new(kernel.into().0)? })
            }

            /// With this distance from a window to the next: smaller than the kernel, windows overlap.
            ///
            /// # Errors
            /// If it is 0.
            pub fn with_stride(self, stride: impl Into<Size2>) -> Result<Self> {
                Ok($name { geometry: self.geometry.stride(stride.into().0)? })
            }

            /// With this many elements of padding at both ends of each axis.
            ///
            /// # Errors
            /// If it is more than half of the kernel.
            pub fn with_padding(self, padding: impl Into<Size2>) -> Result<Self> {
                Ok($name { geometry: self.geometry.padding(padding.into().0)? })
            }

            /// With the number of windows rounded up, so that the last ones may reach over the end.
            #[must_use]
            pub fn ceil_mode(self) -> Self {
                $name { geometry: self.geometry.ceil_mode(true) }
            }
        }

        impl<T: Real> Module<T> for $name {
            fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
                tape.apply(pool::$name::new(self.geometry), &[x])
            }
        }
    )*};
}

pools! {
    /// The largest element of each window.
    MaxPool2d;
    /// The mean of each window; padding does not count.
    AvgPool2d;
}

macro_rules! pools_of_sequences {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
        pub struct $name {
            kernel: usize,
            stride: usize,
            padding: usize,
            ceil: bool,
        }

        impl $name {
            /// Windows of this length, side by side.
            ///
            /// # Errors
            /// If it is 0.
            pub fn new(kernel: usize) -> Result<Self> {
                $name { kernel, stride: kernel, padding: 0, ceil: false }.checked()
            }

            /// With this distance from a window to the next: smaller than the kernel, windows overlap.
            ///
            /// # Errors
            /// If it is 0.
            pub fn with_stride(self, stride: usize) -> Result<Self> {
                $name { stride, ..self }.checked()
            }

            /// With this many elements of padding at both ends.
            ///
            /// # Errors
            /// If it is more than half of the kernel.
            pub fn with_padding(self, padding: usize) -> Result<Self> {
                $name { padding, ..self }.checked()
            }

            /// With the number of windows rounded up, so that the last one may reach over the end.
            #[must_use]
            pub fn ceil_mode(self) -> Self {
                $name { ceil: true, ..self }
            }

            fn checked(self) -> Result<Self> {
                self.op().map(|_| self)
            }

            fn op(&self) -> Result<pool::$name> {
                Ok(pool::$name::new(self.kernel, self.stride, self.padding)?.ceil_mode(self.ceil))
            }
        }

        impl<T: Real> Module<T> for $name {
            fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
                tape.apply(self.op()?, &[x])
            }
        }
    )*};
}

pools_of_sequences! {
    /// The largest element of each window of a sequence.
    MaxPool1d;
    /// The mean of each window of a sequence; padding does not count.
    AvgPool1d;
}

/// The mean of each channel over all positions: `[samples, channels, …]` to `[samples, channels]`.
///
/// Source: Lin, Chen and Yan, *Network in network*, ICLR 2014.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Params)]
pub struct GlobalAvgPool2d;

impl<T: Real> Module<T> for GlobalAvgPool2d {
    fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
        tape.apply(pool::GlobalAvgPool, &[x])
    }
}

macro_rules! adaptive_pools {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Params)]
        pub struct $name(#[params(skip)] pool::$name);

        impl $name {
            /// Pooling to this height and width, whatever the input's.
            ///
            /// # Errors
            /// If one of them is 0.
            pub fn new(size: impl Into<Size2>) -> Result<Self> {
                Ok($name(pool::$name::new(size.into().0)?))
            }
        }

        impl<T: Real> Module<T> for $name {
            fn forward<'p>(&'p self, tape: &mut Tape<'p, T>, x: Var) -> Result<Var> {
                tape.apply(self.0, &[x])
            }
        }
    )*};
}

adaptive_pools! {
    /// The means of a grid of windows that cover the image.
    AdaptiveAvgPool2d;
    /// The maxima of a grid of windows that cover the image.
    AdaptiveMaxPool2d;
}
