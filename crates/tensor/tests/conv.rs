//! Convolutions against the plainest loops there are, on every dispatch path and any number of threads.

use crate::common;
use crate::support::cases;

use common::{LEVELS, Threads, arrange, assert_close, numbers};
use gradwise_autograd::check;
use gradwise_core::{ArrayViewD, Cx, Error, Key, Op, Pool, Real, Saved, Scratch, Serial};
use gradwise_tensor::conv::{self, conv2d_grads, conv2d_input_grad, conv2d_into, conv2d_weight_grad};
use gradwise_tensor::gemm::Tools;
use gradwise_tensor::{Activation, Conv1d, Conv1dGeometry, Conv2d, Conv2dGeometry, ConvTranspose1d, ConvTranspose2d};
use ndarray::{Array1, Array4, ArrayD, ArrayView4, IxDyn};
use proptest::prelude::*;

const ACTIVATIONS: [Activation; 4] = [Activation::Identity, Activation::Relu, Activation::Sigmoid, Activation::Tanh];

#[derive(Clone, Debug)]
struct Case {
    geometry: Conv2dGeometry,
    x: [usize; 4],
    weight: [usize; 4],
    y: [usize; 4],
    layouts: [usize; 3],
    beta: f64,
    activation: Activation,
    seed: u64,
}

impl Case {
    fn new(geometry: Conv2dGeometry, x: [usize; 4], out_channels: usize, kernel: [usize; 2]) -> Option<Self> {
        let [h, w] = geometry.out_size([x[2], x[3]], kernel).ok()?;
        Some(Case {
            geometry,
            x,
            weight: [out_channels, x[1] / geometry.n_groups(), kernel[0], kernel[1]],
            y: [x[0], out_channels, h, w],
            layouts: [0; 3],
            beta: 0.0,
            activation: Activation::Identity,
            seed: 1,
        })
    }

    /// Calls `f(y index, x index, w index)` for every product in the sums.
    fn each(&self, mut f: impl FnMut([usize; 4], [usize; 4], [usize; 4])) {
        let (stride, padding, dilation) =
            (self.geometry.strides(), self.geometry.paddings(), self.geometry.dilations());
        let out_per_group = self.y[1] / self.geometry.n_groups();
        for (n, o, i, j) in ndarray::indices(self.y) {
            for (c, k, l) in ndarray::indices([self.weight[1], self.weight[2], self.weight[3]]) {
                let (row, column) = (i * stride[0] + k * dilation[0], j * stride[1] + l * dilation[1]);
                let inside = (padding[0]..self.x[2] + padding[0]).contains(&row)
                    && (padding[1]..self.x[3] + padding[1]).contains(&column);
                if inside {
                    let channel = o / out_per_group * self.weight[1] + c;
                    f([n, o, i, j], [n, channel, row - padding[0], column - padding[1]], [o, c, k, l]);
                }
            }
        }
    }
}

fn case() -> impl Strategy<Value = Case> {
    let pair = |range: std::ops::Range<usize>| prop::array::uniform2(range);
    (
        (0_usize..4, 1_usize..4, 0_usize..4, 0_usize..8),
        pair(0..12),
        (pair(1..4), pair(1..4), pair(0..4), pair(1..3)),
        prop::array::uniform3(0..common::LAYOUTS),
        any::<bool>(),
        0..4_usize,
        any::<u64>(),
    )
        .prop_filter_map(
            "kernel larger than the image",
            |(sizes, image, places, layouts, add, activation, seed)| {
                let ((n, groups, channels, out_channels), (kernel, stride, padding, dilation)) = (sizes, places);
                let geometry = Conv2dGeometry::new().padding(padding).stride(stride).ok()?;
                let geometry = geometry.dilation(dilation).ok()?.groups(groups).ok()?;
                let x = [n, groups * channels, image[0], image[1]];
                let case = Case::new(geometry, x, groups * out_channels, kernel)?;
                let (beta, activation) = (f64::from(u8::from(add)), ACTIVATIONS[activation]);
                Some(Case { layouts, beta, activation, seed, ..case })
            },
        )
}

/// What a kernel makes of arrays: on every level, with one thread and with several, into an output that held `before`.
fn run<T: Real>(
    case: &Case,
    before: &ArrayD<T>,
    expected: ArrayViewD<'_, f64>,
    terms: usize,
    kernel: impl Fn(&mut ndarray::ArrayRef4<T>, &mut Tools<'_, T>),
) {
    for level in LEVELS {
        let mut results = Vec::new();
        for pool in [&Serial as &dyn Pool, &Threads(3)] {
            let mut out = arrange(before.clone(), case.layouts[2]);
            let mut scratch = Scratch::default();
            let mut out = out.view_mut().into_dimensionality().unwrap();
            kernel(&mut out, &mut Tools { scratch: &mut scratch, pool, level });
            results.push(out.to_owned());
        }
        assert_eq!(results[0], results[1], "{level:?}: threads change the result");
        assert_close(results[0].view().into_dyn(), expected.view(), terms, level);
    }
}

fn check_kernels<T: Real>(case: &Case) {
    let seed = case.seed;
    let x = arrange(numbers::<T>(&case.x, seed), case.layouts[0]);
    let weight = arrange(numbers::<T>(&case.weight, seed ^ 1), case.layouts[1]);
    let grad = arrange(numbers::<T>(&case.y, seed ^ 2), case.layouts[1]);
    let bias = Array1::from_iter(numbers::<T>(&[case.y[1]], seed ^ 3));
    let four = |view| -> ArrayView4<'_, T> { ArrayViewD::into_dimensionality(view).unwrap() };
    let (x, weight, grad) = (four(x.view()), four(weight.view()), four(grad.view()));
    let beta = T::of(case.beta);
    // Where nothing is to be read, there is a NaN.
    let before =
        |shape: &[usize]| if case.beta == 0.0 { ArrayD::from_elem(shape, T::nan()) } else { numbers(shape, seed ^ 4) };
    let start = |before: &ArrayD<T>| {
        let start = before.mapv(|x| if case.beta == 0.0 { 0.0 } else { x.as_f64() });
        start.into_dimensionality::<ndarray::Ix4>().unwrap()
    };

    let mut expected = Array4::<f64>::zeros(case.y);
    case.each(|y, at, w| expected[y] += x[at].as_f64() * weight[w].as_f64());
    for ((_, o, _, _), y) in expected.indexed_iter_mut() {
        *y = case.activation.apply(*y + bias[o].as_f64());
    }
    let terms = case.weight[1..].iter().product();
    run(case, &ArrayD::from_elem(&case.y[..], T::nan()), expected.view().into_dyn(), terms, |y, tools| {
        conv2d_into(case.geometry, &x, &weight, Some(&bias), case.activation, y, tools).unwrap();
    });

    let x_before = before(&case.x);
    let mut expected = start(&x_before);
    case.each(|y, at, w| expected[at] += grad[y].as_f64() * weight[w].as_f64());
    let terms = case.weight[0] * case.weight[2] * case.weight[3];
    run(case, &x_before, expected.view().into_dyn(), terms, |x_grad, tools| {
        conv2d_input_grad(case.geometry, &grad, &weight, beta, x_grad, tools).unwrap();
    });

    let w_before = before(&case.weight);
    let mut expected = start(&w_before);
    case.each(|y, at, w| expected[w] += grad[y].as_f64() * x[at].as_f64());
    let terms = case.y[0] * case.y[2] * case.y[3];
    run(case, &w_before, expected.view().into_dyn(), terms, |w_grad, tools| {
        conv2d_weight_grad(case.geometry, &x, &grad, beta, w_grad, tools).unwrap();
    });
    // Both at once are the same bits.
    for level in LEVELS {
        let mut scratch = Scratch::default();
        let mut x_grads = [(); 2].map(|()| Array4::from_elem(case.x, T::zero()));
        let mut w_grads = [(); 2].map(|()| Array4::from_elem(case.weight, T::zero()));
        x_grads.iter_mut().for_each(|array| array.assign(&four(x_before.view())));
        w_grads.iter_mut().for_each(|array| array.assign(&four(w_before.view())));
        let tools = &mut Tools { scratch: &mut scratch, pool: &Threads(2), level };
        conv2d_grads(case.geometry, [&x, &weight, &grad], [beta; 2], [&mut x_grads[0], &mut w_grads[0]], tools)
            .unwrap();
        conv2d_input_grad(case.geometry, &grad, &weight, beta, &mut x_grads[1], tools).unwrap();
        conv2d_weight_grad(case.geometry, &x, &grad, beta, &mut w_grads[1], tools).unwrap();
        assert_eq!(x_grads[0], x_grads[1], "{level:?}");
        assert_eq!(w_grads[0], w_grads[1], "{level:?}");
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn kernels_agree_with_loops(case in case()) {
        check_kernels::<f32>(&case);
        check_kernels::<f64>(&case);
    }
}

#[test]
fn large_kernels_agree_whatever_the_blocks_and_threads() {
    // Several blocks of lines, of terms and of parts; enough work for threads; panels that run over rows and images.
    let plain = Conv2dGeometry::new();
    let cases = [
        (plain.padding([1, 1]), [3, 50, 17, 33], 20, [3, 3]),
        (plain.stride([2, 2]).unwrap().padding([1, 1]), [5, 20, 21, 19], 18, [3, 3]),
        (plain, [9, 1, 28, 28], 32, [3, 3]),
        // One channel a group: nine taps, more, and fewer; more than one block; a plane that is one run, and one that is not.
        (plain.padding([1, 1]).groups(9).unwrap(), [5, 9, 32, 32], 9, [3, 3]),
        (plain.padding([1, 1]).stride([2, 2]).unwrap().groups(5).unwrap(), [9, 5, 30, 31], 5, [3, 3]),
        (plain.padding([2, 1]).dilation([1, 2]).unwrap().groups(3).unwrap(), [3, 3, 70, 50], 3, [5, 3]),
        // The same by threes, pixel by pixel: rows of less than a vector, of some and a rest, and of thousands; odd paddings; channels
        // that are summed in groups.
        (plain.groups(3).unwrap(), [2, 3, 9, 7], 3, [3, 3]),
        (plain.padding([3, 4]).groups(2).unwrap(), [3, 2, 5, 3], 2, [3, 3]),
        (plain.padding([0, 2]).groups(37).unwrap(), [2, 37, 11, 43], 37, [3, 3]),
        (plain.padding([1, 1]).groups(2).unwrap(), [1, 2, 5, 2500], 2, [3, 3]),
        // By minimal filtering: tiles that do not fill the image, lanes that do not fill a row of tiles, odd channels.
        (plain, [5, 11, 26, 27], 9, [3, 3]),
        (plain.padding([2, 2]), [2, 8, 8, 70], 8, [3, 3]),
        (plain.padding([1, 1]), [7, 19, 9, 8], 33, [3, 3]),
        (plain.padding([0, 2]), [1, 24, 6, 9], 16, [3, 3]),
        (plain, [4, 400, 7, 7], 40, [1, 1]),
        (plain, [70, 30, 3, 3], 20, [3, 3]),
        (plain.groups(24).unwrap().padding([2, 2]), [4, 24, 20, 20], 24, [5, 5]),
        (plain.padding([10, 10]), [1, 2, 30, 30], 3, [21, 21]),
        // By two pixels: phases that fill panels, and that share them; a filter that misses phases; groups.
        (plain.stride([2, 2]).unwrap().padding([1, 1]).groups(2).unwrap(), [9, 24, 20, 32], 26, [3, 3]),
        (plain.stride([2, 2]).unwrap(), [9, 13, 15, 16], 24, [1, 1]),
        (plain.stride([1, 2]).unwrap().padding([2, 3]), [3, 9, 12, 33], 8, [5, 5]),
        // The same for images of one pixel, one row or one column, which have no pixel of the other phases.
        (plain.stride([2, 2]).unwrap().padding([1, 1]), [48, 20, 1, 1], 18, [3, 3]),
        (plain.stride([2, 2]).unwrap().padding([1, 1]), [3, 9, 1, 12], 8, [3, 3]),
        (plain.stride([2, 2]).unwrap().padding([1, 1]), [3, 9, 12, 1], 8, [3, 3]),
        (plain.stride([1, 2]).unwrap().padding([1, 2]).dilation([1, 3]).unwrap(), [3, 5, 6, 1], 6, [3, 2]),
        (plain.stride([2, 2]).unwrap().padding([3, 3]).dilation([2, 2]).unwrap(), [2, 5, 1, 1], 6, [4, 4]),
        // Images as right factors: whole tiles and not, several blocks of columns and of the sum.
        (plain, [3, 20, 8, 8], 17, [1, 1]),
        (plain, [2, 7, 17, 19], 9, [1, 1]),
        (plain, [1, 810, 10, 28], 6, [1, 1]),
        (plain, [2, 5, 33, 32], 10, [1, 1]),
        // Rows that are themselves cut.
        (plain.stride([1, 2]).unwrap().padding([1, 2]), [2, 3, 2, 4500], 5, [3, 4]),
    ];
    for (geometry, x, out_channels, kernel) in cases {
        let case = Case::new(geometry, x, out_channels, kernel).unwrap();
        check_kernels::<f32>(&case);
        check_kernels::<f64>(&Case { beta: 1.0, ..case });
    }
}

#[test]
fn allocating_equals_in_place_and_scratch_is_given_back() {
    let case = Case::new(Conv2dGeometry::new().padding([1, 1]), [2, 3, 9, 9], 4, [3, 3]).unwrap();
    let x: Array4<f32> = numbers(&case.x, 1).into_dimensionality().unwrap();
    let weight = numbers(&case.weight, 2).into_dimensionality().unwrap();
    let mut scratch = Scratch::default();
    let (mut y, mut w_grad) = (Array4::from_elem(case.y, f32::NAN), Array4::from_elem(case.weight, f32::NAN));
    let mut x_grad = Array4::from_elem(case.x, f32::NAN);
    let mut held = 0;
    for _ in 0..3 {
        let tools = &mut Tools::new(&mut scratch, &Serial);
        conv2d_into(case.geometry, &x, &weight, None, Activation::Identity, &mut y, tools).unwrap();
        conv2d_input_grad(case.geometry, &y, &weight, 0.0, &mut x_grad, tools).unwrap();
        conv2d_weight_grad(case.geometry, &x, &y, 0.0, &mut w_grad, tools).unwrap();
        assert!(held == 0 || held == scratch.free_bytes());
        held = scratch.free_bytes();
    }
    assert!(held > 0);
    assert_eq!(y, conv::conv2d(case.geometry, &x, &weight, None).unwrap());
}

/// Shifts the last input, the bias, until no sum is so near to 0 that a ReLU has no derivative to compare with.
fn off_the_kink(op: &dyn Op<f64>, inputs: &mut [ArrayD<f64>]) -> bool {
    let near = |inputs: &[ArrayD<f64>]| forward(op, inputs).iter().any(|x| x.abs() < 1e-3);
    for _ in 0..5 {
        if !near(inputs) {
            return true;
        }
        let last = inputs.len() - 1;
        inputs[last] += 0.0137;
    }
    false
}

/// What an operation makes of inputs.
fn forward(op: &dyn Op<f64>, inputs: &[ArrayD<f64>]) -> ArrayD<f64> {
    let views: Vec<_> = inputs.iter().map(|x| x.view()).collect();
    let shapes: Vec<&[usize]> = inputs.iter().map(|x| x.shape()).collect();
    let mut out = ArrayD::from_elem(op.out_shape(&shapes).unwrap(), f64::NAN);
    let mut scratch = Scratch::default();
    let mut cx = Cx { scratch: &mut scratch, pool: &Threads(2), training: true, key: Key::new(0), first_sample: 0 };
    op.forward(&views, &mut out, &mut Saved::default(), &mut cx).unwrap();
    out
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn conv2d_has_its_gradient(case in case(), with_bias in any::<bool>()) {
        let mut inputs = vec![numbers::<f64>(&case.x, case.seed), numbers(&case.weight, case.seed ^ 1)];
        if with_bias {
            inputs.push(numbers(&[case.y[1]], case.seed ^ 2));
        }
        let plain = Conv2d::new(case.geometry);
        if off_the_kink(&plain, &mut inputs) || case.activation != Activation::Relu {
            let op = plain.with_activation(case.activation);
            check::op(&op, &inputs).map_err(|e| TestCaseError::fail(e.to_string()))?;
        }
    }

    #[test]
    fn transposed_conv_is_the_transpose_and_has_its_gradient(
        case in case(),
        output_padding in prop::array::uniform2(0..3_usize),
        with_bias in any::<bool>(),
    ) {
        let op = ConvTranspose2d::new(case.geometry);
        let (Ok(op), [n, o, h, w]) = (op.with_output_padding(output_padding), case.y) else { return Ok(()) };
        let mut inputs = vec![numbers::<f64>(&[n, o, h, w], case.seed), numbers(&case.weight, case.seed ^ 1)];
        if Op::<f64>::out_shape(&op, &[&case.y, &case.weight]).is_err() {
            return Ok(());
        }
        // ⟨wᵀ ⋆ y, x⟩ = ⟨y, w ⋆ x⟩ for every x of the output's size.
        let out = forward(&op, &inputs);
        let x = numbers::<f64>(out.shape(), case.seed ^ 3);
        let convolved = forward(&Conv2d::new(case.geometry), &[x.clone(), inputs[1].clone()]);
        if convolved.shape() == inputs[0].shape() {
            let (left, right) = ((&out * &x).sum(), (&convolved * &inputs[0]).sum());
            prop_assert!((left - right).abs() <= 1e-10 * (1.0 + left.abs()), "{left} and {right}");
        }
        if with_bias {
            inputs.push(numbers(&[out.shape()[1]], case.seed ^ 2));
        }
        if off_the_kink(&op, &mut inputs) || case.activation != Activation::Relu {
            let op = op.with_activation(case.activation);
            check::op(&op, &inputs).map_err(|e| TestCaseError::fail(e.to_string()))?;
        }
    }
}

#[test]
fn transposed_conv_repeats_a_pixel() {
    // One pixel through a 2 x 2 filter with stride 2: the filter itself.
    let weight = numbers::<f64>(&[1, 3, 2, 2], 1);
    let geometry = Conv2dGeometry::new().stride([2, 2]).unwrap();
    let out = forward(&ConvTranspose2d::new(geometry), &[ArrayD::ones(IxDyn(&[1, 1, 1, 1])), weight.clone()]);
    assert_eq!(out, weight);
}

#[test]
fn sequences_are_images_of_height_one() {
    let (x, weight, bias) = (numbers::<f64>(&[3, 4, 19], 1), numbers(&[6, 2, 3], 2), numbers(&[6], 3));
    let geometry = Conv1dGeometry::new().stride(2).unwrap().padding(3).dilation(2).unwrap().groups(2).unwrap();
    let op = Conv1d::new(geometry).with_activation(Activation::Tanh);
    let inputs = [x.clone(), weight.clone(), bias.clone()];
    check::op(&op, &inputs).unwrap();
    let with_height = |x: &ArrayD<f64>| x.clone().insert_axis(ndarray::Axis(2));
    let op_2d = Conv2d::new(geometry.as_2d()).with_activation(Activation::Tanh);
    let expected = forward(&op_2d, &[with_height(&x), with_height(&weight), bias]);
    assert_eq!(with_height(&forward(&op, &inputs)), expected);

    let weight = numbers(&[4, 3, 3], 2);
    let op = ConvTranspose1d::new(geometry).with_output_padding(1).unwrap().with_activation(Activation::Sigmoid);
    check::op(&op, &[x, weight, numbers(&[6], 3)]).unwrap();
}

#[test]
fn a_filter_is_not_turned_over() {
    let x = Array4::from_shape_vec((1, 1, 1, 4), vec![1.0, 2.0, 3.0, 4.0]).unwrap();
    let weight = Array4::from_shape_vec((1, 1, 1, 2), vec![10.0, 1.0]).unwrap();
    let y = conv::conv2d(Conv2dGeometry::new(), &x, &weight, Some(&Array1::from_elem(1, 0.5))).unwrap();
    assert_eq!(y.into_raw_vec_and_offset().0, [12.5, 23.5, 34.5]);
}

#[test]
fn sums_without_terms_are_the_bias() {
    // No input channels at all, and an empty image that is all padding.
    let bias = Array1::from_elem(2, 0.5);
    for (x, weight, geometry) in [
        ([1, 0, 4, 4], [2, 0, 3, 3], Conv2dGeometry::new()),
        ([1, 3, 0, 4], [2, 3, 3, 3], Conv2dGeometry::new().padding([2, 0])),
    ] {
        let y = conv::conv2d(geometry, &Array4::<f32>::zeros(x), &Array4::ones(weight), Some(&bias)).unwrap();
        assert_eq!(y, Array4::from_elem((1, 2, 2, 2), 0.5));
    }
    // A batch of none: the weight's gradient is zero all the same.
    let mut w_grad = Array4::from_elem((2, 3, 3, 3), f32::NAN);
    let (x, grad) = (Array4::zeros((0, 3, 5, 5)), Array4::zeros((0, 2, 3, 3)));
    let mut scratch = Scratch::default();
    let tools = &mut Tools::new(&mut scratch, &Serial);
    conv2d_weight_grad(Conv2dGeometry::new(), &x, &grad, 0.0, &mut w_grad, tools).unwrap();
    assert_eq!(w_grad, Array4::zeros((2, 3, 3, 3)));
}

#[test]
fn misfits_are_named() {
    let shape = |op: &dyn Op<f32>, inputs: &[&[usize]]| op.out_shape(inputs).map_err(|e| e.to_string());
    let conv = &Conv2d::default();
    let check =
        |op: &dyn Op<f32>, inputs: &[&[usize]], expected: &str| assert_eq!(shape(op, inputs), Err(expected.into()));
    check(conv, &[&[1, 1, 28, 28], &[8, 3, 3, 3]], "conv2d: expected 3 input channels, got shape [1, 1, 28, 28]");
    check(conv, &[&[3, 28, 28], &[8, 3, 3, 3]], "conv2d: expected images [n, c, h, w], got shape [3, 28, 28]");
    check(
        conv,
        &[&[1, 3, 28, 28], &[8, 3, 3]],
        "conv2d: expected a weight [o, c / groups, kh, kw], got shape [8, 3, 3]",
    );
    check(conv, &[&[1, 3, 28, 28], &[8, 3, 3, 3], &[9]], "conv2d: expected a bias [8], got shape [9]");
    check(conv, &[&[1, 3, 28, 28]], "conv2d: expected 3 inputs, got 1");
    let error = shape(conv, &[&[1, 3, 2, 28], &[8, 3, 3, 3]]).unwrap_err();
    assert!(error.starts_with("conv2d: expected an image that, padded by [0, 0], a kernel [3, 3]"), "{error}");
    assert!(shape(conv, &[&[1, 3, 2, 28], &[8, 3, 0, 3]]).is_err());
    let groups = &Conv2d::new(Conv2dGeometry::new().groups(3).unwrap());
    check(
        groups,
        &[&[1, 6, 9, 9], &[8, 2, 3, 3]],
        "conv2d: expected output channels in 3 equal groups, got shape [8, 2, 3, 3]",
    );

    let huge = Conv2dGeometry::new().padding([usize::MAX, 0]);
    assert!(matches!(huge.out_size([5, 5], [3, 3]), Err(Error::Shape { .. })));
    assert!(matches!(
        Conv2dGeometry::new().dilation([usize::MAX, 1]).unwrap().out_size([5, 5], [3, 3]),
        Err(Error::Shape { .. })
    ));
    // Nothing is staged, let alone computed, before this is refused.
    let wide = Conv2dGeometry::new().padding([1 << 20, 1 << 20]).dilation([1 << 20, 1 << 20]).unwrap();
    let error = shape(&Conv2d::new(wide), &[&[1, 3, 5, 5], &[8, 3, 2, 2]]).unwrap_err();
    assert!(error.starts_with("conv2d: expected a kernel and a stride [1, 1] that reach less far"), "{error}");
    for refused in [
        Conv2dGeometry::new().stride([1, 0]),
        Conv2dGeometry::new().dilation([0, 1]),
        Conv2dGeometry::new().groups(0),
        Conv2dGeometry::new().same_padding([2, 3]),
    ] {
        assert!(matches!(refused, Err(Error::Value { .. })));
    }
    let transposed = ConvTranspose2d::new(Conv2dGeometry::new().stride([2, 2]).unwrap());
    assert_eq!(
        transposed.with_output_padding([2, 0]).unwrap_err().to_string(),
        "conv_transpose: output padding: expected less than 2, the larger of stride and dilation, got 2"
    );
    check(
        &transposed,
        &[&[1, 4, 5, 5], &[3, 4, 3, 3]],
        "conv_transpose2d: expected 3 input channels, got shape [1, 4, 5, 5]",
    );
    let padded = ConvTranspose2d::new(Conv2dGeometry::new().padding([4, 4]));
    assert!(shape(&padded, &[&[1, 3, 2, 2], &[3, 4, 3, 3]]).is_err());
    let groups = Conv2dGeometry::new().groups(1 << 40).unwrap();
    let weight: &[usize] = &[0, 1 << 40, 1, 1];
    check(
        &Conv2d::new(groups),
        &[&[1, 0, 5, 5], weight],
        "conv2d: expected channels of which there can be 1099511627776 times as many, got shape [0, 1099511627776, 1, 1]",
    );
    assert!(shape(&ConvTranspose2d::new(groups), &[&[1, 0, 5, 5], weight]).is_err());
    check(
        &Conv1d::default(),
        &[&[1, 3, 5, 5], &[3, 4, 3]],
        "conv1d: expected sequences [n, c, length], got shape [1, 3, 5, 5]",
    );
}

#[test]
fn rows_of_whole_lanes_take_nothing_from_beyond_the_image() {
    // Depthwise, with rows shorter than a group of lanes: what lies behind the last one is memory that was never written.
    let padded = Conv2dGeometry::new().padding([0, 1]);
    let transposed = ConvTranspose2d::new(padded);
    check::op(&transposed, &[numbers::<f64>(&[1, 1, 3, 2], 1), numbers(&[1, 1, 1, 1], 2)]).unwrap();
    for (width, stride) in [(1, 1), (2, 1), (3, 2), (9, 2), (11, 3)] {
        let op = Conv2d::new(padded.stride([stride, stride]).unwrap().groups(2).unwrap());
        check::op(&op, &[numbers::<f64>(&[2, 2, 3, width], 1), numbers(&[2, 1, 1, 1], 2)]).unwrap();
        check::op(&op, &[numbers::<f64>(&[2, 2, 5, width], 1), numbers(&[2, 1, 2, 2], 2)]).unwrap();
    }
}
