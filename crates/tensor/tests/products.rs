//! Matrix products against the plainest loops there are, on every dispatch path and any number of threads.

use crate::common;
use crate::support::cases;

use common::{LEVELS, Threads, arrange, assert_close, numbers};
use gradwise_autograd::check;
use gradwise_core::{ArrayViewD, Cx, Error, Key, Op, Pool, Real, Saved, Scratch, Serial};
use gradwise_tensor::gemm::{self, Bias, Epilogue, Tools};
use gradwise_tensor::simd::{self, Level};
use gradwise_tensor::{Activation, Eager, Linear, MatMul};
use ndarray::{Array2, ArrayD, ArrayView2, Dimension, IxDyn};
use proptest::prelude::*;

const ACTIVATIONS: [Activation; 4] = [Activation::Identity, Activation::Relu, Activation::Sigmoid, Activation::Tanh];

/// `f(α A B + β C + bias)`, in `f64`.
fn reference<T: Real>(
    epilogue: &Epilogue<'_, T>,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    c: ArrayView2<'_, T>,
) -> Array2<f64> {
    Array2::from_shape_fn(c.dim(), |(i, j)| {
        let sum: f64 = (0..a.ncols()).map(|k| a[[i, k]].as_f64() * b[[k, j]].as_f64()).sum();
        let before = if epilogue.beta == T::zero() { 0.0 } else { epilogue.beta.as_f64() * c[[i, j]].as_f64() };
        let bias = match epilogue.bias {
            Bias::None => 0.0,
            Bias::PerRow(bias) => bias[i].as_f64(),
            Bias::PerColumn(bias) => bias[j].as_f64(),
        };
        epilogue.activation.apply(epilogue.alpha.as_f64() * sum + before + bias)
    })
}

/// Dimensions around the tiles' and blocks' sizes, 0 and 1 included.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0_usize..20, 2 => 20_usize..70, 1 => 140_usize..150, 1 => Just(16_usize), 1 => Just(48)]
}

fn depth() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0_usize..20, 1 => 60_usize..130, 1 => 380_usize..390, 1 => Just(800_usize)]
}

#[derive(Clone, Debug)]
struct Case {
    m: usize,
    k: usize,
    n: usize,
    /// How each of the three arrays is laid out.
    layouts: [usize; 3],
    alpha: f64,
    beta: f64,
    bias: usize,
    activation: usize,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let factor = || prop_oneof![Just(1.0), Just(0.0), Just(-0.5)];
    (
        length(),
        depth(),
        length(),
        prop::array::uniform3(0..common::LAYOUTS),
        factor(),
        factor(),
        0..3_usize,
        0..4_usize,
        any::<u64>(),
    )
        .prop_map(|(m, k, n, layouts, alpha, beta, bias, activation, seed)| Case {
            m,
            k,
            n,
            layouts,
            alpha,
            beta,
            bias,
            activation,
            seed,
        })
}

fn check_product<T: Real>(case: &Case) {
    let &Case { m, k, n, layouts, seed, .. } = case;
    let a = arrange(numbers::<T>(&[m, k], seed), layouts[0]);
    let b = arrange(numbers::<T>(&[k, n], seed ^ 1), layouts[1]);
    let before = numbers::<T>(&[m, n], seed ^ 2);
    let (row_bias, column_bias) = (numbers::<T>(&[m], seed ^ 3), numbers::<T>(&[n], seed ^ 4));
    let bias = match case.bias {
        0 => Bias::None,
        1 => Bias::PerRow(row_bias.as_slice().unwrap()),
        _ => Bias::PerColumn(column_bias.as_slice().unwrap()),
    };
    let activation = ACTIVATIONS[case.activation];
    let epilogue = Epilogue { alpha: T::of(case.alpha), beta: T::of(case.beta), bias, activation };
    let (a, b) = (a.view(), b.view());
    let (a, b) = (a.into_dimensionality().unwrap(), b.into_dimensionality().unwrap());
    let expected = reference(&epilogue, a, b, before.view().into_dimensionality().unwrap());
    for level in LEVELS {
        let mut results = Vec::new();
        for pool in [&Serial as &dyn Pool, &Threads(3)] {
            let mut c = arrange(before.clone(), layouts[2]);
            if case.beta == 0.0 {
                c.view_mut().fill(T::nan());
            }
            let mut scratch = Scratch::default();
            let mut tools = Tools { scratch: &mut scratch, pool, level };
            let mut out = c.view_mut().into_dimensionality().unwrap();
            gemm::gemm(epilogue, a, b, &mut out, &mut tools).unwrap();
            results.push(out.to_owned());
        }
        assert_eq!(results[0], results[1], "{level:?}: threads change the result");
        assert_close(results[0].view().into_dyn(), expected.view().into_dyn(), k, level);
    }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn products_agree_with_loops(case in case()) {
        check_product::<f32>(&case);
        check_product::<f64>(&case);
    }
}

#[test]
fn large_products_agree_whatever_the_blocks_and_threads() {
    // More than one block of rows, columns and terms, and enough work for several threads.
    for (m, k, n, layout) in
        [(300, 900, 90, 0), (90, 400, 1100, 1), (7, 1000, 1030, 2), (150, 390, 600, 4), (45, 830, 140, 0)]
    {
        let case = Case {
            m,
            k,
            n,
            layouts: [layout, 1 - layout.min(1), 0],
            alpha: 1.0,
            beta: 1.0,
            bias: 2,
            activation: 1,
            seed: 9,
        };
        check_product::<f32>(&case);
        check_product::<f64>(&case);
    }
}

#[test]
fn long_sums_with_few_results_leave_no_thread_without_a_tile() {
    // The weight gradient of a narrow layer on a large batch: work for many threads, and hardly a tile to give them.
    for (m, n) in [(4, 3), (3, 4), (12, 8), (1, 40), (40, 1), (13, 17)] {
        let (a, b) = (numbers::<f32>(&[m, 60_000], 1), numbers::<f32>(&[60_000, n], 2));
        let (a, b) = (a.view().into_dimensionality().unwrap(), b.view().into_dimensionality().unwrap());
        for level in LEVELS {
            let results: Vec<_> = [1, 2, 3, 4, 8, 16]
                .map(|threads| {
                    let (mut scratch, pool) = (Scratch::default(), Threads(threads));
                    let mut tools = Tools { scratch: &mut scratch, pool: &pool, level };
                    let mut c = ndarray::Array2::<f32>::zeros((m, n));
                    gemm::gemm(Epilogue::assign(), a, b, &mut c, &mut tools).unwrap();
                    c
                })
                .into();
            assert!(results.iter().all(|c| c == results[0]), "{m} x {n} {level:?}: threads change the result");
        }
    }
}

#[test]
fn a_part_of_a_product_has_the_bits_of_the_whole() {
    // Whatever tile an element falls into, its sum is formed in the same order.
    let (a, b) = (numbers::<f32>(&[61, 700], 1), numbers::<f32>(&[700, 83], 2));
    let (a, b) = (a.into_dimensionality().unwrap(), b.into_dimensionality().unwrap());
    let whole = gemm::product_of(ArrayView2::from(&a), ArrayView2::from(&b)).unwrap();
    for (rows, columns) in [(0..1, 0..83), (3..20, 5..6), (7..61, 11..40), (60..61, 82..83)] {
        let (a, b) = (a.slice(ndarray::s![rows.clone(), ..]), b.slice(ndarray::s![.., columns.clone()]));
        let part = gemm::product_of(a, b).unwrap();
        assert_eq!(part, whole.slice(ndarray::s![rows, columns]));
    }
}

#[test]
fn in_place_equals_allocating_and_scratch_is_given_back() {
    let (a, b) = (numbers::<f32>(&[40, 30], 1), numbers::<f32>(&[30, 50], 2));
    let (a, b) = (a.into_dimensionality().unwrap(), b.into_dimensionality().unwrap());
    let mut scratch = Scratch::default();
    let mut c = Array2::from_elem((40, 50), f32::NAN);
    let mut held = 0;
    for _ in 0..3 {
        gemm::gemm(Epilogue::assign(), a.view(), b.view(), &mut c, &mut Tools::new(&mut scratch, &Serial)).unwrap();
        assert!(held == 0 || held == scratch.free_bytes());
        held = scratch.free_bytes();
    }
    assert!(held > 0);
    assert_eq!(c, gemm::product_of(a.view(), b.view()).unwrap());
}

#[test]
fn nan_and_infinity_pass_through() {
    let mut a = Array2::<f32>::ones((5, 9));
    a[[3, 4]] = f32::NAN;
    a[[1, 0]] = f32::INFINITY;
    let c = gemm::product_of(a.view(), Array2::ones((9, 20)).view()).unwrap();
    for ((i, _), &x) in c.indexed_iter() {
        assert!(match i {
            3 => x.is_nan(),
            1 => x == f32::INFINITY,
            _ => x == 9.0,
        });
    }
}

#[test]
fn misfits_are_named() {
    let (a, b) = (Array2::<f32>::zeros((2, 3)), Array2::<f32>::zeros((4, 5)));
    let error = gemm::product_of(a.view(), b.view()).unwrap_err();
    assert_eq!(error.to_string(), "matmul: expected [3, _] on the right of [2, 3], got shape [4, 5]");
    // No elements, and a product of more than there can be.
    let (tall, wide) = (Array2::<f32>::zeros((1 << 40, 0)), Array2::zeros((0, 1 << 40)));
    assert!(matches!(gemm::product_of(tall.view(), wide.view()), Err(Error::Shape { .. })));
    let (tall, wide) = (tall.into_dyn(), wide.into_dyn());
    let product = Eager::default().forward(&MatMul::default(), &[tall.view(), wide.view()]);
    assert!(matches!(product, Err(Error::Shape { .. })));
    let mut scratch = Scratch::default();
    let mut tools = Tools { scratch: &mut scratch, pool: &Serial, level: Level::Portable };
    let mut c = Array2::zeros((2, 2));
    let b = Array2::<f32>::zeros((3, 5));
    assert!(gemm::gemm(Epilogue::assign(), a.view(), b.view(), &mut c, &mut tools).is_err());
    let mut c = Array2::zeros((2, 5));
    let epilogue = Epilogue::assign().then(Bias::PerColumn(&[0.0; 4]), Activation::Identity);
    let error = gemm::gemm(epilogue, a.view(), b.view(), &mut c, &mut tools).unwrap_err();
    assert_eq!(error.to_string(), "matmul: expected a bias [5], got shape [4]");

    let shape = |op: &dyn Op<f32>, inputs: &[&[usize]]| op.out_shape(inputs);
    let matmul = &MatMul { transpose_a: true, transpose_b: false };
    assert_eq!(shape(matmul, &[&[7, 3, 2], &[1, 3, 5]]), Ok(IxDyn(&[7, 2, 5])));
    assert!(matches!(shape(matmul, &[&[2, 3], &[3, 5]]), Err(Error::Shape { op: "matmul", .. })));
    assert!(matches!(shape(matmul, &[&[3], &[3, 5]]), Err(Error::Shape { .. })));
    assert!(matches!(shape(matmul, &[&[2, 3, 2], &[4, 3, 5]]), Err(Error::Shape { .. })));
    assert!(matches!(shape(matmul, &[&[3, 2]]), Err(Error::Arity { .. })));
    let linear = &Linear::default();
    assert_eq!(shape(linear, &[&[4, 2, 3], &[5, 3], &[5]]), Ok(IxDyn(&[4, 2, 5])));
    let error = shape(linear, &[&[32, 10], &[64, 32]]).unwrap_err();
    assert_eq!(error.to_string(), "linear: expected [.., 32], got shape [32, 10]");
    assert!(shape(linear, &[&[32, 10], &[64, 10], &[63]]).is_err());
    assert!(shape(linear, &[&[], &[64, 10]]).is_err());
    assert!(shape(linear, &[&[3, 10], &[10]]).is_err());
    assert!(shape(linear, &[&[3, 10]]).is_err());
}

/// What an operation makes of inputs.
fn forward(op: &dyn Op<f64>, inputs: &[ArrayViewD<'_, f64>]) -> ArrayD<f64> {
    let shapes: Vec<&[usize]> = inputs.iter().map(|x| x.shape()).collect();
    let mut out = ArrayD::from_elem(op.out_shape(&shapes).unwrap(), f64::NAN);
    let mut scratch = Scratch::default();
    let mut cx = Cx { scratch: &mut scratch, pool: &Threads(2), training: true, key: Key::new(0), first_sample: 0 };
    op.forward(inputs, &mut out, &mut Saved::default(), &mut cx).unwrap();
    out
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn stacks_are_broadcast(
        axes in prop::collection::vec((0_usize..3, 0..3_usize), 0..3),
        drop in 0_usize..3,
        [m, k, n] in [0_usize..5, 0..5, 0..5],
        [transpose_a, transpose_b, drop_a] in any::<[bool; 3]>(),
        layouts in prop::array::uniform2(0..common::LAYOUTS),
        seed in any::<u64>(),
    ) {
        // Each axis is shared, or 1 in one of the two; one factor may lack some axes in front.
        let mut a_shape: Vec<usize> = axes.iter().map(|&(len, one)| if one == 1 { 1 } else { len }).collect();
        let mut b_shape: Vec<usize> = axes.iter().map(|&(len, one)| if one == 2 { 1 } else { len }).collect();
        let dropped = if drop_a { &mut a_shape } else { &mut b_shape };
        dropped.drain(..drop.min(axes.len()));
        a_shape.extend(if transpose_a { [k, m] } else { [m, k] });
        b_shape.extend(if transpose_b { [n, k] } else { [k, n] });
        let op = MatMul { transpose_a, transpose_b };
        let a = arrange(numbers::<f64>(&a_shape, seed), layouts[0]);
        let b = arrange(numbers::<f64>(&b_shape, seed ^ 1), layouts[1]);
        let c = forward(&op, &[a.view(), b.view()]);

        let element = |x: &ArrayViewD<'_, f64>, index: &[usize], i: usize, j: usize, transposed: bool| {
            let leading = x.ndim() - 2;
            let mut at: Vec<usize> = index[index.len() - leading..].iter().zip(x.shape()).map(|(&i, &len)| i.min(len - 1)).collect();
            at.extend(if transposed { [j, i] } else { [i, j] });
            x[&at[..]]
        };
        for (index, &got) in c.indexed_iter() {
            let index = index.as_array_view().to_vec();
            let (leading, last) = index.split_at(index.len() - 2);
            let expected: f64 = (0..k)
                .map(|k| element(&a.view(), leading, last[0], k, transpose_a) * element(&b.view(), leading, k, last[1], transpose_b))
                .sum();
            prop_assert!((got - expected).abs() < 1e-12);
        }
        check::op(&op, &[a.view().to_owned(), b.view().to_owned()]).map_err(|e| TestCaseError::fail(e.to_string()))?;
    }

    #[test]
    fn linear_has_its_gradient(
        leading in prop::collection::vec(0_usize..4, 0..3),
        [n_in, n_out] in [0_usize..6, 0..6],
        with_bias in any::<bool>(),
        activation in 0..4_usize,
        seed in any::<u64>(),
    ) {
        let shape: Vec<usize> = leading.iter().copied().chain([n_in]).collect();
        let op = Linear::new(ACTIVATIONS[activation]);
        let mut inputs = vec![numbers::<f64>(&shape, seed), numbers(&[n_out, n_in], seed ^ 1)];
        if with_bias {
            inputs.push(numbers(&[n_out], seed ^ 2));
        }
        let views: Vec<_> = inputs.iter().map(|x| x.view()).collect();
        let out = forward(&op, &views);
        for (index, &got) in out.indexed_iter() {
            let index = index.as_array_view().to_vec();
            let (&o, leading) = index.split_last().unwrap();
            let mut at = leading.to_vec();
            at.push(0);
            let sum: f64 = (0..n_in).map(|k| { at[leading.len()] = k; inputs[0][&at[..]] * inputs[1][[o, k]] }).sum();
            let expected = op.activation.apply(sum + inputs.get(2).map_or(0.0, |b| b[o]));
            prop_assert!((got - expected).abs() < 1e-12);
        }
        // The kink of a ReLU: a sum within a step of 0 has no derivative to compare with.
        if op.activation != Activation::Relu || forward(&Linear::default(), &views).iter().all(|x| x.abs() > 1e-3) {
            check::op(&op, &inputs).map_err(|e| TestCaseError::fail(e.to_string()))?;
        }
    }
}

#[test]
fn large_operations_have_their_gradients() {
    // Enough work for threads, and sums over several blocks.
    let (x, w, b) = (numbers(&[70, 500], 1), numbers(&[40, 500], 2), numbers(&[40], 3));
    check::op(&Linear::new(Activation::Tanh), &[x.clone(), w * 0.05, b]).unwrap();
    check::op(&MatMul { transpose_a: false, transpose_b: true }, &[x, numbers(&[30, 500], 4)]).unwrap();
    check::op(&MatMul::default(), &[numbers(&[6, 1, 20, 40], 5), numbers(&[3, 40, 30], 6)]).unwrap();
}

#[test]
fn the_level_in_use_is_one_of_those_tested() {
    assert!(LEVELS.contains(&simd::level()));
}
