//! What the tests of normalization, pooling, losses and dropout share.

#![allow(dead_code)] // Each test file uses its part.

use gradwise_core::{Key, Op, Pool, Real};
use gradwise_tensor::eager::Eager;
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Slice};
use proptest::test_runner::Config;

/// A pool of so many threads, made anew for each job.
pub(crate) struct Threads(pub(crate) usize);

impl Pool for Threads {
    fn threads(&self) -> usize {
        self.0
    }
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| (0..n).for_each(|i| drop(scope.spawn(move || task(i)))));
    }
    // However small a job is.
    fn min_work(&self) -> usize {
        1
    }
}

/// Few cases, each of which tries much; still fewer where `GRADWISE_CASES` bounds them, for checkers that run a program a hundred times
/// slower.
pub(crate) fn cases(n: u32) -> Config {
    let bound = std::env::var("GRADWISE_CASES").ok().and_then(|bound| bound.parse().ok()).unwrap_or(u32::MAX);
    Config { failure_persistence: None, ..Config::with_cases(n.min(bound)) }
}

/// Numbers of `[-2, 2)` that differ from each other by more than a numerical check's step.
pub(crate) fn random(shape: &[usize], seed: u64) -> ArrayD<f64> {
    let key = Key::new(seed);
    let mut i = 0;
    ArrayD::from_shape_fn(IxDyn(shape), |_| {
        i += 1;
        // Multiples of 2⁻⁸ are exact in f32; the index keeps ties away.
        ((key.uniform(i) * 1024.0).floor() - 512.0) / 256.0 + f64::from((i % 61) as u32) / 16_384.0
    })
}

pub(crate) fn single(x: &ArrayD<f64>) -> ArrayD<f32> {
    x.mapv(|x| x as f32)
}

/// The same array with other strides: every axis reversed and stepped by two in memory, in column-major order.
pub(crate) fn strided<T: Real>(x: &ArrayD<T>) -> ArrayD<T> {
    let shape: Vec<usize> = x.shape().iter().rev().map(|n| 2 * n).collect();
    let mut wide = ArrayD::from_elem(shape, T::nan());
    for axis in 0..x.ndim() {
        wide.slice_axis_inplace(Axis(axis), Slice::new(0, None, -2));
    }
    let mut out = wide.reversed_axes();
    out.assign(x);
    assert!(x.len() <= 1 || out.as_slice().is_none());
    out
}

pub(crate) fn assert_close<T: Real>(what: &str, got: &ArrayD<T>, expected: &ArrayD<f64>, tolerance: f64) {
    assert_eq!(got.shape(), expected.shape(), "{what}");
    for ((index, got), expected) in got.indexed_iter().zip(expected) {
        let difference = (got.as_f64() - expected).abs();
        assert!(difference <= tolerance * (1.0 + expected.abs()), "{what}{:?}: {got} for {expected}", index.slice());
    }
}

trait IndexSlice {
    fn slice(&self) -> &[usize];
}
impl IndexSlice for IxDyn {
    fn slice(&self) -> &[usize] {
        ndarray::Dimension::slice(self)
    }
}

/// Output and gradients, the output's gradient being [`random`].
pub(crate) fn run<T: Real>(eager: &mut Eager<'_, T>, op: &dyn Op<T>, inputs: &[ArrayD<T>]) -> Vec<ArrayD<T>> {
    let views: Vec<ArrayViewD<'_, T>> = inputs.iter().map(|x| x.view()).collect();
    let (out, saved) = eager.forward(op, &views).unwrap();
    let grad = random(out.shape(), 99).mapv(T::of);
    let mut results = eager.backward(op, &views, &out, &saved, &grad).unwrap();

    // In place equals allocating, whatever was there before.
    let mut garbage = ArrayD::from_elem(out.raw_dim(), T::nan());
    eager.forward_into(op, &views, &mut garbage).unwrap();
    assert_eq!(bits(&garbage), bits(&out));

    results.insert(0, out);
    results
}

fn bits<T: Real>(x: &ArrayD<T>) -> Vec<u64> {
    x.iter().map(|x| x.as_f64().to_bits()).collect()
}

/// Single precision is close to double, strides do not matter, and neither does the number of threads.
pub(crate) fn consistent(single_op: &dyn Op<f32>, double_op: &dyn Op<f64>, inputs: &[ArrayD<f64>], tolerance: f64) {
    let key = Key::new(5);
    let doubles = run(&mut Eager::default().training(true).key(key), double_op, inputs);
    let inputs: Vec<ArrayD<f32>> = inputs.iter().map(single).collect();
    let singles = run(&mut Eager::default().training(true).key(key), single_op, &inputs);
    for (i, (single, double)) in singles.iter().zip(&doubles).enumerate() {
        assert_close(&format!("{} result {i} in f32", single_op.name()), single, double, tolerance);
    }
    let others: Vec<ArrayD<f32>> = inputs.iter().map(strided).collect();
    for (threads, inputs) in [(1, &others), (2, &inputs), (3, &inputs), (4, &others)] {
        let pool = Threads(threads);
        let again = run(&mut Eager::new(&pool).training(true).key(key), single_op, inputs);
        for (a, b) in again.iter().zip(&singles) {
            assert_eq!(bits(a), bits(b), "{} on {threads} threads", single_op.name());
        }
    }
}
