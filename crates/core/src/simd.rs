//! The one place where kernels are dispatched on what the processor can do.
//!
//! A kernel that the compiler vectorizes well is written once, in plain Rust, and run through [`vectorize`]; it is then compiled once
//! for every [`Level`]. A kernel that needs intrinsics matches on [`level`].
//!
//! `GRADWISE_SIMD=portable` in the environment turns vector extensions off: every test can be run on both paths on one machine.
//! Results may differ in the last bits between levels (a fused multiply-add rounds once), never between runs on one level.

#![allow(unsafe_code)] // One call into a function with target features, after they were detected.

use std::sync::OnceLock;

/// What the processor offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// What every processor of the target architecture has.
    Portable,
    /// x86-64 with AVX2 and FMA: eight `f32` at once, multiply and add in one rounding.
    Avx2,
}

/// The level in use, decided once a process.
#[inline]
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(detect)
}

fn detect() -> Level {
    if std::env::var_os("GRADWISE_SIMD").is_some_and(|v| v == "portable") {
        return Level::Portable;
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        return Level::Avx2;
    }
    Level::Portable
}

/// Runs `f` compiled for the level in use.
///
/// Only what is inlined into the call is compiled with the level's features. So `f`, and every function and closure that it hands its
/// loops to, must be marked `#[inline(always)]`; otherwise the compiler decides by their size, and a large one quietly runs at the
/// speed of [`Level::Portable`].
///
/// ```
/// let mut x = vec![1.0_f32; 1000];
/// gradwise_core::simd::vectorize(
///     #[inline(always)]
///     || x.iter_mut().for_each(|x| *x = *x * 2.0 + 1.0),
/// );
/// assert_eq!(x[999], 3.0);
/// ```
#[inline]
pub fn vectorize<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn avx2<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        if level() == Level::Avx2 {
            // SAFETY: `level` returns `Avx2` only if the processor was found to have both features.
            return unsafe { avx2(f) };
        }
    }
    f()
}
