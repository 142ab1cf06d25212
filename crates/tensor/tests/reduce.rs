//! Reductions against folds spelled out, and against finite differences.

use crate::support;

use gradwise_autograd::check;
use gradwise_core::{Error, Op, Real, Serial};
use gradwise_tensor::reduce::{AxisSet, Fold, Reduction, fold, reduce, reduce_into};
use gradwise_tensor::{Axes, Eager, LogSumExp, Max, Mean, Min, Prod, Sum, Variance};
use ndarray::{Array1, ArrayD, Dimension, IxDyn, arr1, arr2};
use proptest::prelude::*;
use support::{Threads, assert_close, cases, consistent, random, strided};

trait Both: Op<f32> + Op<f64> {}
impl<O: Op<f32> + Op<f64>> Both for O {}

/// Every reduction over these axes, and its formula for the elements that go into one number. `None` where it has no meaning.
fn all(axes: &Axes, keep: bool) -> Vec<(Box<dyn Both>, fn(&[f64]) -> Option<f64>)> {
    fn mean(x: &[f64]) -> Option<f64> {
        (!x.is_empty()).then(|| x.iter().sum::<f64>() / x.len() as f64)
    }
    fn squares(x: &[f64]) -> f64 {
        mean(x).map_or(0.0, |mean| x.iter().map(|x| (x - mean).powi(2)).sum())
    }
    vec![
        (Box::new(Sum::new(axes.clone(), keep)), |x| Some(x.iter().sum())),
        (Box::new(Mean::new(axes.clone(), keep)), mean),
        (Box::new(Max::new(axes.clone(), keep)), |x| x.iter().copied().reduce(f64::max)),
        (Box::new(Min::new(axes.clone(), keep)), |x| x.iter().copied().reduce(f64::min)),
        (Box::new(Variance::new(axes.clone(), keep, 0)), |x| (!x.is_empty()).then(|| squares(x) / x.len() as f64)),
        (Box::new(Variance::new(axes.clone(), keep, 1)), |x| (x.len() > 1).then(|| squares(x) / (x.len() - 1) as f64)),
        (Box::new(LogSumExp::new(axes.clone(), keep)), |x| Some(x.iter().map(|x| x.exp()).sum::<f64>().ln())),
        (Box::new(Prod::new(axes.clone(), keep)), |x| Some(x.iter().product())),
    ]
}

/// The elements that go into each output, for axes that are kept with length 1.
fn groups(x: &ArrayD<f64>, axes: &[usize]) -> ArrayD<Vec<f64>> {
    let mut shape = x.raw_dim();
    axes.iter().for_each(|&axis| shape[axis] = 1);
    let mut groups = ArrayD::from_elem(shape, Vec::new());
    for (mut index, &x) in x.indexed_iter() {
        axes.iter().for_each(|&axis| index[axis] = 0);
        groups[index].push(x);
    }
    groups
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn reductions_match_their_formulas_and_differences(
        shape in prop::collection::vec(0..4_usize, 0..5), mask in 0..32_usize, keep: bool, seed in 0..1000_u64,
    ) {
        let axes: Vec<usize> = (0..shape.len()).rev().filter(|axis| mask >> axis & 1 == 1).collect();
        let x = random(&shape, seed);
        let groups = groups(&x, &axes);
        let mut reduced = shape.clone();
        for &axis in &axes {
            // From the last to the first, so that removing one leaves the others where they are.
            if keep {
                reduced[axis] = 1;
            } else {
                reduced.remove(axis);
            }
        }
        for (op, formula) in all(&Axes::from(&axes[..]), keep) {
            let name = Op::<f64>::name(&*op);
            let expected: Option<Vec<f64>> = groups.iter().map(|group| formula(group)).collect();
            let got = Op::<f64>::out_shape(&*op, &[&shape]);
            let Some(expected) = expected else {
                let refused = matches!(got, Err(Error::Shape { .. }));
                prop_assert!(refused, "{name} of nothing gives {got:?}");
                continue;
            };
            let got = got.unwrap();
            prop_assert_eq!(got.slice(), &reduced[..], "{}", name);
            let expected = ArrayD::from_shape_vec(got, expected).unwrap();
            for x in [x.clone(), strided(&x)] {
                let (y, _) = Eager::<f64>::default().forward(&*op, &[x.view()]).unwrap();
                if expected.iter().any(|y| y.is_infinite()) {
                    prop_assert_eq!(&y, &expected, "{}", name);
                    continue;
                }
                assert_close(name, &y, &expected, 1e-12);
            }
            if expected.iter().all(|y| y.is_finite()) {
                let checked = check::op(&*op, std::slice::from_ref(&x));
                prop_assert!(checked.is_ok(), "{name} {shape:?} {axes:?}: {}", checked.unwrap_err());
            }
        }
    }
}

#[test]
fn reductions_agree_in_both_precisions_any_layout_and_any_number_of_threads() {
    // Every pattern of kept and reduced axes, with rows beyond one block and runs beyond one set of lanes.
    for (shape, axes) in [
        (&[300, 301][..], Axes::All),
        (&[300, 301], Axes::from(0)),
        (&[300, 301], Axes::from(1)),
        (&[17, 5, 900], Axes::from([0, 2])),
        (&[17, 900, 5], Axes::from(1)),
        (&[9, 11, 13, 41], Axes::from([1, 3])),
        (&[9, 11, 13, 41], Axes::from([0, 2])),
        (&[3, 4], Axes::from(vec![])),
    ] {
        for (op, _) in all(&axes, false) {
            let name = Op::<f64>::name(&*op);
            // A long product leaves the range of numbers: it is tried with factors close to 1.
            let x = random(shape, 5).mapv(|x| if name == "prod" { 1.0 + x / 256.0 } else { x });
            if Op::<f64>::out_shape(&*op, &[shape]).is_ok() {
                consistent(&*op, &*op, &[x.mapv(|x| f64::from(x as f32))], 1e-4);
            }
        }
    }
}

#[test]
fn nothing_has_a_sum_but_no_mean() {
    let empty = ArrayD::<f64>::zeros(IxDyn(&[2, 0]));
    assert_eq!(reduce(&Serial, &Sum::new(1, false), &empty).unwrap(), arr1(&[0.0, 0.0]).into_dyn());
    assert_eq!(reduce(&Serial, &Prod::new(1, false), &empty).unwrap(), arr1(&[1.0, 1.0]).into_dyn());
    assert_eq!(reduce(&Serial, &LogSumExp::new(1, false), &empty).unwrap(), arr1(&[f64::NEG_INFINITY; 2]).into_dyn());
    for refused in [
        reduce(&Serial, &Mean::new(1, false), &empty),
        reduce(&Serial, &Max::new(1, false), &empty),
        reduce(&Serial, &Min::new(1, false), &empty),
        reduce(&Serial, &Variance::new(1, false, 0), &empty),
    ] {
        assert!(matches!(refused, Err(Error::Shape { .. })));
    }
    // Where there is no output, there is nothing to refuse.
    assert_eq!(reduce(&Serial, &Max::new(0, false), &empty).unwrap().shape(), [0]);
    let error = reduce(&Serial, &Variance::all(1), &arr1(&[1.0])).unwrap_err();
    assert_eq!(error.to_string(), "variance: expected more than 1 elements along the reduced axes, got shape [1]");
}

#[test]
fn axes_are_checked() {
    let shape = |axes: Axes| Op::<f32>::out_shape(&Sum { axes, keep: false }, &[&[2, 3]]);
    assert_eq!(shape(Axes::from([0, 2])), Err(Error::Index { op: "sum", index: 2, bound: 2, position: 1 }));
    assert!(matches!(shape(Axes::from([1, 1])), Err(Error::Value { .. })));
    assert_eq!(shape(Axes::from([1, 0])).unwrap(), IxDyn(&[]));
    assert!(matches!(Op::<f32>::out_shape(&Sum::all(), &[&[1; 65]]), Err(Error::Shape { .. })));
    let mut out = arr1(&[0.0; 2]);
    assert!(matches!(
        reduce_into(&Serial, &Sum::new(0, false), &arr2(&[[1.0; 3]; 2]), &mut out),
        Err(Error::Shape { .. })
    ));
}

fn gradient<R: Reduction<f64> + Op<f64>>(op: &R, x: &ArrayD<f64>) -> ArrayD<f64> {
    let mut eager = Eager::default();
    let (y, saved) = eager.forward(op, &[x.view()]).unwrap();
    eager.backward(op, &[x.view()], &y, &saved, &ArrayD::ones(y.raw_dim())).unwrap().remove(0)
}

#[test]
fn ties_share_the_gradient_evenly() {
    let x = arr2(&[[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]).into_dyn();
    let third = 1.0 / 3.0;
    assert_eq!(gradient(&Max::new(1, false), &x), arr2(&[[0.0, 0.5, 0.5], [third; 3]]).into_dyn());
    assert_eq!(gradient(&Min::new(1, false), &x), arr2(&[[1.0, 0.0, 0.0], [third; 3]]).into_dyn());
}

#[test]
fn products_with_zeros_have_their_gradients() {
    let x = arr2(&[[2.0, 0.0, 3.0], [0.0, 5.0, 0.0], [2.0, 3.0, 4.0]]).into_dyn();
    let expected = arr2(&[[0.0, 6.0, 0.0], [0.0, 0.0, 0.0], [12.0, 8.0, 6.0]]).into_dyn();
    assert_eq!(gradient(&Prod::new(1, false), &x), expected);
}

#[test]
fn nan_is_never_lost() {
    for at in [0, 3, 9, 20] {
        let mut x = Array1::from_elem(21, 1.0);
        x[at] = f64::NAN;
        for (op, _) in all(&Axes::All, false) {
            let (y, _) = Eager::<f64>::default().forward(&*op, &[x.view().into_dyn()]).unwrap();
            assert!(y.iter().all(|y| y.is_nan()), "{} with NaN at {at}", Op::<f64>::name(&*op));
        }
    }
}

#[test]
fn extremes_of_infinities() {
    let inf = f64::INFINITY;
    let lse = |x: &[f64]| reduce(&Serial, &LogSumExp::all(), &arr1(x)).unwrap()[IxDyn(&[])];
    assert_eq!((lse(&[-inf, -inf]), lse(&[inf, 0.0]), lse(&[-inf, 3.0])), (-inf, inf, 3.0));
    assert!((lse(&[1000.0, 1000.0]) - (1000.0 + 2.0_f64.ln())).abs() < 1e-12);
    assert_eq!(gradient(&LogSumExp::all(), &arr1(&[-inf, -inf]).into_dyn()), arr1(&[0.0, 0.0]).into_dyn());
}

#[test]
fn single_precision_keeps_its_digits_in_long_sums() {
    let x = Array1::from_elem(1 << 22, 0.1_f32);
    let (sum, mean) = (reduce(&Serial, &Sum::all(), &x).unwrap(), reduce(&Serial, &Mean::all(), &x).unwrap());
    assert_eq!(sum[IxDyn(&[])], (f64::from(0.1_f32) * f64::from(1 << 22)) as f32);
    assert_eq!(mean[IxDyn(&[])], 0.1);
    // Far from zero, a variance by E[x²] - E[x]² would be lost altogether.
    let x = Array1::from_shape_fn(10_000, |i| 1e4 + (i % 2) as f32);
    let variance = reduce(&Serial, &Variance::all(0), &x).unwrap()[IxDyn(&[])];
    assert!((variance - 0.25).abs() < 1e-6, "{variance}");
}

#[test]
fn a_fold_of_ones_own_runs_on_the_same_engine() {
    /// The number of positive elements.
    struct Positive;
    impl<T: Real> Fold<T> for Positive {
        type Acc = u32;
        fn start(&self) -> u32 {
            0
        }
        fn step(&self, acc: u32, x: T, _: T) -> u32 {
            acc + u32::from(x > T::zero())
        }
        fn merge(&self, a: u32, b: u32) -> u32 {
            a + b
        }
        fn finish(&self, acc: u32, n: usize, _: T) -> T {
            T::of(f64::from(acc) / n as f64)
        }
    }
    let x = random(&[40, 50, 60], 1);
    let share = x.iter().filter(|x| **x > 0.0).count() as f64 / x.len() as f64;
    for pool in [1, 2, 3] {
        let mut out = [f64::NAN];
        let slice = x.as_slice().unwrap();
        fold(&Threads(pool), &Positive, slice, x.shape(), AxisSet::of(0..3), &mut out);
        assert_eq!(out, [share]);
    }
}
