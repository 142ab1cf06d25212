//! Pooling against windows spelled out, and against finite differences.

use crate::support;

use gradwise_autograd::check;
use gradwise_core::{Error, Op, Real};
use gradwise_tensor::eager::Eager;
use gradwise_tensor::pool::{
    AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, GlobalAvgPool, MaxPool1d, MaxPool2d, Pool2dGeometry,
};
use ndarray::{Array, ArrayD, Axis};
use proptest::prelude::*;
use support::{assert_close, cases, consistent, random, run};

/// A geometry as plain numbers, for the reference.
#[derive(Clone, Copy, Debug)]
struct Windows {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    ceil: bool,
}

impl Windows {
    fn geometry(&self) -> Pool2dGeometry {
        let geometry = Pool2dGeometry::new(self.kernel).unwrap().stride(self.stride).unwrap();
        geometry.padding(self.padding).unwrap().dilation(self.dilation).unwrap().ceil_mode(self.ceil)
    }

    /// Each output is `f(elements of the window, elements and padding)`.
    fn reference(&self, x: &ArrayD<f64>, f: impl Fn(&[f64], usize) -> f64) -> ArrayD<f64> {
        let size = [x.shape()[2], x.shape()[3]];
        let [height, width] = self.geometry().out_size(size).unwrap();
        ArrayD::from_shape_fn(vec![x.shape()[0], x.shape()[1], height, width], |index| {
            let at = |axis: usize, tap: usize| {
                (index[2 + axis] * self.stride[axis] + tap * self.dilation[axis]) as isize - self.padding[axis] as isize
            };
            let within =
                |axis: usize, at: isize, margin: usize| -(margin as isize) <= at && at < (size[axis] + margin) as isize;
            let (mut elements, mut n_padded) = (vec![], 0);
            for ky in 0..self.kernel[0] {
                for kx in 0..self.kernel[1] {
                    let (y, x_) = (at(0, ky), at(1, kx));
                    if within(0, y, 0) && within(1, x_, 0) {
                        elements.push(x[[index[0], index[1], y as usize, x_ as usize]]);
                    }
                    if within(0, y, self.padding[0]) && within(1, x_, self.padding[1]) {
                        n_padded += 1;
                    }
                }
            }
            f(&elements, n_padded)
        })
    }
}

fn windows() -> impl Strategy<Value = Windows> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    (pair(1..4), pair(1..4), pair(0..2), pair(1..3), any::<bool>()).prop_map(
        |(kernel, stride, padding, dilation, ceil)| {
            let padding = [padding[0].min(kernel[0] / 2), padding[1].min(kernel[1] / 2)];
            Windows { kernel, stride, padding, dilation, ceil }
        },
    )
}

fn image() -> impl Strategy<Value = Vec<usize>> {
    (0_usize..3, 1_usize..3, 1_usize..9, 1_usize..9).prop_map(|(n, c, h, w)| vec![n, c, h, w])
}

fn maximum(elements: &[f64], _: usize) -> f64 {
    elements.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn max_and_average(windows in windows(), shape in image(), seed: u64, count_padding: bool) {
        prop_assume!(windows.geometry().out_size([shape[2], shape[3]]).is_ok());
        let x = random(&shape, seed);
        let max = MaxPool2d::new(windows.geometry());
        assert_eq!(run(&mut Eager::default(), &max, std::slice::from_ref(&x))[0], windows.reference(&x, maximum));
        consistent(&max, &max, std::slice::from_ref(&x), 1e-6);
        check::op(&max, std::slice::from_ref(&x)).unwrap();

        let average = AvgPool2d::new(windows.geometry()).count_padding(count_padding);
        let expected = windows.reference(&x, |elements, n_padded| {
            elements.iter().sum::<f64>() / if count_padding { n_padded } else { elements.len() } as f64
        });
        assert_close("average", &run(&mut Eager::default(), &average, std::slice::from_ref(&x))[0], &expected, 1e-12);
        consistent(&average, &average, std::slice::from_ref(&x), 1e-5);
        check::op(&average, &[x]).unwrap();
    }

    #[test]
    fn one_dimension_is_two_with_height_one(
        kernel in 1_usize..5, stride in 1_usize..4, padding in 0_usize..3, length in 1_usize..12, seed: u64, ceil: bool,
    ) {
        let windows = Windows {
            kernel: [1, kernel], stride: [1, stride], padding: [0, padding.min(kernel / 2)], dilation: [1, 1], ceil,
        };
        prop_assume!(windows.geometry().out_size([1, length]).is_ok());
        let x = random(&[2, 3, length], seed);
        let as_image = x.clone().insert_axis(Axis(2));

        let max = MaxPool1d::new(kernel, stride, windows.padding[1]).unwrap().ceil_mode(ceil);
        let got = run(&mut Eager::default(), &max, std::slice::from_ref(&x)).remove(0);
        assert_eq!(got.insert_axis(Axis(2)), windows.reference(&as_image, maximum));
        check::op(&max, std::slice::from_ref(&x)).unwrap();

        let average = AvgPool1d::new(kernel, stride, windows.padding[1]).unwrap().ceil_mode(ceil).count_padding(true);
        let got = run(&mut Eager::default(), &average, std::slice::from_ref(&x)).remove(0);
        let expected = windows.reference(&as_image, |elements, n| elements.iter().sum::<f64>() / n as f64);
        assert_close("average", &got.insert_axis(Axis(2)), &expected, 1e-12);
        check::op(&average, &[x]).unwrap();
    }

    #[test]
    fn adaptive_and_global(shape in image(), out in [1_usize..6, 1_usize..6], seed: u64) {
        let x = random(&shape, seed);
        let reference = |f: &dyn Fn(&[f64], usize) -> f64| {
            ArrayD::from_shape_fn(vec![shape[0], shape[1], out[0], out[1]], |index| {
                let range = |axis: usize| {
                    let (i, n) = (index[2 + axis], shape[2 + axis]);
                    i * n / out[axis]..((i + 1) * n).div_ceil(out[axis])
                };
                let place = |y, x_| x[[index[0], index[1], y, x_]];
                let elements: Vec<f64> = range(0).flat_map(|y| range(1).map(move |x_| place(y, x_))).collect();
                f(&elements, 0)
            })
        };
        let mean = |elements: &[f64], _: usize| elements.iter().sum::<f64>() / elements.len() as f64;

        let average = AdaptiveAvgPool2d::new(out).unwrap();
        assert_close("adaptive", &run(&mut Eager::default(), &average, std::slice::from_ref(&x))[0], &reference(&mean), 1e-12);
        consistent(&average, &average, std::slice::from_ref(&x), 1e-5);
        check::op(&average, std::slice::from_ref(&x)).unwrap();

        let max = AdaptiveMaxPool2d::new(out).unwrap();
        assert_eq!(run(&mut Eager::default(), &max, std::slice::from_ref(&x))[0], reference(&maximum));
        consistent(&max, &max, std::slice::from_ref(&x), 1e-6);
        check::op(&max, std::slice::from_ref(&x)).unwrap();

        let global = run(&mut Eager::default(), &GlobalAvgPool, std::slice::from_ref(&x)).remove(0);
        let (whole, _) = Eager::default().forward(&AdaptiveAvgPool2d::new([1, 1]).unwrap(), &[x.view()]).unwrap();
        assert_close("global", &global, &whole.remove_axis(Axis(3)).remove_axis(Axis(2)), 1e-12);
        consistent(&GlobalAvgPool, &GlobalAvgPool, std::slice::from_ref(&x), 1e-5);
        check::op(&GlobalAvgPool, &[x]).unwrap();
    }
}

/// Sizes at which work is split between threads, the fast kernel with and without an odd rest, and windows whose places need words.
#[test]
fn large_arrays_are_consistent() {
    let halving = Pool2dGeometry::square(2).unwrap();
    let overlapping = Pool2dGeometry::square(3).unwrap().stride([2, 2]).unwrap().padding([1, 1]).unwrap();
    let wide = Pool2dGeometry::square(17).unwrap().stride([3, 5]).unwrap();
    for shape in [[8, 6, 33, 35], [8, 6, 32, 34]] {
        let x = [random(&shape, 1)];
        for geometry in [halving, overlapping, wide] {
            let (max, average) = (MaxPool2d::new(geometry), AvgPool2d::new(geometry));
            consistent(&max, &max, &x, 1e-5);
            consistent(&average, &average, &x, 1e-4);
        }
        let (max, average) = (AdaptiveMaxPool2d::new([5, 6]).unwrap(), AdaptiveAvgPool2d::new([5, 6]).unwrap());
        consistent(&max, &max, &x, 1e-5);
        consistent(&average, &average, &x, 1e-4);
        consistent(&GlobalAvgPool, &GlobalAvgPool, &x, 1e-4);
    }
}

#[test]
fn wide_windows_keep_their_places_in_words() {
    let windows = Windows { kernel: [17, 16], stride: [3, 2], padding: [8, 8], dilation: [1, 1], ceil: true };
    let (x, op) = (random(&[1, 2, 18, 20], 3), MaxPool2d::new(windows.geometry()));
    let (y, saved) = Eager::default().forward(&op, &[x.view()]).unwrap();
    assert_eq!(y, windows.reference(&x, maximum));
    assert!(saved.bytes.is_empty() && saved.indices.len() == y.len());
    check::op(&op, &[x]).unwrap();
}

/// Windows one or two apart are worked on in groups of sixteen: rows of more, of fewer, and of just as many.
#[test]
fn groups_of_windows_end_anywhere() {
    for (kernel, stride, padding, dilation) in [(3, 2, 1, 1), (2, 2, 0, 1), (3, 1, 1, 1), (2, 1, 1, 3), (5, 2, 2, 2)] {
        let windows = Windows {
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            dilation: [dilation; 2],
            ceil: true,
        };
        for width in [9, 15, 16, 17, 31, 32, 33, 47] {
            let x = random(&[2, 2, 11, width], width as u64);
            let op = MaxPool2d::new(windows.geometry());
            let expected = windows.reference(&x, maximum);
            assert_eq!(run(&mut Eager::default(), &op, std::slice::from_ref(&x))[0], expected);
            let single = x.mapv(|x| x as f32);
            assert_eq!(run(&mut Eager::default(), &op, &[single])[0], expected.mapv(|y| y as f32));
            consistent(&op, &op, &[x], 1e-6);
        }
    }
}

#[test]
fn the_fast_kernels_and_the_general_one_agree_on_ties_and_nan() {
    agree_on_ties_and_nan::<f32>();
    agree_on_ties_and_nan::<f64>();
}

fn agree_on_ties_and_nan<T: Real>() {
    let values = [T::zero(), T::one(), T::nan(), T::neg_infinity()];
    // Every window of two by two that these values make.
    let x = Array::from_shape_fn((256, 1, 2, 2), |(n, _, y, x)| values[n >> (2 * (2 * y + x)) & 3]).into_dyn();
    let halving = MaxPool2d::new(Pool2dGeometry::square(2).unwrap());
    // A stride of 3 makes no difference for one window, but for the kernel that is used.
    let general = MaxPool2d::new(Pool2dGeometry::square(2).unwrap().stride([3, 3]).unwrap());
    let neighbours = MaxPool2d::new(Pool2dGeometry::square(2).unwrap().stride([1, 1]).unwrap());
    let (slow, slow_saved) = Eager::default().forward(&general, &[x.view()]).unwrap();
    for (window, slow) in x.outer_iter().zip(&slow) {
        let largest = window.fold(T::neg_infinity(), |a, &b| a.max(b));
        assert!(if window.iter().any(|x| x.is_nan()) { slow.is_nan() } else { *slow == largest });
    }
    for op in [halving, neighbours] {
        let (fast, saved) = Eager::default().forward(&op, &[x.view()]).unwrap();
        assert_eq!(saved.bytes, slow_saved.bytes);
        assert!(fast.iter().zip(&slow).all(|(&a, &b)| a == b || (a.is_nan() && b.is_nan())));
    }
}

#[test]
fn padding_never_wins() {
    let x = ArrayD::from_elem(vec![1, 1, 3, 3], -5.0_f32);
    let op = MaxPool2d::new(Pool2dGeometry::square(3).unwrap().padding([1, 1]).unwrap().stride([1, 1]).unwrap());
    let results = run(&mut Eager::default(), &op, &[x]);
    assert!(results[0].iter().all(|&y| y == -5.0));
}

#[test]
fn mistakes_are_named() {
    let geometry = Pool2dGeometry::square(3).unwrap();
    assert!(Pool2dGeometry::square(0).is_err() && Pool2dGeometry::new([usize::MAX, 2]).is_err());
    assert!(geometry.stride([0, 1]).is_err() && geometry.dilation([1, 0]).is_err());
    assert_eq!(
        geometry.padding([2, 0]).unwrap_err().to_string(),
        "pool: padding: expected at most half of the kernel [3, 3], got [2, 0]"
    );
    let shape = |op: &dyn Op<f32>, shape: &[usize]| op.out_shape(&[shape]).unwrap_err();
    assert!(matches!(shape(&MaxPool2d::new(geometry), &[1, 1, 2, 5]), Error::Shape { .. }));
    assert!(matches!(shape(&MaxPool2d::new(geometry), &[1, 5, 5]), Error::Shape { .. }));
    assert!(matches!(shape(&AvgPool1d::new(2, 1, 0).unwrap(), &[1, 1, 5, 5]), Error::Shape { .. }));
    assert!(matches!(shape(&GlobalAvgPool, &[1, 1, 0]), Error::Shape { .. }));
    assert!(matches!(shape(&AdaptiveAvgPool2d::new([1, 1]).unwrap(), &[1, 1, 0, 2]), Error::Shape { .. }));
    assert!(AdaptiveAvgPool2d::new([0, 1]).is_err() && AdaptiveMaxPool2d::new([1, 0]).is_err());
    let arity = Op::<f32>::out_shape(&GlobalAvgPool, &[]).unwrap_err();
    assert!(matches!(arity, Error::Arity { expected: 1, got: 0, .. }));
}
