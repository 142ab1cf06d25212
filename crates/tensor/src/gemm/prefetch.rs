//! Asking for memory before it is needed.
//!
//! Feature maps are walked plane by plane. A plane is often about a page, so that each begins with a miss that the processor's own
//! prefetching does not foresee, since it stops at the ends of pages. These hints cost next to nothing and change no result.

#![allow(unsafe_code)] // One instruction that reads and writes nothing.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Elements of a cache line.
pub(crate) const fn line_len<T>() -> usize {
    LINE / size_of::<T>()
}

/// Hints that what stands at `at` will be read, or, if `WRITE`, written. The pointer may lead anywhere.
#[inline(always)]
pub(crate) fn prefetch<T, const WRITE: bool>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_ET0, _MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint: it has no effect on memory, and none at all where the address is not valid.
        unsafe { if WRITE { _mm_prefetch::<_MM_HINT_ET0>(at.cast()) } else { _mm_prefetch::<_MM_HINT_T0>(at.cast()) } }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Hints that the lines of `slice` will be read.
#[inline(always)]
pub(crate) fn prefetch_slice<T>(slice: &[T]) {
    for line in slice.chunks(line_len::<T>()) {
        prefetch::<T, false>(line.as_ptr());
    }
}
