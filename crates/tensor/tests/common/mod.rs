//! What the tests of the product-shaped kernels share.

#![allow(dead_code)] // Each test program uses its part.

use gradwise_core::{Key, Pool, Real};
use gradwise_tensor::simd::Level;
use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Axis, IxDyn, Slice};

/// Every dispatch path; one that the processor lacks is the portable one again.
pub(crate) const LEVELS: [Level; 2] = [Level::Portable, Level::Avx2];

/// A pool that starts its threads anew for every job, and hands out the tasks in the wrong order.
pub(crate) struct Threads(pub(crate) usize);

impl Pool for Threads {
    fn threads(&self) -> usize {
        self.0
    }
    fn run(&self, n: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for thread in 0..self.0 {
                scope.spawn(move || (0..n).rev().filter(|i| i % self.0 == thread).for_each(task));
            }
        });
    }
    // However small a job is.
    fn min_work(&self) -> usize {
        1
    }
}

/// Numbers in `[-1, 1)`.
pub(crate) fn numbers<T: Real>(shape: &[usize], seed: u64) -> ArrayD<T> {
    let key = Key::new(seed);
    let mut i = 0;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        i += 1;
        T::of(2.0 * key.uniform(i) - 1.0)
    })
}

/// How many ways [`arrange`] knows.
pub(crate) const LAYOUTS: usize = 5;

/// An array that is not in standard layout, as a view of the one that owns its memory.
pub(crate) struct Arranged<T> {
    memory: ArrayD<T>,
    layout: usize,
}

/// The same elements in memory of another order: standard, transposed, reversed, every second of a larger array, or both of the
/// last.
pub(crate) fn arrange<T: Real>(array: ArrayD<T>, layout: usize) -> Arranged<T> {
    let mut larger = array.raw_dim();
    for axis in 0..array.ndim() {
        larger[axis] = match layout {
            3 | 4 => 2 * array.shape()[axis] + 1,
            _ => array.shape()[axis],
        };
    }
    let memory = if layout == 1 { ArrayD::zeros(IxDyn(&[])) } else { ArrayD::zeros(larger) };
    let mut arranged = Arranged { memory, layout };
    if layout == 1 {
        arranged.memory = ArrayD::zeros(array.view().reversed_axes().raw_dim());
    }
    arranged.view_mut().assign(&array);
    arranged
}

impl<T: Real> Arranged<T> {
    pub(crate) fn view(&self) -> ArrayViewD<'_, T> {
        let mut view = self.memory.view();
        for axis in 0..view.ndim() {
            match self.layout {
                2 => view.invert_axis(Axis(axis)),
                3 => view.slice_axis_inplace(Axis(axis), Slice::new(1, None, 2)),
                4 => view.slice_axis_inplace(Axis(axis), Slice::new(1, None, -2)),
                _ => {}
            }
        }
        if self.layout == 1 { view.reversed_axes() } else { view }
    }

    pub(crate) fn view_mut(&mut self) -> ArrayViewMutD<'_, T> {
        let layout = self.layout;
        let mut view = self.memory.view_mut();
        for axis in 0..view.ndim() {
            match layout {
                2 => view.invert_axis(Axis(axis)),
                3 => view.slice_axis_inplace(Axis(axis), Slice::new(1, None, 2)),
                4 => view.slice_axis_inplace(Axis(axis), Slice::new(1, None, -2)),
                _ => {}
            }
        }
        if layout == 1 { view.reversed_axes() } else { view }
    }
}

/// Fails unless every number is near to what it should be, for sums of `terms` products of numbers within `[-1, 1]`.
pub(crate) fn assert_close<T: Real>(got: ArrayViewD<'_, T>, expected: ArrayViewD<'_, f64>, terms: usize, level: Level) {
    assert_eq!(got.shape(), expected.shape());
    let tolerance = T::epsilon().as_f64() * 4.0 * (terms as f64 + 4.0);
    for ((index, &got), &expected) in got.indexed_iter().zip(&expected) {
        assert!((got.as_f64() - expected).abs() <= tolerance, "{level:?} at {index:?}: {got} instead of {expected}");
    }
}
