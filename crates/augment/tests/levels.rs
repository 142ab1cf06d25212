//! Histogram operations against Pillow's and OpenCV's rules, written plainly, and shot noise as a transform.

use gradwise_augment::{
    Augment, AutoContrast, Clahe, Draw, Equalize, Image, ImageRef, Key, Kind, Layout, Levels, Photons, Result, Shape,
    ShotNoise, Step,
};
use proptest::prelude::*;

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

fn run(levels: Levels, image: ImageRef<'_>) -> Image {
    Always(Step::Levels { levels }).apply(image, Key::new(0)).expect("a step for any image")
}

fn image<V: gradwise_augment::Value>(shape: Shape, values: &[V]) -> ImageRef<'_> {
    ImageRef::new(shape, values).expect("an image")
}

fn shapes() -> impl Strategy<Value = Shape> {
    (1..40_usize, 1..40_usize, 1..5_usize, any::<bool>()).prop_map(|(height, width, channels, planar)| {
        if planar { Shape::planar(channels, height, width) } else { Shape::interleaved(height, width, channels) }
    })
}

/// Values that look random, between two levels.
fn bytes(shape: Shape, low: u8, high: u8) -> Vec<u8> {
    let (low, n) = (usize::from(low.min(high)), usize::from(low.abs_diff(high)) + 1);
    (0..shape.len().unwrap_or(0)).map(|i| (low + (i * 151 + i * i % 977) % n) as u8).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|&x| f32::from(x) / 255.0).collect()
}

fn index(shape: Shape, y: usize, x: usize, channel: usize) -> usize {
    match shape.layout {
        Layout::Interleaved => (y * shape.width + x) * shape.channels + channel,
        Layout::Planar => (channel * shape.height + y) * shape.width + x,
    }
}

/// Every channel by a function of its list of values.
fn by_channel(shape: Shape, values: &[u8], f: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut out = values.to_vec();
    for channel in 0..shape.channels {
        let places: Vec<usize> =
            (0..shape.height).flat_map(|y| (0..shape.width).map(move |x| index(shape, y, x, channel))).collect();
        let old: Vec<u8> = places.iter().map(|&i| values[i]).collect();
        places.into_iter().zip(f(&old)).for_each(|(i, x)| out[i] = x);
    }
    out
}

/// `(values below + step / 2) / step`, where a step is a 255th of all but the lightest.
fn equalized(values: &[u8]) -> Vec<u8> {
    let lightest = values.iter().max().copied().unwrap_or(0);
    let step = values.iter().filter(|&&x| x != lightest).count() / 255;
    let to = |x: u8| {
        let below = values.iter().filter(|&&y| y < x).count();
        ((step / 2 + below) / step).min(255) as u8
    };
    if step == 0 { values.to_vec() } else { values.iter().map(|&x| to(x)).collect() }
}

/// From the values that are left when as many as the shares say are taken from both ends.
fn stretched(values: &[u8], low: f64, high: f64) -> Vec<u8> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let n = sorted.len();
    let (first, last) = ((n as f64 * low) as usize, n - 1 - (n as f64 * high) as usize);
    let (first, last) = (f64::from(sorted[first]), f64::from(sorted[last]));
    if last <= first {
        return values.to_vec();
    }
    let scale = 255.0 / (last - first);
    values.iter().map(|&x| (f64::from(x) * scale + -first * scale).clamp(0.0, 255.0) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn equalizing_is_pillows(shape in shapes(), low: u8, high: u8) {
        let values = bytes(shape, low, high);
        let got = run(Levels::Equalize, image(shape, &values));
        let expected = by_channel(shape, &values, equalized);
        prop_assert_eq!(got.as_u8(), Some(&expected[..]));
        let got = run(Levels::Equalize, image(shape, &floats(&values)));
        let close = got.as_f32().expect("floats").iter().zip(&floats(&expected)).all(|(a, b)| (a - b).abs() < 1e-4);
        prop_assert!(close, "floats at the levels");
    }

    #[test]
    fn stretching_is_pillows(shape in shapes(), low: u8, high: u8, cutoff in (0.0..0.4_f64, 0.0..0.4_f64), cuts: bool) {
        let (from, to) = if cuts { cutoff } else { (0.0, 0.0) };
        let values = bytes(shape, low, high);
        let levels = Levels::AutoContrast { low: from, high: to };
        let got = run(levels, image(shape, &values));
        let expected = by_channel(shape, &values, |values| stretched(values, from, to));
        prop_assert_eq!(got.as_u8(), Some(&expected[..]));
        let got = run(levels, image(shape, &floats(&values)));
        // Bytes are cut off.
        for (got, expected) in got.as_f32().expect("floats").iter().zip(&expected) {
            let above = got * 255.0 - f32::from(*expected);
            prop_assert!((-1e-3..1.001).contains(&above), "{} of {}", got * 255.0, expected);
        }
    }

    #[test]
    fn clahe_is_opencvs(shape in shapes(), tiles in (1..5_usize, 1..5_usize), limit in 0.0..8.0_f32) {
        let values = bytes(shape, 10, 180);
        let (rows, columns) = tiles;
        let got = run(Levels::Clahe { limit, rows, columns }, image(shape, &values));
        let expected = reference(shape, &values, limit, tiles);
        for (got, expected) in got.as_u8().expect("bytes").iter().zip(&expected) {
            prop_assert!((f64::from(*got) - expected).abs() <= 0.501, "{} of {}", got, expected);
        }
        let got = run(Levels::Clahe { limit, rows, columns }, image(shape, &floats(&values)));
        // Luma is rounded for bytes, and not for floats; tables are as steep as the limit allows.
        let steep = if limit == 0.0 { 256.0 } else { limit.max(1.0) + 1.0 } + 256.0 * 255.0 / 4.0 / (shape.height * shape.width) as f32;
        for (got, expected) in got.as_f32().expect("floats").iter().zip(&expected) {
            prop_assert!((0.0..=1.0).contains(got));
            if shape.channels < 3 {
                prop_assert!((f64::from(*got) * 255.0 - expected).abs() <= 0.6, "{} of {}", got * 255.0, expected);
            } else {
                prop_assert!((f64::from(*got) * 255.0 - expected).abs() <= 2.0 + f64::from(steep) * 40.0);
            }
        }
    }
}

/// OpenCV's CLAHE on the luma, pixel by pixel.
fn reference(shape: Shape, values: &[u8], limit: f32, (rows, columns): (usize, usize)) -> Vec<f64> {
    let (height, width) = (shape.height, shape.width);
    let luma = |y: usize, x: usize| {
        let at = |c: usize| u32::from(values[index(shape, y, x, c)]);
        if shape.channels < 3 { at(0) } else { (4899 * at(0) + 9617 * at(1) + 1868 * at(2) + 8192) >> 14 }
    };
    let whole = height % rows == 0 && width % columns == 0;
    let tile = |len: usize, n: usize| if whole { len / n } else { (len + n - len % n) / n };
    let (tile_height, tile_width) = (tile(height, rows), tile(width, columns));
    let mirrored = |i: usize, len: usize| {
        let period = 2 * (len - 1);
        if period == 0 { 0 } else { (i % period).min(period - i % period) }
    };
    let table = |row: usize, column: usize| {
        let mut counts = vec![0_i64; 256];
        for y in row * tile_height..(row + 1) * tile_height {
            for x in column * tile_width..(column + 1) * tile_width {
                counts[luma(mirrored(y, height), mirrored(x, width)) as usize] += 1;
            }
        }
        let area = (tile_height * tile_width) as f32;
        if limit > 0.0 {
            let most = ((limit * area / 256.0) as i64).max(1);
            let excess: i64 = counts.iter().map(|&n| (n - most).max(0)).sum();
            counts.iter_mut().for_each(|n| *n = (*n).min(most) + excess / 256);
            let rest = excess % 256;
            if rest > 0 {
                let step = (256 / rest).max(1);
                (0..rest).for_each(|i| {
                    if i * step < 256 {
                        counts[(i * step) as usize] += 1;
                    }
                });
            }
        }
        let mut sum = 0;
        let scale = 255.0 / area;
        counts
            .iter()
            .map(|n| {
                sum += n;
                f64::from((sum as f32 * scale).round_ties_even().min(255.0))
            })
            .collect::<Vec<_>>()
    };
    let tables: Vec<Vec<Vec<f64>>> =
        (0..rows).map(|row| (0..columns).map(|column| table(row, column)).collect()).collect();
    let mut out: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
    for y in 0..height {
        for x in 0..width {
            let place = |at: usize, size: usize, n: usize| {
                let t = at as f64 / size as f64 - 0.5;
                let clamp = |i: f64| i.clamp(0.0, n as f64 - 1.0) as usize;
                (clamp(t.floor()), clamp(t.floor() + 1.0), t - t.floor())
            };
            let ((up, down, fy), (left, right, fx)) = (place(y, tile_height, rows), place(x, tile_width, columns));
            let old = luma(y, x) as usize;
            let upper = tables[up][left][old] * (1.0 - fx) + tables[up][right][old] * fx;
            let lower = tables[down][left][old] * (1.0 - fx) + tables[down][right][old] * fx;
            let new = upper * (1.0 - fy) + lower * fy;
            for c in 0..if shape.channels < 3 { 1 } else { 3 } {
                let i = index(shape, y, x, c);
                out[i] = (out[i] + new - old as f64).clamp(0.0, 255.0);
            }
        }
    }
    out
}

#[test]
fn by_hand() {
    let values: Vec<u8> = [vec![10; 510], vec![20; 255], vec![30]].concat();
    let got = run(Levels::Equalize, image(Shape::interleaved(1, 766, 1), &values));
    assert_eq!(got.as_u8().map(|x| (x[0], x[510], x[765])), Some((0, 170, 255)));
    let got = run(Levels::AutoContrast { low: 0.0, high: 0.0 }, image(Shape::interleaved(1, 3, 1), &[50_u8, 75, 101]));
    assert_eq!(got.as_u8(), Some(&[0, 125, 255][..]));
    let got =
        run(Levels::AutoContrast { low: 0.0, high: 0.0 }, image(Shape::interleaved(1, 3, 1), &[-1.0_f32, 0.0, 3.0]));
    assert_eq!(got.as_f32(), Some(&[0.0, 0.25, 1.0][..]));
    for levels in [Levels::Equalize, Levels::AutoContrast { low: 0.1, high: 0.2 }] {
        let got = run(levels, image(Shape::interleaved(3, 3, 1), &[77_u8; 9]));
        assert_eq!(got.as_u8(), Some(&[77; 9][..]), "one value stays");
    }
}

#[test]
fn transforms_and_their_parameters() {
    let shape = Shape::interleaved(16, 16, 3);
    let values = bytes(shape, 40, 90);
    let all: [Box<dyn Augment>; 3] = [
        Box::new(Equalize::new(0.5).expect("a probability")),
        Box::new(AutoContrast::new(0.5).and_then(|auto| auto.cutoff(0.01, 0.02)).expect("shares")),
        Box::new(Clahe::new((1.0, 4.0)).and_then(|clahe| clahe.tiles(2, 2)).expect("a range")),
    ];
    for augment in &all {
        let plans = (0..400).map(|i| augment.plan(shape, Kind::U8, Key::new(i)).expect("a plan"));
        let n = plans.filter(|plan| plan.steps().len() == 1).count();
        let expected = if augment.name() == "clahe" { 400..=400 } else { 160..=240 };
        assert!(expected.contains(&n), "{}: {n}", augment.name());
    }
    let got = all[2].apply(image(shape, &values), Key::new(0)).expect("an image");
    assert_ne!(got.as_u8(), Some(&values[..]));
    assert!(Equalize::new(1.1).is_err() && AutoContrast::new(f64::NAN).is_err() && Clahe::new(-1.0).is_err());
    let auto = AutoContrast::new(1.0).expect("a probability");
    assert!(auto.clone().cutoff(0.5, 0.5).is_err() && auto.cutoff(-0.1, 0.0).is_err());
    let clahe = Clahe::new(2.0).expect("a limit");
    assert!(clahe.clone().tiles(0, 8).is_err() && clahe.tiles(8, 65).is_err());
    assert!(ShotNoise::new(0.0).is_err() && ShotNoise::new((0.3, 0.1)).is_err());
    assert!(ShotNoise::new(0.1).and_then(|noise| noise.gamma(0.0)).is_err());
    for photons in [
        Photons { scale: 0.0, gamma: 1.0, key: Key::new(0) },
        Photons { scale: 1.0, gamma: f32::NAN, key: Key::new(0) },
    ] {
        assert!(Always(Step::Photons(photons)).plan(shape, Kind::U8, Key::new(0)).is_err(), "from a file, say");
    }
}

/// The mean and the variance of the light of a grey image are those of counts: its own, and `scale` times it.
#[test]
fn shot_noise_keeps_the_light() {
    let shape = Shape::interleaved(128, 128, 3);
    for (grey, scale, gamma) in [(120_u8, 0.02, 2.2), (60, 0.004, 2.2), (90, 0.002, 1.0)] {
        let noise = ShotNoise::new(scale).and_then(|noise| noise.gamma(gamma)).expect("a scale");
        let values = vec![f32::from(grey) / 255.0; 128 * 128 * 3];
        let noisy = noise.apply(image(shape, &values), Key::new(11)).expect("an image");
        let light: Vec<f64> = noisy.as_f32().expect("floats").iter().map(|&x| f64::from(x).powf(gamma)).collect();
        let n = light.len() as f64;
        let expected = (f64::from(grey) / 255.0).powf(gamma);
        let mean = light.iter().sum::<f64>() / n;
        assert!((mean - expected).abs() < 4.0 * (expected * scale / n).sqrt() + 1e-5, "{mean}, not {expected}");
        let variance = light.iter().map(|x| (x - expected).powi(2)).sum::<f64>() / n;
        assert!((variance / (expected * scale) - 1.0).abs() < 0.04, "{variance}");
        let again = noise.apply(image(shape, &values), Key::new(11)).expect("an image");
        assert_eq!(again, noisy);
    }
}
