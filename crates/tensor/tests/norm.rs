//! Normalization against its formulas and against finite differences.

use crate::support;

use gradwise_autograd::check;
use gradwise_core::{Cx, Error, Key, Op, Scratch, Serial};
use gradwise_tensor::eager::Eager;
use gradwise_tensor::norm::{BatchNorm, BatchNormInference, GroupNorm, LayerNorm, RmsNorm};
use ndarray::{ArrayD, Axis, IxDyn};
use proptest::prelude::*;
use support::{assert_close, cases, consistent, random, run};

const EPSILON: f64 = 1e-3;

/// Shapes `[samples, channels, …]` with at least two values a channel.
fn shapes() -> impl Strategy<Value = Vec<usize>> {
    let inner = prop_oneof![
        Just(vec![]),
        (2_usize..6).prop_map(|n| vec![n]),
        (1_usize..5, 2_usize..4).prop_map(|(h, w)| vec![h, w]),
        Just(vec![1, 1]),
    ];
    (2_usize..5, 1_usize..5, inner).prop_map(|(n, c, inner)| [vec![n, c], inner].concat())
}

/// The parameters as an array that broadcasts against `[samples, channels, …]`.
fn along_channels(p: &ArrayD<f64>, ndim: usize) -> ArrayD<f64> {
    let mut shape = vec![1; ndim];
    shape[1] = p.len();
    p.to_shape(shape).unwrap().to_owned()
}

/// `x` normalized over each of the groups of elements that `group_of` tells apart, by the formula.
fn normalized(x: &ArrayD<f64>, center: bool, group_of: impl Fn(&IxDyn) -> usize) -> ArrayD<f64> {
    let mut groups = vec![vec![]; x.len().max(1)];
    x.indexed_iter().for_each(|(index, &x)| groups[group_of(&index)].push(x));
    let statistics = |values: &Vec<f64>| {
        let n = values.len() as f64;
        let mean = if center { values.iter().sum::<f64>() / n } else { 0.0 };
        (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
    };
    let statistics: Vec<_> = groups.iter().map(statistics).collect();
    ArrayD::from_shape_fn(x.raw_dim(), |index| {
        let (mean, variance) = statistics[group_of(&index)];
        (x[&index] - mean) / (variance + EPSILON).sqrt()
    })
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn batch_norm(shape in shapes(), seed: u64, relu: bool, affine: bool) {
        let op = BatchNorm::new(EPSILON).unwrap().with_relu(relu);
        let (x, gamma, beta) = (random(&shape, seed), random(&shape[1..2], !seed), random(&shape[1..2], seed ^ 7));
        let mut expected = normalized(&x, true, |index| index[1]);
        let mut inputs = vec![x];
        if affine {
            expected = expected * along_channels(&gamma, shape.len()) + along_channels(&beta, shape.len());
            inputs.extend([gamma, beta]);
        }
        // Not within a step of the rectifier's kink.
        prop_assume!(!relu || expected.iter().all(|y| y.abs() > 1e-3));
        if relu {
            expected.mapv_inplace(|y| y.max(0.0));
        }
        assert_close("batch_norm", &run(&mut Eager::default(), &op, &inputs)[0], &expected, 1e-12);
        consistent(&op, &op, &inputs, 1e-3);
        check::op(&op, &inputs).unwrap();
    }

    #[test]
    fn batch_norm_onto_a_residual(shape in shapes(), seed: u64, relu: bool, affine: bool) {
        let op = BatchNorm::new(EPSILON).unwrap().with_relu(relu).with_residual(true);
        let (x, gamma, beta) = (random(&shape, seed), random(&shape[1..2], !seed), random(&shape[1..2], seed ^ 7));
        let residual = random(&shape, seed ^ 11);
        let mut expected = normalized(&x, true, |index| index[1]);
        let mut inputs = vec![x];
        if affine {
            expected = expected * along_channels(&gamma, shape.len()) + along_channels(&beta, shape.len());
            inputs.extend([gamma, beta]);
        }
        expected += &residual;
        inputs.push(residual);
        // Not within a step of the rectifier's kink.
        prop_assume!(!relu || expected.iter().all(|y| y.abs() > 1e-3));
        if relu {
            expected.mapv_inplace(|y| y.max(0.0));
        }
        assert_close("batch_norm", &run(&mut Eager::default(), &op, &inputs)[0], &expected, 1e-12);
        consistent(&op, &op, &inputs, 1e-3);
        check::op(&op, &inputs).unwrap();
    }

    #[test]
    fn batch_norm_inference(shape in shapes(), seed: u64, relu: bool, affine: bool) {
        let op = BatchNormInference::new(EPSILON).unwrap().with_relu(relu);
        let channels = &shape[1..2];
        let (x, mean) = (random(&shape, seed), random(channels, seed ^ 1));
        let variance = random(channels, seed ^ 2).mapv(|v| v.abs() + 0.2);
        let (gamma, beta) = (random(channels, seed ^ 3), random(channels, seed ^ 4));
        let along = |p: &ArrayD<f64>| along_channels(p, shape.len());
        let mut expected = (&x - &along(&mean)) / along(&variance.mapv(|v| (v + EPSILON).sqrt()));
        let mut inputs = vec![x, mean, variance];
        if affine {
            expected = expected * along(&gamma) + along(&beta);
            inputs.extend([gamma, beta]);
        }
        prop_assume!(!relu || expected.iter().all(|y| y.abs() > 1e-3));
        if relu {
            expected.mapv_inplace(|y| y.max(0.0));
        }
        assert_close("inference", &run(&mut Eager::default(), &op, &inputs)[0], &expected, 1e-12);
        consistent(&op, &op, &inputs, 1e-3);
        check::op(&op, &inputs).unwrap();
    }

    #[test]
    fn layer_and_rms_norm(shape in prop::collection::vec(1_usize..6, 1..4), axes in 1_usize..4, seed: u64, affine: bool) {
        let axes = axes.min(shape.len());
        let (lead, trail) = shape.split_at(shape.len() - axes);
        let row_of = |index: &IxDyn| lead.iter().enumerate().fold(0, |row, (axis, n)| row * n + index[axis]);
        let (x, gamma, beta) = (random(&shape, seed), random(trail, !seed), random(trail, seed ^ 7));

        let mut expected = normalized(&x, true, row_of);
        let mut inputs = vec![x.clone()];
        if affine {
            expected = expected * &gamma + &beta;
            inputs.extend([gamma.clone(), beta]);
        }
        let layer = LayerNorm::new(axes, EPSILON).unwrap();
        assert_close("layer_norm", &run(&mut Eager::default(), &layer, &inputs)[0], &expected, 1e-12);
        consistent(&layer, &layer, &inputs, 1e-3);
        check::op(&layer, &inputs).unwrap();

        let mut expected = normalized(&x, false, row_of);
        let mut inputs = vec![x];
        if affine {
            expected *= &gamma;
            inputs.push(gamma);
        }
        let rms = RmsNorm::new(axes, EPSILON).unwrap();
        assert_close("rms_norm", &run(&mut Eager::default(), &rms, &inputs)[0], &expected, 1e-12);
        consistent(&rms, &rms, &inputs, 1e-3);
        check::op(&rms, &inputs).unwrap();
    }

    #[test]
    fn group_norm(mut shape in shapes(), groups in 1_usize..4, seed: u64, affine: bool) {
        shape[1] *= groups;
        let op = GroupNorm::new(groups, EPSILON).unwrap();
        let (x, gamma, beta) = (random(&shape, seed), random(&shape[1..2], !seed), random(&shape[1..2], seed ^ 7));
        let width = shape[1] / groups;
        let mut expected = normalized(&x, true, |index| index[0] * groups + index[1] / width);
        let mut inputs = vec![x];
        if affine {
            expected = expected * along_channels(&gamma, shape.len()) + along_channels(&beta, shape.len());
            inputs.extend([gamma, beta]);
        }
        assert_close("group_norm", &run(&mut Eager::default(), &op, &inputs)[0], &expected, 1e-12);
        consistent(&op, &op, &inputs, 1e-3);
        check::op(&op, &inputs).unwrap();
    }
}

/// Batch norm makes its output again to the same bits, from what it saved.
#[test]
fn batch_norm_makes_its_output_again() {
    let (x, p) = (random(&[6, 5, 3, 7], 1), random(&[5], 2));
    for (residual, relu) in [(false, false), (false, true), (true, false), (true, true)] {
        let op = BatchNorm::new(EPSILON).unwrap().with_relu(relu).with_residual(residual);
        let op: &dyn Op<f64> = &op;
        let mut inputs = vec![x.view(), p.view(), p.view()];
        let more = random(x.shape(), 3);
        if residual {
            inputs.push(more.view());
        }
        let (y, saved) = Eager::default().forward(op, &inputs).unwrap();
        let mut again = ArrayD::zeros(y.raw_dim());
        let mut scratch = Scratch::default();
        let mut cx = Cx { scratch: &mut scratch, pool: &Serial, training: true, key: Key::new(0), first_sample: 0 };
        op.again(&inputs, &saved, &mut again, &mut cx).unwrap();
        assert_eq!(again, y);
    }
}

/// Sizes at which work is split between threads, channels come in several blocks, and sums in several chunks.
#[test]
fn large_arrays_are_consistent() {
    for shape in [&[300, 150][..], &[24, 10, 17, 19]] {
        let (x, p) = (random(shape, 1), random(&shape[1..2], 2));
        let variance = p.mapv(f64::abs);
        for relu in [false, true] {
            let batch = BatchNorm::new(EPSILON).unwrap().with_relu(relu);
            consistent(&batch, &batch, &[x.clone(), p.clone(), p.clone()], 2e-3);
            let onto = batch.with_residual(true);
            consistent(&onto, &onto, &[x.clone(), p.clone(), p.clone(), random(shape, 4)], 2e-3);
            let inference = BatchNormInference::new(EPSILON).unwrap().with_relu(relu);
            consistent(&inference, &inference, &[x.clone(), p.clone(), variance.clone(), p.clone(), p.clone()], 2e-3);
        }
        let group = GroupNorm::new(5, EPSILON).unwrap();
        consistent(&group, &group, &[x.clone(), p.clone(), p.clone()], 2e-3);
        let (layer, row) = (LayerNorm::new(shape.len() - 1, EPSILON).unwrap(), random(&shape[1..], 3));
        consistent(&layer, &layer, &[x.clone(), row.clone(), row.clone()], 2e-3);
        let rms = RmsNorm::new(shape.len() - 1, EPSILON).unwrap();
        consistent(&rms, &rms, &[x, row], 2e-3);
    }
}

#[test]
fn a_large_mean_costs_no_digits_of_the_variance() {
    // 4096 ± 1 is exact in f32, and so are the statistics.
    for shape in [&[1000, 3][..], &[10, 3, 100]] {
        let mut i = 0;
        let x = ArrayD::from_shape_fn(shape, |_| {
            i += 1;
            if (i / 3) % 2 == 0 { 4095.0_f32 } else { 4097.0 }
        });
        let (_, saved) = Eager::default().forward(&BatchNorm::new(1e-5).unwrap(), &[x.view()]).unwrap();
        for (mean, variance) in saved.arrays[0].iter().zip(&saved.arrays[1]) {
            assert!((mean - 4096.0).abs() < 0.2 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        }
    }
    let constant = ArrayD::from_elem(vec![4, 2, 3], 1e6_f32);
    let (y, _) = Eager::default().forward(&BatchNorm::new(1e-5).unwrap(), &[constant.view()]).unwrap();
    assert!(y.iter().all(|&y| y == 0.0));
}

#[test]
fn what_batch_norm_saves_makes_running_statistics() {
    let x = random(&[4, 3, 5], 1);
    let (_, saved) = Eager::default().forward(&BatchNorm::new(EPSILON).unwrap(), &[x.view()]).unwrap();
    let by_channel = x.permuted_axes(vec![1, 0, 2]).to_shape((3, 20)).unwrap().to_owned();
    assert_close("mean", &saved.arrays[0], &by_channel.mean_axis(Axis(1)).unwrap().into_dyn(), 1e-12);
    assert_close("variance", &saved.arrays[1], &by_channel.var_axis(Axis(1), 0.0).into_dyn(), 1e-12);
    assert_eq!(saved.arrays[4], ndarray::arr1(&[20.0]).into_dyn());
}

#[test]
fn not_a_number_stays_one() {
    let mut x = random(&[3, 2, 4], 1);
    x[[0, 1, 2]] = f64::NAN;
    let (y, _) = Eager::default().forward(&BatchNorm::new(EPSILON).unwrap().with_relu(true), &[x.view()]).unwrap();
    assert!(
        y.index_axis(Axis(1), 1).iter().all(|y| y.is_nan()) && y.index_axis(Axis(1), 0).iter().all(|y| y.is_finite())
    );
}

#[test]
fn empty_arrays_are_taken_where_the_formula_has_a_meaning() {
    let none = ArrayD::<f64>::zeros(vec![0, 3]);
    let parameters = ArrayD::ones(vec![3]);
    let inputs = [none.clone(), parameters.clone(), parameters.clone()];
    for op in [&LayerNorm::new(1, EPSILON).unwrap() as &dyn Op<f64>, &GroupNorm::new(3, EPSILON).unwrap()] {
        let results = run(&mut Eager::default(), op, &inputs);
        assert_eq!(results[0].shape(), [0, 3]);
        assert!(results[2].iter().all(|&g| g == 0.0));
    }
    let results = run(&mut Eager::default(), &BatchNormInference::new(EPSILON).unwrap(), &inputs);
    assert_eq!(results[1].shape(), [0, 3]);
    let no_channel =
        run(&mut Eager::default(), &BatchNorm::new(EPSILON).unwrap(), &[ArrayD::<f64>::zeros(vec![4, 0, 2])]);
    assert_eq!(no_channel[0].shape(), [4, 0, 2]);
}

#[test]
fn mistakes_are_named() {
    let shape = |op: &dyn Op<f64>, shapes: &[&[usize]]| op.out_shape(shapes).unwrap_err();
    let batch = BatchNorm::new(EPSILON).unwrap();
    let single = shape(&batch, &[&[1, 3]]).to_string();
    assert!(single.contains("more than one value a channel") && single.contains("[1, 3]"), "{single}");
    assert!(matches!(shape(&batch, &[&[4]]), Error::Shape { .. }));
    assert!(matches!(shape(&batch, &[&[4, 3], &[3]]), Error::Arity { expected: 3, got: 2, .. }));
    assert!(matches!(shape(&batch, &[&[4, 3], &[3], &[4]]), Error::Shape { .. }));
    assert!(matches!(shape(&batch, &[]), Error::Arity { .. }));
    let onto = batch.with_residual(true);
    assert!(matches!(shape(&onto, &[]), Error::Arity { expected: 4, got: 0, .. }));
    assert!(matches!(shape(&onto, &[&[4, 3]]), Error::Arity { expected: 4, got: 1, .. }));
    assert!(matches!(shape(&onto, &[&[4, 3], &[1, 3]]), Error::Shape { .. }));
    assert!(matches!(shape(&onto, &[&[4, 3], &[3], &[3], &[3]]), Error::Shape { .. }));
    assert!(matches!(shape(&LayerNorm::new(3, EPSILON).unwrap(), &[&[4, 3]]), Error::Shape { .. }));
    assert!(matches!(shape(&GroupNorm::new(2, EPSILON).unwrap(), &[&[4, 3]]), Error::Shape { .. }));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(BatchNorm::new(bad).is_err() && BatchNormInference::new(bad).is_err());
        assert!(LayerNorm::new(1, bad).is_err() && GroupNorm::new(1, bad).is_err() && RmsNorm::new(1, bad).is_err());
    }
    assert!(LayerNorm::new(0, EPSILON).is_err() && GroupNorm::new(0, EPSILON).is_err());
}

#[test]
fn batch_norm_of_many_channels_and_long_runs() {
    // More channels than a block has, columns that fill no vector, runs longer than a partial sum, and samples that share one.
    for shape in [&[3, 70][..], &[40, 131], &[5, 70, 3], &[2, 3, 1500], &[20, 2, 700], &[33, 9, 40]] {
        let (x, gamma, beta) = (random(shape, 1), random(&shape[1..2], 2), random(&shape[1..2], 3));
        let expected = normalized(&x, true, |index| index[1]) * along_channels(&gamma, shape.len())
            + along_channels(&beta, shape.len());
        let op = BatchNorm::new(EPSILON).unwrap();
        let inputs = [x, gamma, beta];
        assert_close("batch_norm", &run(&mut Eager::default(), &op, &inputs)[0], &expected, 1e-12);
        consistent(&op, &op, &inputs, 1e-3);
        check::op(&op, &inputs).unwrap();
    }
}
