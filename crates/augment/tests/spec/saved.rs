//! What was drawn is data, too; and how little is written.

use super::built;
use gradwise_augment::{Augment, Colour, Error, Fill, Image, Key, Kind, Plan, Range, Shape};

#[test]
fn what_was_drawn_is_data() {
    let text = r#"
        augment = [
            { kind = "affine", rotation = 10, fill = [0.1, 0.2, 0.3] },
            { kind = "elastic", fill = "edge" },
            { kind = "resize", height = 7, width = 9 },
            { kind = "gaussian-noise", std = 0.1, clip = false },
            { kind = "salt-and-pepper", amount = 0.1 },
            { kind = "random-erasing", p = 1, with = "normal" },
            { kind = "grid-dropout", unit = 3 },
            { kind = "colour-jitter", brightness = 0.5, contrast = 0.5, saturation = 0.5, hue = 0.5 },
            { kind = "symmetries" },
            { kind = "normalize", mean = [0.4, 0.5, 0.6], std = [0.1, 0.2, 0.3] },
        ]
    "#;
    let pipeline = built(text).unwrap();
    let shape = Shape::interleaved(8, 8, 3);
    let image = Image::from_vec(shape, (0..192).map(|i| (i * 151 % 251) as u8).collect()).unwrap();
    for seed in 0..8 {
        let plan = pipeline.plan(shape, Kind::U8, Key::new(seed)).unwrap();
        let written = serde_json::to_string(&plan).unwrap();
        let read: Plan = serde_json::from_str(&written).unwrap();
        assert_eq!(read.apply(image.as_ref()).unwrap(), plan.apply(image.as_ref()).unwrap(), "{written}");
        assert_eq!(read.notes(), plan.notes());
    }
}

#[test]
fn saved_numbers_that_cannot_be_are_refused() {
    // TOML can write what JSON cannot.
    let key = "key = [0, 0, 0, 0]";
    for step in [
        &format!(
            "step = \"noise\"\ndistribution = \"gaussian\"\nmean = nan\nstd = 0.1\nmultiplies = false\nshared = false\n{key}"
        ),
        &format!(
            "step = \"noise\"\ndistribution = \"gaussian\"\nmean = 0.0\nstd = -1.0\nmultiplies = false\nshared = false\n{key}"
        ),
        &format!(
            "step = \"noise\"\ndistribution = \"gaussian\"\nmean = 0.0\nstd = 0.1\nmultiplies = false\nshared = false\nclip = [1.0, nan]\n{key}"
        ),
        "step = \"tone\"\n[steps.tone.linear]\nfactor = inf\noffset = 0.0",
        "step = \"tone\"\n[steps.tone.gamma]\ngamma = 0.0",
        "step = \"tone\"\n[steps.tone.solarize]\nthreshold = nan",
        "step = \"colour\"\n[steps.colour.hue]\nturn = nan",
        "step = \"colour\"\n[steps.colour.contrast]\nfactor = inf",
        "step = \"normalize\"\nmean = [0.5]\nstd = [0.0]",
        "step = \"normalize\"\nmean = [nan]\nstd = [1.0]",
        "step = \"warp\"\nmap = [1.0, 0.0, nan, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]\nheight = 2\nwidth = 2\ninterpolation = \"nearest\"\nfill = \"edge\"",
    ] {
        let text = format!("notes = []\n[[steps]]\n{step}\n");
        let plan: Plan = toml::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let image = Image::black(Shape::interleaved(2, 2, 3), Kind::F32).unwrap();
        let error = plan.apply(image.as_ref()).unwrap_err();
        assert!(matches!(error, Error::Parameter { .. }), "{text}: {error}");
    }
    // And those that are only large do no harm.
    let most = i64::MAX;
    for step in [
        format!("step = \"salt-and-pepper\"\nsalt = {most}\npepper = {most}\n{key}"),
        format!("step = \"grid\"\nunit = {most}\nhole = {most}\nleft = {most}\ntop = 0\ncolour = 1.0"),
        format!(
            "step = \"erase\"\nleft = 1\ntop = {most}\nwidth = {most}\nheight = {most}\n[steps.content]\ncolour = 1.0"
        ),
    ] {
        let plan: Plan = toml::from_str(&format!("notes = []\n[[steps]]\n{step}\n")).unwrap();
        let image = Image::black(Shape::interleaved(2, 2, 3), Kind::F32).unwrap();
        assert!(plan.apply(image.as_ref()).is_ok(), "{step}");
    }
}

#[test]
fn the_smallest_notation_that_means_the_same_is_written() {
    let json = |x: &dyn erased::Json| x.json();
    for (x, expected) in [
        (&Range::from(0.5) as &dyn erased::Json, "0.5"),
        (&Range::from((0.0, 0.5)), "[0.0,0.5]"),
        (&Fill::Edge, "\"edge\""),
        (&Fill::BLACK, "0.0"),
        (&Fill::Constant(Colour::rgb(1.0, 0.5, 0.1)), "[1.0,0.5,0.1]"),
        (&Colour([0.1, 0.2, 0.3, 0.4]), "[0.1,0.2,0.3,0.4]"),
    ] {
        assert_eq!(json(x), expected);
    }
    for fill in [
        Fill::Edge,
        Fill::Reflect,
        Fill::Symmetric,
        Fill::Wrap,
        Fill::BLACK,
        Fill::Constant(Colour([0.1, 0.2, 0.3, 0.4])),
    ] {
        let written = serde_json::to_string(&fill).unwrap();
        assert_eq!(serde_json::from_str::<Fill>(&written).unwrap(), fill);
    }
}

mod erased {
    /// What can be written as JSON, behind a pointer.
    pub(crate) trait Json {
        fn json(&self) -> String;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> String {
            serde_json::to_string(self).unwrap()
        }
    }
}
