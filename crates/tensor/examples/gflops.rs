//! What share of the processor's peak the product-shaped kernels reach, on one thread.
//!
//! `cargo run --release -p gradwise-tensor --example gflops [words to select lines]`

#![allow(clippy::print_stdout)]
#![allow(unsafe_code)] // One call into a function with target features.

use gradwise_core::{Real, Scratch, Serial};
use gradwise_tensor::gemm::{self, Epilogue, Tools};
use gradwise_tensor::{Activation, Conv2dGeometry, conv, simd};
use ndarray::{Array2, Array4, ArrayView2};
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
    for _ in 0..3 {
        // SAFETY: the level says that the processor has both features.
        best = best.min(seconds(|| _ = black_box(unsafe { run() })));
    }
    2.0 * (8 * SUMS * STEPS) as f64 / best / 1e9
}

/// Unknown where there are no intrinsics to measure it with.
#[cfg(not(target_arch = "x86_64"))]
fn peak() -> f64 {
    f64::NAN
}

/// Seconds that this thread has been running on a processor, where the system tells it, so that other programs do not count.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
}

/// Seconds of a run of `f`: the best of a few averages, each over about a tenth of a second.
fn seconds(mut f: impl FnMut()) -> f64 {
    f();
    let begin = Instant::now();
    f();
    let runs = (0.1 / begin.elapsed().as_secs_f64()).ceil().clamp(1.0, 1e6);
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let (begin, processor) = (Instant::now(), processor_seconds());
        (0..runs as usize).for_each(|_| f());
        let wall = begin.elapsed().as_secs_f64();
        let spent = processor_seconds().zip(processor).map_or(wall, |(end, begin)| end - begin);
        best = best.min(spent / runs);
    }
    best
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
        println!("{name:<48} {:>10.1} µs {rate:>7.1} GFLOP/s {:>5.0} %", seconds * 1e6, 100.0 * rate / self.peak);
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

fn convolutions(report: &Report) {
    let mut scratch = Scratch::<f32>::default();
    let image = |shape: [usize; 4]| {
        Array4::from_shape_fn(shape, |(n, c, h, w)| ((n + 3 * c + 5 * h + 7 * w) % 11) as f32 / 11.0 - 0.5)
    };
    let plain = Conv2dGeometry::new();
    for (name, geometry, x, out_channels, kernel) in [
        ("3x3 64->64", plain.padding([1, 1]), [32, 64, 32, 32], 64, 3),
        ("3x3 16->16", plain.padding([1, 1]), [32, 16, 32, 32], 16, 3),
        ("3x3 32->32", plain.padding([1, 1]), [32, 32, 16, 16], 32, 3),
        ("3x3 64->64", plain.padding([1, 1]), [32, 64, 8, 8], 64, 3),
        ("3x3 16->32 stride 2", plain.padding([1, 1]).stride([2, 2]).expect("positive"), [32, 16, 32, 32], 32, 3),
        ("3x3 3->16", plain.padding([1, 1]), [32, 3, 32, 32], 16, 3),
        ("3x3 1->32 no padding", plain, [64, 1, 28, 28], 32, 3),
        ("3x3 32->64 no padding", plain, [64, 32, 26, 26], 64, 3),
        ("1x1 64->64", plain, [32, 64, 32, 32], 64, 1),
        ("3x3 depthwise 64", plain.padding([1, 1]).groups(64).expect("positive"), [32, 64, 32, 32], 64, 3),
    ] {
        let x_array = image(x);
        let weight = image([out_channels, x[1] / geometry.n_groups(), kernel, kernel]);
        let [h, w] = geometry.out_size([x[2], x[3]], [kernel, kernel]).expect("a kernel that fits");
        let mut y = Array4::zeros((x[0], out_channels, h, w));
        let work = y.len() * weight.len() / out_channels;
        let name = format!("{name} on {}x{}x{}x{}", x[0], x[1], x[2], x[3]);
        report.line(&format!("{name} forward"), work, || {
            let tools = &mut Tools::new(&mut scratch, &Serial);
            conv::conv2d_into(geometry, &x_array, &weight, None, Activation::Identity, &mut y, tools)
                .expect("shapes that fit");
        });
        let y = image([x[0], out_channels, h, w]);
        let mut x_grad = x_array.clone();
        report.line(&format!("{name} input grad"), work, || {
            let tools = &mut Tools::new(&mut scratch, &Serial);
            conv::conv2d_input_grad(geometry, &y, &weight, 0.0, &mut x_grad, tools).expect("shapes that fit");
        });
        let mut w_grad = weight.clone();
        report.line(&format!("{name} weight grad"), work, || {
            let tools = &mut Tools::new(&mut scratch, &Serial);
            conv::conv2d_weight_grad(geometry, &x_array, &y, 0.0, &mut w_grad, tools).expect("shapes that fit");
        });
    }
}

fn main() {
    let report = Report { peak: peak(), words: std::env::args().skip(1).collect() };
    println!("peak {:.1} GFLOP/s, level {:?}", report.peak, simd::level());
    products(&report);
    convolutions(&report);
}
