//! Laws of what loses parts of images.

use gradwise_augment::{
    Augment, CoarseDropout, Colour, Content, Draw, Dropout, Erased, GridDropout, Image, ImageRef, Key, Kind, Layout,
    PixelDropout, RandomErasing, Result, Shape, Step,
};

const MARK: f32 = 0.25;

/// A white image after a transform, as floating-point values.
fn white(transform: &dyn Augment, shape: Shape, seed: u64) -> Vec<f32> {
    let values = vec![1.0_f32; shape.len().unwrap()];
    let image = transform.apply(ImageRef::new(shape, &values).unwrap(), Key::new(seed)).unwrap();
    image.as_f32().unwrap().to_vec()
}

/// The values of a channel, in the order of pixels.
fn channel(shape: Shape, values: &[f32], channel: usize) -> Vec<f32> {
    let pixels = shape.height * shape.width;
    let place = |i: usize| match shape.layout {
        Layout::Interleaved => i * shape.channels + channel,
        Layout::Planar => channel * pixels + i,
    };
    (0..pixels).map(|i| values[place(i)]).collect()
}

fn shapes() -> [Shape; 5] {
    [
        Shape::interleaved(37, 41, 3),
        Shape::planar(3, 37, 41),
        Shape::interleaved(50, 33, 1),
        Shape::interleaved(20, 31, 5),
        Shape::planar(4, 1, 700),
    ]
}

fn grey(rate: f64) -> PixelDropout {
    PixelDropout::new(rate).unwrap().with(Erased::Colour(Colour::grey(MARK)))
}

/// Whether a count is one of `n` draws of a probability: within five standard deviations. Seeds are fixed.
fn likely(count: usize, n: usize, p: f64) -> bool {
    let n = n as f64;
    (count as f64 - n * p).abs() <= 5.0 * (n * p * (1.0 - p)).sqrt() + 1e-9
}

#[test]
fn as_many_pixels_are_lost_as_the_rate_says() {
    for (seed, shape) in (0..).zip(shapes()) {
        for rate in [0.0, 0.001, 0.05, 0.5, 0.97, 1.0] {
            let values = white(&grey(rate), shape, seed);
            let pixels = channel(shape, &values, 0);
            let lost = pixels.iter().filter(|&&x| x == MARK).count();
            assert!(likely(lost, pixels.len(), rate), "{lost} of {shape} at {rate}");
            assert!(values.iter().all(|&x| x == MARK || x == 1.0));
            // A pixel is lost as a whole.
            assert!((1..shape.channels).all(|c| channel(shape, &values, c) == pixels), "{shape}");

            let each = white(&grey(rate).each_channel(true), shape, seed);
            let lost = each.iter().filter(|&&x| x == MARK).count();
            assert!(likely(lost, each.len(), rate), "{lost} of {shape} at {rate}");
            // Channels are lost independently of each other.
            if shape.channels > 1 {
                let (a, b) = (channel(shape, &each, 0), channel(shape, &each, 1));
                let both = a.iter().zip(&b).filter(|(a, b)| **a == MARK && **b == MARK).count();
                assert!(likely(both, a.len(), rate * rate), "{both} of {shape} at {rate}");
            }
        }
    }
}

#[test]
fn neighbours_are_lost_independently() {
    let shape = Shape::interleaved(200, 200, 3);
    let lost: Vec<bool> = channel(shape, &white(&grey(0.3), shape, 5), 0).iter().map(|&x| x == MARK).collect();
    for distance in [1, 2, 31, 32, 200] {
        let both = lost.iter().zip(&lost[distance..]).filter(|(a, b)| **a && **b).count();
        assert!(likely(both, lost.len() - distance, 0.09), "{both} pairs at {distance}");
    }
}

#[test]
fn both_layouts_and_types_lose_the_same_pixels() {
    let (interleaved, planar) = (Shape::interleaved(19, 23, 3), Shape::planar(3, 19, 23));
    let (a, b) = (white(&grey(0.2), interleaved, 3), white(&grey(0.2), planar, 3));
    assert!((0..3).all(|c| channel(interleaved, &a, c) == channel(planar, &b, c)));
    let bytes = vec![255_u8; interleaved.len().unwrap()];
    let out = grey(0.2).apply(ImageRef::new(interleaved, &bytes).unwrap(), Key::new(3)).unwrap();
    let lost = |x: u8| if x == 255 { 1.0 } else { MARK };
    assert_eq!(out.as_u8().unwrap().iter().map(|&x| lost(x)).collect::<Vec<_>>(), a);
    assert!(out.as_u8().unwrap().iter().all(|x| matches!(x, 255 | 64)));
}

#[test]
fn what_takes_their_place() {
    let shape = Shape::interleaved(120, 100, 3);
    // A colour, channel by channel; the fourth stands for all that follow.
    let colour = Colour([0.1, 0.2, 0.3, 0.4]);
    let many = Shape::planar(6, 10, 10);
    for shape in [shape, Shape::planar(3, 9, 9), many] {
        for each in [false, true] {
            let dropout = PixelDropout::new(1.0).unwrap().with(Erased::Colour(colour)).each_channel(each);
            let values = white(&dropout, shape, 1);
            for c in 0..shape.channels {
                assert!(channel(shape, &values, c).iter().all(|&x| x == colour.0[c.min(3)]), "channel {c} of {shape}");
            }
        }
    }
    // Random numbers: as many different ones as there are values, with the right moments.
    for (erased, mean, variance) in [(Erased::Uniform, 0.5, 1.0 / 12.0), (Erased::Normal, 0.0, 1.0)] {
        for each in [false, true] {
            let mut values = white(&PixelDropout::new(1.0).unwrap().with(erased).each_channel(each), shape, 2);
            let n = values.len() as f64;
            let average = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
            let spread = values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
            assert!((average - mean).abs() < 5.0 * (variance / n).sqrt(), "{erased:?}: mean {average}");
            assert!((spread / variance - 1.0).abs() < 0.05, "{erased:?}: variance {spread}");
            values.sort_by(f32::total_cmp);
            values.dedup();
            assert!(values.len() as f64 > 0.98 * n, "{erased:?}: {} of {n} are different", values.len());
            // What is lost at a lower rate is filled with the same numbers.
            let some = white(&PixelDropout::new(0.4).unwrap().with(erased).each_channel(each), shape, 2);
            let all = white(&PixelDropout::new(1.0).unwrap().with(erased).each_channel(each), shape, 2);
            assert!(some.iter().zip(&all).all(|(some, all)| *some == 1.0 || some == all));
        }
    }
}

#[test]
fn rates_that_are_none_are_refused() {
    for rate in [(-0.1, 0.5), (0.2, 1.1), (0.5, 0.2), (f64::NAN, 0.5)] {
        let error = PixelDropout::new(rate).unwrap_err().to_string();
        assert!(
            error.starts_with("pixel dropout: rate must be a number or an ascending pair within [0, 1]"),
            "{error}"
        );
    }
    // As a saved plan may have it.
    #[derive(Debug)]
    struct Saved(f32);
    impl Augment for Saved {
        fn name(&self) -> &str {
            "saved"
        }

        fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
            let (content, key) = (Content::Colour(Colour::BLACK), draw.key());
            draw.push(Step::Dropout(Dropout { rate: self.0, each_channel: false, content, key }))
        }
    }
    for rate in [f32::NAN, -1.0, 1.5] {
        assert!(Saved(rate).plan(Shape::interleaved(2, 2, 1), Kind::U8, Key::new(0)).is_err(), "{rate}");
    }
}

/// The rectangle that is lost, as first row, first column, rows and columns; it must be one.
fn rectangle(shape: Shape, values: &[f32]) -> Option<(usize, usize, usize, usize)> {
    let lost: Vec<(usize, usize)> = channel(shape, values, 0)
        .iter()
        .enumerate()
        .filter(|(_, x)| **x == MARK)
        .map(|(i, _)| (i / shape.width, i % shape.width))
        .collect();
    let (first, last) = (lost.first()?, lost.last()?);
    let (height, width) = (last.0 - first.0 + 1, last.1 - first.1 + 1);
    assert_eq!(lost.len(), height * width, "no rectangle");
    Some((first.0, first.1, height, width))
}

#[test]
fn erased_rectangles_have_their_area_and_ratio() {
    let shape = Shape::interleaved(60, 80, 1);
    let erasing = RandomErasing::new(0.5).unwrap().with(Erased::Colour(Colour::grey(MARK)));
    let found: Vec<_> = (0..1000).filter_map(|seed| rectangle(shape, &white(&erasing, shape, seed))).collect();
    // Of a few, no try fits.
    assert!((430..=560).contains(&found.len()), "{}", found.len());
    for &(top, left, height, width) in &found {
        let (area, ratio) = ((height * width) as f64 / 4800.0, height as f64 / width as f64);
        assert!((0.015..=0.345).contains(&area) && (0.25..=4.0).contains(&ratio), "{height} x {width}");
        assert!(top + height <= 60 && left + width <= 80);
    }
    let mean =
        found.iter().map(|&(_, _, height, width)| (height * width) as f64 / 4800.0).sum::<f64>() / found.len() as f64;
    assert!((mean - 0.175).abs() < 0.02, "mean area {mean}");
    let (top, left) = (found.iter().any(|f| f.0 + f.2 == 60), found.iter().any(|f| f.1 + f.3 == 80));
    assert!(top && left, "they reach the edges");
}

#[test]
fn holes_and_grids() {
    let shape = Shape::interleaved(40, 50, 3);
    let hole = CoarseDropout::new((1, 1), 0.25, 0.5).unwrap().colour(Colour::grey(MARK));
    for seed in 0..50 {
        let (top, left, height, width) = rectangle(shape, &white(&hole, shape, seed)).unwrap();
        assert!((height, width) == (10, 25) && top + height <= 40 && left + width <= 50);
    }
    let none = CoarseDropout::new((0, 0), 0.5, 0.5).unwrap();
    assert!(white(&none, shape, 0).iter().all(|&x| x == 1.0));
    let grid = GridDropout::new(10.0, 0.5).unwrap().colour(Colour::grey(MARK));
    for seed in 0..20 {
        let values = white(&grid, shape, seed);
        // Squares of 5 x 5 every 10 pixels: a quarter, wherever the grid begins, since the image is made of whole units.
        let lost = channel(shape, &values, 0).iter().filter(|&&x| x == MARK).count();
        assert_eq!(lost, 40 * 50 / 4);
    }
}

#[test]
fn masks_boxes_and_points_stay() {
    let shape = Shape::interleaved(8, 9, 3);
    let transforms: [Box<dyn Augment>; 4] = [
        Box::new(grey(0.5)),
        Box::new(RandomErasing::new(1.0).unwrap()),
        Box::new(CoarseDropout::new((2, 3), 0.3, 0.3).unwrap()),
        Box::new(GridDropout::new(4.0, 0.5).unwrap()),
    ];
    let mask = Image::from_vec(Shape::interleaved(8, 9, 1), (0..72).collect::<Vec<u8>>()).unwrap();
    for transform in transforms {
        let plan = transform.plan(shape, Kind::U8, Key::new(1)).unwrap();
        assert_eq!(plan.mask(shape, mask.as_ref()).unwrap(), mask);
        assert_eq!(plan.points(shape, &[(1.5, 2.5)]).unwrap(), [(1.5, 2.5)]);
    }
}
