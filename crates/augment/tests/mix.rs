//! Laws of mixup and cutmix.

use gradwise_augment::{
    Count, CutMix, Error, Key, Mix, MixChoice, MixUp, Mixed, Mixing, Partner, Rectangle, Result, Serial, Shape,
    Sometimes, soft_labels,
};

const N: usize = 7;

fn shapes() -> [Shape; 4] {
    [Shape::interleaved(5, 6, 3), Shape::planar(3, 5, 6), Shape::interleaved(1, 1, 1), Shape::planar(2, 9, 1)]
}

fn mixes() -> Vec<Box<dyn Mix>> {
    let mut all: Vec<Box<dyn Mix>> = Vec::new();
    for partner in [Partner::Permutation, Partner::Roll, Partner::Reverse] {
        for each in [false, true] {
            all.push(Box::new(MixUp::new(0.4).unwrap().partner(partner).each_sample(each)));
            all.push(Box::new(CutMix::new(1.0).unwrap().partner(partner).each_sample(each)));
        }
    }
    let choice = MixChoice::new(MixUp::new(0.8).unwrap(), CutMix::new(1.0).unwrap(), 0.5).unwrap();
    all.push(Box::new(Sometimes::mix(0.8, choice.clone()).unwrap()));
    all.push(Box::new(choice.with_probability(0.8).unwrap()));
    all
}

fn bytes(shape: Shape) -> Vec<u8> {
    (0..N * shape.len().unwrap()).map(|i| (i * 151 % 251) as u8).collect()
}

/// A value of an image, in either layout.
fn place(shape: Shape, y: usize, x: usize, channel: usize) -> usize {
    match shape.layout {
        gradwise_augment::Layout::Interleaved => (y * shape.width + x) * shape.channels + channel,
        gradwise_augment::Layout::Planar => (channel * shape.height + y) * shape.width + x,
    }
}

/// A batch mixed value by value: slow and obvious.
fn reference(mixing: &Mixing, shape: Shape, source: &[f64]) -> Vec<f64> {
    let len = shape.len().unwrap();
    let mut out = source.to_vec();
    for (i, sample) in mixing.samples().iter().enumerate() {
        for y in 0..shape.height {
            for x in 0..shape.width {
                let own = match sample.pasted {
                    None => sample.share,
                    Some(r) if (r.left..r.left + r.width).contains(&x) && (r.top..r.top + r.height).contains(&y) => 0.0,
                    Some(_) => 1.0,
                };
                for channel in 0..shape.channels {
                    let at = place(shape, y, x, channel);
                    out[i * len + at] = own * source[i * len + at] + (1.0 - own) * source[sample.partner * len + at];
                }
            }
        }
    }
    out
}

#[test]
fn images_are_mixed_as_drawn_on_any_threads() {
    for shape in shapes() {
        let source = bytes(shape);
        let exact: Vec<f64> = source.iter().map(|&x| f64::from(x)).collect();
        let floats: Vec<f32> = source.iter().map(|&x| f32::from(x) / 255.0).collect();
        for (mix, seed) in mixes().into_iter().zip(0..) {
            let mixing = mix.draw(N, shape, Key::new(seed)).unwrap();
            assert_eq!(mixing, mix.draw(N, shape, Key::new(seed)).unwrap(), "by the key alone");
            let expected = reference(&mixing, shape, &exact);
            let run = |threads| {
                let (mut a, mut b) = (vec![0; source.len()], vec![0.0; source.len()]);
                mixing.images(shape, &source, &mut a, &Count(threads)).unwrap();
                mixing.images(shape, &floats, &mut b, &Count(threads)).unwrap();
                (a, b)
            };
            let (a, b) = run(1);
            for ((&a, &b), expected) in a.iter().zip(&b).zip(&expected) {
                assert!((f64::from(a) - expected).abs() < 0.501, "{mix:?} of {shape}: {a}, expected {expected}");
                assert!((f64::from(b) * 255.0 - expected).abs() < 1e-3, "{mix:?} of {shape}: {b}, expected {expected}");
            }
            for threads in [2, 4, 40] {
                assert_eq!(run(threads), (a.clone(), b.clone()));
            }
        }
    }
}

#[test]
fn labels_are_mixed_by_the_pixels_that_are_left() {
    let shape = Shape::interleaved(11, 13, 1);
    for seed in 0..200 {
        let mixing = CutMix::new(1.0).unwrap().each_sample(true).draw(N, shape, Key::new(seed)).unwrap();
        for sample in mixing.samples() {
            let area = sample.pasted.unwrap().area() as f64;
            assert!((sample.share - (1.0 - area / 143.0)).abs() < 1e-12);
        }
        let mut rows = vec![0.0_f64; N * N];
        soft_labels(&(0..N).collect::<Vec<_>>(), N, 0.0, &mut rows).unwrap();
        let mut mixed = rows.clone();
        mixing.labels(N, &rows, &mut mixed).unwrap();
        for (i, (row, sample)) in mixed.chunks(N).zip(mixing.samples()).enumerate() {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let own = if sample.partner == i { 1.0 } else { sample.share };
            assert!((row[i] - own).abs() < 1e-12);
        }
    }
}

#[test]
fn shares_follow_their_distribution() {
    // Beta(a, a) has the mean ½ and the variance 1 / (4 (2 a + 1)).
    let shape = Shape::interleaved(8, 8, 1);
    for alpha in [1e-3, 0.05, 0.2, 1.0, 4.0, 1e3] {
        let mixing = MixUp::new(alpha).unwrap().each_sample(true).draw(20_000, shape, Key::new(5)).unwrap();
        let shares: Vec<f64> = mixing.samples().iter().map(|sample| sample.share).collect();
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
        let mean = shares.iter().sum::<f64>() / 2e4;
        let variance = shares.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2e4;
        let expected = 0.25 / (2.0 * alpha + 1.0);
        assert!((mean - 0.5).abs() < 4.0 * (expected / 2e4).sqrt(), "alpha {alpha}: mean {mean}");
        assert!((variance / expected - 1.0).abs() < 0.04, "alpha {alpha}: variance {variance}, expected {expected}");
    }
}

#[test]
fn centres_are_everywhere_and_rectangles_inside() {
    let shape = Shape::interleaved(4, 6, 1);
    let mixing = CutMix::new(1.0).unwrap().each_sample(true).draw(4000, shape, Key::new(6)).unwrap();
    let mut covered = [[0_u32; 6]; 4];
    for sample in mixing.samples() {
        let r = sample.pasted.unwrap();
        assert!(r.left + r.width <= 6 && r.top + r.height <= 4);
        for row in &mut covered[r.top..r.top + r.height] {
            row[r.left..r.left + r.width].iter_mut().for_each(|n| *n += 1);
        }
    }
    assert!(covered.as_flattened().iter().all(|&n| n > 200), "{covered:?}");
}

#[test]
fn partners() {
    let shape = Shape::interleaved(2, 2, 1);
    let of = |partner, n, seed| -> Vec<usize> {
        let mixing = MixUp::new(1.0).unwrap().partner(partner).draw(n, shape, Key::new(seed)).unwrap();
        mixing.samples().iter().map(|sample| sample.partner).collect()
    };
    assert_eq!(of(Partner::Roll, 4, 0), [3, 0, 1, 2]);
    assert_eq!(of(Partner::Reverse, 4, 0), [3, 2, 1, 0]);
    let mut shuffled = of(Partner::Permutation, 50, 0);
    assert_ne!(shuffled, of(Partner::Permutation, 50, 1));
    shuffled.sort_unstable();
    assert_eq!(shuffled, (0..50).collect::<Vec<_>>());
    for partner in [Partner::Roll, Partner::Reverse, Partner::Permutation] {
        assert_eq!((of(partner, 0, 0), of(partner, 1, 0)), (vec![], vec![0]));
    }
}

#[test]
fn a_batch_has_one_share_unless_each_sample_has_its_own() {
    let shape = Shape::interleaved(16, 16, 1);
    let n_different = |mix: &dyn Mix| {
        let mixing = mix.draw(20, shape, Key::new(1)).unwrap();
        let mut shares: Vec<f64> = mixing.samples().iter().map(|sample| sample.share).collect();
        shares.sort_by(f64::total_cmp);
        shares.dedup();
        shares.len()
    };
    assert_eq!(n_different(&MixUp::new(1.0).unwrap()), 1);
    assert_eq!(n_different(&CutMix::new(1.0).unwrap()), 1);
    assert_eq!(n_different(&MixUp::new(1.0).unwrap().each_sample(true)), 20);
    assert!(n_different(&CutMix::new(1.0).unwrap().each_sample(true)) > 10);
}

#[test]
fn smoothed_labels_add_up() {
    let mut rows = [0.0_f32; 30];
    soft_labels(&[0, 9, 4], 10, 0.1, &mut rows).unwrap();
    assert!(rows.chunks(10).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
    assert_eq!((rows[0], rows[1], rows[19], rows[24]), (0.91, 0.01, 0.91, 0.91));
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY, 1001.0] {
        for error in [MixUp::new(alpha).map(|_| ()).unwrap_err(), CutMix::new(alpha).map(|_| ()).unwrap_err()] {
            assert!(error.to_string().contains("alpha must be a number"), "{error}");
        }
    }
    let (mix_up, cut_mix) = (MixUp::new(1.0).unwrap(), CutMix::new(1.0).unwrap());
    assert!(MixChoice::new(mix_up.clone(), cut_mix.clone(), 1.5).is_err());
    assert!(MixChoice::new(mix_up.clone(), cut_mix.clone(), 0.5).unwrap().with_probability(f64::NAN).is_err());
    for mix in mixes() {
        let error = mix.draw(2, Shape::interleaved(0, 3, 1), Key::new(0)).unwrap_err();
        assert!(matches!(error, Error::Image { .. }), "{error}");
    }

    let shape = Shape::interleaved(2, 2, 1);
    let run = |mixing: &Mixing, shape: Shape, source: &[f32]| -> Result<Vec<f32>> {
        let mut target = vec![7.0; 8];
        let result = mixing.images(shape, source, &mut target, &Serial);
        if result.is_err() {
            assert!(target.iter().all(|&x| x == 7.0), "nothing was written");
        }
        result.map(|()| target)
    };
    let with = |sample: Mixed| Mixing::new(2, 2, [sample; 2]);
    let good = Mixed { partner: 0, share: 0.5, pasted: None };
    let tells = |result: Result<Vec<f32>>, part: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    assert!(run(&with(good), shape, &[0.0; 8]).is_ok());
    tells(run(&with(good), Shape::interleaved(2, 3, 1), &[0.0; 12]), "images of 2 x 2, got 2 x 3 x 1");
    tells(run(&with(good), shape, &[0.0; 12]), "2 images of 4 values, got 12 values");
    tells(
        run(&with(good), shape, &[0.0, 0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0, 0.0]),
        "sample 1 of the batch: mix: expected finite",
    );
    tells(
        run(&with(Mixed { partner: 2, ..good }), shape, &[0.0; 8]),
        "sample 0 of a mix: expected a partner below 2, got 2",
    );
    tells(run(&with(Mixed { share: f64::NAN, ..good }), shape, &[0.0; 8]), "a share within [0, 1], got NaN");
    let pasted = Some(Rectangle { left: 1, top: 0, width: usize::MAX, height: 1 });
    tells(run(&with(Mixed { pasted, ..good }), shape, &[0.0; 8]), "a rectangle within 2 x 2");

    let mut rows = [0.0_f64; 6];
    assert!(with(good).labels(3, &[0.0; 5], &mut rows).is_err());
    assert!(with(good).labels(0, &[], &mut rows).is_err());
    let error = soft_labels(&[0, 3], 3, 0.0, &mut rows).unwrap_err().to_string();
    assert_eq!(error, "soft labels: class of sample 1 must be below 3, got 3");
    assert!(soft_labels(&[0, 1], 3, -0.1, &mut rows).is_err());
    assert!(soft_labels(&[0, 1], 4, 0.0, &mut rows).is_err());
    assert!(soft_labels(&[], 0, 0.0, &mut [0.0_f32; 0]).is_err());
}

#[test]
fn a_mixing_is_printed_line_by_line() {
    let pasted = Some(Rectangle { left: 1, top: 2, width: 3, height: 4 });
    let samples = [Mixed { partner: 1, share: 0.7, pasted: None }, Mixed { partner: 0, share: 0.25, pasted }];
    let text = Mixing::new(8, 8, samples).to_string();
    assert_eq!(text, "0: 0.70 of itself, rest from 1\n1: 0.25 of itself, rest from 0 (4 x 3 at column 1, row 2)");
}
