//! Random descriptions of every kind, within what constructors allow.

use gradwise_augment::spec::Spec;
use gradwise_augment::{Key, Random};
use serde_json::{Value, json};

/// What moves pixels. Every other kind must leave masks as they are.
pub(crate) const GEOMETRIC: [&str; 14] = [
    "affine",
    "center-crop",
    "elastic",
    "flip",
    "pad",
    "perspective",
    "random-crop",
    "random-resized-crop",
    "resize",
    "rotate",
    "scale",
    "shear",
    "symmetries",
    "translate",
];

/// What sometimes moves pixels and sometimes changes them.
pub(crate) const POLICIES: [&str; 4] = ["aug-mix", "auto-augment", "rand-augment", "trivial-augment"];

/// What is made of other kinds.
pub(crate) const COMPOSED: [&str; 4] = ["one-of", "random-order", "sequence", "some-of"];

/// A description of a kind, another for each seed; `kinds` are those that compositions may have as parts.
///
/// # Panics
/// If there is no example of the kind: whoever adds a kind adds one here, and every property is tested of it.
pub(crate) fn spec(kind: &str, kinds: &[&str], seed: u64) -> Spec {
    let random = &mut Key::new(seed).random();
    let mut fields = fields(kind, kinds, seed, random);
    let table = fields.as_object_mut().expect("fields are a table");
    table.insert("kind".to_owned(), json!(kind));
    if !table.contains_key("p") && random.chance(0.1) {
        table.insert("p".to_owned(), json!(0.5));
    }
    serde_json::from_value(fields).expect("a table")
}

/// A description of a kind of mix, another for each seed.
///
/// # Panics
/// As [`spec`].
pub(crate) fn mix(kind: &str, seed: u64) -> Spec {
    let random = &mut Key::new(seed).random();
    let partner = |random: &mut Random| ["permutation", "roll", "reverse"][random.below(3) as usize];
    let fields = |random: &mut Random| json!({"alpha": number(random, 0.001, 1000.0), "each-sample": random.chance(0.5), "partner": partner(random)});
    let mut fields = match kind {
        "mixup" | "cutmix" => fields(random),
        "mix-choice" => json!({"mixup": fields(random), "cutmix": fields(random), "cut": number(random, 0.0, 1.0)}),
        _ => panic!("no example of the mix `{kind}`: add one"),
    };
    let table = fields.as_object_mut().expect("fields are a table");
    table.insert("kind".to_owned(), json!(kind));
    if random.chance(0.5) {
        table.insert("p".to_owned(), json!(number(random, 0.0, 1.0)));
    }
    serde_json::from_value(fields).expect("a table")
}

fn number(random: &mut Random, low: f64, high: f64) -> f64 {
    // The ends, now and then, and otherwise any.
    match random.below(6) {
        0 => low,
        1 => high,
        _ => random.between(low, high),
    }
}

fn range(random: &mut Random, low: f64, high: f64) -> Value {
    let (a, b) = (number(random, low, high), number(random, low, high));
    if random.chance(0.5) { json!(a) } else { json!([a.min(b), a.max(b)]) }
}

/// Like [`range`], where a single number goes to both sides.
fn around(random: &mut Random, limit: f64) -> Value {
    if random.chance(0.5) { json!(number(random, 0.0, limit)) } else { json!(pair(random, -limit, limit)) }
}

fn pair(random: &mut Random, low: f64, high: f64) -> [f64; 2] {
    let (a, b) = (number(random, low, high), number(random, low, high));
    [a.min(b), a.max(b)]
}

fn shift(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!({"pixels": around(random, 30.0)}),
        1 => json!({"whole-pixels": random.below(30)}),
        2 => json!(pair(random, -3.0, 3.0)),
        _ => json!(number(random, 0.0, 3.0)),
    }
}

fn colour(random: &mut Random) -> Value {
    let mut part = || number(random, 0.0, 1.0);
    let (r, g, b, a) = (part(), part(), part(), part());
    match random.below(3) {
        0 => json!(r),
        1 => json!([r, g, b]),
        _ => json!([r, g, b, a]),
    }
}

fn fill(random: &mut Random) -> Value {
    match random.below(7) {
        0 => json!("edge"),
        1 => json!("reflect"),
        2 => json!("symmetric"),
        3 => json!("wrap"),
        4 => json!("black"),
        5 => json!("white"),
        _ => colour(random),
    }
}

fn interpolation(random: &mut Random) -> Value {
    json!(["nearest", "bilinear", "bicubic"][random.below(3) as usize])
}

fn side(random: &mut Random) -> u32 {
    1 + random.below(12)
}

fn fields(kind: &str, kinds: &[&str], seed: u64, random: &mut Random) -> Value {
    let parts = |random: &mut Random, least: u32| -> Vec<Spec> {
        // Half of the parts are no compositions, so that they end.
        let simple: Vec<&str> = kinds.iter().copied().filter(|kind| !COMPOSED.contains(kind)).collect();
        let n = least + random.below(3);
        let part = |i: u32| {
            let from = if seed.is_multiple_of(2) && !kinds.is_empty() { kinds } else { &simple[..] };
            let seed = (seed >> 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8 ^ u64::from(i);
            spec(from[(seed % from.len() as u64) as usize], kinds, seed)
        };
        (0..n).map(part).collect()
    };
    match kind {
        "flip" => match random.below(4) {
            0 => json!({}),
            1 => json!({"horizontal": number(random, 0.0, 1.0)}),
            2 => json!({"vertical": number(random, 0.0, 1.0)}),
            _ => json!({"horizontal": number(random, 0.0, 1.0), "vertical": number(random, 0.0, 1.0)}),
        },
        "symmetries" => match random.below(2) {
            0 => json!({}),
            _ => json!({"of": ["transpose", "clockwise", "half-turn"], "p": number(random, 0.0, 1.0)}),
        },
        "translate" => {
            json!({"x": shift(random), "y": shift(random), "fill": fill(random), "interpolation": interpolation(random)})
        }
        "affine" => json!({
            "rotation": around(random, 360.0), "scale": range(random, 0.01, 20.0), "ratio": range(random, 0.1, 10.0),
            "shear-of-x": around(random, 89.0), "shear-of-y": around(random, 89.0), "x": shift(random), "y": shift(random),
            "fill": fill(random), "interpolation": interpolation(random),
        }),
        "rotate" => {
            json!({"rotation": around(random, 360.0), "fill": fill(random), "interpolation": interpolation(random)})
        }
        "scale" => {
            json!({"scale": range(random, 0.001, 1000.0), "fill": fill(random), "interpolation": interpolation(random)})
        }
        "shear" => json!({
            "x": around(random, 89.0), "y": around(random, 89.0), "fill": fill(random), "interpolation": interpolation(random),
        }),
        "perspective" => {
            json!({"distortion": range(random, 0.0, 1.0), "fill": fill(random), "interpolation": interpolation(random)})
        }
        "elastic" => json!({
            "alpha": range(random, 0.0, 200.0), "sigma": range(random, 0.1, 20.0), "fill": fill(random),
            "interpolation": interpolation(random),
        }),
        "random-crop" => {
            let (height, width) = (side(random), side(random));
            json!({"height": height, "width": width, "margin": random.below(8), "fill": fill(random)})
        }
        "center-crop" => json!({"height": side(random), "width": side(random)}),
        "pad" => match random.below(2) {
            0 => json!({"all": random.below(12), "fill": fill(random)}),
            _ => json!({"left": random.below(30), "bottom": random.below(5), "fill": fill(random)}),
        },
        "random-resized-crop" => json!({
            "height": side(random), "width": side(random), "area": range(random, 1e-6, 1.0), "ratio": range(random, 0.1, 10.0),
            "interpolation": interpolation(random), "antialias": random.chance(0.5),
        }),
        "resize" => {
            let filter = ["nearest", "box", "bilinear", "bicubic", "lanczos"][random.below(5) as usize];
            let antialias = random.chance(0.5);
            match random.below(3) {
                0 => json!({"height": side(random), "width": side(random), "filter": filter, "antialias": antialias}),
                1 => json!({"shorter": side(random), "filter": filter, "antialias": antialias}),
                _ => json!({"longer": side(random), "filter": filter, "antialias": antialias}),
            }
        }
        "normalize" => match random.below(3) {
            0 => json!({}),
            1 => json!({"mean": [0.5], "std": [number(random, 0.01, 2.0)]}),
            _ => json!({"mean": [0.4, 0.5, 0.6], "std": [0.1, 0.2, 0.3]}),
        },
        "random-erasing" => {
            let with = [json!("uniform"), json!("normal"), json!({"colour": colour(random)})];
            json!({
                "p": number(random, 0.0, 1.0), "area": range(random, 0.0, 1.0), "ratio": range(random, 0.1, 10.0),
                "with": with[random.below(3) as usize],
            })
        }
        "coarse-dropout" => json!({
            "holes": [random.below(3), 3 + random.below(3)], "height": range(random, 0.0, 1.0), "width": range(random, 0.0, 1.0),
            "colour": colour(random),
        }),
        "cutout" => json!({"side": number(random, 0.0, 1.0), "colour": colour(random)}),
        "pixel-dropout" => {
            let with = [json!("uniform"), json!("normal"), json!({"colour": colour(random)})];
            json!({
                "rate": range(random, 0.0, 1.0), "each-channel": random.chance(0.5), "with": with[random.below(3) as usize],
            })
        }
        "grid-dropout" => {
            json!({"unit": range(random, 1.0, 20.0), "share": number(random, 0.0, 1.0), "colour": colour(random)})
        }
        "brightness" | "contrast" | "saturation" | "sharpness" => json!({"factor": range(random, 0.0, 10.0)}),
        "hue" => json!({"turn": around(random, 0.5)}),
        "gamma" => json!({"exponent": range(random, 0.01, 100.0)}),
        "solarize" => json!({"threshold": range(random, 0.0, 1.0)}),
        "posterize" => json!({"bits": [1 + random.below(4), 5 + random.below(4)]}),
        "colour-jitter" => json!({
            "brightness": number(random, 0.0, 2.0), "contrast": number(random, 0.0, 2.0),
            "saturation": number(random, 0.0, 2.0), "hue": number(random, 0.0, 0.5),
        }),
        "grey" | "invert" | "channel-drop" | "equalize" => json!({"p": number(random, 0.0, 1.0)}),
        "channel-shuffle" => json!({}),
        "auto-contrast" => {
            json!({"p": number(random, 0.0, 1.0), "cutoff": [number(random, 0.0, 0.4), number(random, 0.0, 0.4)]})
        }
        "clahe" => json!({"limit": range(random, 0.0, 10.0), "tiles": [1 + random.below(9), 1 + random.below(9)]}),
        "gaussian-noise" | "uniform-noise" | "laplace-noise" | "speckle" => {
            let clip = [json!(false), json!([0.0, 1.0]), json!(pair(random, -1.0, 2.0))];
            json!({
                "mean": range(random, -1.0, 1.0), "std": range(random, 0.0, 2.0), "shared": random.chance(0.5),
                "clip": clip[random.below(3) as usize],
            })
        }
        "salt-and-pepper" => json!({"amount": range(random, 0.0, 1.0), "salt": range(random, 0.0, 1.0)}),
        "shot-noise" => json!({"scale": range(random, 1e-5, 1.0), "gamma": number(random, 0.1, 10.0)}),
        "gaussian-blur" => match random.below(2) {
            0 => json!({"sigma": range(random, 0.0, 42.0), "fill": fill(random)}),
            _ => json!({"sigma": range(random, 0.0, 5.0), "radius": random.below(20), "fill": fill(random)}),
        },
        "box-blur" | "median-blur" => json!({"radius": random.below(15), "fill": fill(random)}),
        "motion-blur" => {
            json!({"length": range(random, 0.0, 30.0), "angle": range(random, -360.0, 360.0), "fill": fill(random)})
        }
        "unsharp-mask" => {
            json!({"sigma": range(random, 0.0, 10.0), "amount": range(random, 0.0, 10.0), "fill": fill(random)})
        }
        "jpeg" => json!({"quality": [1 + random.below(50), 51 + random.below(50)]}),
        "rand-augment" => {
            json!({"operations": random.below(4), "magnitude": random.below(31), "fill": fill(random), "interpolation": interpolation(random)})
        }
        "trivial-augment" | "auto-augment" => json!({"fill": fill(random), "interpolation": interpolation(random)}),
        "aug-mix" => json!({
            "severity": 1 + random.below(10), "width": 1 + random.below(4), "depth": [1 + random.below(2), 2 + random.below(3)],
            "alpha": number(random, 0.01, 10.0), "geometric": random.chance(0.5), "fill": fill(random),
            "interpolation": interpolation(random),
        }),
        "sequence" | "random-order" => json!({"parts": parts(random, 0)}),
        "one-of" => json!({"parts": parts(random, 1)}),
        "some-of" => {
            let parts = parts(random, 0);
            let n = random.below(parts.len() as u32 + 1);
            json!({"count": [n, parts.len()], "parts": parts})
        }
        _ => panic!("no example of the kind `{kind}`: add one, and every property is tested of it"),
    }
}
