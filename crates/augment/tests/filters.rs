//! Filters against their definitions, value by value in double precision.

use gradwise_augment::{
    Augment, BoxBlur, Colour, Draw, Fill, GaussianBlur, Image, ImageRef, Kernel, Key, Kind, Layout, LocalFilter,
    MedianBlur, MotionBlur, Result, Shape, Sharpness, Step, UnsharpMask,
};
use proptest::prelude::*;

/// A filter as a transform.
#[derive(Debug)]
struct Always(LocalFilter);

impl Augment for Always {
    fn name(&self) -> &str {
        "always"
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        draw.push(Step::Filter(self.0))
    }
}

fn run(filter: LocalFilter, image: ImageRef<'_>) -> Image {
    Always(filter).apply(image, Key::new(0)).expect("a filter of any image")
}

const FILLS: [Fill; 5] =
    [Fill::Constant(Colour([0.2, 0.4, 0.6, 0.8])), Fill::Edge, Fill::Reflect, Fill::Symmetric, Fill::Wrap];

fn shapes() -> impl Strategy<Value = Shape> {
    (1..9_usize, 1..40_usize, 1..6_usize, any::<bool>()).prop_map(|(height, width, channels, planar)| {
        if planar { Shape::planar(channels, height, width) } else { Shape::interleaved(height, width, channels) }
    })
}

/// Values that look random.
fn bytes(shape: Shape) -> Vec<u8> {
    (0..shape.len().unwrap_or(0)).map(|i| (i * 151 % 251 + i * i % 5) as u8).collect()
}

fn index(shape: Shape, y: usize, x: usize, channel: usize) -> usize {
    match shape.layout {
        Layout::Interleaved => (y * shape.width + x) * shape.channels + channel,
        Layout::Planar => (channel * shape.height + y) * shape.width + x,
    }
}

/// The value at a place that may lie beyond the edge, by the definition of fills.
fn at(shape: Shape, values: &[f64], fill: Fill, y: i64, x: i64, channel: usize) -> f64 {
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
        (Some(y), Some(x), _) => values[index(shape, y as usize, x as usize, channel)],
        (_, _, Fill::Constant(colour)) => f64::from(colour.0[channel.min(3)]),
        _ => unreachable!("every other fill has a place"),
    }
}

/// Every value of an image by a function of those around it.
fn reference(shape: Shape, values: &[f64], fill: Fill, f: impl Fn(&dyn Fn(i64, i64) -> f64) -> f64) -> Vec<f64> {
    let mut out = vec![0.0; values.len()];
    for y in 0..shape.height {
        for x in 0..shape.width {
            for channel in 0..shape.channels {
                let around = |dx: i64, dy: i64| at(shape, values, fill, y as i64 + dy, x as i64 + dx, channel);
                out[index(shape, y, x, channel)] = f(&around);
            }
        }
    }
    out
}

/// Compares a filter with its definition on shares of white, on bytes and on floats.
fn check(filter: LocalFilter, shape: Shape, f: impl Fn(&dyn Fn(i64, i64) -> f64) -> f64, tolerance: f64) {
    let bytes = bytes(shape);
    let floats: Vec<f32> = bytes.iter().map(|&x| f32::from(x) / 255.0).collect();
    let values: Vec<f64> = bytes.iter().map(|&x| f64::from(x) / 255.0).collect();
    let fill = match filter.fill {
        // As a byte can hold it.
        Fill::Constant(Colour(colour)) => Fill::Constant(Colour(colour.map(|x| (x * 255.0).round() / 255.0))),
        fill => fill,
    };
    let filter = LocalFilter { fill, ..filter };
    let expected = reference(shape, &values, fill, f);
    let got = run(filter, ImageRef::new(shape, &bytes).expect("an image"));
    for (got, expected) in got.as_u8().expect("bytes").iter().zip(&expected) {
        let (got, expected) = (f64::from(*got), expected * 255.0);
        assert!((got - expected).abs() <= 0.5 + tolerance, "{filter:?} of {shape}: {got}, not {expected}");
    }
    let got = run(filter, ImageRef::new(shape, &floats).expect("an image"));
    for (got, expected) in got.as_f32().expect("floats").iter().zip(&expected) {
        assert!((f64::from(*got) - expected).abs() < 2e-6, "{filter:?} of {shape}: {got}, not {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn gaussian(shape in shapes(), fill in 0..5_usize, sigma in 0.0..4.0_f32, radius in 0..7_usize) {
        let weight = |i: i64| if sigma == 0.0 { f64::from(i == 0) } else { (-0.5 * (i as f64 / f64::from(sigma)).powi(2)).exp() };
        let r = radius as i64;
        let sum: f64 = (-r..=r).map(weight).sum();
        let of = |around: &dyn Fn(i64, i64) -> f64| {
            let row = |dy: i64| (-r..=r).map(|dx| weight(dx) * around(dx, dy)).sum::<f64>();
            (-r..=r).map(|dy| weight(dy) * row(dy)).sum::<f64>() / (sum * sum)
        };
        check(LocalFilter { kernel: Kernel::Gaussian { sigma, radius }, fill: FILLS[fill] }, shape, of, 0.1);
    }

    #[test]
    fn boxes(shape in shapes(), fill in 0..5_usize, radius in 0..6_usize) {
        let r = radius as i64;
        let of = |around: &dyn Fn(i64, i64) -> f64| {
            (-r..=r).flat_map(|dy| (-r..=r).map(move |dx| (dx, dy))).map(|(dx, dy)| around(dx, dy)).sum::<f64>()
                / ((2 * r + 1) * (2 * r + 1)) as f64
        };
        check(LocalFilter { kernel: Kernel::Box { radius }, fill: FILLS[fill] }, shape, of, 0.1);
    }

    #[test]
    fn medians(shape in shapes(), fill in 0..5_usize, radius in 0..4_usize) {
        let r = radius as i64;
        let of = |around: &dyn Fn(i64, i64) -> f64| {
            let mut all: Vec<f64> = (-r..=r).flat_map(|dy| (-r..=r).map(move |dx| (dx, dy))).map(|(dx, dy)| around(dx, dy)).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        check(LocalFilter { kernel: Kernel::Median { radius }, fill: FILLS[fill] }, shape, of, -0.49);
    }

    #[test]
    fn sharpness(shape in shapes(), factor in 0.0..3.0_f32) {
        let of = |shape: Shape, bytes: &[f64], round: bool| {
            let mut out = bytes.to_vec();
            for y in 1..shape.height.saturating_sub(1) {
                for x in 1..shape.width.saturating_sub(1) {
                    for channel in 0..shape.channels {
                        let around = |dx: i64, dy: i64| at(shape, bytes, Fill::Edge, y as i64 + dy, x as i64 + dx, channel);
                        let sum: f64 = (0..9).map(|i| around(i % 3 - 1, i / 3 - 1)).sum();
                        let smooth = (sum + 4.0 * around(0, 0)) / 13.0;
                        let smooth = if round { smooth.round() } else { smooth };
                        let white = if round { 255.0 } else { 1.0 };
                        out[index(shape, y, x, channel)] = (smooth + f64::from(factor) * (around(0, 0) - smooth)).clamp(0.0, white);
                    }
                }
            }
            out
        };
        let filter = LocalFilter { kernel: Kernel::Sharpness { factor }, fill: Fill::Edge };
        let bytes = bytes(shape);
        let got = run(filter, ImageRef::new(shape, &bytes).expect("an image"));
        let expected = of(shape, &bytes.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), true);
        prop_assert!(got.as_u8().expect("bytes").iter().zip(&expected).all(|(got, e)| (f64::from(*got) - e).abs() <= 0.501));
        let floats: Vec<f32> = bytes.iter().map(|&x| f32::from(x) / 255.0).collect();
        let got = run(filter, ImageRef::new(shape, &floats).expect("an image"));
        let expected = of(shape, &floats.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), false);
        prop_assert!(got.as_f32().expect("floats").iter().zip(&expected).all(|(got, e)| (f64::from(*got) - e).abs() < 2e-6));
    }

    /// Any blur leaves a constant image as it is, whatever the rounding, and the values of others between the least and the largest.
    #[test]
    fn constants_stay(shape in shapes(), value: u8, radius in 0..60_usize, angle in 0.0..180.0_f32, which in 0..4_usize) {
        let kernel = match which {
            0 => Kernel::Gaussian { sigma: radius as f32 / 3.0, radius },
            1 => Kernel::Box { radius },
            2 => Kernel::Median { radius: radius / 6 },
            _ => Kernel::Motion { length: radius as f32, angle },
        };
        let filter = LocalFilter { kernel, fill: Fill::Reflect };
        let constant = vec![value; shape.len().unwrap_or(0)];
        let got = run(filter, ImageRef::new(shape, &constant).expect("an image"));
        prop_assert_eq!(got.as_u8(), Some(&constant[..]));
    }

    #[test]
    fn lines_of_any_length(shape in shapes(), fill in 0..5_usize, length in 0.0..30.0_f32, angle in -180.0..180.0_f32) {
        // The mean over points of the line, each between its four pixels.
        let n = (f64::from(length) / 2.0 * 8.0).ceil().max(1.0);
        let (sine, cosine) = f64::from(angle).to_radians().sin_cos();
        let of = |around: &dyn Fn(i64, i64) -> f64| {
            let mut sum = 0.0;
            for i in 0..2 * n as i64 {
                let along = ((i as f64 + 0.5) / n - 1.0) * f64::from(length) / 2.0;
                let (x, y) = (cosine * along, sine * along);
                let (left, top) = (x.floor(), y.floor());
                let (fx, fy) = (x - left, y - top);
                let (left, top) = (left as i64, top as i64);
                sum += (1.0 - fy) * ((1.0 - fx) * around(left, top) + fx * around(left + 1, top));
                sum += fy * ((1.0 - fx) * around(left, top + 1) + fx * around(left + 1, top + 1));
            }
            sum / (2.0 * n)
        };
        check(LocalFilter { kernel: Kernel::Motion { length, angle }, fill: FILLS[fill] }, shape, of, 0.25);
    }
}

#[test]
fn unsharp_masks_undo_a_blur_in_part() {
    let shape = Shape::interleaved(5, 9, 1);
    let edge: Vec<f32> = (0..45).map(|i| if i % 9 < 4 { 0.3 } else { 0.6 }).collect();
    let image = ImageRef::new(shape, &edge).expect("an image");
    let blurred = GaussianBlur::new(1.0).and_then(|blur| blur.apply(image, Key::new(0))).expect("a blur");
    let sharper = UnsharpMask::new(1.0, 0.8).and_then(|mask| mask.apply(image, Key::new(0))).expect("a mask");
    for ((x, g), got) in edge.iter().zip(blurred.as_f32().expect("floats")).zip(sharper.as_f32().expect("floats")) {
        assert!((got - (x + 0.8 * (x - g))).abs() < 1e-6);
    }
}

#[test]
fn the_same_on_bytes_of_any_layout() {
    let shape = Shape::interleaved(17, 23, 3);
    let values = bytes(shape);
    let planar: Vec<u8> = (0..3).flat_map(|c| values.iter().skip(c).step_by(3)).copied().collect();
    for kernel in [
        Kernel::Gaussian { sigma: 1.3, radius: 4 },
        Kernel::Box { radius: 2 },
        Kernel::Median { radius: 1 },
        Kernel::Median { radius: 3 },
        Kernel::Motion { length: 6.5, angle: 30.0 },
        Kernel::Sharpness { factor: 1.7 },
        Kernel::Unsharp { sigma: 1.0, radius: 3, amount: 0.7 },
    ] {
        let filter = LocalFilter { kernel, fill: Fill::Reflect };
        let a = run(filter, ImageRef::new(shape, &values).expect("an image"));
        let b = run(filter, ImageRef::new(Shape::planar(3, 17, 23), &planar).expect("an image"));
        let a: Vec<u8> = (0..3).flat_map(|c| a.as_u8().expect("bytes").iter().skip(c).step_by(3)).copied().collect();
        assert_eq!(Some(&a[..]), b.as_u8(), "{kernel:?}");
    }
}

#[test]
fn parameters_are_checked() {
    assert!(
        GaussianBlur::new((2.0, 0.1)).is_err()
            && GaussianBlur::new(-1.0).is_err()
            && GaussianBlur::new(f64::NAN).is_err()
    );
    assert!(GaussianBlur::new(1.0).and_then(|blur| blur.radius(128)).is_err());
    assert!(BoxBlur::new((1.2, 1.8)).is_err() && MedianBlur::new(200.0).is_err());
    assert!(MotionBlur::new(-1.0, 0.0).is_err() && MotionBlur::new(3.0, 1e9).is_err());
    assert!(Sharpness::new(-0.1).is_err() && UnsharpMask::new(1.0, f64::INFINITY).is_err());
    let shape = Shape::interleaved(4, 4, 1);
    for kernel in [
        Kernel::Gaussian { sigma: f32::NAN, radius: 1 },
        Kernel::Box { radius: 1000 },
        Kernel::Motion { length: 1e9, angle: 0.0 },
        Kernel::Motion { length: 1.0, angle: f32::INFINITY },
        Kernel::Sharpness { factor: f32::NAN },
        Kernel::Unsharp { sigma: 1.0, radius: 1, amount: f32::NAN },
    ] {
        let filter = Always(LocalFilter { kernel, fill: Fill::Reflect });
        assert!(filter.plan(shape, Kind::U8, Key::new(0)).is_err(), "{kernel:?}, from a file, say");
    }
}

#[test]
fn what_is_drawn() {
    let shape = Shape::interleaved(8, 8, 1);
    let blur = MedianBlur::new((1.0, 3.0)).expect("a range");
    let mut seen = [0; 4];
    for i in 0..300 {
        let plan = blur.plan(shape, Kind::U8, Key::new(i)).expect("a plan");
        match plan.steps() {
            [Step::Filter(LocalFilter { kernel: Kernel::Median { radius }, .. })] => seen[*radius] += 1,
            steps => panic!("{steps:?}"),
        }
    }
    assert_eq!(seen[0], 0);
    assert!(seen[1..].iter().all(|n| (70..130).contains(n)), "{seen:?}");
}
