//! Laws of what moves pixels.

use gradwise_augment::{
    Affine, Augment, Batches, BoundingBox, Buffers, CenterCrop, Colour, Count, Draw, ElasticTransform, Fill, Flip,
    GaussianNoise, Image, ImageRef, Interpolation, Key, Kind, Map, Pad, Perspective, Plan, RandomCrop, Result,
    Sequence, Serial, Shape, Shift, Step, Symmetry, Threads, Translate, Warp,
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

/// `levels` is how far bytes may be from the exact value, beside what rounding leaves.
fn check(shape: Shape, warp: Warp, levels: f32) -> std::result::Result<(), TestCaseError> {
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
        prop_assert!((f32::from(got) - expected).abs() < 0.51 + levels, "byte {i}: {got}, expected {expected}");
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
        // Rows are moved by values of 64ths; a fill is rounded to a byte before it is mixed.
        let levels = 0.04 + if let Fill::Constant(_) = fill { 0.5 } else { 0.0 };
        check(shape, Warp { map, height: shape.height, width: shape.width, interpolation, fill }, levels)?;
    }

    #[test]
    fn every_map_is_the_slow_one(
        shape in shapes(), fill in fills(), bicubic in any::<bool>(), angle in -180.0..180.0_f64, scale in 0.3..3.0_f64,
        height in 1..12_usize, width in 1..80_usize, tilt in 0.0..0.03_f64,
    ) {
        let turned = Map::rotation(angle).then(Map::scaling(scale, 1.0)).about(3.0, 2.0);
        let corners = [(0.0, 0.0), (10.0 - 20.0 * tilt, 0.3), (10.0, 10.0), (0.0, 9.0)];
        let map = if tilt < 0.01 { turned } else { turned.then(Map::quadrilateral(10.0, 10.0, corners).unwrap()) };
        let interpolation = if bicubic { Interpolation::Bicubic } else { Interpolation::Bilinear };
        // Weights in 128ths of a pixel, in both directions.
        check(shape, Warp { map, height, width, interpolation, fill }, 255.0 / 128.0)?;
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
    fn whole_pixels_are_the_same_by_every_way(
        shape in shapes(), fill in fills(), interpolation in interpolations(), x in -27..=27_i32, y in -27..=27_i32,
    ) {
        let (height, width) = (shape.height, shape.width);
        let (x, y) = (f64::from(x), f64::from(y));
        let (bytes, floats) = (bytes(shape), floats(shape));
        let moved = |map: Map, image: ImageRef<'_>| {
            Always(Step::Warp(Warp { map, height, width, interpolation, fill })).apply(image, Key::new(0)).unwrap()
        };
        // As a translation, and as a map that is none.
        let (by_rows, by_points) = (Map::translation(x, y), Map::affine([1.0, 0.0, x, 1e-300, 1.0, y]));
        let image = ImageRef::new(shape, &bytes).unwrap();
        prop_assert_eq!(moved(by_rows, image), moved(by_points, image));
        let image = ImageRef::new(shape, &floats).unwrap();
        prop_assert_eq!(moved(by_rows, image), moved(by_points, image));
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

/// A crop is final, whatever comes after it, and however it is interpolated.
#[test]
fn what_a_crop_cuts_off_does_not_come_back() {
    let shape = Shape::interleaved(8, 8, 1);
    let white = Image::from_vec(shape, vec![255_u8; 64]).unwrap();
    let crop = || Sequence::new().then(CenterCrop::new(4, 4).unwrap());
    let right =
        |interpolation| Translate::new(Shift::Pixels(2.0.into()), Shift::NONE).unwrap().interpolation(interpolation);
    let count = |augment: &dyn Augment| {
        let out = augment.apply(white.as_ref(), Key::new(0)).unwrap();
        out.as_u8().unwrap().iter().filter(|&&x| x == 255).count()
    };
    assert_eq!(count(&crop().then(Pad::all(2, Fill::BLACK))), 16);
    assert_eq!(count(&crop().then(right(Interpolation::Nearest))), 8);
    assert_eq!(count(&crop().then(right(Interpolation::Bilinear))), 8);
    let flipped = crop().then(Flip::of(&[Symmetry::Transpose], 1.0).unwrap());
    assert_eq!(count(&flipped.then(Pad::all(2, Fill::BLACK))), 16, "nor with a flip in between");
    let flip = || Flip::horizontal(1.0).unwrap();
    assert_eq!(count(&crop().then(flip()).then(Pad::all(2, Fill::BLACK))), 16);
    assert_eq!(count(&crop().then(flip()).then(flip()).then(Pad::all(2, Fill::BLACK))), 16, "nor with two");
    let random = Sequence::new().then(RandomCrop::new(4, 4).unwrap());
    assert_eq!(count(&random.then(Pad::all(2, Fill::BLACK))), 16);
    // Of two crops, and of a turn and a crop, one step is enough.
    let turned = Sequence::new().then(Affine::rotation(30.0).unwrap()).then(CenterCrop::new(6, 6).unwrap());
    let plan = turned.then(CenterCrop::new(4, 4).unwrap()).plan(shape, Kind::U8, Key::new(0)).unwrap();
    assert_eq!(plan.steps().len(), 1);
}

/// A flip and a crop copy rows, which a warp with a mirrored map does not.
#[test]
fn what_copies_rows_is_left_to_do_so() {
    let shape = Shape::interleaved(9, 12, 3);
    let image = Image::from_vec(shape, bytes(shape)).unwrap();
    let (flip, crop) = (Flip::horizontal(1.0).unwrap(), RandomCrop::new(9, 12).unwrap().margin(2, Fill::Reflect));
    for flip_first in [true, false] {
        let (flip, crop) = (flip.clone(), crop.clone());
        let both =
            if flip_first { Sequence::new().then(flip).then(crop) } else { Sequence::new().then(crop).then(flip) };
        for seed in 0..20 {
            let plan = both.plan(shape, Kind::U8, Key::new(seed)).unwrap();
            assert_eq!(plan.steps().len(), 2, "{plan:?}");
            let one_by_one = plan
                .steps()
                .iter()
                .fold(image.clone(), |image, step| Always(step.clone()).apply(image.as_ref(), Key::new(0)).unwrap());
            assert_eq!(plan.apply(image.as_ref()).unwrap(), one_by_one);
        }
    }
    let shift = Translate::new(Shift::Pixels(0.5.into()), Shift::NONE).unwrap();
    let plan = Sequence::new().then(flip).then(shift).plan(shape, Kind::U8, Key::new(0)).unwrap();
    assert_eq!(plan.steps().len(), 1, "an interpolation does both");
}

#[test]
fn layouts_are_exchanged_there_and_back() {
    for shape in
        [Shape::interleaved(3, 4, 3), Shape::planar(2, 3, 4), Shape::interleaved(1, 1, 5), Shape::planar(1, 2, 3)]
    {
        let image = Image::from_vec(shape, floats(shape)).unwrap();
        for layout in [gradwise_augment::Layout::Interleaved, gradwise_augment::Layout::Planar] {
            let other = image.clone().into_layout(layout);
            assert_eq!(other.shape(), Shape { layout, ..shape });
            for (y, x, channel) in (0..3).flat_map(|y| (0..4).flat_map(move |x| (0..5).map(move |c| (y, x, c)))) {
                if y < shape.height && x < shape.width && channel < shape.channels {
                    let value = |image: &Image| {
                        at(image.shape(), image.as_f32().unwrap(), Fill::Edge, y as i64, x as i64, channel)
                    };
                    assert_eq!(value(&other), value(&image));
                }
            }
            assert_eq!(other.into_layout(shape.layout), image);
        }
    }
}

#[test]
fn boxes_over_what_is_gone_are_gone() {
    let shape = Shape::interleaved(20, 20, 1);
    let boxes = [
        BoundingBox { left: 1.0, top: 1.0, right: 4.0, bottom: 4.0 },
        BoundingBox { left: 2.0, top: 8.0, right: 10.0, bottom: 12.0 },
    ];
    let cut = Sequence::new().then(CenterCrop::new(10, 10).unwrap()).then(Pad::all(5, Fill::BLACK));
    let plan = cut.plan(shape, Kind::U8, Key::new(0)).unwrap();
    // The first lies in the margin, where the picture was cut off; of the second, five eighths are left.
    let left = BoundingBox { left: 5.0, ..boxes[1] };
    assert_eq!(plan.boxes(shape, &boxes, 0.0).unwrap(), [None, Some(left)]);
    assert_eq!(plan.boxes(shape, &boxes, 0.63).unwrap(), [None, None]);

    // A square turned by 45 degrees about the middle stands on its corner, in a box of twice its area, and is all there.
    let turn = Affine::rotation(45.0).unwrap().plan(shape, Kind::U8, Key::new(0)).unwrap();
    let square = BoundingBox { left: 8.0, top: 8.0, right: 12.0, bottom: 12.0 };
    let turned = turn.boxes(shape, &[square], 1.0).unwrap()[0].expect("all of it is visible");
    assert!((turned.area() - 2.0 * square.area()).abs() < 1e-9 && (turned.left - (10.0 - 8_f64.sqrt())).abs() < 1e-9);
    // Of the whole image so turned, the corners are cut off at the edge: an octagon is left.
    let whole = BoundingBox { left: 0.0, top: 0.0, right: 20.0, bottom: 20.0 };
    let octagon = 2.0 * (2_f64.sqrt() - 1.0);
    assert!(turn.boxes(shape, &[whole], octagon - 1e-6).unwrap()[0].is_some());
    assert!(turn.boxes(shape, &[whole], octagon + 1e-6).unwrap()[0].is_none());
    // Of a square in the corner, a triangle is left at the edge: its box is smaller than what is within of the box around the turned
    // square.
    let corner = BoundingBox { left: 0.0, top: 0.0, right: 4.0, bottom: 4.0 };
    let seen = turn.boxes(shape, &[corner], 0.0).unwrap()[0].unwrap();
    let apex = 10.0 - 72_f64.sqrt();
    let expected = [10.0 - apex, 0.0, 10.0 + apex, apex];
    let found = [seen.left, seen.top, seen.right, seen.bottom];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{seen:?}");
}

#[test]
fn boxes_in_an_elastic_picture_are_as_if_each_were_alone() {
    let shape = Shape::interleaved(60, 80, 1);
    let plan = ElasticTransform::new(60.0, 6.0).unwrap().plan(shape, Kind::U8, Key::new(5)).unwrap();
    let boxes: Vec<BoundingBox> = (0..6)
        .map(|i| BoundingBox { left: 10.0 * f64::from(i), top: 20.0, right: 10.0 * f64::from(i) + 15.0, bottom: 30.0 })
        .collect();
    let all = plan.boxes(shape, &boxes, 0.0).unwrap();
    for (of, together) in boxes.iter().zip(all) {
        assert_eq!(plan.boxes(shape, &[*of], 0.0).unwrap(), [together]);
        assert!(together.is_some_and(|moved| moved != *of));
    }
}

#[test]
fn what_is_behind_the_viewer_has_no_place() {
    let shape = Shape::interleaved(20, 20, 1);
    // The right side is far away, so that the horizon is not far beyond.
    let corners = [(0.0, 0.0), (10.0, 8.0), (10.0, 12.0), (0.0, 20.0)];
    let map = Map::quadrilateral(20.0, 20.0, corners).unwrap();
    let warp = Warp { map, height: 20, width: 20, interpolation: Interpolation::Bilinear, fill: Fill::BLACK };
    let plan = Always(Step::Warp(warp)).plan(shape, Kind::U8, Key::new(0)).unwrap();
    let points = plan.points(shape, &[(10.0, 10.0), (-60.0, 10.0)]).unwrap();
    assert!(points[0].0 > 0.0 && points[0].0 < 10.0 && points[1].0.is_nan(), "{points:?}");
    let boxes = [
        BoundingBox { left: -60.0, top: 9.0, right: -50.0, bottom: 11.0 },
        BoundingBox { left: -60.0, top: 9.0, right: 10.0, bottom: 11.0 },
    ];
    let seen = plan.boxes(shape, &boxes, 0.0).unwrap();
    assert!(seen[0].is_none() && seen[1].is_some_and(|seen| seen.left >= 0.0 && seen.right < 10.0), "{seen:?}");
    // A picture seen from its side has no corner that is not: every seed's points are there.
    for seed in 0..50 {
        let plan = Perspective::new(1.0).unwrap().plan(shape, Kind::U8, Key::new(seed)).unwrap();
        let corners = plan.points(shape, &[(0.0, 0.0), (20.0, 0.0), (20.0, 20.0), (0.0, 20.0)]).unwrap();
        assert!(corners.iter().all(|&(x, y)| (-1e-6..20.001).contains(&x) && (-1e-6..20.001).contains(&y)));
    }
}

#[test]
fn a_plan_is_for_the_size_that_it_was_drawn_for() {
    let (shape, other) = (Shape::interleaved(10, 12, 3), Shape::interleaved(20, 24, 3));
    let (image, larger) = (Image::black(shape, Kind::U8).unwrap(), Image::black(other, Kind::U8).unwrap());
    let plan = Translate::fraction(0.1, 0.1).unwrap().plan(shape, Kind::U8, Key::new(1)).unwrap();
    assert_eq!(plan.drawn_for(), Some((10, 12)));
    let expected = "plan: expected an image of 10 x 12, for which it was drawn, got 20 x 24 x 3";
    assert_eq!(plan.apply(larger.as_ref()).unwrap_err().to_string(), expected);
    let mut target = Image::black(other, Kind::U8).unwrap();
    let refused = plan.apply_into(larger.as_ref(), target.as_mut(), &mut Buffers::default());
    assert_eq!(refused.unwrap_err().to_string(), expected);
    assert!(plan.points(other, &[]).is_err() && plan.boxes(other, &[], 0.5).is_err());
    assert!(plan.mask(other, larger.as_ref()).is_err() && plan.output(other, Kind::U8).is_err());
    // Other channels, and another layout, are no other size; and saving does not forget.
    let saved: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert!(saved.apply(larger.as_ref()).is_err() && saved.apply(image.as_ref()).is_ok());
    assert!(plan.apply(Image::black(Shape::planar(1, 10, 12), Kind::F32).unwrap().as_ref()).is_ok());
    // What holds no pixels is for any size.
    let noise = GaussianNoise::new(0.0, 0.1).unwrap().plan(shape, Kind::U8, Key::new(1)).unwrap();
    assert!(noise.apply(larger.as_ref()).is_ok());
}

#[test]
fn masks_may_be_filled_with_what_is_no_class() {
    let shape = Shape::interleaved(2, 2, 1);
    let down = Translate::new(Shift::NONE, Shift::Pixels(1.0.into())).unwrap().fill(Fill::Constant(Colour::grey(0.5)));
    let plan = down.plan(shape, Kind::U8, Key::new(0)).unwrap();
    let bytes = ImageRef::new(shape, &[1_u8, 2, 3, 4]).unwrap();
    assert_eq!(plan.mask(shape, bytes).unwrap().as_u8(), Some(&[0, 0, 1, 2][..]));
    for outside in 0..=255_u8 {
        let mask = plan.mask_filled(shape, bytes, f32::from(outside)).unwrap();
        assert_eq!(mask.as_u8(), Some(&[outside, outside, 1, 2][..]));
    }
    let floats = ImageRef::new(shape, &[1.0_f32, 2.0, 3.0, 4.0]).unwrap();
    assert_eq!(plan.mask_filled(shape, floats, -7.5).unwrap().as_f32(), Some(&[-7.5, -7.5, 1.0, 2.0][..]));
    assert!(plan.mask_filled(shape, bytes, 255.5).is_err() && plan.mask_filled(shape, bytes, 256.0).is_err());
    assert!(plan.mask_filled(shape, bytes, f32::NAN).is_err() && plan.mask_filled(shape, floats, f32::NAN).is_err());
}

#[test]
fn numbers_of_any_size_move_an_image_out_of_sight_or_are_refused() {
    let shape = Shape::interleaved(3, 4, 1);
    let image = Image::from_vec(shape, vec![9_u8; 12]).unwrap();
    let warp = |map: Map, fill: Fill| {
        Step::Warp(Warp { map, height: 3, width: 4, interpolation: Interpolation::Bilinear, fill })
    };
    for far in [1e10, 1e19, 1e300, f64::MAX] {
        for (x, y) in [(far, 0.0), (-far, 0.5), (0.0, far), (0.25, -far)] {
            for fill in FILLS {
                let out = Always(warp(Map::translation(x, y), fill)).apply(image.as_ref(), Key::new(0)).unwrap();
                let expected = if let Fill::Constant(_) = fill { 51 } else { 9 };
                assert!(out.as_u8().unwrap().iter().all(|&x| x == expected), "{x}, {y}: {out:?}");
            }
        }
    }
    let colour = Fill::Constant(Colour([0.0, f32::NAN, 0.0, 0.0]));
    for step in [warp(Map::translation(f64::NAN, 0.0), Fill::Edge), warp(Map::IDENTITY, colour)] {
        assert!(Always(step).plan(shape, Kind::U8, Key::new(0)).is_err());
    }
}

#[test]
fn a_value_that_is_no_number_is_told_with_its_place() {
    for (shape, at) in [(Shape::interleaved(3, 4, 2), (4 + 2) * 2 + 1), (Shape::planar(2, 3, 4), 12 + 4 + 2)] {
        let mut values = vec![0.5_f32; 24];
        values[at] = f32::NEG_INFINITY;
        let error = GaussianNoise::new(0.0, 0.1).unwrap().apply(ImageRef::new(shape, &values).unwrap(), Key::new(0));
        let expected = "noise: expected finite values within ±10²⁴, got -inf at row 1, column 2, channel 1";
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_note_holds_all_that_an_affine_map_can_draw() {
    let all = Affine::rotation(1.0).unwrap().with_scale(1.1).unwrap().with_ratio(1.2).unwrap();
    let shift = |x: f64| Shift::Pixels(x.into());
    let all = all.with_shear(2.0, 3.0).unwrap().with_translation(shift(4.0), shift(5.0)).unwrap();
    let plan = all.plan(Shape::interleaved(3, 4, 1), Kind::U8, Key::new(0)).unwrap();
    let expected = "affine turn 1 scale 1.1 ratio 1.2 shear x 2 shear y 3 x 4 y 5";
    assert_eq!(plan.notes()[0].to_string(), expected);
    let saved = serde_json::to_string(&plan.notes()[0]).unwrap();
    assert_eq!(serde_json::from_str::<gradwise_augment::Note>(&saved).unwrap(), plan.notes()[0]);
    let few = Affine::rotation(1.0).unwrap().plan(Shape::interleaved(3, 4, 1), Kind::U8, Key::new(0)).unwrap();
    assert_eq!(serde_json::to_string(&few.notes()[0]).unwrap(), r#"{"name":"affine","values":[["turn",1.0]]}"#);
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
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(run(&images, &keys, &pool), expected);
    assert_eq!(pool.install(|| run(&images, &keys, &pool)), expected, "from within the pool, too");
    for (i, sample) in expected.chunks(len).enumerate() {
        let image = ImageRef::new(shape, &images[i * len..][..len]).unwrap();
        assert_eq!(pipeline.apply(image, keys[i]).unwrap().as_u8().unwrap(), sample);
    }
    let reversed: Vec<u8> = images.chunks(len).rev().flatten().copied().collect();
    let keys: Vec<Key> = keys.into_iter().rev().collect();
    let back: Vec<u8> = run(&reversed, &keys, &Count(3)).chunks(len).rev().flatten().copied().collect();
    assert_eq!(back, expected);
}
