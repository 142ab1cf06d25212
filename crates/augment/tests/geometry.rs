//! Laws of what moves pixels.

use gradwise_augment::{
    Augment, Batches, BoundingBox, Colour, Count, Draw, Fill, Flip, GaussianNoise, Image, ImageRef, Interpolation, Key,
    Kind, Map, Plan, Result, Sequence, Serial, Shape, Shift, Step, Symmetry, Threads, Translate, Warp,
};
use proptest::prelude::*;

/// A step as a transform.
#[derive(Debug)]
struct Always(Step);

impl Augment for Always {
    fn name(&self) -> &str {
        "always"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        draw.push(self.0.clone())
    }
}

const FILLS: [Fill; 5] =
    [Fill::Constant(Colour([0.2, 0.4, 0.6, 0.8])), Fill::Edge, Fill::Reflect, Fill::Symmetric, Fill::Wrap];

fn shapes() -> impl Strategy<Value = Shape> {
    (1..10_usize, 1..10_usize, 1..5_usize, any::<bool>()).prop_map(|(height, width, channels, planar)| {
        if planar { Shape::planar(channels, height, width) } else { Shape::interleaved(height, width, channels) }
    })
}

fn fills() -> impl Strategy<Value = Fill> {
    proptest::sample::select(FILLS.to_vec())
}

fn interpolations() -> impl Strategy<Value = Interpolation> {
    proptest::sample::select(vec![Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Bicubic])
}

/// Values that look random.
fn bytes(shape: Shape) -> Vec<u8> {
    (0..shape.len().unwrap_or(0)).map(|i| (i * 151 % 251 + i * i % 5) as u8).collect()
}

fn floats(shape: Shape) -> Vec<f32> {
    bytes(shape).into_iter().map(|x| f32::from(x) / 255.0).collect()
}

/// The value of a channel at a pixel that may lie beyond the edge, by the definition of fills: slow and obvious.
fn at(shape: Shape, values: &[f32], fill: Fill, y: i64, x: i64, channel: usize) -> f32 {
    let place = |i: i64, len: usize| {
        let n = len as i64;
        match fill {
            _ if (0..n).contains(&i) => Some(i),
            Fill::Constant(_) => None,
            Fill::Edge => Some(i.clamp(0, n - 1)),
            Fill::Wrap => Some(i.rem_euclid(n)),
            Fill::Symmetric => Some(if i.div_euclid(n) % 2 == 0 { i.rem_euclid(n) } else { n - 1 - i.rem_euclid(n) }),
            Fill::Reflect if n == 1 => Some(0),
            Fill::Reflect => {
                Some(if i.div_euclid(n - 1) % 2 == 0 { i.rem_euclid(n - 1) } else { n - 1 - i.rem_euclid(n - 1) })
            }
        }
    };
    match (place(y, shape.height), place(x, shape.width), fill) {
        (Some(y), Some(x), _) => {
            let (y, x) = (y as usize, x as usize);
            values[match shape.layout {
                gradwise_augment::Layout::Interleaved => (y * shape.width + x) * shape.channels + channel,
                gradwise_augment::Layout::Planar => (channel * shape.height + y) * shape.width + x,
            }]
        }
        (_, _, Fill::Constant(colour)) => colour.0[channel.min(3)],
        _ => unreachable!("every other fill has a place"),
    }
}

/// An image resampled point by point in double precision.
fn reference(shape: Shape, values: &[f32], warp: &Warp) -> Vec<f32> {
    let back = warp.map.inverse().expect("regular");
    let mut out = Vec::new();
    let target = Shape { height: warp.height, width: warp.width, ..shape };
    let mut pixel = |y: usize, x: usize, channel: usize| {
        let (u, v) = back.point(x as f64 + 0.5, y as f64 + 0.5);
        let (u, v) = (u - 0.5, v - 0.5);
        let weights = |t: f64| -> Vec<(i64, f64)> {
            let (whole, f) = (t.floor(), t - t.floor());
            let near = |f: f64| (1.5 * f - 2.5) * f * f + 1.0;
            let far = |f: f64| ((-0.5 * f + 2.5) * f - 4.0) * f + 2.0;
            let taps = match warp.interpolation {
                Interpolation::Nearest => vec![((f + 0.5).floor(), 1.0)],
                Interpolation::Bilinear => vec![(0.0, 1.0 - f), (1.0, f)],
                Interpolation::Bicubic => {
                    vec![(-1.0, far(1.0 + f)), (0.0, near(f)), (1.0, near(1.0 - f)), (2.0, far(2.0 - f))]
                }
            };
            taps.into_iter().map(|(at, weight)| ((whole + at) as i64, weight)).collect()
        };
        let mut sum = 0.0;
        for (y, down) in weights(v) {
            for (x, across) in weights(u) {
                sum += down * across * f64::from(at(shape, values, warp.fill, y, x, channel));
            }
        }
        out.push(sum as f32);
    };
    match shape.layout {
        gradwise_augment::Layout::Interleaved => {
            for y in 0..target.height {
                for x in 0..target.width {
                    (0..shape.channels).for_each(|channel| pixel(y, x, channel));
                }
            }
        }
        gradwise_augment::Layout::Planar => {
            for channel in 0..shape.channels {
                for y in 0..target.height {
                    (0..target.width).for_each(|x| pixel(y, x, channel));
                }
            }
        }
    }
    out
}

fn check(shape: Shape, warp: Warp) -> std::result::Result<(), TestCaseError> {
    let transform = Always(Step::Warp(warp));
    let (floats, bytes) = (floats(shape), bytes(shape));
    let expected = reference(shape, &floats, &warp);
    let got = transform.apply(ImageRef::new(shape, &floats).unwrap(), Key::new(0)).unwrap();
    for (i, (got, expected)) in got.as_f32().unwrap().iter().zip(&expected).enumerate() {
        prop_assert!((got - expected).abs() < 2e-4, "value {i}: {got}, expected {expected}");
    }
    let got = transform.apply(ImageRef::new(shape, &bytes).unwrap(), Key::new(0)).unwrap();
    for (i, (&got, expected)) in got.as_u8().unwrap().iter().zip(&expected).enumerate() {
        let expected = (expected * 255.0).clamp(0.0, 255.0);
        // Weights in 128ths of a pixel, in both directions.
        prop_assert!((f32::from(got) - expected).abs() < 0.51 + 255.0 / 128.0, "byte {i}: {got}, expected {expected}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_translation_is_the_slow_one(
        shape in shapes(), fill in fills(), interpolation in interpolations(), x in -27..=27_i32, y in -27..=27_i32, parts in 1..=4_u32,
    ) {
        let map = Map::translation(f64::from(x) / f64::from(parts) , f64::from(y) / f64::from(parts));
        check(shape, Warp { map, height: shape.height, width: shape.width, interpolation, fill })?;
    }

    #[test]
    fn every_map_is_the_slow_one(
        shape in shapes(), fill in fills(), bicubic in any::<bool>(), angle in -180.0..180.0_f64, scale in 0.3..3.0_f64,
        height in 1..12_usize, width in 1..12_usize, tilt in 0.0..0.03_f64,
    ) {
        let turned = Map::rotation(angle).then(Map::scaling(scale, 1.0)).about(3.0, 2.0);
        let corners = [(0.0, 0.0), (10.0 - 20.0 * tilt, 0.3), (10.0, 10.0), (0.0, 9.0)];
        let map = if tilt < 0.01 { turned } else { turned.then(Map::quadrilateral(10.0, 10.0, corners).unwrap()) };
        let interpolation = if bicubic { Interpolation::Bicubic } else { Interpolation::Bilinear };
        check(shape, Warp { map, height, width, interpolation, fill })?;
    }

    #[test]
    fn back_and_forth_restores_the_interior(shape in shapes(), x in -3..=3_i32, y in -3..=3_i32, fill in fills()) {
        let values = bytes(shape);
        let shift = |x: i32, y: i32| Translate::new(Shift::Pixels(f64::from(x).into()), Shift::Pixels(f64::from(y).into())).unwrap().fill(fill);
        let there = shift(x, y).apply(ImageRef::new(shape, &values).unwrap(), Key::new(0)).unwrap();
        let back = shift(-x, -y).apply(there.as_ref(), Key::new(0)).unwrap();
        let (before, after) = (floats(shape), back.as_u8().unwrap().iter().map(|&b| f32::from(b) / 255.0).collect::<Vec<_>>());
        for row in 0..shape.height as i64 {
            for column in 0..shape.width as i64 {
                let stays = |i: i64, shift: i32, len: usize| (0..len as i64).contains(&(i + i64::from(shift)));
                if stays(row, y, shape.height) && stays(column, x, shape.width) {
                    for channel in 0..shape.channels {
                        let value = |values: &[f32]| at(shape, values, Fill::Edge, row, column, channel);
                        prop_assert_eq!(value(&before), value(&after));
                    }
                }
            }
        }
    }

    #[test]
    fn the_identity_is_exact(shape in shapes(), fill in fills(), interpolation in interpolations()) {
        let (height, width) = (shape.height, shape.width);
        // As a translation, and as a map that is none.
        for map in [Map::IDENTITY, Map::affine([1.0, 0.0, 0.0, 1e-300, 1.0, 0.0])] {
            let transform = Always(Step::Warp(Warp { map, height, width, interpolation, fill }));
            let (bytes, floats) = (bytes(shape), floats(shape));
            let image = transform.apply(ImageRef::new(shape, &bytes).unwrap(), Key::new(0)).unwrap();
            prop_assert_eq!(image.as_u8().unwrap(), &bytes[..]);
            let image = transform.apply(ImageRef::new(shape, &floats).unwrap(), Key::new(0)).unwrap();
            prop_assert_eq!(image.as_f32().unwrap(), &floats[..]);
        }
    }

    #[test]
    fn a_mask_moves_as_its_image(shape in shapes(), seed in any::<u64>()) {
        // A mask of the same values as the image; nearest on both sides.
        let values = bytes(Shape::interleaved(shape.height, shape.width, 1));
        let shape = Shape::interleaved(shape.height, shape.width, 1);
        let pipeline = Sequence::new()
            .then(Flip::any())
            .then(Translate::fraction(0.5, 0.5).unwrap().interpolation(Interpolation::Nearest));
        let plan = pipeline.plan(shape, Kind::U8, Key::new(seed)).unwrap();
        let image = ImageRef::new(shape, &values).unwrap();
        prop_assert_eq!(plan.apply(image).unwrap(), plan.mask(shape, image).unwrap());
    }
}

#[test]
fn points_and_boxes_follow_the_pixels() {
    let shape = Shape::interleaved(20, 30, 1);
    let mut values = vec![0_u8; 600];
    values[5 * 30 + 7] = 255;
    for seed in 0..50 {
        let pipeline = Sequence::new().then(Flip::any()).then(Translate::pixels(3.0, 3.0).unwrap());
        let plan = pipeline.plan(shape, Kind::U8, Key::new(seed)).unwrap();
        let image = plan.apply(ImageRef::new(shape, &values).unwrap()).unwrap();
        let white = image.as_u8().unwrap().iter().position(|&x| x == 255).unwrap();
        let point = plan.points(shape, &[(7.5, 5.5)]).unwrap()[0];
        let width = image.shape().width;
        assert_eq!(point, ((white % width) as f64 + 0.5, (white / width) as f64 + 0.5));
        let pixel = BoundingBox { left: 7.0, top: 5.0, right: 8.0, bottom: 6.0 };
        let moved = plan.boxes(shape, &[pixel], 0.5).unwrap()[0].unwrap();
        assert_eq!((moved.left + 0.5, moved.top + 0.5, moved.area()), (point.0, point.1, 1.0));
    }
}

#[test]
fn boxes_are_clipped_and_dropped() {
    let shape = Shape::interleaved(10, 10, 1);
    let half_out = Translate::new(Shift::Pixels((-4.0).into()), Shift::NONE).unwrap();
    let plan = half_out.plan(shape, Kind::U8, Key::new(0)).unwrap();
    let boxes = [BoundingBox { left: 2.0, top: 0.0, right: 6.0, bottom: 10.0 }];
    let left = BoundingBox { left: 0.0, top: 0.0, right: 2.0, bottom: 10.0 };
    assert_eq!(plan.boxes(shape, &boxes, 0.5).unwrap(), [Some(left)]);
    assert_eq!(plan.boxes(shape, &boxes, 0.51).unwrap(), [None]);
    assert!(plan.boxes(shape, &boxes, 1.5).is_err());
}

#[test]
fn fused_steps_are_nearer_to_the_exact_warp_than_the_chain() {
    // A smooth picture, turned five times by 72 degrees: exactly itself.
    let shape = Shape::interleaved(65, 65, 1);
    let value = |x: f64, y: f64| (0.5 + 0.25 * (x * 0.5).sin() + 0.25 * (y * 0.45).cos()) as f32;
    let values: Vec<f32> = (0..65 * 65).map(|i| value(f64::from(i % 65), f64::from(i / 65))).collect();
    let map = Map::rotation(72.0).about(32.5, 32.5);
    let turn = Warp { map, height: 65, width: 65, interpolation: Interpolation::Bilinear, fill: Fill::Reflect };
    let image = ImageRef::new(shape, &values).unwrap();
    let all = (0..5).fold(Sequence::new(), |all, _| all.then(Always(Step::Warp(turn))));
    let plan = all.plan(shape, Kind::F32, Key::new(0)).unwrap();
    assert_eq!(plan.steps().len(), 1);
    let fused = plan.apply(image).unwrap();
    let mut chain: Image = Plan::new().apply(image).unwrap();
    for _ in 0..5 {
        chain = Always(Step::Warp(turn)).apply(chain.as_ref(), Key::new(0)).unwrap();
    }
    // Within the circle that never leaves the image.
    let error = |image: &Image| {
        let inside = (0..65 * 65).filter(|i| (f64::from(i % 65) - 32.0).hypot(f64::from(i / 65) - 32.0) < 28.0);
        inside.map(|i| f64::from((image.as_f32().unwrap()[i as usize] - values[i as usize]).abs())).fold(0.0, f64::max)
    };
    assert!(error(&fused) < 1e-5 && error(&chain) > 1e-2, "{} and {}", error(&fused), error(&chain));
}

#[test]
fn a_flip_and_its_inverse_leave_no_step() {
    let both = Sequence::new()
        .then(Flip::of(&[Symmetry::Clockwise], 1.0).unwrap())
        .then(Flip::of(&[Symmetry::Counterclockwise], 1.0).unwrap());
    assert!(both.plan(Shape::interleaved(4, 5, 3), Kind::U8, Key::new(1)).unwrap().steps().is_empty());
}

#[test]
fn batches_depend_on_keys_alone() {
    let shape = Shape::interleaved(9, 7, 3);
    let (n, len) = (13, 9 * 7 * 3);
    let images: Vec<u8> = (0..n).flat_map(|i| bytes(shape).into_iter().map(move |x| x.wrapping_add(i as u8))).collect();
    let pipeline = Sequence::new()
        .then(Flip::horizontal(0.5).unwrap())
        .then(Translate::fraction(0.2, 0.2).unwrap())
        .then(GaussianNoise::new(0.0, 0.1).unwrap());
    let keys: Vec<Key> = (0..n).map(|i| Key::new(3).epoch(1).sample(i as u64)).collect();
    let run = |images: &[u8], keys: &[Key], threads: &dyn Threads| {
        let mut out = vec![0_u8; images.len()];
        Batches::default().run(&pipeline, shape, images, keys, shape, &mut out, threads).unwrap();
        out
    };
    let expected = run(&images, &keys, &Serial);
    for threads in [1, 2, 4, 40] {
        assert_eq!(run(&images, &keys, &Count(threads)), expected);
    }
    for (i, sample) in expected.chunks(len).enumerate() {
        let image = ImageRef::new(shape, &images[i * len..][..len]).unwrap();
        assert_eq!(pipeline.apply(image, keys[i]).unwrap().as_u8().unwrap(), sample);
    }
    let reversed: Vec<u8> = images.chunks(len).rev().flatten().copied().collect();
    let keys: Vec<Key> = keys.into_iter().rev().collect();
    let back: Vec<u8> = run(&reversed, &keys, &Count(3)).chunks(len).rev().flatten().copied().collect();
    assert_eq!(back, expected);
}
