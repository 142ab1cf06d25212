//! Functions of one and two numbers against their formulas, and against finite differences.

use crate::support;

use gradwise_autograd::check;
use gradwise_core::{Error, Key, Needs, Op, Real, Scratch, Serial, Slot};
use gradwise_tensor::elementwise::{
    self, Binary, Unary, map, map_backward_mut, map_into, map_mut, zip, zip_into, zip_mut,
};
use gradwise_tensor::{
    Abs, Add, AddScalar, Clamp, Cos, Div, Eager, Elu, Erf, Exp, Expm1, Gelu, GeluTanh, HardSigmoid, HardSwish,
    LeakyRelu, Ln, Log1p, LogSigmoid, LogSoftmax, Map, Map2, Maximum, Minimum, Mish, Mul, Neg, Pow, PowScalar,
    Reciprocal, Relu, Rsqrt, Scale, Selu, Sigmoid, Silu, Sin, Softmax, Softplus, Softsign, Sqrt, Square, Sub, Tanh,
    broadcast, math,
};
use ndarray::{ArrayD, Axis, IxDyn, Zip, arr1, arr2};
use proptest::prelude::*;
use support::{Threads, assert_close, cases, consistent, random, strided};

/// An operation for both number types.
trait Both: Op<f32> + Op<f64> {}
impl<O: Op<f32> + Op<f64>> Both for O {}

/// Where a function is tried: within bounds, at least 0.05 from its kinks.
#[derive(Clone, Copy)]
struct Domain(f64, f64, &'static [f64]);

impl Domain {
    /// Numbers that single precision holds exactly.
    fn array(self, shape: &[usize], seed: u64) -> ArrayD<f64> {
        let Domain(low, high, kinks) = self;
        let key = Key::new(seed);
        let mut i = 0;
        ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            i += 1;
            let x = low + (high - low) * key.uniform(i);
            let near = kinks.iter().any(|kink| (x - kink).abs() < 0.05);
            f64::from((if near { x + 0.1 } else { x }) as f32)
        })
    }
}

const ANY: Domain = Domain(-3.0, 3.0, &[]);
const KINK: Domain = Domain(-3.0, 3.0, &[0.0]);
const POSITIVE: Domain = Domain(0.2, 4.0, &[]);

/// Every function of one number, where to try it, and its formula.
fn unary() -> Vec<(Box<dyn Both>, Domain, fn(f64) -> f64)> {
    fn erf_by_integration(x: f64) -> f64 {
        // Simpson's rule.
        let (n, f) = (2000, |t: f64| (-t * t).exp());
        let h = x / f64::from(n);
        let inner: f64 = (1..n).map(|i| f(h * f64::from(i)) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
        std::f64::consts::FRAC_2_SQRT_PI * h / 3.0 * (f(0.0) + inner + f(x))
    }
    const SQUEEZE: Domain = Domain(-5.0, 5.0, &[-3.0, 3.0]);
    vec![
        (Box::new(Neg), ANY, |x| -x),
        (Box::new(Abs), KINK, f64::abs),
        (Box::new(Square), ANY, |x| x * x),
        (Box::new(Sqrt), POSITIVE, f64::sqrt),
        (Box::new(Rsqrt), POSITIVE, |x| 1.0 / x.sqrt()),
        (Box::new(Exp), ANY, f64::exp),
        (Box::new(Expm1), ANY, f64::exp_m1),
        (Box::new(Ln), POSITIVE, f64::ln),
        (Box::new(Log1p), Domain(-0.8, 4.0, &[]), f64::ln_1p),
        (Box::new(Sin), ANY, f64::sin),
        (Box::new(Cos), ANY, f64::cos),
        (Box::new(Reciprocal), POSITIVE, |x| 1.0 / x),
        (Box::new(Erf), ANY, erf_by_integration),
        (Box::new(Scale { factor: -2.5 }), ANY, |x| -2.5 * x),
        (Box::new(AddScalar { term: 1.25 }), ANY, |x| x + 1.25),
        (Box::new(PowScalar { exponent: 3.0 }), ANY, |x| x * x * x),
        (Box::new(PowScalar { exponent: 0.0 }), ANY, |_| 1.0),
        (Box::new(PowScalar { exponent: 1.0 }), ANY, |x| x),
        (Box::new(PowScalar { exponent: -2.0 }), POSITIVE, |x| 1.0 / (x * x)),
        (Box::new(PowScalar { exponent: 1.5 }), POSITIVE, |x| x.powf(1.5)),
        (Box::new(Tanh), ANY, f64::tanh),
        (Box::new(Sigmoid), ANY, |x| 1.0 / (1.0 + (-x).exp())),
        (Box::new(LogSigmoid), ANY, |x| (1.0 / (1.0 + (-x).exp())).ln()),
        (Box::new(Relu), KINK, |x| x.max(0.0)),
        (Box::new(LeakyRelu::new(0.1).unwrap()), KINK, |x| if x > 0.0 { x } else { 0.1 * x }),
        (Box::new(LeakyRelu::new(-0.5).unwrap()), KINK, |x| if x > 0.0 { x } else { -0.5 * x }),
        (Box::new(LeakyRelu::new(0.0).unwrap()), KINK, |x| x.max(0.0)),
        (Box::new(Elu::new(1.5).unwrap()), KINK, |x| if x > 0.0 { x } else { 1.5 * (x.exp() - 1.0) }),
        (Box::new(Selu), KINK, |x| {
            1.050_700_987_355_480_5 * if x > 0.0 { x } else { 1.673_263_242_354_377_2 * (x.exp() - 1.0) }
        }),
        (Box::new(Gelu), ANY, |x| 0.5 * x * (1.0 + erf_by_integration(x / 2.0_f64.sqrt()))),
        (Box::new(GeluTanh), ANY, |x| {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
        }),
        (Box::new(Silu), ANY, |x| x / (1.0 + (-x).exp())),
        (Box::new(Mish), ANY, |x| x * (1.0 + x.exp()).ln().tanh()),
        (Box::new(Softplus), ANY, |x| (1.0 + x.exp()).ln()),
        (Box::new(Softsign), ANY, |x| x / (1.0 + x.abs())),
        (Box::new(HardSigmoid), SQUEEZE, |x| (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        (Box::new(HardSwish), SQUEEZE, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        (Box::new(Clamp::new(-1.0, 2.0).unwrap()), Domain(-3.0, 3.0, &[-1.0, 2.0]), |x| x.clamp(-1.0, 2.0)),
    ]
}

fn name(op: &dyn Both) -> &'static str {
    Op::<f64>::name(op)
}

#[test]
fn unary_functions_match_their_formulas() {
    for (op, domain, formula) in unary() {
        let x = domain.array(&[7, 11], 1);
        let (y, _) = Eager::<f64>::default().forward(&*op, &[x.view()]).unwrap();
        assert_close(name(&*op), &y, &x.mapv(formula), 1e-12);
    }
}

#[test]
fn unary_gradients_match_differences() {
    for (op, domain, _) in unary() {
        for shape in [&[][..], &[0], &[1], &[19], &[3, 4], &[2, 0, 3], &[2, 1, 5]] {
            let x = domain.array(shape, 2);
            check::op(&*op, &[x]).unwrap_or_else(|failure| panic!("{} {shape:?}: {failure}", name(&*op)));
        }
    }
}

/// A grid in steps that meet the kinks; the extremes of smooth functions are so flat that it comes near enough.
#[test]
fn slopes_are_within_their_range_and_fill_it() {
    fn slopes(f: &impl Unary<f64>) -> (&'static str, [f64; 2]) {
        let x = (-40_960..=40_960).map(|i| f64::from(i) / 1024.0);
        let slopes = x.map(|x| f.derivative(x, f.forward(x)));
        let range = slopes.fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], slope| [a.min(slope), b.max(slope)]);
        (f.name(), range)
    }
    let clamp = Clamp::HARD_TANH;
    let elu = Elu::new(1.0).unwrap();
    let found = [
        [slopes(&Sigmoid), slopes(&LogSigmoid), slopes(&Tanh)],
        [slopes(&Relu), slopes(&elu), slopes(&Selu)],
        [slopes(&Gelu), slopes(&GeluTanh), slopes(&Silu)],
        [slopes(&Mish), slopes(&Softplus), slopes(&Softsign)],
        [slopes(&HardSigmoid), slopes(&HardSwish), slopes(&clamp)],
    ];
    for ((name, [least, most]), (stated, range)) in found.as_flattened().iter().zip(elementwise::SLOPES) {
        assert_eq!((*name, elementwise::slopes_of(name)), (stated, Some(range)));
        // Softsign's slope falls like 1/x², and is at most 1/41² at the end of the grid.
        assert!(range[0] - 1e-12 <= *least && *least < range[0] + 1e-3, "{name}: {least}");
        assert!(range[1] + 1e-12 >= *most && *most > range[1] - 1e-3, "{name}: {most}");
    }
    assert_eq!(elementwise::slopes_of("leaky_relu"), None);
}

#[test]
fn unary_functions_agree_in_both_precisions_any_layout_and_any_number_of_threads() {
    for (op, domain, _) in unary() {
        // Large enough to be split.
        consistent(&*op, &*op, &[domain.array(&[211, 313], 3)], 2e-5);
    }
}

#[test]
fn a_function_of_ones_own_takes_three_lines() {
    struct Cube;
    impl<T: Real> Unary<T> for Cube {
        fn name(&self) -> &'static str {
            "cube"
        }
        fn forward(&self, x: T) -> T {
            x * x * x
        }
        fn derivative(&self, x: T, _: T) -> T {
            T::of(3.0) * x * x
        }
    }
    struct Hypot;
    impl<T: Real> Binary<T> for Hypot {
        fn name(&self) -> &'static str {
            "hypot"
        }
        fn forward(&self, a: T, b: T) -> T {
            a.hypot(b)
        }
        fn left(&self, a: T, _: T, y: T) -> T {
            a / y
        }
        fn right(&self, _: T, b: T, y: T) -> T {
            b / y
        }
    }
    check::op(&Map(Cube), &[ANY.array(&[3, 2], 4)]).unwrap();
    check::op(&Map2(Hypot), &[POSITIVE.array(&[3, 2], 4), POSITIVE.array(&[2], 5)]).unwrap();
}

#[test]
fn kinks_have_the_stated_derivative_and_nan_stays() {
    fn at<F: Unary<f64>>(f: &F, x: f64) -> f64 {
        f.derivative(x, f.forward(x))
    }
    assert_eq!(at(&Relu, 0.0), 0.0);
    assert_eq!(at(&Relu, -0.0), 0.0);
    assert_eq!(at(&Abs, 0.0), 0.0);
    assert_eq!(at(&LeakyRelu::new(0.1).unwrap(), 0.0), 0.1);
    assert_eq!(at(&Elu::new(0.5).unwrap(), 0.0), 0.5);
    let clamp = Clamp::new(-1.0, 1.0).unwrap();
    assert_eq!((at(&clamp, -1.0), at(&clamp, 0.5), at(&clamp, 1.0)), (0.0, 1.0, 0.0));
    assert_eq!((at(&HardSigmoid, -3.0), at(&HardSigmoid, 3.0)), (0.0, 1.0 / 6.0));
    assert_eq!((at(&HardSwish, -3.0), at(&HardSwish, 3.0)), (0.0, 1.5));

    for (op, ..) in unary() {
        if name(&*op) == "pow_scalar" {
            continue; // x⁰ is 1 for any x, by IEEE 754
        }
        let nan = arr1(&[f32::NAN; 3]).into_dyn();
        let mut eager = Eager::<f32>::default();
        let (y, saved) = eager.forward(&*op, &[nan.view()]).unwrap();
        assert!(y.iter().all(|y| y.is_nan()), "{} hides a NaN", name(&*op));
        let grad = ArrayD::ones(y.raw_dim());
        let grads = eager.backward(&*op, &[nan.view()], &y, &saved, &grad).unwrap();
        assert!(grads[0].iter().all(|g| g.is_nan() || *g != 0.0), "{} stops a NaN's gradient", name(&*op));
    }
}

#[test]
fn activations_are_finite_or_at_their_limit_far_out() {
    for (op, limits) in [
        (&Gelu as &dyn Both, [0.0, f64::INFINITY]),
        (&GeluTanh, [0.0, f64::INFINITY]),
        (&Silu, [0.0, f64::INFINITY]),
        (&Mish, [0.0, f64::INFINITY]),
        (&HardSwish, [0.0, f64::INFINITY]),
        (&Softplus, [0.0, f64::INFINITY]),
        (&Sigmoid, [0.0, 1.0]),
        (&Tanh, [-1.0, 1.0]),
        (&Softsign, [-1.0, 1.0]),
        (&LogSigmoid, [f64::NEG_INFINITY, 0.0]),
    ] {
        let x = arr1(&[f64::NEG_INFINITY, f64::INFINITY]).into_dyn();
        let (y, saved) = Eager::<f64>::default().forward(op, &[x.view()]).unwrap();
        assert_eq!(y, arr1(&limits).into_dyn(), "{}", name(op));
        let ones = ArrayD::ones(y.raw_dim());
        let grads = Eager::<f64>::default().backward(op, &[x.view()], &y, &saved, &ones).unwrap();
        assert!(grads[0].iter().all(|g| (0.0..=1.0).contains(g)), "{}: {}", name(op), grads[0]);
    }
    // The left tail of GELU keeps its relative accuracy in single precision: Φ(-5) = 2.866515718791939e-7.
    let y = Unary::<f32>::forward(&Gelu, -5.0);
    assert!((f64::from(y) / (-5.0 * 2.866_515_718_791_939e-7) - 1.0).abs() < 1e-5);
}

#[test]
fn options_out_of_range_are_refused() {
    for slope in [f64::NAN, f64::INFINITY] {
        assert!(matches!(LeakyRelu::new(slope), Err(Error::Value { what: "leaky_relu: slope", .. })));
    }
    for alpha in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(Elu::new(alpha), Err(Error::Value { what: "elu: alpha", .. })));
    }
    for (min, max) in [(1.0, 0.0), (f64::NAN, 1.0), (0.0, f64::NAN)] {
        assert!(matches!(Clamp::new(min, max), Err(Error::Value { .. })));
    }
}

#[test]
fn arity_and_shapes_are_checked() {
    assert_eq!(Op::<f32>::out_shape(&Relu, &[]), Err(Error::Arity { op: "relu", expected: 1, got: 0 }));
    assert_eq!(Op::<f32>::out_shape(&Add, &[&[2]]), Err(Error::Arity { op: "add", expected: 2, got: 1 }));
    let error = Op::<f32>::out_shape(&Add, &[&[2, 3], &[2]]).unwrap_err();
    assert_eq!(error.to_string(), "add: expected a shape that broadcasts with [2, 3], got shape [2]");

    let (x, mut out) = (arr1(&[1.0, 2.0]), arr1(&[0.0; 3]));
    assert!(matches!(map_into(&Serial, &Relu, &x, &mut out), Err(Error::Shape { .. })));
    assert!(matches!(zip_into(&Serial, &Add, &x, &x, &mut out), Err(Error::Shape { .. })));
    assert!(matches!(zip_into(&Serial, &Add, &x, &x, &mut arr1(&[0.0])), Err(Error::Shape { .. })));
    assert!(matches!(zip_mut(&Serial, &Add, &mut arr1(&[1.0]), &x), Err(Error::Shape { .. })));
    assert!(matches!(map_backward_mut(&Serial, &Relu, &x, &x, &mut out), Err(Error::Shape { .. })));
}

#[test]
fn kernels_in_place_equal_allocating_in_any_layout() {
    let (x, grad) = (random(&[5, 6], 6), random(&[5, 6], 7));
    let expected = map(&Serial, &Tanh, &x);
    for x in [x.clone(), strided(&x)] {
        let mut y = x.clone();
        map_mut(&Serial, &Tanh, &mut y);
        assert_eq!(y, expected);
        // Neither the output nor the gradient need be in standard layout.
        let mut columns = strided(&ArrayD::from_elem(x.raw_dim(), f64::NAN));
        map_into(&Serial, &Tanh, &x, &mut columns).unwrap();
        assert_eq!(columns, expected);
        for mut grad in [grad.clone(), strided(&grad)] {
            let expected = Zip::from(&grad).and(&y).map_collect(|g, y| g * (1.0 - y * y));
            map_backward_mut(&Serial, &Tanh, &x, &y, &mut grad).unwrap();
            assert_eq!(grad, expected);
        }
    }
    // A view with gaps is changed where it is seen, and nowhere else.
    let mut wide = ArrayD::from_elem(IxDyn(&[4, 4]), 2.0);
    map_mut(&Serial, &Neg, &mut wide.slice_each_axis_mut(|_| ndarray::Slice::new(0, None, 2)));
    assert_eq!(wide.sum(), 12.0 * 2.0 - 4.0 * 2.0);

    let row = random(&[6], 8);
    let sum = zip(&Serial, &Add, &x, &row).unwrap();
    for mut a in [x.clone(), strided(&x)] {
        zip_mut(&Serial, &Add, &mut a, &row).unwrap();
        assert_eq!(a, sum);
        zip_mut(&Serial, &Sub, &mut a, &random(&[], 9)).unwrap();
    }
    let mut out = strided(&ArrayD::from_elem(sum.raw_dim(), f64::NAN));
    zip_into(&Serial, &Add, &x, &row, &mut out).unwrap();
    assert_eq!(out, sum);
    assert_eq!(elementwise::add(&x, &row).unwrap(), &x + &row);
    assert_eq!(elementwise::sub(&x, &row).unwrap(), &x - &row);
    assert_eq!(elementwise::mul(&x, &row).unwrap(), &x * &row);
    assert_eq!(elementwise::div(&x, &row).unwrap(), &x / &row);
}

/// Every function of two numbers, where to try each, and its formula.
fn binary() -> Vec<(Box<dyn Both>, [Domain; 2], fn(f64, f64) -> f64)> {
    // The ranges of a and b overlap, on values that are never equal or close.
    const LEFT: Domain = Domain(-2.0, 2.0, &[]);
    vec![
        (Box::new(Add), [ANY; 2], |a, b| a + b),
        (Box::new(Sub), [ANY; 2], |a, b| a - b),
        (Box::new(Mul), [ANY; 2], |a, b| a * b),
        (Box::new(Div), [ANY, POSITIVE], |a, b| a / b),
        (Box::new(Pow), [POSITIVE, ANY], f64::powf),
        (Box::new(Maximum), [LEFT, ANY], f64::max),
        (Box::new(Minimum), [LEFT, ANY], f64::min),
    ]
}

/// Two shapes that broadcast: some axes of either are 1, leading ones may be missing.
fn shapes() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    let axis = (0..4_usize, 0..4_usize).prop_map(|(len, which)| match which {
        0 => (len, 1),
        1 => (1, len),
        _ => (len, len),
    });
    (prop::collection::vec(axis, 0..4), 0..3_usize).prop_map(|(axes, missing)| {
        let (a, b): (Vec<usize>, Vec<usize>) = axes.into_iter().unzip();
        let b = b[missing.min(b.len())..].to_vec();
        if missing == 1 { (b, a) } else { (a, b) }
    })
}

/// Moves elements that are close to their partner away from it.
fn apart(a: &ArrayD<f64>, mut b: ArrayD<f64>) -> ArrayD<f64> {
    for (i, b) in b.iter_mut().enumerate() {
        // Multiples of 1/16 plus a 64th, against multiples of 1/16.
        *b = (*b * 16.0).round() / 16.0 + 1.0 / 64.0 + (i % 2) as f64 / 128.0;
    }
    assert!(a.iter().all(|a| (a * 16.0).fract() == 0.0));
    b
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn binary_functions_broadcast(shapes in shapes(), seed in 0..1000_u64) {
        let (a_shape, b_shape) = shapes;
        for (op, [left, right], formula) in binary() {
            let a = left.array(&a_shape, seed).mapv(|a| (a * 16.0).round() / 16.0);
            let b = apart(&a, right.array(&b_shape, seed + 1));
            let shape = Op::<f64>::out_shape(&*op, &[&a_shape, &b_shape]).unwrap();
            let expected = Zip::from(a.broadcast(shape.clone()).unwrap())
                .and(b.broadcast(shape).unwrap())
                .map_collect(|&a, &b| formula(a, b));
            let (y, _) = Eager::<f64>::default().forward(&*op, &[a.view(), b.view()]).unwrap();
            assert_close(name(&*op), &y, &expected, 1e-14);
            let checked = check::op(&*op, &[a.clone(), b.clone()]);
            prop_assert!(checked.is_ok(), "{} {a_shape:?} {b_shape:?}: {}", name(&*op), checked.unwrap_err());
        }
    }

    #[test]
    fn summing_to_a_shape_is_the_adjoint_of_broadcasting(shapes in shapes(), seed in 0..1000_u64) {
        let (small, other) = shapes;
        let large = broadcast::out_shape("test", &[&small, &other]).unwrap();
        let (x, y) = (random(&small, seed), random(ndarray::Dimension::slice(&large), seed + 1));
        let mut scratch = Scratch::default();
        let mut cx = gradwise_core::Cx {
            scratch: &mut scratch, pool: &Serial, training: false, key: Key::new(0), first_sample: 0,
        };
        let mut sum = ArrayD::from_elem(x.raw_dim(), f64::NAN);
        broadcast::sum_to("test", &y, &mut Slot { grad: &mut sum, first: true }, &mut cx).unwrap();
        // ⟨broadcast(x), y⟩ = ⟨x, sum(y)⟩
        let (left, right) = ((&x.broadcast(large).unwrap() * &y).sum(), (&x * &sum).sum());
        prop_assert!((left - right).abs() < 1e-10, "{left} {right}");
        let once = sum.clone();
        broadcast::sum_to("test", &y, &mut Slot { grad: &mut sum, first: false }, &mut cx).unwrap();
        prop_assert!((&sum - &(2.0 * once)).iter().all(|d| d.abs() < 1e-12));
    }

    #[test]
    fn softmax_is_the_formula(
        shape in prop::collection::vec(1..4_usize, 1..4), axis in 0..3_usize, offset in -800.0..800.0_f64, seed in 0..1000_u64,
    ) {
        let axis = axis.min(shape.len() - 1);
        let x = random(&shape, seed);
        let shifted = x.mapv(|x| x + offset); // softmax does not change, and must not overflow
        let exp = x.mapv(f64::exp);
        let expected = &exp / &exp.sum_axis(Axis(axis)).insert_axis(Axis(axis));
        let y = gradwise_tensor::softmax::softmax(&Serial, axis, &shifted).unwrap();
        assert_close("softmax", &y, &expected, 1e-12);
        let log = gradwise_tensor::softmax::log_softmax(&Serial, axis, &shifted).unwrap();
        assert_close("log_softmax", &log, &expected.mapv(f64::ln), 1e-11);
        check::op(&Softmax { axis }, std::slice::from_ref(&x)).unwrap();
        check::op(&LogSoftmax { axis }, std::slice::from_ref(&x)).unwrap();
    }
}

#[test]
fn binary_functions_agree_in_both_precisions_any_layout_and_any_number_of_threads() {
    let shape = [3, 61, 257];
    for (op, [left, right], _) in binary() {
        for other in [&shape[..], &[257], &[61, 1], &[3, 1, 257], &[]] {
            let a = left.array(&shape, 1).mapv(|a| (a * 16.0).round() / 16.0);
            let b = apart(&a, right.array(other, 2));
            consistent(&*op, &*op, &[a, b], 2e-4);
        }
    }
}

#[test]
fn softmax_agrees_in_both_precisions_any_layout_and_any_number_of_threads() {
    for shape in [&[130, 65, 7][..], &[2, 3, 70], &[500, 10], &[3, 0, 2], &[0, 4], &[1, 1]] {
        for axis in 0..shape.len() {
            consistent(&Softmax { axis }, &Softmax { axis }, &[random(shape, 3)], 1e-5);
            consistent(&LogSoftmax { axis }, &LogSoftmax { axis }, &[random(shape, 4)], 1e-5);
        }
    }
    let error = Op::<f32>::out_shape(&Softmax { axis: 2 }, &[&[3, 4]]).unwrap_err();
    assert_eq!(error, Error::Index { op: "softmax", index: 2, bound: 2, position: 0 });
    let masked = arr2(&[[f64::NEG_INFINITY, 0.0, 0.0]]);
    let half = arr2(&[[0.0, 0.5, 0.5]]);
    assert_eq!(gradwise_tensor::softmax::softmax(&Serial, 1, &masked).unwrap(), half);
    let nothing = arr1(&[f32::NEG_INFINITY; 2]);
    assert!(gradwise_tensor::softmax::softmax(&Serial, 0, &nothing).unwrap().iter().all(|y| y.is_nan()));
}

#[test]
fn ties_share_and_nan_wins() {
    for op in [&Maximum as &dyn Op<f64>, &Minimum] {
        let (a, b) = (arr1(&[1.0, f64::NAN, 0.0]).into_dyn(), arr1(&[1.0, 0.0, f64::NAN]).into_dyn());
        let mut eager = Eager::default();
        let (y, saved) = eager.forward(op, &[a.view(), b.view()]).unwrap();
        assert!(y[0] == 1.0 && y[1].is_nan() && y[2].is_nan());
        let grads = eager.backward(op, &[a.view(), b.view()], &y, &saved, &ArrayD::ones(y.raw_dim())).unwrap();
        assert_eq!((grads[0][0], grads[1][0]), (0.5, 0.5));
    }
}

#[test]
fn powers_of_zero_have_finite_gradients() {
    let (a, b) = (arr1(&[0.0, 0.0, 2.0]).into_dyn(), arr1(&[2.0, 0.0, 0.0]).into_dyn());
    let mut eager = Eager::<f64>::default();
    let (y, saved) = eager.forward(&Pow, &[a.view(), b.view()]).unwrap();
    let grads = eager.backward(&Pow, &[a.view(), b.view()], &y, &saved, &ArrayD::ones(y.raw_dim())).unwrap();
    assert_eq!(grads[0], arr1(&[0.0, 0.0, 0.0]).into_dyn());
    assert_eq!(grads[1], arr1(&[0.0, 0.0, 2.0_f64.ln()]).into_dyn());
}

#[test]
fn long_sums_over_repetitions_keep_their_digits() {
    // A bias that is added to 2¹⁹ rows: a running f32 sum of these gradients would be off in the third digit.
    let grad = ArrayD::from_elem(IxDyn(&[1 << 19, 3]), 0.1_f32);
    let mut scratch = Scratch::default();
    let pool = Threads(2);
    let mut cx =
        gradwise_core::Cx { scratch: &mut scratch, pool: &pool, training: true, key: Key::new(0), first_sample: 0 };
    let mut sum = ArrayD::zeros(IxDyn(&[3]));
    broadcast::sum_to("add", &grad, &mut Slot { grad: &mut sum, first: true }, &mut cx).unwrap();
    let expected = f64::from(0.1_f32) * f64::from(1 << 19);
    assert!(sum.iter().all(|&s| s == expected as f32), "{sum}");
}

#[test]
fn what_backward_keeps_is_stated() {
    // What these need decides how much memory a network takes.
    let needs = |op: &dyn Op<f32>| op.needs();
    for op in [&Relu as &dyn Op<f32>, &Sigmoid, &Tanh, &Elu::new(1.0).unwrap(), &LeakyRelu::new(0.1).unwrap(), &Exp] {
        assert_eq!(needs(op), Needs::OUTPUT, "{}", op.name());
    }
    for op in [&Add as &dyn Op<f32>, &Sub, &Neg, &Scale { factor: 2.0 }, &AddScalar { term: 1.0 }] {
        assert_eq!(needs(op), Needs::NOTHING, "{}", op.name());
    }
    assert_eq!(math::exp(0.0_f32), 1.0);
}

/// Every so many of all `f32`: all exponents, subnormal numbers included, both signs, NaN; and the edges.
fn all_floats() -> ArrayD<f32> {
    let edges =
        [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::MIN_POSITIVE, -f32::MIN_POSITIVE];
    // The exponentials' limits: the last results that are normal, subnormal, finite.
    let limits = [-87.4, -87.3, -88.7, -103.9, -104.0, 88.7, 88.73];
    (0..=u32::MAX)
        .step_by(20_011)
        .map(f32::from_bits)
        .chain(edges)
        .chain(limits)
        .collect::<ndarray::Array1<f32>>()
        .into_dyn()
}

/// The largest distance of `found` from `exact`, in units in the last place of what is exact, or of `floor` if that is larger.
fn worst_units(found: &ArrayD<f32>, exact: &ArrayD<f64>, floor: f64) -> f64 {
    let units = found.iter().zip(exact).map(|(&found, &exact)| {
        let nearest = exact as f32;
        if !nearest.is_finite() || !found.is_finite() {
            let alike = found == nearest || (found.is_nan() && nearest.is_nan());
            // Where the exact value is within rounding of the largest number, either side will do.
            let near_limit = exact.abs() > 0.999_999 * f64::from(f32::MAX) && exact.abs() < 3.5e38;
            return if alike || near_limit { 0.0 } else { f64::INFINITY };
        }
        let size = (nearest.abs() as f64).max(floor) as f32;
        let unit = f64::from(f32::from_bits((size.to_bits() + 1).min(f32::MAX.to_bits()))) - f64::from(size);
        (f64::from(found) - exact).abs() / unit.max(f64::from(f32::from_bits(1)))
    });
    units.fold(0.0, f64::max)
}

/// The accuracy that the documentation states, through the operations and so through the vector instructions in use; the double
/// precision that is compared with is held to many digits by other tests.
///
/// Derivatives that cross zero, or that are made from an output near its limit, are held to units in the last place of 1. Where a
/// logistic function or the like is subnormal, and its product with x need not be, what is lost shows in the product: it is held to
/// units of 10⁻³⁶. The tanh form of GELU magnifies the rounding of its argument, which is up to 90.
#[test]
fn single_precision_holds_on_the_whole_range_of_every_function() {
    const SMALL: f64 = 1e-36;
    let x = all_floats();
    let wide = x.mapv(f64::from);
    let mut misses = Vec::new();
    for (op, of_value, floor, of_gradient, gradient_floor) in [
        (&Exp as &dyn Both, 1.0, 0.0, 1.0, 0.0),
        (&Tanh, 3.0, 0.0, 2.0, 1.0),
        (&Sigmoid, 3.0, 0.0, 2.0, 1.0),
        (&Erf, 3.0, 0.0, 2.0, 1.0),
        (&Gelu, 9.0, 0.0, 2.0, 1.0),
        (&GeluTanh, 150.0, 0.0, 6.0, 1.0),
        (&Silu, 5.0, SMALL, 4.0, 1.0),
        (&Softplus, 4.0, 0.0, 4.0, 0.0),
        (&LogSigmoid, 4.0, 0.0, 4.0, 0.0),
        (&Mish, 9.0, SMALL, 12.0, 1.0),
    ] {
        let (y, saved) = Eager::<f32>::default().forward(op, &[x.view()]).unwrap();
        let (exact, exact_saved) = Eager::<f64>::default().forward(op, &[wide.view()]).unwrap();
        let units = worst_units(&y, &exact, floor);
        let grads = Eager::<f32>::default().backward(op, &[x.view()], &y, &saved, &ArrayD::ones(y.raw_dim())).unwrap();
        let ones = ArrayD::ones(y.raw_dim());
        let exact = Eager::<f64>::default().backward(op, &[wide.view()], &exact, &exact_saved, &ones).unwrap();
        let gradient = worst_units(&grads[0], &exact[0], gradient_floor);
        if units > of_value || gradient > of_gradient {
            misses.push(format!("{}: {units:.2} and {gradient:.2}", name(op)));
        }
    }
    assert!(misses.is_empty(), "units in the last place of value and gradient: {misses:?}");
}

#[test]
fn signed_zeros_keep_their_sign_where_the_function_is_odd() {
    let zeros = arr1(&[0.0_f32, -0.0]).into_dyn();
    for op in [&Tanh as &dyn Both, &Erf, &Gelu, &Silu, &Softsign, &Sin, &Expm1] {
        let (y, _) = Eager::<f32>::default().forward(op, &[zeros.view()]).unwrap();
        let signs: Vec<bool> = y.iter().map(|y| y.is_sign_negative()).collect();
        assert_eq!((y.sum(), &signs[..]), (0.0, &[false, true][..]), "{}", name(op));
    }
}
