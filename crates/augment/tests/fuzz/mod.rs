//! Any text and any image: the body that `cargo fuzz` and the property tests share.
//!
//! Bytes from anywhere are read as an image, a seed and the text of a file. What the file describes is built, drawn and run, or refused
//! with an error; nothing panics, and no number that is fit to be computed with becomes one that is not.

use gradwise_augment::spec::{Pipeline, Registry, Spec};
use gradwise_augment::{
    Augment, BoundingBox, Buffers, Image, ImageRef, Kernel, Key, Kind, LocalFilter, Mixing, Plan, Serial, Shape, Step,
};

/// A file that holds a pipeline.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct File {
    pub(crate) augment: Vec<Spec>,
}

/// What is tried.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) shape: Shape,
    pub(crate) kind: Kind,
    pub(crate) seed: u64,
    /// Floating-point values are about so large.
    pub(crate) scale: f32,
    /// Whether the text is a saved plan, as JSON; otherwise it is a pipeline, as TOML.
    pub(crate) is_plan: bool,
    pub(crate) text: String,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// An error.
    Refused,
    /// More work than a test should take.
    Large,
    /// It ran.
    Ran,
}

/// Bytes before the text.
const HEADER: usize = 7;

/// Values of an image, on the way too, above which nothing is run.
const MOST: usize = 1 << 14;

impl Input {
    /// Any bytes as an input.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let (header, text) = bytes.split_first_chunk::<HEADER>()?;
        let [height, width, channels, flags, scale, seed @ ..] = *header;
        let (height, width, channels) =
            (1 + usize::from(height % 12), 1 + usize::from(width % 12), 1 + usize::from(channels % 5));
        let scales = [1.0, 1.0, 1.0, 1.0, 1e-40, 1e-3, 1e6, 1e20];
        Some(Input {
            shape: if flags & 1 == 0 {
                Shape::interleaved(height, width, channels)
            } else {
                Shape::planar(channels, height, width)
            },
            kind: if flags & 2 == 0 { Kind::U8 } else { Kind::F32 },
            is_plan: flags & 12 == 12,
            scale: scales[usize::from(scale % 8)],
            seed: u64::from(u16::from_le_bytes(seed)),
            text: std::str::from_utf8(text).ok()?.to_owned(),
        })
    }
}

/// Bytes that look random.
fn byte(i: usize, seed: u64) -> u8 {
    (i.wrapping_mul(151) as u64 ^ seed.wrapping_mul(97)).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[7]
}

/// An image whose values are spread beyond black and white if they are floating-point numbers, in units of `scale`.
pub(crate) fn image(shape: Shape, kind: Kind, seed: u64, scale: f32) -> Image {
    let bytes = (0..shape.len().expect("a small image")).map(|i| byte(i, seed));
    let image = match kind {
        Kind::U8 => Image::from_vec(shape, bytes.collect()),
        Kind::F32 => Image::from_vec(shape, bytes.map(|x| (f32::from(x) / 100.0 - 0.5) * scale).collect()),
    };
    image.expect("as many values as the shape has")
}

/// Tries it.
///
/// # Panics
/// If anything is not as it should be.
pub(crate) fn check(input: &Input) -> Outcome {
    if input.is_plan {
        let Ok(plan) = serde_json::from_str(&input.text) else { return Outcome::Refused };
        return run(&plan, input);
    }
    let Ok(file) = toml::from_str::<File>(&input.text) else { return Outcome::Refused };
    // Described again, it is the same: compared as text, as a NaN is not equal to itself.
    let written = toml::to_string(&file).expect("what was read can be written");
    let again: File = toml::from_str(&written).expect("what was written can be read");
    assert_eq!(format!("{:?}", again.augment), format!("{:?}", file.augment), "{written}");
    let Pipeline { samples, batch } = match Registry::new().pipeline("augment", &file.augment) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            assert!(error.to_string().starts_with("augment["), "{error} tells no place");
            return Outcome::Refused;
        }
    };
    let (shape, kind, key) = (input.shape, input.kind, Key::new(input.seed).epoch(1).sample(3));
    let plan = match samples.plan(shape, kind, key) {
        Ok(plan) => plan,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Outcome::Refused;
        }
    };
    let outcome = run(&plan, input);
    if outcome != Outcome::Ran {
        return outcome;
    }
    let source = image(shape, kind, input.seed, input.scale);
    let expected = plan.apply(source.as_ref()).expect("it ran");
    assert_eq!(bits(&samples.apply(source.as_ref(), key).expect("it ran")), bits(&expected), "drawn and run at once");
    if let Some(mix) = batch {
        let n = 3;
        let mixing = mix.draw(n, shape, key).expect("a batch");
        mixed(&mixing, &source, n);
    }
    outcome
}

/// A batch of the same image, mixed.
fn mixed(mixing: &Mixing, image: &Image, n: usize) {
    let shape = image.shape();
    if let Some(values) = image.as_u8() {
        let mut target = vec![0; n * values.len()];
        mixing.images(shape, &values.repeat(n), &mut target, &Serial).expect("it fits");
        assert_eq!(target, values.repeat(n), "an image mixed with itself");
    } else if let Some(values) = image.as_f32() {
        let mut target = vec![f32::NAN; n * values.len()];
        mixing.images(shape, &values.repeat(n), &mut target, &Serial).expect("it fits");
        assert!(target.iter().all(|x| x.is_finite()));
    }
    let rows = [1.0, 0.0, 0.0, 0.5, 0.25, 0.25, 0.0, 1.0, 0.0];
    let mut target = [f64::NAN; 9];
    mixing.labels(3, &rows, &mut target).expect("it fits");
    assert!(target.chunks(3).all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-9), "{target:?}");
}

/// Runs a plan, which may say anything, in all the ways there are.
fn run(plan: &Plan, input: &Input) -> Outcome {
    let (shape, kind) = (input.shape, input.kind);
    let mut on_the_way = (shape, kind);
    // How much larger a value may have become.
    let mut growth = f64::from(input.scale.max(1.0)) * 4.0;
    if plan.steps().len() > 64 {
        return Outcome::Large;
    }
    for step in plan.steps() {
        on_the_way = match step.output(on_the_way.0, on_the_way.1) {
            Ok(output) => output,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                return Outcome::Refused;
            }
        };
        if on_the_way.0.len().is_none_or(|len| len > MOST) {
            return Outcome::Large;
        }
        // A median of many numbers is slow on every image.
        if let Step::Filter(LocalFilter { kernel: Kernel::Median { radius: 21.. }, .. }) = step {
            return Outcome::Large;
        }
        growth *= growth_of(step);
    }
    let source = image(shape, kind, input.seed, input.scale);
    let result = plan.apply(source.as_ref()).unwrap_or_else(|error| panic!("{error}, of {plan:?}"));
    assert_eq!((result.shape(), result.kind()), on_the_way);
    if let (Some(values), true) = (result.as_f32(), growth < 1e37) {
        assert!(values.iter().all(|x| x.is_finite()), "{plan:?} makes {values:?}");
    }
    // In memory that others have used.
    let mut buffers = Buffers::default();
    let mut again = Image::black(result.shape(), result.kind()).expect("a small image");
    for _ in 0..2 {
        plan.apply_into(source.as_ref(), again.as_mut(), &mut buffers).expect("it ran before");
        assert_eq!(bits(&again), bits(&result));
    }
    // Saved and read.
    let saved = serde_json::to_string(plan).expect("a plan can be saved");
    let read: Plan = serde_json::from_str(&saved).expect("and read");
    assert_eq!(bits(&read.apply(source.as_ref()).expect("it ran before")), bits(&result), "{saved}");

    let mask = image(Shape::interleaved(shape.height, shape.width, 1), Kind::U8, 1, 1.0);
    let moved = plan.mask(shape, mask.as_ref()).expect("a mask");
    assert_eq!((moved.shape().height, moved.shape().width), (result.shape().height, result.shape().width));
    let (width, height) = (shape.width as f64, shape.height as f64);
    plan.points(shape, &[(0.0, 0.0), (width, height / 2.0), (-1e9, 1e9)]).expect("points");
    let whole = BoundingBox { left: 0.0, top: 0.0, right: width, bottom: height };
    for moved in plan.boxes(shape, &[whole], 0.0).expect("boxes").into_iter().flatten() {
        assert!(moved.left >= 0.0 && moved.right <= result.shape().width as f64 && moved.area() > 0.0, "{moved:?}");
        assert!(moved.top >= 0.0 && moved.bottom <= result.shape().height as f64, "{moved:?}");
    }
    Outcome::Ran
}

/// By which factor a step makes values larger, at most.
fn growth_of(step: &Step) -> f64 {
    match step {
        // Laplace's noise is within 12 standard deviations.
        Step::Noise(noise) => 1.0 + f64::from(noise.mean.abs()) + 12.0 * f64::from(noise.std.abs()),
        Step::Normalize(_) => 1e12,
        Step::Blend(blend) => {
            let chain = |steps: &[Step]| steps.iter().map(growth_of).product::<f64>();
            let sum: f64 = blend.chains.iter().map(|part| f64::from(part.weight.abs()) * chain(&part.steps)).sum();
            1.0 + f64::from(blend.own.abs()) + sum
        }
        // Weights that are negative in part; or what stays between black and white.
        _ => 4.0,
    }
}

/// An image's values as bits: what is no number is then equal to itself.
fn bits(image: &Image) -> (Shape, Vec<u32>) {
    let view: ImageRef<'_> = image.as_ref();
    let bytes = image.as_u8().unwrap_or_default().iter().map(|&x| u32::from(x));
    let floats = image.as_f32().unwrap_or_default().iter().map(|x| x.to_bits());
    (view.shape(), bytes.chain(floats).collect())
}
