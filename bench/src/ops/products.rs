//! Matrix products and convolutions: bound by arithmetic.

use super::{Entry, Run, Threads, Work, filled};
use gradwise_core::{Result, Scratch};
use gradwise_tensor::gemm::{self, Epilogue, Tools};
use gradwise_tensor::{Activation, Conv2dGeometry, conv};
use ndarray::{Array2, Array4, Ix2, Ix4};

/// Squares, and the skinny products of the training steps with their transposed forms.
pub(super) fn products() -> Vec<Entry> {
    let squares = [256, 512, 1024].map(|n| product(&format!("gemm_sq{n}"), Form::Plain, [n, n, n]));
    let skinny = [[64, 784, 512], [128, 3136, 128], [64, 784, 128], [32, 64, 32]].into_iter().flat_map(|[m, k, n]| {
        [
            product(&format!("gemm_{m}x{k}x{n}"), Form::Plain, [m, k, n]),
            product(&format!("gemm_{m}x{k}x{n}_TN(dW)"), Form::TransposedLeft, [k, m, n]),
            product(&format!("gemm_{m}x{k}x{n}_NT(dX)"), Form::TransposedRight, [m, n, k]),
        ]
    });
    squares.into_iter().chain(skinny).collect()
}

/// Which factor is stored transposed.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    TransposedLeft,
    TransposedRight,
}

fn product(name: &str, form: Form, [m, k, n]: [usize; 3]) -> Entry {
    Entry::new(name, Work::Flops(2.0 * (m * k * n) as f64), move |pool| {
        let matrix = |rows: usize, columns: usize| -> Array2<f32> { fixed::<Ix2>(filled(&[rows, columns])) };
        let (a, b) = match form {
            Form::Plain => (matrix(m, k), matrix(k, n)),
            Form::TransposedLeft => (matrix(k, m).reversed_axes(), matrix(k, n)),
            Form::TransposedRight => (matrix(m, k), matrix(n, k).reversed_axes()),
        };
        let mut c = Array2::zeros((m, n));
        let mut scratch = Scratch::default();
        Ok(Box::new(move || {
            let tools = &mut Tools::new(&mut scratch, &*pool);
            gemm::gemm(Epilogue::assign(), a.view(), b.view(), &mut c, tools)
        }))
    })
}

/// The three kernels of convolutions: those of the issue of speed, those of LeNet and ResNet-20, and depthwise ones.
pub(super) fn convolutions() -> Vec<Entry> {
    let same = |kernel| Shape { kernel, padding: kernel / 2, stride: 1, depthwise: false };
    let valid = |kernel| Shape { padding: 0, ..same(kernel) };
    let by_two = |kernel| Shape { stride: 2, ..same(kernel) };
    let depthwise = |kernel| Shape { depthwise: true, ..same(kernel) };
    [
        ("conv3x3_64", same(3), [32, 64, 32, 32], 64),
        ("dwconv3x3_64", depthwise(3), [32, 64, 32, 32], 64),
        ("conv1x1_64", same(1), [32, 64, 32, 32], 64),
        ("lenet_conv1", valid(3), [64, 1, 28, 28], 32),
        ("lenet_conv2", valid(3), [64, 32, 26, 26], 64),
        ("resnet_conv_3_16", same(3), [128, 3, 32, 32], 16),
        ("resnet_conv_16", same(3), [128, 16, 32, 32], 16),
        ("resnet_conv_32", same(3), [128, 32, 16, 16], 32),
        ("resnet_conv_64", same(3), [128, 64, 8, 8], 64),
        ("resnet_conv_16_32_by_2", by_two(3), [128, 16, 32, 32], 32),
    ]
    .into_iter()
    .flat_map(|(name, shape, x, outputs)| {
        let kernels = [
            ("forward", Kernel::Forward),
            ("input_grad", Kernel::InputGrad),
            ("weight_grad", Kernel::WeightGrad),
            ("grads", Kernel::Grads),
        ];
        // Both gradients at once are a kernel of their own for depthwise convolutions alone.
        kernels
            .into_iter()
            .filter(move |(_, kernel)| shape.depthwise || !matches!(kernel, Kernel::Grads))
            .map(move |(kernel_name, kernel)| convolution(&format!("{name}_{kernel_name}"), kernel, shape, x, outputs))
    })
    .collect()
}

#[derive(Clone, Copy)]
struct Shape {
    kernel: usize,
    padding: usize,
    stride: usize,
    depthwise: bool,
}

#[derive(Clone, Copy)]
enum Kernel {
    Forward,
    InputGrad,
    WeightGrad,
    Grads,
}

fn convolution(name: &str, kernel: Kernel, shape: Shape, x: [usize; 4], outputs: usize) -> Entry {
    let [n, inputs, height, width] = x;
    let (groups, side) = (if shape.depthwise { inputs } else { 1 }, shape.kernel);
    let out = |len: usize| (len + 2 * shape.padding - side) / shape.stride + 1;
    let y = [n, outputs, out(height), out(width)];
    let weight = [outputs, inputs / groups, side, side];
    let flops = if matches!(kernel, Kernel::Grads) { 4.0 } else { 2.0 };
    let flops = flops * (y.iter().product::<usize>() * weight[1..].iter().product::<usize>()) as f64;
    Entry::new(name, Work::Flops(flops), move |pool| start(kernel, shape, groups, [x, weight, y], pool))
}

fn start(kernel: Kernel, shape: Shape, groups: usize, shapes: [[usize; 4]; 3], pool: Threads) -> Result<Run> {
    let [padding, stride] = [shape.padding, shape.stride].map(|n| [n, n]);
    let geometry = Conv2dGeometry::new().padding(padding).stride(stride)?.groups(groups)?;
    let [mut x, mut weight, mut y]: [Array4<f32>; 3] = shapes.map(|shape| fixed::<Ix4>(filled(&shape)));
    let mut grads = matches!(kernel, Kernel::Grads).then(|| (x.clone(), weight.clone()));
    let mut scratch = Scratch::default();
    Ok(Box::new(move || {
        let tools = &mut Tools::new(&mut scratch, &*pool);
        match kernel {
            Kernel::Forward => conv::conv2d_into(geometry, &x, &weight, None, Activation::Identity, &mut y, tools),
            Kernel::InputGrad => conv::conv2d_input_grad(geometry, &y, &weight, 0.0, &mut x, tools),
            Kernel::WeightGrad => conv::conv2d_weight_grad(geometry, &x, &y, 0.0, &mut weight, tools),
            Kernel::Grads => grads.as_mut().map_or(Ok(()), |(x_grad, weight_grad)| {
                conv::conv2d_grads(geometry, [&x, &weight, &y], [0.0; 2], [x_grad, weight_grad], tools)
            }),
        }
    }))
}

/// An array of as many axes as its shape was given.
fn fixed<D: ndarray::Dimension>(array: ndarray::ArrayD<f32>) -> ndarray::Array<f32, D> {
    array.into_dimensionality().unwrap_or_else(|_| unreachable!("a shape of as many axes"))
}
