//! Pipelines as data: every kind is read, built and written, and mistakes are told by their place.

use gradwise_augment::spec::{self, Described, DescribedMix, Registry, Spec, Value};
use gradwise_augment::{
    Affine, AugMix, Augment, AutoAugment, AutoContrast, BoxBlur, Brightness, CenterCrop, ChannelDrop, ChannelShuffle,
    Clahe, CoarseDropout, Colour, ColourJitter, Contrast, CutMix, ElasticTransform, Equalize, Erased, Error, Fill,
    Filter, Flip, Gamma, GaussianBlur, GaussianNoise, Grey, GridDropout, Hue, Image, Interpolation, Invert,
    JpegCompression, Key, Kind, LaplaceNoise, MedianBlur, Mix, MixChoice, MixUp, MotionBlur, Normalize, OneOf, Pad,
    Part, Partner, Perspective, PixelDropout, Plan, Posterize, RandAugment, RandomCrop, RandomErasing, RandomOrder,
    RandomResizedCrop, RandomSaltAndPepper, Range, ResizeTo, Result, Saturation, Sequence, Shape, Sharpness, Shift,
    ShotNoise, Solarize, SomeOf, Sometimes, Speckle, Symmetry, Translate, TrivialAugment, UniformNoise, UnsharpMask,
    from_fn,
};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A list of transforms, as a file has it.
#[derive(Deserialize, serde::Serialize, PartialEq, Debug)]
struct File {
    augment: Vec<Spec>,
}

/// What a TOML file describes.
fn built(text: &str) -> Result<Sequence> {
    let file: File = toml::from_str(text).expect("TOML");
    Registry::new().build("augment", &file.augment)
}

/// Does everything that a kind must stand, with its fields as TOML: reads, writes and builds them, and compares with what the constructor
/// makes.
fn check<D: Described>(seen: &mut BTreeSet<String>, fields: &str, expected: impl Augment + 'static) {
    seen.insert(D::KIND.to_owned());
    let text = format!("[[augment]]\nkind = \"{}\"\n{fields}\n", D::KIND);
    let file: File = toml::from_str(&text).expect(&text);
    let expected = format!("{:?}", Sequence::new().then(expected));
    let debug = |specs: &[Spec]| format!("{:?}", Registry::new().build("augment", specs).expect(&text));
    assert_eq!(debug(&file.augment), expected, "{text}");

    // To text and back, in two formats.
    let written = toml::to_string(&file).unwrap();
    assert_eq!(toml::from_str::<File>(&written).unwrap(), file, "{written}");
    let written = serde_json::to_string(&file).unwrap();
    assert_eq!(debug(&serde_json::from_str::<File>(&written).unwrap().augment), expected, "{written}");

    // Through the struct, with all its fields.
    let described: D = toml::from_str(fields).expect(&text);
    let whole = File { augment: vec![Spec::of(&described).unwrap()] };
    assert_eq!(debug(&whole.augment), expected, "{whole:?}");
    let written = toml::to_string(&whole).unwrap();
    assert_eq!(debug(&toml::from_str::<File>(&written).unwrap().augment), expected, "{written}");

    // No kind takes a field that it does not know.
    let error =
        built(&format!("[[augment]]\nfieldless = 1\nkind = \"{}\"\n{fields}\n", D::KIND)).unwrap_err().to_string();
    assert!(error.starts_with("augment[0].fieldless: there is no field `fieldless`"), "{error}");
}

/// The same of a kind that mixes batches.
fn check_mix<D: DescribedMix>(seen: &mut BTreeSet<String>, fields: &str, expected: impl Mix + 'static) {
    seen.insert(D::KIND.to_owned());
    let text = format!("[[augment]]\nkind = \"flip\"\n[[augment]]\nkind = \"{}\"\n{fields}\n", D::KIND);
    let file: File = toml::from_str(&text).expect(&text);
    let expected = format!("{expected:?}");
    let debug = |specs: &[Spec]| {
        let pipeline = Registry::new().pipeline("augment", specs).expect(&text);
        assert_eq!(format!("{:?}", pipeline.samples), format!("{:?}", built("[[augment]]\nkind = \"flip\"").unwrap()));
        format!("{:?}", pipeline.batch.expect("a mix"))
    };
    assert_eq!(debug(&file.augment), expected, "{text}");
    let written = toml::to_string(&file).unwrap();
    assert_eq!(toml::from_str::<File>(&written).unwrap(), file, "{written}");
    if !fields.contains("p =") {
        let described: D = toml::from_str(fields).expect(&text);
        let whole = [file.augment[0].clone(), Spec::of_mix(&described).unwrap()];
        assert_eq!(debug(&whole), expected, "{whole:?}");
    }
    // It has no place among samples, nor in a composition.
    let error = built(&text).unwrap_err().to_string();
    assert!(error.starts_with(&format!("augment[1].kind: `{}` mixes the samples of a batch", D::KIND)), "{error}");
    let inner = format!("augment = [{{ kind = \"sequence\", parts = [{{ kind = \"{}\" }}] }}]", D::KIND);
    let error = built(&inner).unwrap_err().to_string();
    assert!(error.starts_with(&format!("augment[0].parts[0].kind: `{}` mixes", D::KIND)), "{error}");
    let file: File = toml::from_str(&text.replace("kind = \"flip\"", "kind = \"flip\"\nhorizontl = 1")).unwrap();
    assert!(Registry::new().pipeline("augment", &file.augment).unwrap_err().to_string().contains("did you mean"));
    let file: File = toml::from_str(&format!("{text}fieldless = 1")).unwrap();
    let error = Registry::new().pipeline("augment", &file.augment).unwrap_err().to_string();
    assert!(error.starts_with("augment[1].fieldless: there is no field `fieldless`"), "{error}");
}

fn part(part: impl Augment + 'static) -> Part {
    Arc::new(part)
}

#[test]
fn every_kind() {
    let seen = &mut BTreeSet::new();
    let [grey, rgb] = [Fill::Constant(Colour::grey(0.5)), Fill::Constant(Colour([1.0, 0.5, 0.0, 1.0]))];

    check::<spec::Flip>(seen, "", Flip::horizontal(0.5).unwrap());
    check::<spec::Flip>(seen, "horizontal = 0.25", Flip::horizontal(0.25).unwrap());
    check::<spec::Flip>(seen, "vertical = 1", Flip::vertical(1.0).unwrap());
    // What users of other libraries write: the probability of the flip, and not of one that has its own.
    check::<spec::Flip>(seen, "p = 0.3", Flip::horizontal(0.3).unwrap());
    let rarely: Box<dyn Augment> = Box::new(Flip::vertical(0.5).unwrap());
    check::<spec::Flip>(seen, "vertical = 0.5\np = 0.2", Sometimes::new(0.2, rarely).unwrap());
    let both = Sequence::new().then(Flip::horizontal(0.5).unwrap()).then(Flip::vertical(0.1).unwrap());
    check::<spec::Flip>(seen, "horizontal = 0.5\nvertical = 0.1", both);
    check::<spec::Symmetries>(seen, "", Flip::any());
    let turns = [Symmetry::Clockwise, Symmetry::HalfTurn];
    check::<spec::Symmetries>(seen, "of = [\"clockwise\", \"half-turn\"]\np = 0.5", Flip::of(&turns, 0.5).unwrap());
    check::<spec::Translate>(seen, "", Translate::new(Shift::NONE, Shift::NONE).unwrap());
    let around = Translate::fraction(0.1, 0.2).unwrap().fill(Fill::Reflect);
    check::<spec::Translate>(seen, "x = 0.1\ny = [-0.2, 0.2]\nfill = \"reflect\"", around);
    let pixels = Translate::new(Shift::Pixels((1.0, 2.5).into()), Shift::WholePixels((-3.0, 3.0).into())).unwrap();
    let fields = "x = { pixels = [1, 2.5] }\ny = { whole-pixels = 3 }\nfill = 0.5\ninterpolation = \"bicubic\"";
    check::<spec::Translate>(seen, fields, pixels.fill(grey).interpolation(Interpolation::Bicubic));
    check::<spec::Affine>(seen, "", Affine::identity());
    let affine =
        Affine::rotation((-10.0, 10.0)).unwrap().with_scale((0.9, 1.1)).unwrap().with_ratio((0.9, 1.2)).unwrap();
    let shift = Shift::Fraction((-0.1, 0.1).into());
    let affine = affine.with_shear((-5.0, 5.0), (1.0, 2.0)).unwrap().with_translation(shift, Shift::NONE).unwrap();
    let fields = "rotation = 10\nscale = [0.9, 1.1]\nratio = [0.9, 1.2]\nshear-of-x = 5\nshear-of-y = [1, 2]\nx = { fraction = 0.1 }\n\
                  fill = [1, 0.5, 0]\ninterpolation = \"nearest\"";
    check::<spec::Affine>(seen, fields, affine.fill(rgb).interpolation(Interpolation::Nearest));
    check::<spec::Rotate>(seen, "rotation = 15\nfill = \"white\"", {
        Affine::rotation((-15.0, 15.0)).unwrap().fill(Fill::Constant(Colour::grey(1.0)))
    });
    check::<spec::Scale>(seen, "scale = [0.8, 1.25]", Affine::scaling((0.8, 1.25)).unwrap());
    check::<spec::Shear>(seen, "x = 10\nfill = \"edge\"", {
        Affine::identity().with_shear((-10.0, 10.0), 0.0).unwrap().fill(Fill::Edge)
    });
    check::<spec::Perspective>(seen, "distortion = [0.1, 0.3]", Perspective::new((0.1, 0.3)).unwrap());
    check::<spec::Perspective>(seen, "fill = \"wrap\"", Perspective::new(0.5).unwrap().fill(Fill::Wrap));
    check::<spec::Elastic>(seen, "alpha = [20, 50]\nfill = \"symmetric\"", {
        ElasticTransform::new((20.0, 50.0), 5.0).unwrap().fill(Fill::Symmetric)
    });

    check::<spec::RandomCrop>(seen, "height = 3\nwidth = 4", RandomCrop::new(3, 4).unwrap());
    let fields = "height = 8\nwidth = 8\nmargin = 2\nfill = \"reflect\"";
    check::<spec::RandomCrop>(seen, fields, RandomCrop::new(8, 8).unwrap().margin(2, Fill::Reflect));
    check::<spec::CenterCrop>(seen, "height = 5\nwidth = 3", CenterCrop::new(5, 3).unwrap());
    check::<spec::Pad>(seen, "all = 2\nleft = 0\nbottom = 5", Pad::new(0, 2, 2, 5, Fill::BLACK));
    let crop = RandomResizedCrop::new(6, 7).unwrap();
    check::<spec::RandomResizedCrop>(seen, "height = 6\nwidth = 7", crop.clone());
    check::<spec::RandomResizedCrop>(seen, "height = 6\nwidth = 7\nantialias = true", crop.clone().antialias(true));
    let fields = "height = 6\nwidth = 7\narea = [0.5, 1]\nratio = 1\ninterpolation = \"bicubic\"";
    let crop = crop.area((0.5, 1.0)).unwrap().ratio(1.0).unwrap().interpolation(Interpolation::Bicubic);
    check::<spec::RandomResizedCrop>(seen, fields, crop);
    check::<spec::Resize>(seen, "height = 5\nwidth = 6", ResizeTo::exact(5, 6).unwrap());
    check::<spec::Resize>(
        seen,
        "shorter = 7\nfilter = \"lanczos\"",
        ResizeTo::shorter(7).unwrap().filter(Filter::Lanczos),
    );
    check::<spec::Resize>(seen, "longer = 7\nantialias = false", ResizeTo::longer(7).unwrap().antialias(false));
    check::<spec::Normalize>(seen, "", Normalize::unit());
    let fields = "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]";
    check::<spec::Normalize>(seen, fields, Normalize::imagenet());

    check::<spec::RandomErasing>(seen, "", RandomErasing::new(0.5).unwrap());
    let erasing = RandomErasing::new(1.0).unwrap().area((0.1, 0.2)).unwrap().ratio(1.0).unwrap();
    check::<spec::RandomErasing>(
        seen,
        "p = 1\narea = [0.1, 0.2]\nratio = 1\nwith = \"uniform\"",
        erasing.clone().with(Erased::Uniform),
    );
    let fields = "p = 1\narea = [0.1, 0.2]\nratio = 1\nwith = { colour = [1, 0, 0] }";
    check::<spec::RandomErasing>(seen, fields, erasing.with(Erased::Colour(Colour::rgb(1.0, 0.0, 0.0))));
    let coarse = CoarseDropout::new((1, 2), (0.1, 0.2), (0.1, 0.2)).unwrap();
    check::<spec::CoarseDropout>(seen, "", coarse.clone());
    check::<spec::CoarseDropout>(seen, "colour = 0.5", coarse.colour(Colour::grey(0.5)));
    let fields = "holes = [3, 5]\nheight = 0.1\nwidth = [0.1, 0.3]";
    check::<spec::CoarseDropout>(seen, fields, CoarseDropout::new((3, 5), 0.1, (0.1, 0.3)).unwrap());
    check::<spec::Cutout>(seen, "side = 0.25", CoarseDropout::cutout(0.25).unwrap());
    check::<spec::GridDropout>(seen, "unit = [4, 8]", GridDropout::new((4.0, 8.0), 0.5).unwrap());
    check::<spec::PixelDropout>(seen, "", PixelDropout::new(0.01).unwrap());
    let dropout = PixelDropout::new((0.0, 0.5)).unwrap().each_channel(true).with(Erased::Normal);
    check::<spec::PixelDropout>(seen, "rate = [0, 0.5]\neach-channel = true\nwith = \"normal\"", dropout);

    check::<spec::Brightness>(seen, "factor = [0.8, 1.2]", Brightness::new((0.8, 1.2)).unwrap());
    check::<spec::Contrast>(seen, "factor = 1.5", Contrast::new(1.5).unwrap());
    check::<spec::Saturation>(seen, "factor = [0, 1]", Saturation::new((0.0, 1.0)).unwrap());
    check::<spec::Hue>(seen, "turn = 0.1", Hue::new((-0.1, 0.1)).unwrap());
    check::<spec::Gamma>(seen, "exponent = [0.8, 1.25]", Gamma::new((0.8, 1.25)).unwrap());
    check::<spec::Solarize>(seen, "threshold = 0.5", Solarize::new(0.5).unwrap());
    check::<spec::Posterize>(seen, "bits = [3, 6]", Posterize::new((3.0, 6.0)).unwrap());
    let fields = "brightness = 0.4\ncontrast = 0.3\nsaturation = 0.2\nhue = 0.1";
    check::<spec::ColourJitter>(seen, fields, ColourJitter::new(0.4, 0.3, 0.2, 0.1).unwrap());
    check::<spec::Grey>(seen, "p = 0.2", Grey::new(0.2).unwrap());
    check::<spec::Invert>(seen, "", Invert::new(0.5).unwrap());
    check::<spec::ChannelDrop>(seen, "p = 1", ChannelDrop::new(1.0).unwrap());
    check::<spec::Equalize>(seen, "p = 1", Equalize::new(1.0).unwrap());
    let stretched = AutoContrast::new(0.5).unwrap().cutoff(0.01, 0.02).unwrap();
    check::<spec::AutoContrast>(seen, "cutoff = [0.01, 0.02]", stretched);
    check::<spec::Clahe>(seen, "limit = [1, 4]", Clahe::new((1.0, 4.0)).unwrap());
    check::<spec::Clahe>(seen, "limit = 2\ntiles = [2, 3]", Clahe::new(2.0).unwrap().tiles(2, 3).unwrap());
    check::<spec::ChannelShuffle>(seen, "", ChannelShuffle);

    check::<spec::GaussianNoise>(seen, "std = [0.02, 0.1]", GaussianNoise::new(0.0, (0.02, 0.1)).unwrap());
    let noise = GaussianNoise::new((0.0, 0.1), 0.1).unwrap().shared(true).clip(None).unwrap();
    check::<spec::GaussianNoise>(seen, "mean = [0, 0.1]\nstd = 0.1\nshared = true\nclip = false", noise);
    check::<spec::UniformNoise>(seen, "std = 0.1", UniformNoise::new(0.0, 0.1).unwrap());
    check::<spec::LaplaceNoise>(seen, "std = 0.1", LaplaceNoise::new(0.0, 0.1).unwrap());
    check::<spec::Speckle>(
        seen,
        "std = 0.1\nclip = [0, 2]",
        Speckle::new(0.0, 0.1).unwrap().clip(Some((0.0, 2.0))).unwrap(),
    );
    check::<spec::ShotNoise>(seen, "scale = [0.001, 0.1]", ShotNoise::new((0.001, 0.1)).unwrap());
    check::<spec::ShotNoise>(seen, "scale = 0.1\ngamma = 1", ShotNoise::new(0.1).unwrap().gamma(1.0).unwrap());
    check::<spec::SaltAndPepper>(seen, "amount = [0.01, 0.06]", RandomSaltAndPepper::new((0.01, 0.06), 0.5).unwrap());

    check::<spec::GaussianBlur>(seen, "sigma = [0.1, 2]", GaussianBlur::new((0.1, 2.0)).unwrap());
    let blur = GaussianBlur::new(1.0).unwrap().radius(2).unwrap().fill(Fill::Wrap);
    check::<spec::GaussianBlur>(seen, "sigma = 1\nradius = 2\nfill = \"wrap\"", blur);
    check::<spec::BoxBlur>(seen, "radius = [0, 2]", BoxBlur::new((0.0, 2.0)).unwrap());
    check::<spec::MedianBlur>(seen, "radius = 1", MedianBlur::new(1.0).unwrap());
    check::<spec::MedianBlur>(seen, "radius = 1\nfill = \"wrap\"", MedianBlur::new(1.0).unwrap().fill(Fill::Wrap));
    check::<spec::MotionBlur>(seen, "length = [3, 7]", MotionBlur::new((3.0, 7.0), (0.0, 180.0)).unwrap());
    check::<spec::Sharpness>(seen, "factor = [0.1, 1.9]", Sharpness::new((0.1, 1.9)).unwrap());
    check::<spec::UnsharpMask>(seen, "sigma = 1\namount = 0.5", UnsharpMask::new(1.0, 0.5).unwrap());

    check::<spec::Jpeg>(seen, "quality = [40, 100]", JpegCompression::new((40.0, 100.0)).unwrap());

    check::<spec::RandAugment>(seen, "", RandAugment::new(2, 9).unwrap());
    let policy = RandAugment::new(3, 4).unwrap().bins(11).unwrap().fill(Fill::Edge);
    check::<spec::RandAugment>(seen, "operations = 3\nmagnitude = 4\nbins = 11\nfill = \"edge\"", policy);
    check::<spec::TrivialAugment>(seen, "", TrivialAugment::new());
    check::<spec::AutoAugment>(seen, "found-on = \"cifar10\"\nfill = 0.5", AutoAugment::cifar10().fill(grey));
    check::<spec::AugMix>(seen, "", AugMix::new());
    let policy = AugMix::new().severity(5).unwrap().width(2).unwrap().depth(2, 4).unwrap().alpha(0.5).unwrap();
    let fields = "severity = 5\nwidth = 2\ndepth = [2, 4]\nalpha = 0.5\ngeometric = false";
    check::<spec::AugMix>(seen, fields, policy.geometric(false));

    let flip = || part(Flip::vertical(0.5).unwrap());
    let noise = || part(Speckle::new(0.0, 0.1).unwrap());
    let parts = "parts = [{ kind = \"flip\", vertical = 0.5 }, { kind = \"speckle\", std = 0.1 }]";
    check::<spec::Sequence>(seen, parts, Sequence::from_iter([flip(), noise()]));
    check::<spec::RandomOrder>(seen, parts, RandomOrder::from_iter([flip(), noise()]));
    check::<spec::SomeOf>(seen, &format!("{parts}\ncount = 1"), SomeOf::new(1, 1, [flip(), noise()]).unwrap());
    check::<spec::SomeOf>(seen, &format!("{parts}\ncount = [0, 2]"), SomeOf::new(0, 2, [flip(), noise()]).unwrap());
    check::<spec::OneOf>(seen, parts, OneOf::even([flip(), noise()]).unwrap());
    let weighted = OneOf::new([(2.0, flip()), (1.0, noise())]).unwrap();
    check::<spec::OneOf>(seen, &format!("{parts}\nweights = [2, 1]"), weighted);

    let up = MixUp::new(0.2).unwrap();
    check_mix::<spec::MixUp>(seen, "alpha = 0.2", up.clone());
    check_mix::<spec::MixUp>(seen, "alpha = 0.2\np = 0.25", Sometimes::mix(0.25, up.clone()).unwrap());
    let fields = "alpha = 0.2\neach-sample = true\npartner = \"roll\"";
    check_mix::<spec::MixUp>(seen, fields, up.clone().each_sample(true).partner(Partner::Roll));
    let cut = CutMix::new(1.0).unwrap();
    check_mix::<spec::CutMix>(seen, "alpha = 1\npartner = \"reverse\"", cut.clone().partner(Partner::Reverse));
    let choice = MixChoice::new(up.clone(), cut.clone(), 0.5).unwrap();
    check_mix::<spec::MixChoice>(seen, "mixup = { alpha = 0.2 }\ncutmix = { alpha = 1 }", choice);
    let fields = "mixup = { alpha = 0.2 }\ncutmix = { alpha = 1, each-sample = true }\ncut = 0.1";
    check_mix::<spec::MixChoice>(seen, fields, MixChoice::new(up, cut.each_sample(true), 0.1).unwrap());

    let registry = Registry::new();
    let missing: Vec<&str> = registry.kinds().chain(registry.mixes()).filter(|kind| !seen.contains(*kind)).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
}

/// Every transform that the crate exports has a kind.
#[test]
fn no_transform_is_forgotten() {
    // What is exported beside the transforms, and what is made of them in Rust alone.
    let others = [
        "Range",
        "Erased",
        "Shift",
        "Part",
        "Sometimes",
        "from_fn",
        "part",
        "Mix",
        "Mixed",
        "Mixing",
        "Partner",
        "Rectangle",
        "Share",
        "soft_labels",
    ];
    // Kinds whose names are others than their types'.
    let named = |name: &str| match name {
        "ElasticTransform" => "elastic".to_owned(),
        "RandomSaltAndPepper" => "salt-and-pepper".to_owned(),
        "ResizeTo" => "resize".to_owned(),
        "JpegCompression" => "jpeg".to_owned(),
        "MixUp" => "mixup".to_owned(),
        "CutMix" => "cutmix".to_owned(),
        _ => {
            let dashed =
                name.chars().map(|c| if c.is_uppercase() { format!("-{}", c.to_lowercase()) } else { c.to_string() });
            dashed.collect::<String>().trim_start_matches('-').to_owned()
        }
    };
    let front = include_str!("../src/lib.rs");
    let mut checked = 0;
    let registry = Registry::new();
    for module in ["transform", "compose", "policy", "mix"] {
        // As a list, and, behind a feature, alone.
        let start = format!("pub use {module}::");
        let lists = front.split(&start).skip(1).map(|list| list.split(';').next().unwrap());
        let names = lists.flat_map(|list| list.trim_matches(['{', '}']).split(',')).map(str::trim);
        for name in names.filter(|name| !name.is_empty() && !others.contains(name)) {
            let kind = named(name);
            assert!(
                registry.kinds().chain(registry.mixes()).any(|known| known == kind),
                "no kind `{kind}` for {name}: add it to src/spec/kinds"
            );
            checked += 1;
        }
    }
    assert!(checked >= 53, "{checked}");
}

#[test]
fn mistakes_are_told_by_their_place() {
    let part = "[[augment]]\nkind = \"flip\"\n";
    for (text, expected) in [
        (
            "[[augment]]\nkind = \"gausian-noise\"",
            "augment[0].kind: there is no kind `gausian-noise`; did you mean `gaussian-noise`?",
        ),
        ("[[augment]]\nhorizontal = 1", "augment[0].kind: is missing"),
        ("[[augment]]\nkind = 3", "augment[0].kind: the name of a kind is expected"),
        (
            "[[augment]]\nkind = \"flip\"\nhorizontl = 1",
            "augment[0].horizontl: there is no field `horizontl`; did you mean `horizontal`?",
        ),
        ("[[augment]]\nkind = \"cutout\"", "augment[0].side: is missing"),
        ("[[augment]]\nkind = \"cutout\"\nside = \"half\"", "augment[0].side: expected f64, got string \"half\""),
        (
            "[[augment]]\nkind = \"cutout\"\nside = 2",
            "augment[0]: coarse dropout: height must be a number or an ascending pair within [0, 1], got 2",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = \"x\"",
            "augment[0].std: expected a number or a pair of numbers, got string \"x\"",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = [1, 2, 3]",
            "augment[0].std: expected a number or a pair of numbers, got 3 values",
        ),
        ("[[augment]]\nkind = \"speckle\"\nstd = [0, \"x\"]", "augment[0].std[1]: expected f64, got string \"x\""),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = [2, 1]",
            "augment[0].std: speckle: std must be a number or an ascending pair within [0, 1000000], got (2, 1)",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = nan",
            "augment[0].std: speckle: std must be a number or an ascending pair within [0, 1000000], got NaN",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = 1\nclip = true",
            "augment[0].clip: expected a pair of numbers, or false, got boolean `true`",
        ),
        (
            "[[augment]]\nkind = \"speckle\"\nstd = 1\nclip = [1, 0]",
            "augment[0].clip: speckle: clip must be an ascending pair that leaves some number within ±1000000, got (1, 0)",
        ),
        (
            "[[augment]]\nkind = \"affine\"\nshear-of-x = 90",
            "augment[0].shear-of-x: affine: shear of x must be a number or an ascending pair within [-89, 89], got (-90, 90)",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nx = -0.1",
            "augment[0].x: expected a part of the image's size, which goes to both sides, a pair of such parts, or a table of `pixels` or `whole-pixels`, got floating point `-0.1`",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nx = { pixel = 1 }",
            "augment[0].x.pixel: there is no field `pixel`; did you mean `pixels`?",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nx = { whole-pixels = [0.2, 0.8] }",
            "augment[0].x: translate: x must be a range that contains an integer, got (0.2, 0.8)",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nfill = \"mirror\"",
            "augment[0].fill: expected one of \"edge\", \"reflect\", \"symmetric\", \"wrap\", \"black\" and \"white\", or a number, three numbers or four, got string \"mirror\"",
        ),
        (
            "[[augment]]\nkind = \"translate\"\nfill = nan",
            "augment[0].fill: expected one of \"edge\", \"reflect\", \"symmetric\", \"wrap\", \"black\" and \"white\", or a number, three numbers or four, got floating point `NaN`",
        ),
        (
            "[[augment]]\nkind = \"cutout\"\nside = 0.5\ncolour = [0, inf, 0]",
            "augment[0].colour: expected a number, three numbers or four, got floating point `inf`",
        ),
        (
            "[[augment]]\nkind = \"posterize\"\nbits = [3.2, 3.8]",
            "augment[0].bits: posterize: bits must be a range that contains an integer, got (3.2, 3.8)",
        ),
        (
            "[[augment]]\nkind = \"translate\"\ninterpolation = \"bilinaer\"",
            "augment[0].interpolation: there is no value `bilinaer`; did you mean `bilinear`?",
        ),
        (
            "[[augment]]\nkind = \"resize\"\nheight = 3",
            "augment[0]: resize: size must be either `height` and `width`, or `shorter`, or `longer`, got another combination",
        ),
        (
            "[[augment]]\nkind = \"random-crop\"\nheight = 3\nwidth = -1",
            "augment[0].width: expected usize, got integer `-1`",
        ),
        (
            "[[augment]]\nkind = \"random-erasing\"\nwith = { colours = 0 }",
            "augment[0].with: there is no value `colours`; did you mean `colour`?",
        ),
        ("[[augment]]\nkind = \"grey\"\np = 1.5", "augment[0].p: grey: probability must be within [0, 1], got 1.5"),
        (
            "[[augment]]\nkind = \"cutout\"\nside = 0.5\np = -1",
            "augment[0].p: coarse dropout: probability must be within [0, 1], got -1",
        ),
        (
            "[[augment]]\nkind = \"cutout\"\nside = 0.5\np = \"often\"",
            "augment[0].p: expected f64, got string \"often\"",
        ),
        (
            "[[augment]]\nkind = \"one-of\"\nparts = []",
            "augment[0]: one of: weights must be at least one above 0, got none",
        ),
        ("[[augment]]\nkind = \"one-of\"\nparts = 3", "augment[0].parts: expected a sequence, got integer `3`"),
        (
            "[[augment]]\nkind = \"one-of\"\nparts = [3]",
            "augment[0].parts[0]: a transform is described by a table with a `kind` and its fields",
        ),
        (
            "[[augment]]\nkind = \"some-of\"\nparts = []\ncount = 1",
            "augment[0].count: some of: count must be an ascending pair of at most 0, the number of transforms, got (1, 1)",
        ),
        (
            "[[augment]]\nkind = \"some-of\"\nparts = []\ncount = \"x\"",
            "augment[0].count: expected a number or a pair of numbers",
        ),
        (
            "[[augment]]\nkind = \"one-of\"\nparts = [{ kind = \"speckle\", std = 1 }]\nweights = []",
            "augment[0].weights: one of: weights must be as many as parts (1), got 0",
        ),
        (
            &format!("{part}{part}[[augment]]\nkind = \"one-of\"\nparts = [{{ kind = \"speckle\", std = -1 }}]"),
            "augment[2].parts[0].std: speckle: std must be a number or an ascending pair within [0, 1000000], got -1",
        ),
        (
            &format!(
                "{part}[[augment]]\nkind = \"sequence\"\nparts = [{{ kind = \"flip\" }}, {{ kind = \"sequence\", parts = [{{ kind = \"flip\", horizontal = true }}] }}]"
            ),
            "augment[1].parts[1].parts[0].horizontal: expected f64, got boolean `true`",
        ),
    ] {
        assert_eq!(built(text).unwrap_err().to_string(), expected, "{text}");
    }
    let unlike = built("[[augment]]\nkind = \"zzzzzzzzzz\"").unwrap_err().to_string();
    assert!(unlike.contains("there is no kind `zzzzzzzzzz`; there are affine, "), "{unlike}");
    for text in [
        "[3]",
        "[{\"kind\": null}]",
        "[{\"kind\": \"flip\", \"kind\": \"flip\"}]",
        "[{\"kind\": 18446744073709551615}]",
    ] {
        assert!(serde_json::from_str::<Vec<Spec>>(text).is_err(), "{text}");
    }
}

#[test]
fn a_pipeline_ends_with_a_mix_or_has_none() {
    let pipeline = |text: &str| {
        let file: File = toml::from_str(text).unwrap();
        Registry::new().pipeline("augment", &file.augment)
    };
    assert!(pipeline("augment = []").unwrap().batch.is_none());
    assert!(pipeline("augment = [{ kind = \"flip\" }]").unwrap().batch.is_none());
    let (up, cut) = ("{ kind = \"mixup\", alpha = 0.2 }", "{ kind = \"cutmix\", alpha = 1 }");
    for (list, expected) in [
        (
            format!("{up}, {{ kind = \"flip\" }}"),
            "augment[1]: what works on samples comes before what mixes them, here augment[0]",
        ),
        (
            format!("{{ kind = \"flip\" }}, {up}, {cut}"),
            "augment[2]: only one kind mixes the batch, here augment[1]; `mix-choice` takes turns",
        ),
        (
            "{ kind = \"mixup\", alpha = 0 }".to_owned(),
            "augment[0].alpha: mixup: alpha must be a number or an ascending pair within [0.001, 1000], got 0",
        ),
        (
            "{ kind = \"cutmix\", alpha = 1, p = 2 }".to_owned(),
            "augment[0].p: cutmix: probability must be within [0, 1], got 2",
        ),
        ("{ kind = \"mixup\" }".to_owned(), "augment[0].alpha: is missing"),
        (
            "{ kind = \"mix-choice\", mixup = { alpha = 1 }, cutmix = { alpha = 1 }, cut = -1 }".to_owned(),
            "augment[0].cut: mix choice: cut must be a number or an ascending pair within [0, 1], got -1",
        ),
        (
            "{ kind = \"mix-choice\", mixup = { alpha = 1 }, cutmix = { alhpa = 1 } }".to_owned(),
            "augment[0].cutmix.alhpa: there is no field `alhpa`; did you mean `alpha`?",
        ),
    ] {
        let error = pipeline(&format!("augment = [{list}]")).unwrap_err().to_string();
        assert_eq!(error, expected);
    }
    // A user's own.
    let mut registry = Registry::new();
    assert!(registry.add_mix::<spec::MixUp>().is_err(), "the name is taken");
    assert!(registry.kinds().all(|kind| kind != "mixup") && registry.mixes().eq(["cutmix", "mix-choice", "mixup"]));
    registry.add_mix::<Whole>().unwrap();
    let file: File = toml::from_str("augment = [{ kind = \"whole\" }]").unwrap();
    let mixing = registry.pipeline("augment", &file.augment).unwrap().batch.unwrap();
    let mixing = mixing.draw(2, Shape::interleaved(2, 2, 1), Key::new(0)).unwrap();
    assert!(mixing.samples().iter().all(|sample| sample.share == 1.0));
}

/// A user's mix: none at all.
#[derive(serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {}

impl DescribedMix for Whole {
    const KIND: &'static str = "whole";

    fn build(self) -> Result<Box<dyn Mix>> {
        Ok(Box::new(Sometimes::mix(0.0, MixUp::new(1.0)?)?))
    }
}

#[test]
fn any_kind_may_happen_with_a_probability() {
    let text = "[[augment]]\nkind = \"cutout\"\nside = 0.5\np = 0.25\n";
    let sometimes = Sometimes::new(0.25, CoarseDropout::cutout(0.5).unwrap()).unwrap();
    assert_eq!(format!("{:?}", built(text).unwrap()), format!("{:?}", Sequence::new().then(sometimes)));
}

#[test]
fn compositions_may_not_lie_too_deep() {
    // Made in memory: parsers of files have limits of their own.
    let nested = |depth: usize| {
        let flip = Spec::from(spec::Table::from([("kind".to_owned(), Value::Text("flip".to_owned()))]));
        let sequence = |part: Spec, _| Spec::of(&spec::Sequence { parts: vec![part] }).unwrap();
        Registry::new().build("augment", &[(1..depth).fold(flip, sequence)])
    };
    assert!(nested(64).is_ok());
    let error = nested(65).unwrap_err().to_string();
    assert!(error.ends_with("compositions lie more than 64 deep in one another"), "{error}");
}

/// A user's kind, by its struct.
#[derive(serde::Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Twice {
    part: Spec,
}

impl Described for Twice {
    const KIND: &'static str = "twice";

    fn build(self, site: &spec::Site<'_>) -> Result<Box<dyn Augment>> {
        let parts = site.parts("part", &[self.part.clone(), self.part])?;
        Ok(Box::new(Sequence::from_iter(parts)))
    }
}

#[test]
fn users_add_kinds() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fog {
        density: Range,
    }
    let mut registry = Registry::new();
    let fog = |fog: Fog| {
        let density = fog.density.within(0.0, 1.0, "fog", "density")?;
        Ok(Box::new(from_fn("fog", move |_, random| {
            density.draw(random);
            Ok(())
        })) as Box<dyn Augment>)
    };
    registry.register("fog", fog).unwrap();
    registry.add::<Twice>().unwrap();
    assert!(
        registry.register("fog", fog).is_err()
            && registry.register("", fog).is_err()
            && registry.add::<spec::Flip>().is_err()
    );
    assert!(format!("{registry:?}").contains("\"fog\""));

    let build = |text: &str| {
        let file: File = toml::from_str(text).unwrap();
        registry.build("recipe.augment", &file.augment)
    };
    let text = "[[augment]]\nkind = \"one-of\"\nparts = [{ kind = \"fog\", density = [0.1, 0.2], p = 0.5 }]\n\
                [[augment]]\nkind = \"twice\"\npart = { kind = \"flip\" }\n";
    let pipeline = build(text).unwrap();
    let image = Image::black(Shape::interleaved(2, 2, 3), Kind::U8).unwrap();
    assert!(pipeline.apply(image.as_ref(), Key::new(0)).is_ok());
    let error = build("[[augment]]\nkind = \"one-of\"\nparts = [{ kind = \"fog\", density = 2 }]").unwrap_err();
    let expected =
        "recipe.augment[0].parts[0].density: fog: density must be a number or an ascending pair within [0, 1], got 2";
    assert_eq!(error.to_string(), expected);
    assert!(matches!(error, Error::Built { .. }));
    let error = build("[[augment]]\nkind = \"fogg\"").unwrap_err().to_string();
    assert!(error.contains("did you mean `fog`?"), "{error}");
}

#[test]
fn a_description_can_be_edited() {
    let mut spec = Spec::of(&spec::Cutout { side: 0.5, colour: Colour::BLACK }).unwrap();
    spec.fields_mut().insert("side".to_owned(), Value::Number(0.25));
    assert_eq!((spec.kind(), spec.fields().len()), (Some("cutout"), 3));
    let built = Registry::new().build("augment", &[spec]).unwrap();
    assert_eq!(format!("{built:?}"), format!("{:?}", Sequence::new().then(CoarseDropout::cutout(0.25).unwrap())));
}

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
