//! Code compiled for what the processor offers, chosen at run time.
//!
//! Kernels are plain Rust that the compiler vectorizes; they use no operation whose rounding depends on the level, so that results are
//! the same on every machine. `GRADWISE_SIMD=portable` in the environment turns the faster level off.

#![allow(unsafe_code)] // One call into a function with target features, after they were detected.

/// Whether the processor has AVX2, and may use it.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_avx2() -> bool {
    static AVX2: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *AVX2.get_or_init(|| {
        let portable = std::env::var_os("GRADWISE_SIMD").is_some_and(|value| value == "portable");
        !portable && std::arch::is_x86_feature_detected!("avx2")
    })
}

/// Runs `f`, compiled for AVX2 where the processor has it. `f` and what it hands its loops to must be `#[inline(always)]`.
#[inline]
pub(crate) fn vectorize<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        if has_avx2() {
            // SAFETY: the processor was found to have AVX2.
            return unsafe { avx2(f) };
        }
    }
    f()
}
