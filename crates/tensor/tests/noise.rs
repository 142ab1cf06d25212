//! Noise in training: what is drawn, how much of it, on what that depends; recurrent layers and learned slopes.

use crate::support;

use gradwise_autograd::check::{self, Check};
use gradwise_core::{ArrayRefD, Cx, Error, Key, Op, Saved, Scratch, Serial};
use gradwise_tensor::eager::Eager;
use gradwise_tensor::noise::{
    AlphaDropout, BlockDropout, ChannelDropout, GaussianDropout, GaussianNoise, RandomizedLeakyRelu, SampleDropout,
    WeightDropout,
};
use gradwise_tensor::recurrent::{Gru, Lstm, SimpleRnn};
use gradwise_tensor::{Dropout, PRelu};
use ndarray::{ArrayD, Axis, Slice, arr2};
use proptest::prelude::*;
use support::{cases, consistent, random};

/// Every operation of the module that takes arrays `[samples, channels, height, width]`.
fn all() -> Vec<(&'static str, Box<dyn Op<f64>>, Box<dyn Op<f32>>)> {
    macro_rules! ops {
        ($($op:expr),*) => { vec![$((stringify!($op), Box::new($op) as _, Box::new($op) as _)),*] };
    }
    ops![
        ChannelDropout::new(0.3).unwrap(),
        SampleDropout::new(0.3).unwrap(),
        AlphaDropout::new(0.3).unwrap(),
        WeightDropout::new(0.3).unwrap(),
        GaussianDropout::new(0.3).unwrap(),
        GaussianNoise::new(0.3).unwrap(),
        BlockDropout::new(0.3, 2).unwrap(),
        RandomizedLeakyRelu::default()
    ]
}

/// Forward of a part of a batch that starts at `first_sample`.
fn forward(op: &dyn Op<f64>, x: &ArrayRefD<f64>, key: Key, first_sample: usize) -> ArrayD<f64> {
    let (mut out, mut scratch) = (ArrayD::from_elem(x.raw_dim(), f64::NAN), Scratch::default());
    let mut cx = Cx { scratch: &mut scratch, pool: &Serial, training: true, key, first_sample };
    op.forward(&[x.view()], &mut out, &mut Saved::default(), &mut cx).unwrap();
    out
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn gradients_and_consistency(n in 1_usize..4, c in 1_usize..4, h in 1_usize..5, w in 1_usize..5) {
        let x = [random(&[n, c, h, w], 1)];
        for (name, double, single) in all() {
            for training in [true, false] {
                prop_assert!(Check::new().training(training).op(&*double, &x).is_ok(), "{name}");
            }
            consistent(&*single, &*double, &x, 1e-4);
        }
    }

    #[test]
    fn a_draw_depends_on_the_sample_alone(c in 1_usize..4, h in 1_usize..9, n in 2_usize..6, split in 1_usize..5, seed: u64) {
        let (x, key, split) = (random(&[n, c, h, h], seed), Key::new(seed), split.min(n - 1));
        for (name, op, _) in all().into_iter().filter(|(name, ..)| !name.starts_with("Weight")) {
            let part = |from: usize, to: usize| x.slice_axis(Axis(0), Slice::from(from..to)).to_owned();
            let parts = [forward(&*op, &part(0, split), key, 0), forward(&*op, &part(split, n), key, split)];
            let joined = ndarray::concatenate(Axis(0), &[parts[0].view(), parts[1].view()]).unwrap();
            prop_assert_eq!(joined, forward(&*op, &x, key, 0), "{}", name);
        }
    }

    #[test]
    fn recurrent_layers(n in 1_usize..4, steps in 0_usize..5, features in 1_usize..4, h in 1_usize..4, seed: u64, bias: bool) {
        let ops: [(usize, Box<dyn Op<f64>>, Box<dyn Op<f32>>); 3] = [
            (1, Box::new(SimpleRnn::default()), Box::new(SimpleRnn::default())),
            (4, Box::new(Lstm::default()), Box::new(Lstm::default())),
            (3, Box::new(Gru::default()), Box::new(Gru::default())),
        ];
        for (gates, double, single) in ops {
            let shapes = [vec![n, steps, features], vec![gates * h, features], vec![gates * h, h], vec![gates * h], vec![gates * h]];
            let inputs: Vec<_> = shapes.iter().zip(seed..).take(if bias { 5 } else { 3 }).map(|(s, i)| random(s, i)).collect();
            check::op(&*double, &inputs).unwrap();
            consistent(&*single, &*double, &inputs, 1e-3);
        }
    }

    #[test]
    fn learned_slopes(shape in prop::collection::vec(0_usize..6, 2..5), seed: u64) {
        let inputs = [random(&shape, seed), random(&[shape[1]], !seed)];
        check::op(&PRelu, &inputs).unwrap();
        consistent(&PRelu, &PRelu, &inputs, 1e-4);
    }
}

#[test]
fn evaluation_changes_nothing() {
    let x = random(&[2, 3, 4, 4], 1);
    for (name, op, _) in all().into_iter().filter(|(name, ..)| !name.starts_with("Randomized")) {
        assert_eq!(Eager::default().forward(&*op, &[x.view()]).unwrap().0, x, "{name}");
    }
    let rates: [&dyn Op<f64>; 3] =
        [&ChannelDropout::new(0.0).unwrap(), &BlockDropout::new(0.0, 3).unwrap(), &GaussianNoise::new(0.0).unwrap()];
    for op in rates {
        assert_eq!(forward(op, &x, Key::new(1), 0), x);
    }
}

/// In training the mean is what evaluation gives, and the spread what the rate says.
#[test]
fn moments() {
    let (n, len) = (400, 36);
    let x = ArrayD::ones(vec![n, 4, 3, 3]);
    let (p, elements) = (0.3, (n * len) as f64);
    let odds = p / (1.0 - p);
    // Independent draws, and the variance of each.
    let cases: [(&dyn Op<f64>, f64, f64); 6] = [
        (&Dropout::new(p).unwrap(), elements, odds),
        (&ChannelDropout::new(p).unwrap(), elements / 9.0, odds),
        (&SampleDropout::new(p).unwrap(), n as f64, odds),
        (&WeightDropout::new(p).unwrap(), elements, odds),
        (&GaussianDropout::new(p).unwrap(), elements, odds),
        (&GaussianNoise::new(0.7).unwrap(), elements, 0.49),
    ];
    for (op, draws, variance) in cases {
        let y = forward(op, &x, Key::new(5), 0);
        let mean = y.mean().unwrap();
        assert!((mean - 1.0).abs() < 5.0 * (variance / draws).sqrt(), "{}: mean {mean}", op.name());
        let spread = y.var(0.0);
        // The variance of a sample's variance is below 4 v² (1 + v) / n for these distributions.
        assert!(
            (spread - variance).abs() < 5.0 * 2.0 * variance * ((1.0 + variance) / draws).sqrt(),
            "{}: {spread}",
            op.name()
        );
    }
    // Normal numbers are not only of the right variance.
    let noise = forward(&GaussianNoise::new(1.0).unwrap(), &ArrayD::zeros(vec![100, 400]), Key::new(2), 0);
    for (bound, share) in [(-2.0, 0.022_75), (-1.0, 0.158_66), (0.0, 0.5), (1.0, 0.841_34), (2.0, 0.977_25)] {
        let below = noise.iter().filter(|x| **x < bound).count() as f64 / 40_000.0;
        assert!((below - share).abs() < 5.0 * (share * (1.0 - share) / 40_000.0_f64).sqrt(), "{below} below {bound}");
    }
}

#[test]
fn what_belongs_together_is_dropped_together() {
    let x = ArrayD::ones(vec![50, 8, 5, 5]);
    let is_uniform = |values: &[f64]| values.iter().all(|value| *value == values[0]);
    let y = forward(&ChannelDropout::new(0.5).unwrap(), &x, Key::new(1), 0);
    assert!(y.as_slice().unwrap().chunks(25).all(is_uniform));
    assert!(!y.as_slice().unwrap().chunks(200).all(is_uniform));
    let y = forward(&SampleDropout::new(0.5).unwrap(), &x, Key::new(1), 0);
    assert!(y.as_slice().unwrap().chunks(200).all(is_uniform));
    let kept = y.iter().filter(|y| **y == 2.0).count();
    assert!(kept > 0 && kept < y.len() && y.iter().all(|y| [0.0, 2.0].contains(y)));
}

#[test]
fn blocks_are_squares_and_keep_the_sum() {
    let (n, size) = (200, 12);
    let x = ArrayD::ones(vec![n, 1, size, size]);
    let op = BlockDropout::new(0.2, 3).unwrap();
    let y = forward(&op, &x, Key::new(7), 0);
    let mut dropped = 0;
    for map in y.outer_iter() {
        assert!((map.sum() - 144.0).abs() < 1e-9);
        let at = |row: usize, column: usize| map[[0, row, column]] == 0.0;
        for (row, column) in
            (0..size).flat_map(|row| (0..size).map(move |column| (row, column))).filter(|&(r, c)| at(r, c))
        {
            dropped += 1;
            // It lies in a square of 3 by 3 that is dropped as a whole.
            let corners = |i: usize| i.saturating_sub(2)..=i.min(size - 3);
            let whole = |top: usize, left: usize| (0..9).all(|i| at(top + i / 3, left + i % 3));
            assert!(corners(row).any(|top| corners(column).any(|left| whole(top, left))));
        }
    }
    // Squares overlap, so that somewhat less than the rate is dropped.
    let share = dropped as f64 / y.len() as f64;
    assert!(share > 0.15 && share < 0.2, "{share}");
    // A square larger than the map drops all of it or nothing.
    let y = forward(&BlockDropout::new(0.5, 9).unwrap(), &ArrayD::ones(vec![64, 1, 2, 3]), Key::new(1), 0);
    assert!(y.as_slice().unwrap().chunks(6).all(|map| map.iter().all(|y| *y == map[0])));
    assert!(y.iter().any(|y| *y == 0.0) && y.iter().any(|y| *y == 1.0));
}

#[test]
fn alpha_dropout_keeps_mean_and_variance() {
    let key = Key::new(4);
    let x = forward(&GaussianNoise::new(1.0).unwrap(), &ArrayD::zeros(vec![200, 400]), key, 0);
    for rate in [0.05, 0.3, 0.6] {
        let y = forward(&AlphaDropout::new(rate).unwrap(), &x, key.with(1), 0);
        let (mean, variance) = (y.mean().unwrap(), y.var(0.0));
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{rate}: {mean} {variance}");
    }
}

#[test]
fn weights_are_dropped_alike_for_every_part_of_a_batch() {
    let (op, x) = (WeightDropout::new(0.5).unwrap(), random(&[6, 7], 3));
    assert_eq!(forward(&op, &x, Key::new(1), 0), forward(&op, &x, Key::new(1), 40));
    let y = forward(&op, &ArrayD::ones(vec![6, 7]), Key::new(1), 0);
    assert!(y.outer_iter().skip(1).any(|row| row != y.index_axis(Axis(0), 0)), "each row draws its own");
}

#[test]
fn dropped_values_are_gone_even_if_they_were_not_finite() {
    let x = ArrayD::from_elem(vec![40, 2, 1, 1], f64::NAN);
    for op in [&ChannelDropout::new(0.5).unwrap() as &dyn Op<f64>, &BlockDropout::new(0.5, 1).unwrap()] {
        let y = forward(op, &x, Key::new(1), 0);
        assert!(y.iter().any(|y| *y == 0.0) && y.iter().any(|y| y.is_nan()));
    }
}

#[test]
fn slopes_are_drawn_in_training_within_their_range() {
    let op = RandomizedLeakyRelu::new(0.1, 0.3).unwrap();
    let y = forward(&op, &ArrayD::from_elem(vec![20, 100], -1.0), Key::new(1), 0);
    assert!(y.iter().all(|y| (-0.3..=-0.1).contains(y)) && (y.mean().unwrap() + 0.2).abs() < 0.01);
    let x = arr2(&[[-1.0, 2.0]]).into_dyn();
    assert_eq!(Eager::default().forward(&op, &[x.view()]).unwrap().0, arr2(&[[-0.2, 2.0]]).into_dyn());
}

#[test]
fn mistakes_are_named() {
    for bad in [-0.1, 1.0, f64::NAN] {
        assert!(
            ChannelDropout::new(bad).is_err() && SampleDropout::new(bad).is_err() && AlphaDropout::new(bad).is_err()
        );
        assert!(
            WeightDropout::new(bad).is_err()
                && GaussianDropout::new(bad).is_err()
                && BlockDropout::new(bad, 2).is_err()
        );
    }
    assert!(GaussianNoise::new(-1.0).is_err() && GaussianNoise::new(f64::INFINITY).is_err());
    let error = BlockDropout::new(0.1, 0).unwrap_err().to_string();
    assert_eq!(error, "block_dropout: size: expected at least 1, got 0");
    assert!(RandomizedLeakyRelu::new(0.3, 0.1).is_err() && RandomizedLeakyRelu::new(f64::NAN, 0.1).is_err());
    let shape = |op: &dyn Op<f64>, shapes: &[&[usize]]| op.out_shape(shapes).unwrap_err();
    assert!(matches!(shape(&ChannelDropout::new(0.1).unwrap(), &[&[3]]), Error::Shape { .. }));
    assert!(matches!(shape(&BlockDropout::new(0.1, 1).unwrap(), &[&[3, 2, 2]]), Error::Shape { .. }));
    assert!(matches!(shape(&PRelu, &[&[3, 2], &[3]]), Error::Shape { .. }));
    assert!(matches!(shape(&Lstm::default(), &[&[3, 2, 2], &[8, 2]]), Error::Arity { .. }));
    assert!(matches!(shape(&Lstm::default(), &[&[3, 2, 2], &[8, 3], &[8, 2]]), Error::Shape { .. }));
    assert!(matches!(shape(&Gru::default(), &[&[3, 2, 2], &[8, 2], &[8, 2]]), Error::Shape { .. }));
    assert!(matches!(shape(&Gru::default(), &[&[3, 2], &[6, 2], &[6, 2]]), Error::Shape { .. }));
    assert!(matches!(shape(&Gru::default(), &[&[3, 2, 2], &[6, 2], &[6, 2], &[6], &[5]]), Error::Shape { .. }));
}
