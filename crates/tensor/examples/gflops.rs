//! What share of the processor's peak the product-shaped kernels reach, on one thread.
//!
//! `cargo run --release -p gradwise-tensor --example gflops [words to select lines]`

#![allow(clippy::print_stdout)]
#![allow(unsafe_code)] // One call into a function with target features.

use gradwise_core::{Real, Scratch, Serial};
use gradwise_tensor::gemm::{self, Epilogue, Tools};
use gradwise_tensor::simd;
use ndarray::{Array2, ArrayView2};
use std::hint::black_box;
use std::time::Instant;

/// Billions of additions and multiplications a second that independent fused multiply-adds on registers reach.
#[cfg(target_arch = "x86_64")]
fn peak() -> f64 {
    use std::arch::x86_64::*;
    const SUMS: usize = 12;
    const STEPS: usize = 2_000_000;

    #[target_feature(enable = "avx2,fma")]
    fn run() -> f32 {
        let (a, b) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(0.001)));
        let mut sums = [_mm256_set1_ps(black_box(1.0)); SUMS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, a, b);
            }
        }
        sums.into_iter().map(|sum| _mm256_cvtss_f32(sum)).sum()
    }

    if simd::level() != simd::Level::Avx2 {
        return f64::NAN;
    }
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let begin = Instant::now();
        // SAFETY: the level says that the processor has both features.
        black_box(unsafe { run() });
        best = best.min(begin.elapsed().as_secs_f64());
    }
    2.0 * (8 * SUMS * STEPS) as f64 / best / 1e9
}

/// Unknown where there are no intrinsics to measure it with.
#[cfg(not(target_arch = "x86_64"))]
fn peak() -> f64 {
    f64::NAN
}

/// Median seconds of a run of `f`, of about a fifth of a second of runs.
fn seconds(mut f: impl FnMut()) -> f64 {
    f();
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < 5 || begin.elapsed().as_secs_f64() < 0.2 {
        let begin = Instant::now();
        f();
        times.push(begin.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Report {
    peak: f64,
    words: Vec<String>,
}

impl Report {
    fn line(&self, name: &str, multiply_adds: usize, f: impl FnMut()) {
        if !self.words.iter().all(|word| name.contains(word)) {
            return;
        }
        let seconds = seconds(f);
        let rate = 2.0 * multiply_adds as f64 / seconds / 1e9;
        println!("{name:<44} {:>10.1} µs {rate:>7.1} GFLOP/s {:>5.0} %", seconds * 1e6, 100.0 * rate / self.peak);
    }
}

fn filled<T: Real>(rows: usize, columns: usize) -> Array2<T> {
    Array2::from_shape_fn((rows, columns), |(i, j)| T::of(((i * 7 + j * 13) % 17) as f64 / 17.0 - 0.5))
}

fn products(report: &Report) {
    let mut scratch = Scratch::<f32>::default();
    for (m, k, n) in [
        (32, 64, 32),
        (64, 64, 64),
        (128, 128, 128),
        (256, 256, 256),
        (384, 384, 384),
        (512, 512, 512),
        (1024, 1024, 1024),
        (64, 784, 512),
        (64, 512, 784),
        (512, 64, 784),
        (64, 512, 256),
        (256, 784, 512),
        (128, 3136, 128),
        (64, 256, 10),
        (64, 10, 256),
        (64, 128, 128),
    ] {
        let (a, b, at, bt) = (filled(m, k), filled(k, n), filled(k, m), filled(n, k));
        let mut c = Array2::zeros((m, n));
        let mut run = |name: &str, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>| {
            report.line(&format!("{name} {m}x{k}x{n}"), m * k * n, || {
                let tools = &mut Tools::new(&mut scratch, &Serial);
                gemm::gemm(Epilogue::assign(), a, b, &mut c, tools).expect("shapes that fit");
            });
        };
        run("A B  ", a.view(), b.view());
        run("A Bt ", a.view(), bt.t());
        run("At B ", at.t(), b.view());
        run("At Bt", at.t(), bt.t());
    }
}

fn main() {
    let report = Report { peak: peak(), words: std::env::args().skip(1).collect() };
    println!("peak {:.1} GFLOP/s, level {:?}", report.peak, simd::level());
    products(&report);
}
