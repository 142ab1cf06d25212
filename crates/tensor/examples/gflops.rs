//! What share of the processor's peak the product-shaped kernels reach on one thread, and how they scale to two.
//!
//! `cargo run --release -p gradwise-tensor --example gflops [words to select lines]`
//!
//! Each line: seconds of processor time a run, the rate, its share of the peak, and how many times faster two threads are by the
//! clock on the wall, which is meaningful only on a machine with nothing else to do.

#![allow(clippy::print_stdout)]
#![allow(unsafe_code)] // One call into a function with target features.

use gradwise_core::{Pool, Real, Scratch, Serial};
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
#[cfg(target_os = "linux")]
fn processor_seconds() -> Option<f64> {
    /// The clock that the Linux headers call `CLOCK_THREAD_CPUTIME_ID`.
    const THREAD: i32 = 3;
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
    }
    let mut time = [0; 2];
    // SAFETY: on 64-bit Linux, a `timespec` is two 64-bit numbers, and `time` has room for them.
    let status = unsafe { clock_gettime(THREAD, &raw mut time) };
    (status == 0 && size_of::<usize>() == 8).then(|| time[0] as f64 + time[1] as f64 * 1e-9)
}

#[cfg(not(target_os = "linux"))]
fn processor_seconds() -> Option<f64> {
    None
}

/// Seconds of a run of `f`, on the processor and by the clock: the best of some averages, each over a few thousandths of a second.
fn both_seconds(mut f: impl FnMut()) -> [f64; 2] {
    f();
    let begin = Instant::now();
    f();
    let runs = (0.004 / begin.elapsed().as_secs_f64()).ceil().clamp(1.0, 1e6);
    let mut best = [f64::INFINITY; 2];
    for _ in 0..20 {
        let (begin, processor) = (Instant::now(), processor_seconds());
        (0..runs as usize).for_each(|_| f());
        let wall = begin.elapsed().as_secs_f64();
        let spent = processor_seconds().zip(processor).map_or(wall, |(end, begin)| end - begin);
        best = [best[0].min(spent / runs), best[1].min(wall / runs)];
    }
    best
}

/// Seconds of processor time of a run of `f`.
fn seconds(f: impl FnMut()) -> f64 {
    both_seconds(f)[0]
}

struct Report {
    peak: f64,
    words: Vec<String>,
    pair: std::sync::Arc<dyn Pool + Send + Sync>,
}

impl Report {
    fn line(&self, name: &str, multiply_adds: usize, mut f: impl FnMut(&dyn Pool)) {
        if !self.words.iter().all(|word| name.contains(word)) {
            return;
        }
        let [seconds, alone] = both_seconds(|| f(&Serial));
        let [_, together] = both_seconds(|| f(&self.pair));
        let rate = 2.0 * multiply_adds as f64 / seconds / 1e9;
        let share = 100.0 * rate / self.peak;
        println!("{name:<54} {:>9.1} µs {rate:>6.1} GFLOP/s {share:>4.0} %  x{:.2}", seconds * 1e6, alone / together);
    }
}

fn filled<T: Real>(rows: usize, columns: usize) -> Array2<T> {
    Array2::from_shape_fn((rows, columns), |(i, j)| T::of(((i * 7 + j * 13) % 17) as f64 / 17.0 - 0.5))
}

fn products(report: &Report) {
    let mut scratch = Scratch::<f32>::default();
    for (m, k, n) in [
        (32, 32, 10),
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
        (64, 9216, 128),
        (256, 512, 256),
    ] {
        let (a, b, at, bt) = (filled(m, k), filled(k, n), filled(k, m), filled(n, k));
        let mut c = Array2::zeros((m, n));
        let mut run = |name: &str, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>| {
            report.line(&format!("{name} {m}x{k}x{n}"), m * k * n, |pool| {
                let tools = &mut Tools::new(&mut scratch, pool);
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
    let same = plain.padding([1, 1]);
    let halving = same.stride([2, 2]).expect("positive");
    for (name, geometry, x, out_channels, kernel) in [
        ("3x3 64->64", same, [32, 64, 32, 32], 64, 3),
        ("3x3 3->16", same, [128, 3, 32, 32], 16, 3),
        ("3x3 16->16", same, [128, 16, 32, 32], 16, 3),
        ("3x3 16->32 stride 2", halving, [128, 16, 32, 32], 32, 3),
        ("1x1 16->32 stride 2", plain.stride([2, 2]).expect("positive"), [128, 16, 32, 32], 32, 1),
        ("3x3 32->32", same, [128, 32, 16, 16], 32, 3),
        ("3x3 32->64 stride 2", halving, [128, 32, 16, 16], 64, 3),
        ("1x1 32->64 stride 2", plain.stride([2, 2]).expect("positive"), [128, 32, 16, 16], 64, 1),
        ("3x3 64->64", same, [128, 64, 8, 8], 64, 3),
        ("3x3 1->32 no padding", plain, [64, 1, 28, 28], 32, 3),
        ("3x3 32->64 no padding", plain, [64, 32, 26, 26], 64, 3),
        ("3x3 1->32", same, [32, 1, 8, 8], 32, 3),
        ("3x3 32->64", same, [32, 32, 8, 8], 64, 3),
        ("1x1 64->64", plain, [32, 64, 32, 32], 64, 1),
        ("3x3 depthwise 64", same.groups(64).expect("positive"), [32, 64, 32, 32], 64, 3),
    ] {
        let x_array = image(x);
        let weight = image([out_channels, x[1] / geometry.n_groups(), kernel, kernel]);
        let [h, w] = geometry.out_size([x[2], x[3]], [kernel, kernel]).expect("a kernel that fits");
        let mut y = Array4::zeros((x[0], out_channels, h, w));
        let work = y.len() * weight.len() / out_channels;
        let name = format!("{name} on {}x{}x{}x{}", x[0], x[1], x[2], x[3]);
        report.line(&format!("{name} forward"), work, |pool| {
            let tools = &mut Tools::new(&mut scratch, pool);
            conv::conv2d_into(geometry, &x_array, &weight, None, Activation::Identity, &mut y, tools)
                .expect("shapes that fit");
        });
        let y = image([x[0], out_channels, h, w]);
        let mut x_grad = x_array.clone();
        report.line(&format!("{name} input grad"), work, |pool| {
            let tools = &mut Tools::new(&mut scratch, pool);
            conv::conv2d_input_grad(geometry, &y, &weight, 0.0, &mut x_grad, tools).expect("shapes that fit");
        });
        let mut w_grad = weight.clone();
        report.line(&format!("{name} weight grad"), work, |pool| {
            let tools = &mut Tools::new(&mut scratch, pool);
            conv::conv2d_weight_grad(geometry, &x_array, &y, 0.0, &mut w_grad, tools).expect("shapes that fit");
        });
    }
}

fn main() {
    let pair = gradwise_train::threads(2).expect("a second thread");
    let report = Report { peak: peak(), words: std::env::args().skip(1).collect(), pair };
    println!("peak {:.1} GFLOP/s, level {:?}", report.peak, simd::level());
    // The short form: one small product, and the convolutions of one size of images.
    let quick = std::env::var_os("GRADWISE_QUICK").is_some();
    let report = if quick { Report { words: vec!["32x64x32".to_owned()], ..report } } else { report };
    products(&report);
    convolutions(&report);
}
