//! Dropout: what is dropped, how much of it, and on what that depends.

use crate::support;

use gradwise_autograd::check::Check;
use gradwise_core::{ArrayRefD, Cx, Key, Op, Real, Saved, Scratch, Serial};
use gradwise_tensor::dropout::Dropout;
use gradwise_tensor::eager::Eager;
use ndarray::{ArrayD, Axis, Slice};
use proptest::prelude::*;
use support::{cases, consistent, random, run};

/// Training forward of a part of a batch that starts at `first_sample`.
fn dropped(op: &Dropout, x: &ArrayRefD<f32>, key: Key, first_sample: usize) -> ArrayD<f32> {
    let (mut out, mut scratch) = (ArrayD::from_elem(x.raw_dim(), f32::NAN), Scratch::default());
    let mut cx = Cx { scratch: &mut scratch, pool: &Serial, training: true, key, first_sample };
    op.forward(&[x.view()], &mut out, &mut Saved::default(), &mut cx).unwrap();
    out
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn gradients(shape in prop::collection::vec(0_usize..6, 0..4), rate in 0.0..1.0, training: bool) {
        let (op, x) = (Dropout::new(rate).unwrap(), [random(&shape, 1)]);
        Check::new().training(training).op(&op, &x).unwrap();
        consistent(&op, &op, &x, 1e-3);
    }

    #[test]
    fn a_draw_depends_on_the_sample_alone(len in 1_usize..600, n in 2_usize..6, split in 1_usize..5, seed: u64) {
        let (op, x, key) = (Dropout::new(0.5).unwrap(), ArrayD::ones(vec![n, len]), Key::new(seed));
        let split = split.min(n - 1);
        let whole = dropped(&op, &x, key, 0);
        let part = |from: usize, to: usize| x.slice_axis(Axis(0), Slice::from(from..to)).to_owned();
        let parts = [dropped(&op, &part(0, split), key, 0), dropped(&op, &part(split, n), key, split)];
        let joined = ndarray::concatenate(Axis(0), &[parts[0].view(), parts[1].view()]).unwrap();
        prop_assert_eq!(joined, whole);
    }
}

/// The share that is dropped, of all elements, of each position and of neighbours together, is what independence gives.
#[test]
fn frequencies() {
    for rate in [0.1, 0.25, 0.5, 0.8] {
        let (op, n, len) = (Dropout::new(rate).unwrap(), 2000, 300);
        let y = dropped(&op, &ArrayD::ones(vec![n, len]), Key::new(3), 0);
        let zero = |y: f32| f64::from(u8::from(y == 0.0));
        let within = |count: f64, of: usize, p: f64| {
            let deviations = (count - of as f64 * p) / (of as f64 * p * (1.0 - p)).sqrt();
            assert!(deviations.abs() < 5.0, "{rate}: {count} of {of} for {p}: {deviations} standard deviations");
        };
        within(y.iter().map(|&y| zero(y)).sum(), n * len, rate);
        let y = y.into_shape_with_order((n, len)).unwrap();
        for column in y.columns() {
            within(column.iter().map(|&y| zero(y)).sum(), n, rate);
        }
        for distance in [1, 2, 3, 4, 8, 64, 256] {
            let pairs = y.rows().into_iter().flat_map(|row| {
                (0..len - distance).map(|j| zero(row[j]) * zero(row[j + distance])).collect::<Vec<_>>()
            });
            within(pairs.sum(), n * (len - distance), rate * rate);
        }
        let samples = (0..n - 1).map(|i| (0..len).map(|j| zero(y[[i, j]]) * zero(y[[i + 1, j]])).sum::<f64>());
        within(samples.sum(), (n - 1) * len, rate * rate);
    }
}

#[test]
fn what_is_kept_is_divided_by_its_probability() {
    let op = Dropout::new(0.3).unwrap();
    assert!((op.rate() - 0.3).abs() < 1.0 / 65_536.0);
    let scale = (1.0 / (1.0 - op.rate())) as f32;
    let x = random(&[50, 70], 1).mapv(|x| x as f32 + 5.0);
    let y = dropped(&op, &x, Key::new(1), 0);
    assert!(x.iter().zip(&y).all(|(x, y)| *y == 0.0 || *y == x * scale));
    assert!(y.iter().any(|&y| y == 0.0) && y.iter().any(|&y| y != 0.0));
    assert_ne!(y, dropped(&op, &x, Key::new(2), 0));
}

#[test]
fn nothing_is_dropped_in_evaluation_or_at_rate_zero() {
    fn unchanged<T: Real>(eager: &mut Eager<'_, T>, rate: f64) {
        let x = random(&[6, 70], 1).mapv(T::of);
        let results = run(eager, &Dropout::new(rate).unwrap(), std::slice::from_ref(&x));
        assert_eq!(results[0], x);
        assert_eq!(results[1], random(&[6, 70], 99).mapv(T::of));
    }
    unchanged::<f32>(&mut Eager::default(), 0.9);
    unchanged::<f64>(&mut Eager::default().training(true), 0.0);
}

#[test]
fn what_is_dropped_is_zero_whatever_it_was() {
    for bad in [f32::NAN, f32::INFINITY] {
        let y = dropped(&Dropout::new(0.5).unwrap(), &ArrayD::from_elem(vec![4, 100], bad), Key::new(1), 0);
        assert!(y.iter().any(|&y| y == 0.0) && y.iter().all(|&y| y == 0.0 || !y.is_finite()));
    }
}

#[test]
fn large_arrays_are_consistent() {
    let op = Dropout::new(0.4).unwrap();
    consistent(&op, &op, &[random(&[37, 5000], 1)], 1e-5);
}

#[test]
fn rates_are_checked_and_rounded_inwards() {
    for bad in [-0.1, 1.0, 1.5, f64::NAN, f64::INFINITY] {
        assert!(Dropout::new(bad).unwrap_err().to_string().starts_with("dropout: rate: expected a number in [0, 1)"));
    }
    assert_eq!(Dropout::new(0.0).unwrap().rate(), 0.0);
    assert_eq!(Dropout::new(0.5).unwrap().rate(), 0.5);
    assert!(Dropout::new(1e-9).unwrap().rate() > 0.0);
    assert!(Dropout::new(1.0 - 1e-9).unwrap().rate() < 1.0);
}
