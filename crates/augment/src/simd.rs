//! Code compiled for what the processor offers, chosen at run time.
//!
//! Kernels are plain Rust that the compiler vectorizes; they use no operation whose rounding depends on the level, so that results are
//! the same on every machine. `GRADWISE_SIMD=portable` in the environment turns the faster level off.

#![allow(unsafe_code)] // A call into a function with target features, after they were detected, and a conversion of a number that is in range.

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

/// The nearest whole number from 0 to 255: rounded half up; 0 for NaN.
#[inline(always)]
pub(crate) fn nearest_byte(value: f32) -> i32 {
    // Comparisons in this order become two vector instructions, and send NaN to 0.
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < 255.0 { value } else { 255.0 };
    // SAFETY: the number is within 0.5 and 255.5. A conversion that asks whether it is takes as long as all of the rest.
    unsafe { (value + 0.5).to_int_unchecked() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_rounded_half_up() {
        for i in -4000..8000 {
            let x = i as f32 / 16.0;
            assert_eq!(f64::from(nearest_byte(x)), (f64::from(x) + 0.5).floor().clamp(0.0, 255.0), "{x}");
        }
        let all = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, -0.0, 0.5_f32.next_down()];
        assert_eq!(
            all.map(nearest_byte),
            [0, 255, 0, 255, 0, 0, 1],
            "the last of these is rounded before it is cut off"
        );
    }
}
