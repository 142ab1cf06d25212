//! Sizes and numbers that cannot be worked with: errors that name the transform, and no panic.

use gradwise_augment::{
    AddNoise, Affine, Augment, Blend, BoxBlur, Buffers, CenterCrop, Clahe, Colour, ColourStep, Content, Distribution,
    Draw, Elastic, ElasticTransform, Equalize, Erase, Fill, Filter, Flip, GaussianNoise, Grid, Image, ImageMut,
    ImageRef, Interpolation, Kernel, Key, Kind, LocalFilter, Map, Mix, MixUp, Normalize, Pad, Plan, RandomCrop,
    RandomResizedCrop, Resize, ResizeTo, Result, SaltAndPepper, Shape, Step, Tone, Translate, Warp,
};

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

/// The mistakes that people make: each is told with the transform and the value.
#[test]
fn what_bad_input_gets() {
    let told = |result: Result<()>, expected: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, not {expected}");
    };
    told(Flip::horizontal(1.5).map(|_| ()), "flip: probability must be within [0, 1], got 1.5");
    told(Flip::horizontal(f64::NAN).map(|_| ()), "flip: probability must be within [0, 1], got NaN");
    told(GaussianNoise::new(0.0, (0.5, 0.1)).map(|_| ()), "gaussian noise: std must be a number or an ascending pair");
    told(GaussianNoise::new(0.0, (0.5, 0.1)).map(|_| ()), "got (0.5, 0.1)");
    let empty = Shape::interleaved(0, 4, 3);
    told(ImageRef::new::<u8>(empty, &[]).map(|_| ()), "an image of 1 to 2147483648 pixels, got 0 x 4 x 3");
    told(GaussianNoise::new(0.0, 0.1).unwrap().plan(empty, Kind::U8, Key::new(0)).map(|_| ()), "got 0 x 4 x 3");
    let shape = Shape::interleaved(3, 4, 1);
    let bytes = [7_u8; 12];
    let image = ImageRef::new(shape, &bytes).unwrap();
    let crop = RandomCrop::new(4, 4).unwrap();
    told(crop.apply(image, Key::new(0)).map(|_| ()), "random crop: expected an image of at least 4 x 4, got 3 x 4 x 1");
    assert!(crop.margin(1, Fill::Edge).apply(image, Key::new(0)).is_ok());
    let plan = Flip::horizontal(1.0).unwrap().plan(shape, Kind::U8, Key::new(0)).unwrap();
    let mask = [1_u8; 16];
    let mask = ImageRef::new(Shape::interleaved(4, 4, 1), &mask).unwrap();
    told(plan.mask(shape, mask).map(|_| ()), "mask: expected 3 x 4, as the image, got 4 x 4 x 1");
    let mut target = [9_u8; 16];
    let into = ImageMut::new(Shape::interleaved(4, 4, 1), &mut target).unwrap();
    told(
        plan.mask_into(shape, image, 0.0, into, &mut Buffers::default()),
        "target of a mask: expected 3 x 4 x 1 of U8",
    );
    assert_eq!(target, [9; 16], "nothing was written");
    let mut floats = [0.5_f32; 12];
    floats[7] = f32::NAN;
    let noise = GaussianNoise::new(0.0, 0.1).unwrap();
    told(
        noise.apply(ImageRef::new(shape, &floats).unwrap(), Key::new(0)).map(|_| ()),
        "finite values within ±10²⁴, got NaN",
    );
}

fn refused(transform: &dyn Augment, shape: Shape, expected: &str) {
    let error = transform.plan(shape, Kind::U8, Key::new(0)).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}, not {expected}");
}

#[test]
fn images_that_are_too_large_are_refused_by_the_transform_that_would_make_them() {
    let shape = Shape::interleaved(3, 4, 1);
    for huge in [1 << 31, 1 << 40, usize::MAX / 2, usize::MAX] {
        refused(&Pad::all(huge, Fill::Edge), shape, "pad: ");
        refused(&Pad::new(huge, 0, 0, 0, Fill::Wrap), shape, "pad: ");
        refused(&ResizeTo::exact(huge, 2).unwrap(), shape, "resize: ");
        refused(&ResizeTo::shorter(huge).unwrap(), shape, "resize: ");
        refused(&ResizeTo::longer(huge).unwrap(), shape, "resize: ");
        refused(&RandomResizedCrop::new(huge, 2).unwrap(), shape, "random resized crop: ");
        refused(&RandomCrop::new(huge, 2).unwrap(), shape, "random crop: ");
        refused(
            &RandomCrop::new(5, 2).unwrap(),
            shape,
            "random crop: expected an image of at least 5 x 2, got 3 x 4 x 1",
        );
        refused(&CenterCrop::new(2, huge).unwrap(), shape, "center crop: ");
        let image = Image::black(Shape::interleaved(huge, 2, 1), Kind::U8).unwrap_err().to_string();
        assert!(image.starts_with("image: expected an image of 1 to 2147483648 pixels"), "{image}");
        assert!(MixUp::new(1.0).unwrap().draw(huge << 20 | 1 << 60, shape, Key::new(0)).is_err());
    }
    let header = Shape::interleaved(100_000, 100_000, 3);
    assert!(ImageRef::new(header, &[0_u8; 3]).is_err() && Image::black(header, Kind::F32).is_err());
    // Many channels take memory without being pixels.
    assert!(Image::black(Shape::planar(usize::MAX / 64, 1, 1), Kind::F32).is_err());
}

/// Results that are small and would need very much memory on the way: an error, and not the end of the program.
#[test]
fn working_memory_that_is_not_there_is_an_error() {
    // 1.4 * 10^14 bytes between the two passes.
    let tall = Shape::interleaved(1 << 20, 1, 1);
    let image = Image::black(tall, Kind::U8).unwrap();
    let wide = Always(Step::Resize(Resize { height: 1, width: 1 << 25, filter: Filter::Lanczos, antialias: true }));
    let plan = wide.plan(tall, Kind::U8, Key::new(0)).unwrap();
    let mut target = vec![0_u8; 1 << 25];
    let into = ImageMut::new(Shape::interleaved(1, 1 << 25, 1), &mut target).unwrap();
    let error = plan.apply_into(image.as_ref(), into, &mut Buffers::default()).unwrap_err().to_string();
    assert!(error.starts_with("resize: expected an image that can be worked on in memory"), "{error}");
}

/// Margins and shifts of any size: pixels from far beyond the edge, by fills that have them at any distance.
#[test]
fn distances_beyond_every_image() {
    let values: Vec<u8> = (0..12).collect();
    let image = ImageRef::new(Shape::interleaved(3, 4, 1), &values).unwrap();
    for fill in [Fill::BLACK, Fill::Edge, Fill::Reflect, Fill::Symmetric, Fill::Wrap] {
        for margin in [1 << 29, 1 << 30, 1 << 40, 1 << 62, usize::MAX] {
            for seed in 0..4 {
                let crop = RandomCrop::new(2, 2).unwrap().margin(margin, fill);
                let out = crop.apply(image, Key::new(seed)).unwrap();
                assert!(out.as_u8().unwrap().iter().all(|x| values.contains(x)));
            }
        }
        for far in [1e9, -1e15, 9e15, 1e300, -1e308] {
            for map in [
                Map::translation(far, 0.0),
                Map::translation(0.5, far),
                Map::scaling(2.0, 0.5).then(Map::translation(far, far)),
            ] {
                for interpolation in [Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Bicubic] {
                    let warp = Warp { map, height: 3, width: 5, interpolation, fill };
                    let out = Always(Step::Warp(warp)).apply(image, Key::new(0)).unwrap();
                    assert!(out.as_u8().unwrap().iter().all(|&x| x <= 12));
                }
            }
        }
    }
    // Whole periods away lies the same picture.
    let there = Translate::pixels(400_000.0, 300_000.0).unwrap().fill(Fill::Wrap);
    let plan = there.plan(image.shape(), Kind::U8, Key::new(3)).unwrap();
    let Step::Warp(warp) = plan.steps()[0] else { panic!("a warp") };
    let (x, y) = warp.map.point(0.0, 0.0);
    let out = plan.apply(image).unwrap();
    let at = |i: usize, shift: f64, len: i64| (i as i64 - shift as i64).rem_euclid(len) as usize;
    let expected: Vec<u8> = (0..12).map(|i| values[at(i / 4, y, 3) * 4 + at(i % 4, x, 4)]).collect();
    assert_eq!(out.as_u8(), Some(&expected[..]));
}

/// A product of maps that leaves the range of numbers is not formed: the steps are run one by one.
#[test]
fn maps_that_cannot_be_multiplied_are_not_fused() {
    let shape = Shape::interleaved(3, 4, 1);
    let scale = Affine::scaling(1000.0).unwrap();
    let all = (0..250).fold(gradwise_augment::Sequence::new(), |all, _| all.then(scale.clone()));
    let plan = all.plan(shape, Kind::U8, Key::new(0)).unwrap();
    assert!((2..10).contains(&plan.steps().len()), "{}", plan.steps().len());
    plan.apply(Image::black(shape, Kind::U8).unwrap().as_ref()).unwrap();
}

/// What no constructor has seen: steps made by hand, or read from a file.
#[test]
fn steps_of_any_numbers_are_refused_or_run() {
    let shape = Shape::interleaved(6, 7, 3);
    let (black, key) = (Fill::BLACK, Key::new(1));
    let nan = Colour([0.0, f32::NAN, 0.0, 1.0]);
    let noise = AddNoise {
        distribution: Distribution::Gaussian,
        mean: 0.0,
        std: 0.1,
        multiplies: false,
        shared: false,
        clip: None,
        key,
    };
    let warp = |map: Map, fill: Fill| {
        Step::Warp(Warp { map, height: 6, width: 7, interpolation: Interpolation::Bilinear, fill })
    };
    let blur = |fill: Fill| Step::Filter(LocalFilter { kernel: Kernel::Box { radius: 1 }, fill });
    let elastic = |amplitude: f32, fill: Fill| {
        Step::Elastic(Elastic { amplitude, sigma: 2.0, interpolation: Interpolation::Bilinear, fill, key })
    };
    let erase = |content: Content| Step::Erase(Erase { left: 0, top: 0, width: 2, height: 2, content });
    let wrong = [
        Step::Noise(AddNoise { mean: f32::NAN, ..noise }),
        Step::Noise(AddNoise { std: f32::INFINITY, ..noise }),
        Step::Noise(AddNoise { clip: Some((f32::NAN, 1.0)), ..noise }),
        Step::Noise(AddNoise { clip: Some((1.0, 0.0)), ..noise }),
        Step::Tone { tone: Tone::Gamma { gamma: f32::NAN } },
        Step::Tone { tone: Tone::Gamma { gamma: 0.0 } },
        Step::Tone { tone: Tone::Linear { factor: f32::INFINITY, offset: 0.0 } },
        Step::Tone { tone: Tone::Solarize { threshold: f32::NAN } },
        Step::Colour { colour: ColourStep::Contrast { factor: f32::NAN } },
        Step::Colour { colour: ColourStep::Hue { turn: f32::INFINITY } },
        Step::Colour { colour: ColourStep::saturation(f32::NAN) },
        warp(Map::translation(f64::NAN, 0.0), black),
        warp(Map::scaling(f64::INFINITY, 1.0), black),
        warp(Map::IDENTITY, Fill::Constant(nan)),
        blur(Fill::Constant(nan)),
        elastic(1.0, Fill::Constant(nan)),
        elastic(f32::INFINITY, black),
        erase(Content::Colour(nan)),
        Step::Grid(Grid { unit: 2, hole: 1, left: 0, top: 0, colour: nan }),
        Step::Blend(Blend { own: f32::INFINITY, chains: vec![] }),
    ];
    for step in wrong {
        let always = Always(step);
        assert!(always.plan(shape, Kind::F32, key).is_err(), "{always:?}");
    }
    for (mean, std) in [(0.0, 1e-45), (0.0, 1e-13), (0.0, f32::INFINITY), (f32::NAN, 1.0), (2e12, 1.0), (0.0, 1e13)] {
        assert!(Normalize::new(&[mean], &[std]).is_err(), "{mean}, {std}");
    }
    // Counts and places of any size.
    let grey = Colour::grey(0.5);
    let any = [0, 1, 5, usize::MAX / 2, usize::MAX - 1, usize::MAX];
    for a in any {
        for b in any {
            for step in [
                Step::SaltAndPepper(SaltAndPepper { salt: a, pepper: b, key }),
                Step::Grid(Grid { unit: a, hole: b, left: b, top: a, colour: grey }),
                Step::Erase(Erase { left: a, top: b, width: b, height: a, content: Content::Uniform(key) }),
            ] {
                let out = Always(step).apply(Image::black(shape, Kind::U8).unwrap().as_ref(), key).unwrap();
                assert_eq!(out.shape(), shape);
            }
        }
    }
}

#[test]
fn scratch_memory_of_all_kinds_is_asked_for() {
    // The transforms whose working memory is larger than the image run on an image that is long and thin, either way.
    for shape in [Shape::interleaved(1, 700, 1), Shape::interleaved(600, 1, 3), Shape::planar(2, 1, 300)] {
        let transforms: [Box<dyn Augment>; 5] = [
            Box::new(BoxBlur::new(127.0).unwrap()),
            Box::new(ElasticTransform::new(5.0, 1000.0).unwrap()),
            Box::new(Clahe::new(2.0).unwrap()),
            Box::new(Equalize::new(1.0).unwrap()),
            Box::new(ResizeTo::exact(2, 2).unwrap()),
        ];
        for transform in transforms {
            let plan: Plan = transform.plan(shape, Kind::U8, Key::new(0)).unwrap();
            plan.apply(Image::black(shape, Kind::U8).unwrap().as_ref()).unwrap();
        }
    }
}
