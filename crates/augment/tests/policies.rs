//! Policies: what is drawn, how often, and blends.

use gradwise_augment::{
    AugMix, Augment, AutoAugment, Blend, Buffers, Chain, Draw, Fill, Image, ImageMut, ImageRef, Interpolation, Key,
    Kind, RandAugment, Result, Shape, Step, Symmetry, Tone, TrivialAugment,
};
use std::collections::BTreeMap;

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

const SHAPE: Shape = Shape::interleaved(24, 32, 3);

/// How often each name, and each number of bits of it, is noted.
fn names(policy: &dyn Augment, n: u64) -> BTreeMap<String, f64> {
    let mut seen = BTreeMap::new();
    for seed in 0..n {
        let plan = policy.plan(SHAPE, Kind::U8, Key::new(seed)).expect("a plan");
        plan.notes().iter().for_each(|note| *seen.entry(note.name.to_string()).or_default() += 1.0);
    }
    seen
}

/// Whether all are as frequent as each other: chi squared below what is exceeded once in ten thousand seeds, by Wilson and Hilferty.
pub(crate) fn even(counts: impl Iterator<Item = f64> + Clone) -> bool {
    let n = counts.clone().count() as f64;
    let mean = counts.clone().sum::<f64>() / n;
    let chi: f64 = counts.map(|count| (count - mean).powi(2) / mean).sum();
    let freedom = n - 1.0;
    let t = 2.0 / (9.0 * freedom);
    chi < freedom * (1.0 - t + 3.72 * t.sqrt()).powi(3)
}

#[test]
fn operations_are_as_frequent_as_each_other() {
    let seen = names(&RandAugment::new(2, 9).expect("a policy"), 7000);
    assert!(seen.len() == 14 && seen.values().sum::<f64>() == 14_000.0 && even(seen.values().copied()), "{seen:?}");
    let seen = names(&TrivialAugment::new(), 14_000);
    assert!(seen.len() == 14 && seen.values().sum::<f64>() == 14_000.0 && even(seen.values().copied()), "{seen:?}");
    let mut seen = names(&AugMix::new(), 3000);
    assert_eq!(seen.remove("augmix"), Some(3000.0));
    // Three chains of two on average.
    let all = seen.values().sum::<f64>();
    assert!((all / 3000.0 - 6.0).abs() < 4.0 * (2.0_f64 / 3000.0).sqrt(), "{all}");
    assert!(seen.len() == 13 && even(seen.values().copied()), "{seen:?}");
    assert_eq!(names(&AugMix::new().geometric(false), 300).len(), 9, "eight, and itself");
}

#[test]
fn magnitudes_are_as_frequent_as_each_other() {
    let magnitudes = |policy: &dyn Augment, name: &str, n: u64| {
        let mut seen = BTreeMap::<i64, f64>::new();
        for seed in 0..n {
            let plan = policy.plan(SHAPE, Kind::U8, Key::new(seed)).expect("a plan");
            for note in plan.notes().iter().filter(|note| note.name == name) {
                let magnitude = note.values().next().map_or(0.0, |(_, x)| x);
                *seen.entry((magnitude * 1000.0).round() as i64).or_default() += 1.0;
            }
        }
        seen
    };
    let seen = magnitudes(&TrivialAugment::new(), "solarize", 14_000);
    assert!(seen.len() == 31 && even(seen.values().copied()), "{seen:?}");
    let seen = magnitudes(&RandAugment::new(1, 15).expect("a policy"), "rotate", 3000);
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [-15_000, 15_000]);
    assert!(even(seen.values().copied()));
    let seen = magnitudes(&AugMix::new().severity(4).expect("a severity"), "solarize", 2000);
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [667, 778, 889, 1000]);
    assert!(even(seen.values().copied()), "{seen:?}");
}

#[test]
fn policies_run_on_everything() {
    let policies: [Box<dyn Augment>; 5] = [
        Box::new(RandAugment::new(3, 30).expect("a policy").fill(Fill::Reflect).interpolation(Interpolation::Bilinear)),
        Box::new(TrivialAugment::default()),
        Box::new(AutoAugment::cifar10()),
        Box::new(AugMix::default().severity(10).and_then(|mix| mix.depth(2, 4)).expect("numbers")),
        Box::new(AugMix::new().width(1).and_then(|mix| mix.alpha(0.05)).expect("numbers")),
    ];
    let mut buffers = Buffers::default();
    for policy in &policies {
        for shape in [SHAPE, Shape::planar(3, 7, 5), Shape::interleaved(1, 1, 1), Shape::planar(5, 4, 9)] {
            let n = shape.len().expect("small");
            let bytes: Vec<u8> = (0..n).map(|i| (i * 151 % 256) as u8).collect();
            let floats: Vec<f32> = bytes.iter().map(|&x| f32::from(x) / 255.0).collect();
            for seed in 0..60 {
                let key = Key::new(seed);
                let image = ImageRef::new(shape, &bytes).expect("an image");
                let out = policy.apply(image, key).expect("it runs");
                assert_eq!(out.shape(), shape);
                let mut again = Image::black(shape, Kind::U8).expect("an image");
                policy.apply_into(image, key, again.as_mut(), &mut buffers).expect("it runs");
                assert_eq!(out, again, "the same with memory that was used before");
                let out = policy.apply(ImageRef::new(shape, &floats).expect("an image"), key).expect("it runs");
                // Once the resampling of a bicubic or the rounding of a mixture is allowed for.
                assert!(out.as_f32().expect("floats").iter().all(|x| (-1e-4..=1.0001).contains(x)));
            }
        }
    }
}

#[test]
fn blends_are_weighted_sums() {
    let shape = Shape::interleaved(1, 4, 1);
    let blend = Blend {
        own: 0.5,
        chains: vec![
            Chain { weight: 0.3, steps: vec![Step::Symmetry { symmetry: Symmetry::Horizontal }] },
            Chain {
                weight: 0.2,
                steps: vec![
                    Step::Tone { tone: Tone::Invert },
                    Step::Symmetry { symmetry: Symmetry::Horizontal },
                    Step::Tone { tone: Tone::Solarize { threshold: 0.9 } },
                ],
            },
        ],
    };
    let values = [0.0_f32, 0.2, 0.6, 1.0];
    let expected: Vec<f32> = (0..4)
        .map(|i| {
            let inverted = 1.0 - values[3 - i];
            let solarized = if inverted >= 0.9 { 1.0 - inverted } else { inverted };
            0.5 * values[i] + 0.3 * values[3 - i] + 0.2 * solarized
        })
        .collect();
    let always = Always(Step::Blend(blend));
    let out = always.apply(ImageRef::new(shape, &values).expect("an image"), Key::new(0)).expect("it runs");
    assert!(out.as_f32().expect("floats").iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{out:?}");
    let bytes = values.map(|x| (x * 255.0) as u8);
    let mut out = [0_u8; 4];
    let target = ImageMut::new(shape, &mut out).expect("an image");
    let image = ImageRef::new(shape, &bytes).expect("an image");
    always.apply_into(image, Key::new(0), target, &mut Buffers::default()).expect("it runs");
    assert!(out.iter().zip(&expected).all(|(&a, b)| (f32::from(a) - b * 255.0).abs() <= 0.51), "{out:?}");
    // A mask stays.
    let plan = always.plan(shape, Kind::U8, Key::new(0)).expect("a plan");
    let mask = plan.mask(shape, ImageRef::new(shape, &[1_u8, 2, 3, 4]).expect("a mask")).expect("a mask");
    assert_eq!(mask.as_u8(), Some(&[1, 2, 3, 4][..]));
}

#[test]
fn parameters_are_checked() {
    assert!(RandAugment::new(2, 31).is_err() && RandAugment::new(101, 1).is_err());
    assert!(RandAugment::new(2, 9).and_then(|policy| policy.bins(9)).is_err());
    let mix = AugMix::new();
    assert!(mix.clone().severity(0).is_err() && mix.clone().severity(11).is_err() && mix.clone().width(0).is_err());
    assert!(mix.clone().depth(3, 2).is_err() && mix.clone().alpha(f64::NAN).is_err() && mix.alpha(0.0).is_err());
    let transposes = Chain { weight: 1.0, steps: vec![Step::Symmetry { symmetry: Symmetry::Transpose }] };
    let always = Always(Step::Blend(Blend { own: 0.0, chains: vec![transposes] }));
    assert!(always.plan(SHAPE, Kind::U8, Key::new(0)).is_err(), "an image of another shape cannot be mixed in");
    let always = Always(Step::Blend(Blend { own: f32::NAN, chains: vec![] }));
    assert!(always.plan(SHAPE, Kind::U8, Key::new(0)).is_err());
}
