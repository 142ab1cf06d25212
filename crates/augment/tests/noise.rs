//! Noise as transforms: its moments in shares of white, its channels, its counts.

use crate::policies::even;
use gradwise_augment::{
    Augment, GaussianNoise, Image, ImageRef, Key, Kind, LaplaceNoise, Layout, Plan, RandomSaltAndPepper, Shape,
    Speckle, UniformNoise,
};

const SHAPE: Shape = Shape::interleaved(120, 150, 3);

fn noisy(augment: &dyn Augment, values: &[f32], shape: Shape) -> Vec<f64> {
    let image = ImageRef::new(shape, values).unwrap();
    let out = augment.apply(image, Key::new(3).epoch(1).sample(2)).unwrap();
    out.as_f32().unwrap().iter().map(|&x| f64::from(x)).collect()
}

/// Mean, standard deviation, and the fourth central moment in units of the squared variance.
fn moments(xs: &[f64]) -> (f64, f64, f64) {
    let n = xs.len() as f64;
    let mean = xs.iter().sum::<f64>() / n;
    let power = |k: i32| xs.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / n;
    (mean, power(2).sqrt(), power(4) / power(2).powi(2))
}

#[test]
fn moments_are_in_shares_of_white() {
    let grey = vec![0.4_f32; SHAPE.len().unwrap()];
    let n = grey.len() as f64;
    let all: [(Box<dyn Augment>, f64, f64, f64); 4] = [
        (Box::new(GaussianNoise::new(0.1, 0.05).unwrap().clip(None).unwrap()), 0.5, 0.05, 3.0),
        (Box::new(UniformNoise::new(-0.1, 0.05).unwrap().clip(None).unwrap()), 0.3, 0.05, 1.8),
        (Box::new(LaplaceNoise::new(0.0, 0.05).unwrap().clip(None).unwrap()), 0.4, 0.05, 6.0),
        (Box::new(Speckle::new(0.5, 0.2).unwrap().clip(None).unwrap()), 0.4 * 1.5, 0.4 * 0.2, 3.0),
    ];
    for (augment, mean, std, fourth) in &all {
        let xs = noisy(&**augment, &grey, SHAPE);
        let found = moments(&xs);
        assert!((found.0 - mean).abs() < 4.0 * std / n.sqrt(), "{augment:?}: mean {}", found.0);
        let error = ((fourth - 1.0) / n).sqrt() / 2.0;
        assert!((found.1 / std - 1.0).abs() < 4.0 * error + 1e-5, "{augment:?}: deviation {}", found.1);
        assert!((found.2 / fourth - 1.0).abs() < 0.15, "{augment:?}: fourth moment {}", found.2);
        // Neighbours have nothing to do with each other, along rows and along columns.
        for distance in [1, 2, 3, SHAPE.width * 3] {
            let products = xs.iter().zip(&xs[distance..]).map(|(a, b)| (a - mean) * (b - mean));
            let correlation = products.sum::<f64>() / n / (std * std);
            assert!(correlation.abs() < 4.5 / n.sqrt(), "{augment:?}: {correlation} at {distance}");
        }
    }
    let uniform = noisy(&UniformNoise::new(0.0, 0.1).unwrap(), &grey, SHAPE);
    let reach = 0.1 * 3_f64.sqrt();
    assert!(uniform.iter().all(|x| (x - 0.4).abs() <= reach + 1e-6));
    assert!(uniform.iter().any(|x| x - 0.4 > 0.99 * reach) && uniform.iter().any(|x| x - 0.4 < -0.99 * reach));
}

#[test]
fn a_tenth_of_white_is_25_and_a_half_levels() {
    let grey = vec![128_u8; SHAPE.len().unwrap()];
    let out = GaussianNoise::new(0.05, 0.1).unwrap().apply(ImageRef::new(SHAPE, &grey).unwrap(), Key::new(1)).unwrap();
    let xs: Vec<f64> = out.as_u8().unwrap().iter().map(|&x| f64::from(x)).collect();
    let (mean, std, _) = moments(&xs);
    let n = xs.len() as f64;
    assert!((mean - 128.0 - 12.75).abs() < 4.0 * 25.5 / n.sqrt(), "{mean}");
    // Rounding to levels adds a twelfth.
    let expected = (25.5_f64 * 25.5 + 1.0 / 12.0).sqrt();
    assert!((std / expected - 1.0).abs() < 4.0 / (2.0 * n).sqrt(), "{std}");
}

#[test]
fn values_are_clipped_as_far_as_one_likes() {
    let grey = vec![0.5_f32; SHAPE.len().unwrap()];
    let ends = |clip: Option<(f32, f32)>| {
        let xs = noisy(&GaussianNoise::new(0.0, 1.0).unwrap().clip(clip).unwrap(), &grey, SHAPE);
        (xs.iter().copied().fold(f64::INFINITY, f64::min), xs.into_iter().fold(f64::NEG_INFINITY, f64::max))
    };
    assert_eq!((ends(Some((0.0, 1.0))), ends(Some((0.25, 2.0)))), ((0.0, 1.0), (0.25, 2.0)));
    let (low, high) = ends(None);
    assert!(low < -2.0 && high > 3.0);
    let noise = GaussianNoise::new(0.0, 1.0).unwrap();
    for range in [(1.0, 0.0), (f32::NAN, 1.0), (1e7, 1e8), (f32::INFINITY, f32::INFINITY)] {
        assert!(noise.clone().clip(Some(range)).is_err(), "{range:?}");
    }
    // An open end binds nothing, and is a number in a saved plan.
    let open = noise.clone().clip(Some((0.0, f32::INFINITY))).unwrap();
    let plan = open.plan(SHAPE, Kind::F32, Key::new(1)).unwrap();
    let saved = serde_json::to_string(&plan).unwrap();
    let read: Plan = serde_json::from_str(&saved).unwrap();
    assert_eq!(format!("{read:?}"), format!("{plan:?}"));
    let (low, high) = ends(Some((0.0, f32::INFINITY)));
    assert!(low == 0.0 && high > 1.5, "{low} {high}");
    assert!(GaussianNoise::new(0.0, -0.1).is_err() && GaussianNoise::new(f64::NAN, 0.1).is_err());
}

#[test]
fn channels_share_their_noise_if_they_shall() {
    for layout in [Layout::Interleaved, Layout::Planar] {
        let shape = Shape { layout, ..SHAPE };
        let grey = vec![0.5_f32; shape.len().unwrap()];
        let pixels = shape.height * shape.width;
        let of = |xs: &[f64], pixel: usize, channel: usize| match layout {
            Layout::Interleaved => xs[pixel * 3 + channel],
            Layout::Planar => xs[channel * pixels + pixel],
        };
        let shared = noisy(&GaussianNoise::new(0.0, 0.1).unwrap().shared(true), &grey, shape);
        assert!((0..pixels).all(|i| of(&shared, i, 0) == of(&shared, i, 1) && of(&shared, i, 1) == of(&shared, i, 2)));
        assert!((moments(&shared).1 / 0.1 - 1.0).abs() < 0.03);
        let alone = noisy(&GaussianNoise::new(0.0, 0.1).unwrap(), &grey, shape);
        let products = (0..pixels).map(|i| (of(&alone, i, 0) - 0.5) * (of(&alone, i, 1) - 0.5));
        assert!((products.sum::<f64>() / pixels as f64 / 0.01).abs() < 4.5 / (pixels as f64).sqrt());
    }
}

#[test]
fn salt_and_pepper_are_counted() {
    for (height, width) in [(1, 1), (1, 7), (9, 13), (64, 1)] {
        for channels in [1, 3] {
            for layout in [Layout::Interleaved, Layout::Planar] {
                let shape = Shape { height, width, channels, layout };
                let (pixels, len) = (height * width, shape.len().unwrap());
                for amount in [0.0, 0.03, 0.3, 0.5, 0.7, 0.97, 1.0] {
                    for salt in [0.0, 0.4, 1.0] {
                        let noise = RandomSaltAndPepper::new(amount, salt).unwrap();
                        let out = noise.apply(Image::from_vec(shape, vec![100_u8; len]).unwrap().as_ref(), Key::new(9));
                        let (out, n) = (out.unwrap(), (pixels as f64 * amount) as usize);
                        let count = |value: u8| out.as_u8().unwrap().iter().filter(|&&x| x == value).count();
                        let white = (n as f64 * salt) as usize;
                        let expected = (white * channels, (n - white) * channels, (pixels - n) * channels);
                        assert_eq!((count(255), count(0), count(100)), expected, "{amount} of {shape}");
                        let pixel = |i: usize, channel: usize| match layout {
                            Layout::Interleaved => out.as_u8().unwrap()[i * channels + channel],
                            Layout::Planar => out.as_u8().unwrap()[channel * pixels + i],
                        };
                        assert!((0..pixels).all(|i| (0..channels).all(|channel| pixel(i, channel) == pixel(i, 0))));
                    }
                }
            }
        }
    }
}

#[test]
fn salt_and_pepper_are_everywhere() {
    let shape = Shape::interleaved(3, 4, 1);
    // Few are placed, many are left out: both ways must be even.
    for amount in [0.25, 0.75] {
        let noise = RandomSaltAndPepper::new(amount, 1.0 / 3.0).unwrap();
        let (mut white, mut black) = ([0.0; 12], [0.0; 12]);
        for seed in 0..4000 {
            let out = noise.apply(ImageRef::new(shape, &[100_u8; 12]).unwrap(), Key::new(seed)).unwrap();
            for (i, x) in out.as_u8().unwrap().iter().enumerate() {
                white[i] += f64::from(u8::from(*x == 255));
                black[i] += f64::from(u8::from(*x == 0));
            }
        }
        assert!(even(white.into_iter()) && even(black.into_iter()), "{white:?}, {black:?}");
    }
}
