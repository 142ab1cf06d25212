//! What the kernels of normalization, pooling and losses share: inputs as slices, sums by lanes, outputs split over threads.

mod channels;
mod rows;
mod split;
mod sums;

pub(crate) use channels::{Block, Planes, WIDTH, channel_map, channel_sums, channels, channels_of};
pub(crate) use rows::RowSums;
pub(crate) use split::rows2;
pub(crate) use sums::{fold, moments, sums};

/// [`simd::vectorize`](crate::simd::vectorize) of a closure that is inlined into it whatever its size: one that is not would be compiled
/// without the level's features.
macro_rules! vectorize {
    (|| $body:expr $(,)?) => {
        $crate::simd::vectorize(
            #[inline(always)]
            || $body,
        )
    };
}
pub(crate) use vectorize;

use gradwise_core::{ArrayRefD, Slot};

/// An array that the contract of `Op` promises in standard layout, as a slice.
pub(crate) fn slice<T>(array: &ArrayRefD<T>) -> &[T] {
    array.as_slice().unwrap_or_else(|| unreachable!("outputs and their gradients are in standard layout"))
}

/// As [`slice`], to be written.
pub(crate) fn slice_mut<T>(array: &mut ArrayRefD<T>) -> &mut [T] {
    array.as_slice_mut().unwrap_or_else(|| unreachable!("outputs are in standard layout"))
}

/// The slot's gradient and whether to assign, or an empty slice where nobody asks.
pub(crate) fn target<'s, T>(slot: &'s mut Option<Slot<'_, T>>) -> (&'s mut [T], bool) {
    match slot {
        Some(slot) => (slice_mut(slot.grad), slot.first),
        None => (&mut [], true),
    }
}
