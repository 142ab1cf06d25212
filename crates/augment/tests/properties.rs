//! Laws of every transform that there is, gone over by the kinds of the registry.

use crate::random::{COMPOSED, GEOMETRIC, POLICIES, spec};
use gradwise_augment::spec::{Registry, Spec};
use gradwise_augment::{
    Augment, Batches, Buffers, ColourStep, Count, Error, Image, ImageRef, Key, Kind, Layout, Plan, Random, Result,
    Sequence, Shape, Step, Tone, Value,
};

fn built(specs: &[Spec]) -> Sequence {
    Registry::new().build("augment", specs).unwrap_or_else(|error| panic!("{error}, of {specs:?}"))
}

/// A few transforms of each kind.
fn each_kind(n: u64, mut f: impl FnMut(&str, &Sequence, u64)) {
    let registry = Registry::new();
    let kinds: Vec<&str> = registry.kinds().collect();
    for (i, kind) in kinds.iter().enumerate() {
        for seed in 0..n {
            let seed = 1000 * i as u64 + seed;
            f(kind, &built(&[spec(kind, &kinds, seed)]), seed);
        }
    }
}

/// Bytes that look random.
fn byte(i: usize, seed: u64) -> u8 {
    (i.wrapping_mul(151) as u64 ^ seed.wrapping_mul(97)).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[7]
}

fn image(shape: Shape, kind: Kind, seed: u64) -> Image {
    crate::fuzz::image(shape, kind, seed, 1.0)
}

/// Steps that change each pixel by itself, of every kind that can share a pass, and some that interrupt one.
fn pixel_steps(n: u32, random: &mut Random) -> Vec<Step> {
    let one = |random: &mut Random| {
        let factor = random.between(0.0, 2.5) as f32;
        let colour = |colour| Step::Colour { colour };
        match random.below(8) {
            0 => Step::Tone { tone: Tone::Linear { factor, offset: random.between(-0.2, 0.2) as f32 } },
            1 => Step::Tone { tone: Tone::Linear { factor, offset: 0.0 } },
            2 => Step::Tone { tone: Tone::Invert },
            3 | 4 => colour(ColourStep::Contrast { factor }),
            5 => colour(ColourStep::saturation(factor)),
            6 => colour(ColourStep::exchange([2, 0, 1])),
            _ => colour(ColourStep::Hue { turn: random.between(-1.0, 1.0) as f32 }),
        }
    };
    (0..n).map(|_| one(random)).collect()
}

/// Pushes steps as they are.
#[derive(Debug)]
struct Steps(Vec<Step>);

impl Augment for Steps {
    fn name(&self) -> &str {
        "steps"
    }

    fn draw(&self, draw: &mut gradwise_augment::Draw<'_>) -> Result<()> {
        self.0.iter().try_for_each(|step| draw.push(step.clone()))
    }
}

/// One pass over an image for several steps gives what a pass for each of them does, to the last bit; alpha is no colour.
#[test]
fn steps_that_share_a_pass_do_what_they_do_alone() {
    let mut random = Key::new(77).random();
    for i in 0..400 {
        let (height, width, channels) = (1 + random.below(13), 1 + random.below(17), 1 + random.below(5));
        let (height, width, channels) = (height as usize, width as usize, channels as usize);
        let layout = [Layout::Interleaved, Layout::Planar][i % 2];
        let shape = Shape { height, width, channels, layout };
        let n = 1 + random.below(12);
        let steps = pixel_steps(n, &mut random);
        for kind in [Kind::U8, Kind::F32] {
            let image = image(shape, kind, i as u64);
            let together = Steps(steps.clone()).apply(image.as_ref(), Key::new(0)).unwrap();
            let alone = steps
                .iter()
                .fold(image, |image, step| Steps(vec![step.clone()]).apply(image.as_ref(), Key::new(0)).unwrap());
            assert_eq!(together, alone, "{shape} of {kind:?}: {steps:?}");
        }
    }
}

/// Colours do not depend on how channels lie in memory, nor on whether there is alpha.
#[test]
fn colours_are_the_same_in_any_layout() {
    let mut random = Key::new(78).random();
    for i in 0..100 {
        let (height, width) = (1 + random.below(11) as usize, 1 + random.below(23) as usize);
        let n = 1 + random.below(4);
        let steps = Steps(pixel_steps(n, &mut random));
        for kind in [Kind::U8, Kind::F32] {
            let shape = Shape::interleaved(height, width, 3);
            let source = image(shape, kind, i);
            let expected = steps.apply(source.as_ref(), Key::new(0)).unwrap();
            for shape in
                [Shape::planar(3, height, width), Shape::interleaved(height, width, 4), Shape::planar(5, height, width)]
            {
                let got = steps.apply(arranged(&source, shape).as_ref(), Key::new(0)).unwrap();
                assert_eq!(arranged(&got, expected.shape()), expected, "{shape} of {kind:?}: {steps:?}");
            }
        }
    }
}

/// The first channels of an image, as many as both have, in another layout.
fn arranged(image: &Image, to: Shape) -> Image {
    fn of<V: Value>(values: &[V], from: Shape, to: Shape) -> Image {
        let place = |shape: Shape, pixel: usize, c: usize| match shape.layout {
            Layout::Interleaved => pixel * shape.channels + c,
            Layout::Planar => c * shape.height * shape.width + pixel,
        };
        let mut out = vec![V::default(); to.len().unwrap()];
        for (pixel, c) in
            (0..to.height * to.width).flat_map(|i| (0..from.channels.min(to.channels)).map(move |c| (i, c)))
        {
            out[place(to, pixel, c)] = values[place(from, pixel, c)];
        }
        Image::from_vec(to, out).unwrap()
    }
    match (image.as_u8(), image.as_f32()) {
        (Some(values), _) => of(values, image.shape(), to),
        (_, Some(values)) => of(values, image.shape(), to),
        _ => unreachable!("one of the two"),
    }
}

/// A batch, run on some threads, if its samples' results are all of one shape and type.
fn run<A: Value>(
    pipeline: &Sequence,
    shape: Shape,
    images: &[A],
    keys: &[Key],
    threads: usize,
) -> Option<(Vec<u8>, Vec<f32>)> {
    let outputs: Vec<(Shape, Kind)> = keys
        .iter()
        .map(|&key| pipeline.plan(shape, A::KIND, key).and_then(|plan| plan.output(shape, A::KIND)))
        .collect::<Result<_>>()
        .ok()?;
    let (target, kind) = outputs[0];
    let same = outputs.iter().all(|output| *output == outputs[0]);
    let len = target.len().unwrap() * keys.len();
    let (mut bytes, mut floats) = (vec![0; len], vec![0.0; len]);
    let mut batches = Batches::default();
    // Twice: memory that was used must not show.
    for _ in 0..if threads == 1 { 2 } else { 1 } {
        let result = match kind {
            Kind::U8 => batches.run(pipeline, shape, images, keys, target, &mut bytes, &Count(threads)),
            Kind::F32 => batches.run(pipeline, shape, images, keys, target, &mut floats, &Count(threads)),
        };
        assert_eq!(result.is_ok(), same, "{result:?}");
        result.ok()?;
    }
    Some((bytes, floats))
}

fn check_batches<A: Value>(name: &str, pipeline: &Sequence, shape: Shape, images: &[A], seed: u64) -> bool {
    let len = shape.len().unwrap();
    let n = images.len() / len;
    let epoch = Key::new(seed).epoch(2);
    let keys: Vec<Key> = (0..n as u64).map(|i| epoch.sample(i)).collect();
    let Some(expected) = run(pipeline, shape, images, &keys, 1) else { return false };
    for threads in [2, 4] {
        assert_eq!(
            run(pipeline, shape, images, &keys, threads).as_ref(),
            Some(&expected),
            "{name} on {threads} threads"
        );
    }
    // The last sample becomes the first.
    let rolled: Vec<A> = [&images[(n - 1) * len..], &images[..(n - 1) * len]].concat();
    let mut keys = keys;
    keys.rotate_right(1);
    let (mut bytes, mut floats) = run(pipeline, shape, &rolled, &keys, 2).expect("it was run before");
    let each = bytes.len() / n;
    bytes.rotate_left(each);
    floats.rotate_left(each);
    assert_eq!((bytes, floats), expected, "{name} of a permuted batch");
    true
}

#[test]
fn batches_depend_on_keys_alone() {
    let mut n_run = 0;
    each_kind(2, |kind, pipeline, seed| {
        let shape = [Shape::interleaved(6, 6, 3), Shape::planar(3, 6, 6)][seed as usize % 2];
        let n = 5 * shape.len().unwrap();
        let bytes: Vec<u8> = (0..n).map(|i| byte(i, seed)).collect();
        let floats: Vec<f32> = bytes.iter().map(|&x| f32::from(x) / 255.0).collect();
        n_run += u32::from(check_batches(kind, pipeline, shape, &bytes, seed));
        n_run += u32::from(check_batches(kind, pipeline, shape, &floats, seed));
    });
    assert!(n_run > 150, "{n_run}");
}

#[test]
fn replay_is_exact() {
    let mut buffers = Buffers::default();
    each_kind(3, |name, pipeline, seed| {
        for layout in [Layout::Interleaved, Layout::Planar] {
            for kind in [Kind::U8, Kind::F32] {
                let shape = Shape { height: 8, width: 9, channels: 3, layout };
                let (image, key) = (image(shape, kind, seed), Key::new(seed));
                let Ok(plan) = pipeline.plan(shape, kind, key) else { continue };
                let expected = pipeline.apply(image.as_ref(), key).unwrap();
                // With memory that other images and transforms have left.
                let mut again = Image::black(expected.shape(), expected.kind()).unwrap();
                plan.apply_into(image.as_ref(), again.as_mut(), &mut buffers).unwrap();
                assert_eq!(again, expected, "{name} as a plan");
                pipeline.apply_into(image.as_ref(), key, again.as_mut(), &mut buffers).unwrap();
                assert_eq!(again, expected, "{name} in used memory");
                // Saved and read.
                let saved: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
                assert_eq!(saved.apply(image.as_ref()).unwrap(), expected, "{name} saved: {plan:?}");
                // In the same way on another image of the same size: what was drawn does not depend on values.
                assert_eq!(format!("{:?}", pipeline.plan(shape, kind, key).unwrap()), format!("{plan:?}"), "{name}");
            }
        }
    });
}

#[test]
fn masks_move_as_images_do() {
    let shape = Shape::interleaved(8, 9, 1);
    let image = image(shape, Kind::U8, 3);
    let registry = Registry::new();
    let kinds: Vec<&str> = registry.kinds().collect();
    assert!(GEOMETRIC.iter().chain(&COMPOSED).chain(&POLICIES).all(|kind| kinds.contains(kind)));
    for kind in kinds.iter().filter(|kind| !COMPOSED.contains(kind) && !POLICIES.contains(kind)) {
        for seed in 0..8 {
            let mut spec = spec(kind, &kinds, seed);
            // Masks are never mixed, and what comes in is 0.
            for (field, value) in [("interpolation", "nearest"), ("filter", "nearest"), ("fill", "black")] {
                if let Some(x) = spec.fields_mut().get_mut(field) {
                    let is_name = matches!(x, gradwise_augment::spec::Value::Text(name) if name != "white");
                    if field != "fill" || !is_name {
                        *x = gradwise_augment::spec::Value::Text(value.to_owned());
                    }
                }
            }
            let Ok(plan) = built(std::slice::from_ref(&spec)).plan(shape, Kind::U8, Key::new(seed)) else { continue };
            let mask = plan.mask(shape, image.as_ref()).unwrap();
            if GEOMETRIC.contains(kind) {
                assert_eq!(plan.apply(image.as_ref()).unwrap(), mask, "{spec:?}");
            } else {
                assert_eq!(image, mask, "{spec:?} moves no pixel");
            }
        }
    }
}

/// The largest values that are taken, in checks and stripes, so that every sum has some of either sign.
#[test]
fn the_largest_values_stay_finite() {
    for shape in [Shape::interleaved(8, 9, 3), Shape::planar(1, 7, 7)] {
        let sign = |i: usize| if i.is_multiple_of(3) { -1e24 } else { 1e24 };
        let values: Vec<f32> = (0..shape.len().unwrap()).map(sign).collect();
        each_kind(4, |name, pipeline, seed| {
            let Ok(plan) = pipeline.plan(shape, Kind::F32, Key::new(seed)) else { return };
            // Compositions may be of many steps, each of which makes them larger.
            if plan.steps().len() == 1 {
                let result = plan.apply(ImageRef::new(shape, &values).unwrap()).unwrap();
                assert!(result.as_f32().unwrap().iter().all(|x| x.is_finite()), "{name}: {plan:?}");
            }
        });
    }
}

#[test]
fn numbers_that_are_none_are_refused_before_anything_is_written() {
    let shape = Shape::interleaved(8, 9, 3);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0001e24] {
        let mut values = vec![0.5_f32; 216];
        values[100] = bad;
        each_kind(3, |name, pipeline, seed| {
            let Ok(plan) = pipeline.plan(shape, Kind::F32, Key::new(seed)) else { return };
            let output = plan.output(shape, Kind::F32).unwrap().0;
            let mut target = vec![7.0_f32; output.len().unwrap()];
            let source = ImageRef::new(shape, &values).unwrap();
            let into = gradwise_augment::ImageMut::new(output, &mut target).unwrap();
            match plan.apply_into(source, into, &mut Buffers::default()) {
                Err(error) => {
                    assert!(matches!(error, Error::Image { .. }), "{error}");
                    assert!(target.iter().all(|&x| x == 7.0), "{name} wrote before it refused");
                }
                // What computes nothing passes everything on.
                Ok(()) => assert!(plan.steps().iter().all(|step| matches!(step, Step::Symmetry { .. })), "{name}"),
            }
        });
    }
}
